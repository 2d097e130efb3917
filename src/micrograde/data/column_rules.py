"""Which role each column of a table has, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from micrograde.core.errors import InputError
from micrograde.data.columns import MISSING_WORDS, Column
from micrograde.data.messages import listed, quoted
from micrograde.data.number_texts import decimal_sign, evidence
from micrograde.data.roles import ROLES, LeftOut, Role, RoleSettings, roles_in_order
from micrograde.data.roles.category import Category
from micrograde.data.roles.identifier import Identifier
from micrograde.data.roles.left_out import Dropped


@dataclass(frozen=True, kw_only=True)
class ColumnRules:
    """What a user says of columns, in place of what is decided.

    Attributes
    ----------
    drop
        Columns that are left out.
    keep
        Columns that are used though they look like identifiers, free text or constants.
    roles
        Roles by column.
    max_categories
        The most categories that a column keeps.
    na_values
        Texts that stand for missing values, beside the usual ones.
    decimal
        The decimal sign of numbers; None to find it out.
    day_first
        Whether ``03/04/2024`` is the third of April; None to find it out.
    elsewhere
        Columns that are needed for something else, with what for: ``data.group``.
    """

    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    max_categories: int = 30
    na_values: tuple[str, ...] = ()
    decimal: str | None = None
    day_first: bool | None = None
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing_words(self) -> frozenset[str]:
        """All texts that stand for missing values."""
        return MISSING_WORDS | {word.strip() for word in self.na_values}


def check_names_of(rules: ColumnRules, columns: Sequence[str], targets: Sequence[str]) -> None:
    """Raise ``InputError`` if a rule names no column, or a target, or a role that there is not."""
    keys = {
        "data.drop": rules.drop,
        "data.keep": rules.keep,
        "data.roles": tuple(rules.roles),
        **{key: (name,) for name, key in rules.elsewhere.items()},
    }
    for key, names in keys.items():
        if unknown := [name for name in names if name not in columns]:
            raise InputError(
                f"{key}: there is no column {listed(unknown)}; the columns are {listed(columns)}"
            )
        if key != "data.roles" and (both := [name for name in targets if name in names]):
            what = "the target" if len(targets) == 1 else "a target"
            raise InputError(f"{key}: {quoted(both[0])} is {what}, which is always used")
    for name, role in rules.roles.items():
        if role not in ROLES:
            raise InputError(
                f"data.roles: {quoted(name)} is to be {quoted(role)}; a role is one of {', '.join(ROLES)}"
            )
    if both := sorted(set(rules.drop) & (set(rules.keep) | set(rules.roles))):
        raise InputError(
            f"data.drop: {listed(both)} is to be used as well, by data.keep or data.roles; remove one"
        )


def decide(
    columns: Mapping[str, Column], rules: ColumnRules, source: str, separator: str | None = None
) -> dict[str, Role]:
    """Return the role of each column.

    The first that fits is taken: constant; truth value; number, unless it is an identifier, or a category by
    its name; date; time of day; free text; identifier; category.

    Parameters
    ----------
    columns
        The columns by name, without the target.
    source
        What error messages start with.
    separator
        The separator of the text file; None for other sources.

    Raises
    ------
    InputError
        If a column cannot have the role that the user has chosen.
    """
    decimal = rules.decimal or decimal_sign(
        [evidence(column.texts) for column in columns.values() if column.texts is not None], separator
    )
    settings = RoleSettings(
        max_categories=rules.max_categories,
        decimal=decimal,
        missing_words=rules.missing_words,
        day_first=rules.day_first,
    )
    return {name: _role_of(column, rules, settings, source) for name, column in columns.items()}


def _role_of(column: Column, rules: ColumnRules, settings: RoleSettings, source: str) -> Role:
    name = column.name
    if name in rules.drop:
        return Dropped(reason="by data.drop")
    if name in rules.elsewhere:
        return Dropped(reason=f"used by {rules.elsewhere[name]}")
    if name in rules.roles:
        wanted = rules.roles[name]
        kind = ROLES[wanted]
        if issubclass(kind, LeftOut):
            return kind(reason="by data.roles")
        chosen = kind.of(column, replace(settings, forced=True))
        if chosen is None:
            raise InputError(
                f"{source}: column {quoted(name)} cannot be {wanted}: it holds no such values (data.roles)"
            )
        return chosen
    if name in rules.keep:
        return _kept(column, settings)
    return _fitting(column, settings)


def _fitting(column: Column, settings: RoleSettings) -> Role:
    """Return the first role that a column looks like."""
    for kind in roles_in_order():
        if found := kind.of(column, settings):
            return found
    return Identifier(reason=f"{column.different} different values, none of them in five rows")


def _kept(column: Column, settings: RoleSettings) -> Role:
    """Return the first role that makes features of a column; if there is none, categories however rare."""
    settings = replace(settings, kept=True)
    for kind in roles_in_order():
        if kind.used and (found := kind.of(column, settings)):
            return found
    return Category.of(column, replace(settings, forced=True)) or _fitting(column, settings)
