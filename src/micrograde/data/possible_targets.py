"""Which columns of a table could hold what is to be learned, for a user who has not said."""

from dataclasses import dataclass

from micrograde.core.errors import InputError
from micrograde.data.columns import Column
from micrograde.data.messages import quoted
from micrograde.data.role_tables import DescribedTable
from micrograde.data.targets import MOST_WHOLE_NUMBERS, read_target

_FEWEST_ROWS = 3  # of the rarest class, so that each part can have one
_USUAL = frozenset(("class", "target", "label", "y", "outcome", "result", "response"))
_USUAL_NUMBERS = frozenset(("price", "cost", "value", "score", "amount", "sales", "rating", "quality"))
_SHOWN, _LENGTH = 12, 300  # columns in a phrase, and characters after which it is cut


@dataclass(frozen=True)
class PossibleTarget:
    """A column whose values could be the classes, or numbers to be predicted.

    Attributes
    ----------
    classes
        How many classes they would be; 0 if they would be predicted as numbers.
    role
        The role that the column has as long as it is not the target.
    """

    name: str
    classes: int
    role: str

    def __str__(self) -> str:
        """Return it in words, such as ``'species' (3 classes)``."""
        return f"{quoted(self.name)} ({f'{self.classes} classes' if self.classes else 'numbers'})"


def possible_targets(table: DescribedTable) -> tuple[PossibleTarget, ...]:
    """Return the columns that could be the target, the most likely first.

    Those are columns of 2 to 20 values, each of which stands in three rows or more, and columns of numbers. A
    column that has one of the usual names comes first; then classes come before what would be predicted as
    numbers, texts before numbers, and columns without gaps before others; then the last column and the first,
    where tables mostly have their target.
    """
    found = []
    for place, (name, column) in enumerate(table.columns.items()):
        role = table.roles[name].name
        classes = None if role == "dropped" else _classes(column, role, table)
        if classes is None:
            continue
        usual = _USUAL if classes else _USUAL | _USUAL_NUMBERS
        at_edge = {len(table.columns) - 1: 0, 0: 1}.get(place, 2)
        has_gaps = bool(column.is_missing(table.rules.missing_words).any())
        unusual = name.strip().lower() not in usual
        rank = (unusual, not classes, role == "number", has_gaps, at_edge, place)
        found.append((rank, PossibleTarget(name, classes, role)))
    return tuple(each for _, each in sorted(found, key=lambda pair: pair[0]))


def _classes(column: Column, role: str, table: DescribedTable) -> int | None:
    """Return how many classes a column would have, 0 if it would be numbers; None if it is no target."""
    if column.different > 2 * MOST_WHOLE_NUMBERS:  # more than two spellings of each would be odd
        return 0 if role == "number" else None
    try:
        rules = table.rules
        target = read_target(
            column, na_values=rules.na_values, decimal=rules.decimal or ".", task=None, source=""
        )
    except InputError:
        return None
    if target.numbers is not None:
        return 0 if role == "number" else None
    count = len(target.names)
    if not 2 <= count <= MOST_WHOLE_NUMBERS or target.smallest < _FEWEST_ROWS:
        return None
    return count


def listing_of_targets(table: DescribedTable) -> str:
    """Return a phrase with the columns that could be the target; empty if none could."""
    return _joined(list(map(str, possible_targets(table))))


def listing_of_others(table: DescribedTable) -> str:
    """Return a phrase with the other columns and what each is; empty if there are none."""
    possible = {each.name for each in possible_targets(table)}
    return _joined(
        [f"{quoted(name)} ({role.name})" for name, role in table.roles.items() if name not in possible]
    )


def _joined(found: list[str]) -> str:
    shown: list[str] = []
    for each in found[:_SHOWN]:
        shown.append(each)
        if sum(map(len, shown)) > _LENGTH:
            break
    more = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    return ", ".join(shown) + more
