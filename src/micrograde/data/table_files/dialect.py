"""How a text file separates the values of a row: found out by its first rows, or as it is said.

With the right separator the rows have the same number of values. It is judged by complete rows and with
quotes respected, as texts may hold more of another separator than stand between the values.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, islice

from micrograde.core.errors import InputError
from micrograde.data.messages import shortened
from micrograde.data.table_files.cells import is_number
from micrograde.data.unpacking import LONGEST_HEADER

_CANDIDATES = (",", ";", "\t", "|")
_WORDS = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "pipe": "|"}
_NAMES = {"\t": "tab", " ": "spaces"}
_SAMPLE, _LINES = 2**18, 20  # bytes, and lines if they are longer
_MOST_ROWS, _MOST_VALUES = 2000, 50_000
_LONGEST_FIELD = 2**26
_TELLING = 0.5  # of the rows, at least, have the usual number of values
_BY_SPACES, _LEAST_BY_SPACES = 0.99, 3


@dataclass(frozen=True)
class Dialect:
    """The separator, and whether spaces behind it do not count (`a, "b, c"`); runs of spaces are one.

    Attributes
    ----------
    takes_tabs
        Whether a tab is as good as a space.
    """

    separator: str = ","
    skips_spaces: bool = False
    takes_tabs: bool = False

    @property
    def name(self) -> str:
        """The separator as messages show it."""
        if self == ONE_COLUMN:
            return "none, one column"
        if self.takes_tabs:
            return "tabs and spaces"
        return _NAMES.get(self.separator, f"'{shortened(self.separator)}'")


ONE_COLUMN = Dialect("\x1f")  # Unicode's separator of units, which no text holds
"""How a file of one column is read, whose texts may hold any separator."""


SPACES = Dialect(" ", skips_spaces=True)
WHITESPACE = Dialect(" ", skips_spaces=True, takes_tabs=True)


@dataclass(frozen=True)
class Row:
    """A row, its first and last line, counted from 1, and the place of the first byte behind it."""

    values: list[str]
    first_line: int
    last_line: int
    end: int


@contextmanager
def long_fields() -> Iterator[None]:
    """Let the csv module read fields of any length that a line may have."""
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)


class _Lines:
    """The lines of a text; counts the bytes of those that were taken."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.count = self.taken = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.count += 1
        self.taken += len(line.encode("utf-8", "surrogatepass"))
        return line


def is_blank(row: Sequence[str], dialect: Dialect) -> bool:
    """Return whether a line holds nothing, or spaces alone; two quotes are a value."""
    if len(row) != 1:
        return not row
    spaces = row[0].isspace() and "\n" not in row[0] and "\r" not in row[0]
    return spaces or (dialect.skips_spaces and not row[0])


class Sample:
    """The beginning of a text, from which separator and header are found out."""

    def __init__(self, content: bytes | bytearray) -> None:
        size = len(content)
        if size > _SAMPLE:
            size = min(max(_SAMPLE, _end_of_lines(content, _LINES)), LONGEST_HEADER)
            size = max(content.rfind(b"\n", 0, size), content.rfind(b"\r", 0, size)) + 1 or size
        self.is_all = size >= len(content)
        self._text = bytes(memoryview(content)[:size]).decode("utf-8", "replace")
        self._rows: dict[Dialect, list[Row]] = {}

    def rows(self, dialect: Dialect) -> list[Row]:
        """Return the complete rows that are not blank, a thousand or so at most."""
        if dialect not in self._rows:
            self._rows[dialect] = self._parsed(dialect)
        return self._rows[dialect]

    def _parsed(self, dialect: Dialect) -> list[Row]:
        lines, rows, last = _Lines(self._text), list[Row](), 0
        with long_fields(), suppress(csv.Error):  # a field that is too long: a quote that is not closed
            for values in csv_reader(lines, dialect):
                first, last = last + 1, lines.count
                if not is_blank(values, dialect):
                    rows.append(Row(values, first, last, lines.taken))
                if len(rows) > _MOST_ROWS:
                    break
        return rows if self.is_all or len(rows) < 2 else rows[:-1]

    def has(self, text: str) -> bool:
        """Return whether a text occurs."""
        return text in self._text


def csv_reader(lines: Iterable[str], dialect: Dialect) -> Iterator[list[str]]:
    """Return an iterator over the rows of a text."""
    if dialect.separator == " ":
        lines = (_without_spaces_at_the_end(line, dialect) for line in lines)
    return csv.reader(lines, delimiter=dialect.separator, skipinitialspace=dialect.skips_spaces)


def _without_spaces_at_the_end(line: str, dialect: Dialect) -> str:
    line = line.replace("\t", " ") if dialect.takes_tabs else line
    content = line.rstrip("\r\n")
    return content.rstrip(" ") + line[len(content) :]


