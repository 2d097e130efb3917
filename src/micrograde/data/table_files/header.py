"""Whether the first row of a table holds the names of its columns, and what nameless columns are called.

Each column is asked how likely its first value would be among those below it. The answers are added up as
logarithms of odds, as of witnesses who know nothing of each other.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from micrograde.data.messages import listed, quoted
from micrograde.data.table_files.cells import is_nothing, is_number, shape

MOST_ROWS = 1000
"""The most rows below the first that are looked at."""

_NUMERIC = 0.9  # the share of numbers in a column of numbers

_MOST_FILES_HAVE_NAMES = 2.2
_WORD_OVER_NUMBERS = 5.0
_NUMBER_OVER_NUMBERS, _EACH_FURTHER, _MOST_OF_NUMBERS = -5.0, -0.5, -8.0
_WHOLE_OVER_FRACTIONS = 3.0
_SEEN_BELOW = -4.5
_UNSEEN, _OTHER_KIND = 3.0, 3.0  # at most, of a word and of a number over words
_OTHER_SHAPE, _SAME_SHAPE = 4.0, -3.0
_LONG_SERIES, _SERIES = 4, 2.0
_SURE = 2.5


@dataclass(frozen=True)
class Names:
    """The names of all columns, and those of them by place that are made here: ``c3`` for the third."""

    names: list[str]
    made: list[str]


def has_names(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row holds the names of the columns, by the rows below it."""
    return _MOST_FILES_HAVE_NAMES + evidence(first, below) > 0


def are_named(columns: Sequence[str], first: Sequence[str]) -> bool:
    """Return whether the first row names one of the columns that a table should have."""
    names = {name.strip() for name in first}
    return any(column.strip() in names for column in columns)


def row_of_names(rows: Sequence[Sequence[str]], most: int = 10) -> int | None:
    """Return the place of the row that holds the names if rows without stand above it, such as a title."""
    if len(rows) < 3:
        return None
    lacking = _filled(rows[0])
    usual = Counter(map(_filled, rows[1:])).most_common(1)[0][0]
    if lacking >= usual:
        return None
    least = max(_SURE, evidence(rows[0], rows[1:]))
    for place, row in enumerate(rows[1 : most + 1], start=1):
        names = [value.strip() for value in row if value.strip()]
        if not lacking < len(names) <= len(row) or len(names) < usual:
            continue
        are_words = not any(is_number(name) for name in names) and len(set(names)) == len(names)
        if are_words and evidence(row, rows[place + 1 :]) > least:
            return place
    return None


def given_names(row: Sequence[str]) -> Names:
    """Return the names in a row without spaces around them, and one by its place for each that has none."""
    names = [name.strip() for name in row]
    return _filled_up(names)


def made_names(count: int) -> Names:
    """Return ``c1``, ``c2``, ... for columns without names."""
    return _filled_up([""] * count)


def _filled_up(names: list[str]) -> Names:
    taken, made = set(names), []
    for place, name in enumerate(names):
        if not name:
            free = f"c{place + 1}"
            while free in taken:
                free += "_"
            taken.add(free)
            made.append(free)
            names[place] = free
    return Names(names, made)


def names_note(source: str, made: Sequence[str]) -> str:
    """Return the line about columns that have no name in a header."""
    if len(made) == 1:
        return f"{source}: a column has no name; it is called {quoted(made[0])}, by its place"
    return f"{source}: {len(made)} columns have no name; they are called {listed(made)}, by their places"


def evidence(first: Sequence[str], below: Sequence[Sequence[str]]) -> float:
    """Return the logarithm of the odds that the first row holds names, as far as the rows below tell."""
    # A row that is the same may be the header again, of files that were put together.
    rows = [row for row in below[:MOST_ROWS] if row != first]
    if not rows:
        return _of_one_row(first)
    columns = [[row[place].strip() for row in rows if place < len(row)] for place in range(len(first))]
    cells = [cell.strip() for cell in first]
    numeric = [place for place, column in enumerate(columns) if _holds_numbers(column)]
    total = _of_numbers(
        [cells[place] for place in numeric],
        [columns[place] for place in numeric],
        [row[place].strip() for row in rows[:1] for place in numeric if place < len(row)],
    )
    words = set(range(len(cells))) - set(numeric)
    return total + sum(_of_words(cells[place], columns[place]) for place in words)


