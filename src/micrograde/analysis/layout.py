"""How a table stands on lines: whole, or with the columns and headers that fit a terminal."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from micrograde.core.terminal import cells, cut, cut_beginning

_MARGIN = 2
_WIDE_GAP, _GAP = 3, 2  # between columns: of a table that is whole, of one that had to be fitted
_TEXTS = (24, 16, 12, 8)  # columns to which text may be shortened; below the first only if all then fits
_HEADER = 13  # beyond that a part of a header is broken at its underscores


@dataclass(frozen=True)
class Column:
    """A column as it is to be read.

    Attributes
    ----------
    texts
        One for each row.
    to_the_right
        Whether they end below each other, as numbers do.
    whole
        Whether no text of it may be shortened: half a number or id is none.
    """

    name: str
    texts: Sequence[str]
    to_the_right: bool = False
    whole: bool = False
    width: int = field(init=False)
    """Of the longest text."""

    def __post_init__(self) -> None:
        """Measure it once."""
        object.__setattr__(self, "width", max(map(cells, self.texts), default=0))


@dataclass(frozen=True)
class Layout:
    """A table's lines, how many columns they leave out, and whether they shorten a text."""

    lines: list[str]
    left_out: int = 0
    shortened: bool = False


def whole_layout(columns: Sequence[Column], *, rule: str = "─") -> Layout:
    """All columns, as wide as they are, under a header of one line; all lines end below each other."""
    widths = _whole_widths(columns)
    header, *rows = _lines(columns, [[column.name] for column in columns], widths, _WIDE_GAP)
    total = sum(widths) + _WIDE_GAP * (len(widths) - 1)
    return Layout([f"{header}  ", f" {rule * (total + 2)} ", *(f"{row}  " for row in rows)])


def _whole_widths(columns: Sequence[Column]) -> list[int]:
    return [max(column.width, cells(column.name)) for column in columns]


def fitted_layout(
    columns: Sequence[Column],
    width: int,
    important: Sequence[str] = (),
    *,
    rule: str = "─",
    more: str = "…",
) -> Layout:
    """The table in lines that take at most ``width`` columns of a terminal.

    If it does not fit as it is, headers are broken into lines, long texts shortened, and the least important
    columns left out. The most important one is always there.

    Parameters
    ----------
    important
        Names of columns, the most important first; others come after them, as they stand.
    rule
        What the line below the header is made of.
    more
        What stands for characters that are left out.
    """
    if sum(_whole_widths(columns)) + _WIDE_GAP * (len(columns) - 1) + 2 * _MARGIN <= width:
        return whole_layout(columns, rule=rule)
    headers = [_broken(column.name, column.width) for column in columns]
    widest = [max(column.width, *map(cells, header)) for column, header in zip(columns, headers, strict=True)]
    order = _by_importance(columns, important)
    for text in (*_TEXTS, _TEXTS[0]):
        widths = _fitted_widths(columns, widest, order, width - _MARGIN, text)
        if len(widths) == len(columns):
            break
    shown = sorted(widths)
    chosen = [_shortened(columns[place], widths[place], more) for place in shown]
    cut_headers = [[cut(line, widths[place], more) for line in headers[place]] for place in shown]
    lines = _lines(chosen, cut_headers, [widths[place] for place in shown], _GAP)
    total = sum(widths.values()) + _GAP * (len(widths) - 1)
    lines.insert(max(map(len, cut_headers)), f" {rule * (total + 1)}")
    shortened = any(new is not columns[place] for new, place in zip(chosen, shown, strict=True))
    return Layout(lines, len(columns) - len(shown), shortened)


def _by_importance(columns: Sequence[Column], important: Sequence[str]) -> list[int]:
    place_of = {column.name: place for place, column in enumerate(columns)}
    first = [place_of[name] for name in important if name in place_of]
    return list(dict.fromkeys([*first, *range(len(columns))]))


def _fitted_widths(
    columns: Sequence[Column], widest: Sequence[int], order: Sequence[int], room: int, text: int
) -> dict[int, int]:
    """The widths of the columns that fit, by their places, if texts are shortened to ``text``.

    ``order`` has the most important first.
    """
    widths: dict[int, int] = {}
    for place in order:
        texts = columns[place].width if columns[place].whole else min(columns[place].width, text)
        least = max(texts, min(widest[place], text))
        if not widths:
            least = min(least, room)
        if least <= room:
            widths[place] = least
            room -= least + _GAP
    room += _GAP
    for place in order:  # what is left goes to those that would need more
        if place in widths:
            wider = min(widest[place] - widths[place], room)
            widths[place] += wider
            room -= wider
    return widths


def _broken(name: str, longest: int) -> list[str]:
    """A header in lines, broken behind dots, slashes and spaces, and underscores where parts are long."""
    parts = re.findall(r"[^./ ]*[./ ]|[^./ ]+", name)
    if cells(name) <= max(longest, 1) or not parts:
        return [name]
    parts = [
        piece
        for part in parts
        for piece in (re.findall(r"[^_]*_|[^_]+", part) if cells(part) > max(_HEADER, longest) else [part])
    ]
    room = max(longest, *map(cells, parts))
    lines = [""]
    for part in parts:
        if lines[-1] and cells(lines[-1]) + cells(part.rstrip()) > room:
            lines.append("")
        lines[-1] += part
    return [line.rstrip() for line in lines]


def _shortened(column: Column, width: int, more: str) -> Column:
    """The column with its long texts cut where most of them still differ: first tried is the middle."""
    if column.width <= width:
        return column
    distinct = list(dict.fromkeys(column.texts))
    long = [text for text in distinct if cells(text) > width]
    alike = _beginning_alike(long)
    ways = [
        {text: cut(text, width, more) for text in long},
        {text: cut_beginning(text, width, more) for text in long},
        {text: cut(more + text[alike:], width, more) for text in long if alike},
    ]
    best = max(ways, key=lambda way: len({way.get(text, text) for text in distinct} if way else ()))
    return replace(column, texts=[best.get(text, text) for text in column.texts])


def _beginning_alike(texts: Sequence[str]) -> int:
    """How many characters of their beginnings are the same in all; 0 of texts that do not differ."""
    first, last = min(texts), max(texts)  # between them all others begin alike, too
    pairs = enumerate(zip(first, last, strict=False))
    return next((place for place, (one, other) in pairs if one != other), 0)


def _lines(
    columns: Sequence[Column], headers: Sequence[Sequence[str]], widths: Sequence[int], gap: int
) -> list[str]:
    """The lines of the header and of the rows; a header of fewer lines than others begins lower."""
    height = max(map(len, headers))
    filled = []
    for column, header, width in zip(columns, headers, widths, strict=True):
        texts = [*[""] * (height - len(header)), *header, *column.texts]
        rooms = (" " * (width - cells(text)) for text in texts)
        pairs = zip(rooms, texts, strict=True)
        filled.append([room + text if column.to_the_right else text + room for room, text in pairs])
    return [" " * _MARGIN + (" " * gap).join(row) for row in zip(*filled, strict=True)]