def find_dialect(sample: Sample, said: str | None) -> Dialect:
    """Return the dialect that is ``said``, or with which the rows of the sample are most alike.

    Raises
    ------
    InputError
        If what is said is no separator.
    """
    if said is not None:
        if said.strip().lower() == "whitespace":
            return WHITESPACE
        separator = _as_character(said)
        if separator == " ":
            return SPACES
        return max(_spellings(sample, separator), key=lambda each: _score(sample.rows(each)))
    best, found = 0.0, Dialect()
    for separator in _CANDIDATES:
        for dialect in _spellings(sample, separator):
            score = _score(sample.rows(dialect))
            if score > best:
                best, found = score, dialect
    plain = [row.values for row in sample.rows(Dialect())]
    if best == 0.0 and usual_width(plain)[0] == 1 and len(plain[0]) == 1:
        return _by_spaces(sample) or ONE_COLUMN
    if sample.has("\t") and _mixes_tabs_with_spaces(sample, found):
        return WHITESPACE
    return ONE_COLUMN if found.separator == "," and _is_column_of_decimals(plain) else found


def _by_spaces(sample: Sample) -> Dialect | None:
    """Return the dialect by which rows of words have one length; None if they have not."""
    for dialect in (SPACES, WHITESPACE) if sample.has("\t") else (SPACES,):
        width, share = usual_width([each.values for each in sample.rows(dialect)])
        if width >= _LEAST_BY_SPACES and share >= _BY_SPACES:
            return dialect
    return None


def _mixes_tabs_with_spaces(sample: Sample, found: Dialect) -> bool:
    """Return whether runs of tabs and spaces separate values, and not what was ``found``.

    With them all rows have as many values; and fewer do by what was found, or its values are several: with
    spaces in other places, or in runs, or between numbers.
    """
    rows = [row.values for row in sample.rows(WHITESPACE)]
    others = [row.values for row in sample.rows(found)]
    width, share = usual_width(rows)
    other_width, other_share = usual_width(others)
    if width < _LEAST_BY_SPACES or share < 1 or width < other_width:
        return False
    if width == other_width:
        return share > other_share
    cut = [[value.split() for value in row] for row in others]
    if len({tuple(map(len, row)) for row in cut[1:]}) > 1 or _in_runs(others):
        return True
    numbers = [
        place
        for place, values in enumerate(zip(*(row for row in rows if len(row) == width), strict=True))
        if all(map(is_number, values[1:]))
    ]
    split = [place for place in _places_of_split(cut[-1]) if place in numbers]
    has_header = any(not is_number(rows[0][place]) for place in split)
    are_thousands = all(_THOUSANDS.fullmatch(value) for row in others[1:] for value in row if " " in value)
    return len(split) >= (1 if has_header else 2) and not are_thousands


def _in_runs(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether half of the rows hold a run of spaces between characters."""
    runs = sum(any("  " in value.strip() for value in row) for row in rows)
    return 2 * runs >= len(rows)


def _places_of_split(row: Sequence[Sequence[str]]) -> Iterator[int]:
    """Yield the places, among all words of a row, of words that are in one value with others."""
    place = 0
    for words in row:
        if len(words) > 1:
            yield from range(place, place + len(words))
        place += len(words)


def _is_column_of_decimals(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether rows are a name and numbers with a decimal comma, of one column."""
    if len(rows) < 2 or len(rows[0]) != 1:
        return False
    return all(len(row) < 3 and is_number(",".join(row)) and row[-1].isdigit() for row in rows[1:])


def usual_width(rows: Sequence[Sequence[str]]) -> tuple[int, float]:
    """Return the number of values that most rows have, and the share of rows that do."""
    widths = Counter(len(row) for row in rows)
    if not widths:
        return 0, 0.0
    width, count = max(widths.items(), key=lambda each: (each[1], each[0]))
    return width, count / len(rows)


def _score(rows: Sequence[Row]) -> float:
    """Return how alike the rows are, from 0 to 1: the share of the usual width, less for other separators."""
    width, share = usual_width([each.values for each in rows])
    if width < 2 or share < _TELLING:
        return 0.0
    values = list(islice(chain.from_iterable(row.values for row in rows), _MOST_VALUES))
    within = sum(map(_holds_separator, values)) / len(values)
    return max(share - 0.5 * within, 1e-6) + 1e-9 * width


_THOUSANDS = re.compile(r"[-+]?\d{1,3}( \d{3})+([.,]\d+)?")
_WITHIN = re.compile(r"[,;|](?! )|\t")


def _holds_separator(value: str) -> bool:
    """Return whether a value looks like several: ``0;1``, but not ``0,1``, nor ``Smith, John``."""
    return bool(_WITHIN.search(value)) and not is_number(value)


def _spellings(sample: Sample, separator: str) -> Iterator[Dialect]:
    yield Dialect(separator)
    if sample.has(f'{separator} "'):
        yield Dialect(separator, skips_spaces=True)


def _as_character(said: str) -> str:
    separator = _WORDS.get(said.strip().lower(), said)
    if len(separator) != 1 or separator in '"\r\n\0':
        raise InputError(
            f"data.separator={shortened(said) or repr(said)}: should be one character, such as ';', or tab, "
            "or whitespace for any run of tabs and spaces"
        )
    return separator


def _end_of_lines(content: bytes | bytearray, count: int) -> int:
    place = 0
    for _ in range(count):
        ends = [
            end for end in (content.find(mark, place, LONGEST_HEADER) for mark in (b"\n", b"\r")) if end >= 0
        ]
        if not ends:
            return len(content)
        place = min(ends) + 1
    return place