def _of_one_row(row: Sequence[str]) -> float:
    """Return the evidence of a row without others: a name is seldom a number."""
    filled = [value.strip() for value in row if not is_nothing(value.strip())]
    return _NUMBER_OVER_NUMBERS if 2 * sum(map(is_number, filled)) > len(filled) else 0.0


def _of_numbers(cells: Sequence[str], columns: Sequence[Sequence[str]], second: Sequence[str]) -> float:
    """Return the evidence of the columns of numbers."""
    total = numbers = fractions = 0.0
    places = [place for place, cell in enumerate(cells) if is_number(cell)]
    are_a_series = _is_series([cells[place] for place in places]) and not _is_series(
        [second[place] for place in places if place < len(second)]
    )
    for cell, column in zip(cells, columns, strict=True):
        if is_nothing(cell):
            continue
        if not is_number(cell):
            total += _SEEN_BELOW if cell in column else _WORD_OVER_NUMBERS
        elif not are_a_series or (len(places) < _LONG_SERIES and _repeats(cell, column)):
            numbers += _EACH_FURTHER if numbers else _NUMBER_OVER_NUMBERS
        if cell.isdecimal() and _all_have_decimals(column):
            fractions = _WHOLE_OVER_FRACTIONS  # once, as one program writes all columns alike
    if are_a_series and len(places) >= _LONG_SERIES - 1:
        total += _SERIES
    return total + fractions + max(numbers, _MOST_OF_NUMBERS)


def _all_have_decimals(column: Sequence[str]) -> bool:
    """Return whether all numbers of a column are written with decimals, as floats mostly are."""
    values = [value for value in column if not is_nothing(value)]
    return all("." in value or "," in value for value in values)


def _of_words(cell: str, column: Sequence[str]) -> float:
    """Return the evidence of a column that holds other than numbers."""
    values = [value for value in column if not is_nothing(value)]
    if is_nothing(cell) or not values:
        return 0.0
    counts = Counter(values)
    if cell in counts:
        return _SEEN_BELOW
    once = sum(count == 1 for count in counts.values())
    found = min(_UNSEEN, math.log((len(values) + 1) / (once + 1)))
    if is_number(cell) and not any(map(is_number, values)):
        return found + _OTHER_KIND
    shapes = Counter(map(shape, values))
    usual, count = shapes.most_common(1)[0]
    if len(values) < 3 or count < _NUMERIC * len(values) or not re.search(r"[^a ]", usual):
        return found
    return _SAME_SHAPE if shape(cell) == usual else found + _OTHER_SHAPE


def _is_series(cells: Sequence[str]) -> bool:
    """Return whether numbers in a row are names: 0 1 2, or 2019 2020 2021, or years one after the other."""
    if len(cells) < 2 or not all(map(is_number, cells)):
        return False
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:  # with separators of thousands
        return False
    steps = [second - first for first, second in pairwise(numbers)]
    even = steps[0] != 0 and all(math.isclose(step, steps[0], rel_tol=1e-6) for step in steps)
    if len(cells) == 2:
        return even and steps[0] == 1 and numbers[0] in (0, 1)
    years = all(re.fullmatch(r"\d{4}", cell) and 1800 <= int(cell) <= 2100 for cell in cells)
    return even or (years and (min(steps) > 0 or max(steps) < 0))


def _repeats(cell: str, column: Sequence[str]) -> bool:
    return cell in column and len(set(column)) <= len(column) / 2


def _holds_numbers(column: Collection[str]) -> bool:
    values = [value for value in column if not is_nothing(value)]
    return bool(values) and sum(map(is_number, values)) >= _NUMERIC * len(values)


def _filled(row: Sequence[str]) -> int:
    return sum(bool(value.strip()) for value in row)


NO_HEADER = "no header"
"""What ``RawTable.found`` says of a table without names."""


def no_header_note(source: str) -> str:
    """Return the line about a table whose first row looks like the others."""
    return (
        f"{source}: the first row looks like a row of data, so the columns are called c1, c2, ...; "
        "set data.header=true if it holds their names"
    )
