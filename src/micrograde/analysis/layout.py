"""Lay out a table in lines of text: the whole table, or the columns that fit a terminal."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, zip_longest
from textwrap import TextWrapper

from micrograde.core.terminal import cells, cut, cut_beginning

_MARGIN = 2
_WIDE_GAP, _GAP = 3, 2  # between columns: of a whole table, of a fitted one
_TEXTS = (24, 16, 12, 8)  # widths to which text may be shortened; one below 24 only if all columns then fit
_FOLDED = (30, 20)  # widths to which text is folded, one after the other
_HEADER = 13  # a part of a header that is wider than this is broken at its underscores


@dataclass(frozen=True)
class Column:
    """A column as it is shown.

    Attributes
    ----------
    texts
        One for each row.
    to_the_right
        Whether texts are aligned to the right, as numbers are.
    whole
        Whether no text may be shortened: a part of a number or of an id is useless.
    folds
        Whether texts may go on in a second line, but not between the two numbers of ``0.9 ± 0.1``.
    """

    name: str
    texts: Sequence[str]
    to_the_right: bool = False
    whole: bool = False
    folds: bool = False
    width: int = field(init=False)
    """The width of the longest line of a text."""

    def __post_init__(self) -> None:
        """Compute the width once."""
        lines = chain.from_iterable(text.split("\n") for text in self.texts) if self.folds else self.texts
        object.__setattr__(self, "width", max(map(cells, lines), default=0))

    def folded(self, width: int) -> "Column":
        """Return the column with its texts in lines of ``width`` columns, if they may be so."""
        if not self.folds:
            return self
        glued = (text.replace(" ± ", "\0±\0").replace(" +- ", "\0+-\0") for text in self.texts)
        wrap = TextWrapper(width, break_long_words=False, break_on_hyphens=False)
        return replace(self, texts=["\n".join(wrap.wrap(text)).replace("\0", " ") for text in glued])


@dataclass(frozen=True)
class Layout:
    """A table's lines, how many columns they leave out, and whether they shorten a text."""

    lines: list[str]
    left_out: int = 0
    shortened: bool = False


def whole_layout(columns: Sequence[Column], *, rule: str = "─") -> Layout:
    """Lay out all columns at their full width, with a header of one line; all lines are of one length."""
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
    needed: Collection[str] = (),
    rule: str = "─",
    more: str = "…",
) -> Layout:
    """Lay out the table in lines that are at most ``width`` terminal columns wide.

    If the whole table does not fit, headers are broken into lines, long texts shortened, and the least
    important columns left out. The most important column is always shown. Texts are folded only where one of
    the ``needed`` columns would be left out otherwise, or its name be shortened.

    Parameters
    ----------
    important
        Names of columns, the most important first; the others follow in their order in ``columns``.
    needed
        Names of columns without which rows cannot be told apart.
    rule
        The character that the line below the header repeats.
    more
        The mark for characters that are left out.
    """
    if sum(_whole_widths(columns)) + _WIDE_GAP * (len(columns) - 1) + 2 * _MARGIN <= width:
        return whole_layout(columns, rule=rule)
    headers = [_broken(column.name, column.width) for column in columns]
    order = _by_importance(columns, important)
    essential = [place for place, each in enumerate(columns) if each.name in needed or each.folds]
    unfolded = columns
    for lines in (None, *_FOLDED):
        if lines:
            columns = [column.folded(lines) for column in unfolded]
        widths = _widths(columns, headers, order, width - _MARGIN)
        if all(widths.get(place, 0) >= max(map(cells, headers[place])) for place in essential):
            break
    shown = sorted(widths)
    chosen = [_shortened(columns[place], widths[place], more) for place in shown]
    cut_headers = [[cut(line, widths[place], more) for line in headers[place]] for place in shown]
    made = _lines(chosen, cut_headers, [widths[place] for place in shown], _GAP)
    total = sum(widths.values()) + _GAP * (len(widths) - 1)
    made.insert(max(map(len, cut_headers)), f" {rule * (total + 1)}")
    shortened = any(new is not columns[place] for new, place in zip(chosen, shown, strict=True))
    return Layout(made, len(columns) - len(shown), shortened)


def _widths(
    columns: Sequence[Column], headers: Sequence[Sequence[str]], order: Sequence[int], room: int
) -> dict[int, int]:
    """Return the widths of the columns that fit, their texts shortened as little as possible."""
    widest = [max(column.width, *map(cells, header)) for column, header in zip(columns, headers, strict=True)]
    for text in (*_TEXTS, _TEXTS[0]):
        widths = _fitted_widths(columns, widest, order, room, text)
        if len(widths) == len(columns):
            break
    return widths


def _by_importance(columns: Sequence[Column], important: Sequence[str]) -> list[int]:
    place_of = {column.name: place for place, column in enumerate(columns)}
    first = [place_of[name] for name in important if name in place_of]
    return list(dict.fromkeys([*first, *range(len(columns))]))


def _fitted_widths(
    columns: Sequence[Column], widest: Sequence[int], order: Sequence[int], room: int, text: int
) -> dict[int, int]:
    """Return the widths of the columns that fit if texts are shortened to ``text``, by column number.

    ``order`` lists the column numbers, the most important first.
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
    for place in order:  # the room that is left goes to columns that are narrower than their texts
        if place in widths:
            wider = min(widest[place] - widths[place], room)
            widths[place] += wider
            room -= wider
    return widths


def _broken(name: str, longest: int) -> list[str]:
    """Break a header into lines after dots, slashes and spaces, and after underscores in long parts."""
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
    """Return the column with its long texts cut so that as many as possible still differ.

    Each text is cut in the middle, or loses its beginning, or loses what all beginnings share; of ways that
    keep equally many apart the first is taken.
    """
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
    """Return the length of the beginning that all texts share; 0 if all texts are the same."""
    first, last = min(texts), max(texts)  # what these two share, all texts between them share, too
    pairs = enumerate(zip(first, last, strict=False))
    return next((place for place, (one, other) in pairs if one != other), 0)


def _line_by_line(columns: Sequence[Column]) -> Sequence[Column]:
    """Return the columns with a text for each line, where folded texts make rows of several lines."""
    if not any("\n" in text for column in columns if column.folds for text in column.texts):
        return columns
    cut_up = [[text.split("\n") if column.folds else [text] for text in column.texts] for column in columns]
    lines = [line for row in zip(*cut_up, strict=True) for line in zip_longest(*row, fillvalue="")]
    return [
        replace(column, texts=list(texts))
        for column, texts in zip(columns, zip(*lines, strict=True), strict=True)
    ]


def _lines(
    columns: Sequence[Column], headers: Sequence[Sequence[str]], widths: Sequence[int], gap: int
) -> list[str]:
    """Return the lines of the header and of the rows; headers of fewer lines are aligned at the bottom."""
    height = max(map(len, headers))
    columns = _line_by_line(columns)
    filled = []
    for column, header, width in zip(columns, headers, widths, strict=True):
        texts = [*[""] * (height - len(header)), *header, *column.texts]
        rooms = (" " * (width - cells(text)) for text in texts)
        pairs = zip(rooms, texts, strict=True)
        filled.append([room + text if column.to_the_right else text + room for room, text in pairs])
    return [" " * _MARGIN + (" " * gap).join(row) for row in zip(*filled, strict=True)]
