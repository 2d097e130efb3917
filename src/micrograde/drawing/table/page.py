"""Build the page with a picture of each column: one file that loads nothing and runs nothing."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from micrograde.data.column_counts import Frequencies, Histogram, counts_of, counts_of_numbers
from micrograde.data.role_tables import DescribedTable
from micrograde.data.table_summary import ColumnSummary
from micrograde.drawing.palettes import CLASSES
from micrograde.drawing.style import GRID, INK, PALE_INK, PAPER, TRAIN_COLOUR
from micrograde.drawing.table.column_picture import draw_column
from micrograde.drawing.walkthrough import Page

MARK = '<meta name="generator" content="micrograde describe">'
"""What a page of this kind begins with, by which it is known again."""

_DRAWN_TARGETS = 12
_COLOURED = len(CLASSES) + 1
"""The most classes that are told apart by colour."""

_DARK = {INK: "#ededed", PAPER: "#16181b", GRID: "#3a3f45", PALE_INK: "#9a9a9a", TRAIN_COLOUR: "#56b4e9"}
_STYLE = """
:root { color-scheme: light dark; --ink: #222222; --paper: #ffffff; --quiet: #5f5f5f; --line: #e0e0e0; }
* { box-sizing: border-box; }
body { font: 15px/1.45 Helvetica, Arial, "Liberation Sans", sans-serif; color: var(--ink);
       background: var(--paper); margin: 1.6rem auto; max-width: 76rem; padding: 0 1.2rem; }
h1 { font-size: 1.4rem; margin: 0 0 0.6rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 1.8rem 0 0.6rem; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1.2rem; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
p { margin: 0.2rem 0; }
.about { color: var(--quiet); font-size: 13px; overflow-wrap: anywhere; }
.key { list-style: none; display: flex; flex-wrap: wrap; gap: 0.3rem 1.2rem; padding: 0;
       margin: 0.6rem 0 1rem; position: sticky; top: 0; background: var(--paper); }
.key svg { vertical-align: -2px; margin-right: 0.4rem; }
.columns { display: grid; gap: 1rem;
           grid-template-columns: repeat(auto-fill, minmax(min(22.5rem, 100%), 1fr)); }
.columns > section { border: 1px solid var(--line); border-radius: 6px; padding: 0.7rem 0.8rem;
                     min-width: 0; }
.columns svg { max-width: 100%; height: auto; display: block; margin-top: 0.4rem; }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere; }
"""


def draw_table(table: DescribedTable, *, lines: Sequence[str], commands: Sequence[str], limit: int) -> Page:
    """Return a page about a table: the paragraph, then a picture of each column that is used.

    Of columns that are left out only the reason is told, and none of their values.

    Parameters
    ----------
    lines
        The paragraph, each line a word and what it says.
    commands
        What to type next.
    limit
        The most columns that are drawn, and the most that are told to be left out.
    """
    summary = table.summary
    used = [each for each in summary.columns if each.name in table.roles and table.roles[each.name].used]
    left = [each for each in summary.columns if each.name in table.roles and not table.roles[each.name].used]
    colours = _colours(len(summary.classes))
    parts = [
        f"<h1>{_text(summary.source)}</h1>",
        _paragraph(lines),
        *_target(table, colours),
        f"<h2>{_heading(len(used), limit)}</h2>",
        _key(summary.classes, colours),
        '<div class="columns">',
        *(_card(table, each, colours) for each in used[:limit]),
        "</div>",
        *_left_out(left, limit),
        *_next(commands),
    ]
    return Page(_page(f"columns of {summary.source}", parts))


@dataclass(frozen=True)
class _Colours:
    """The colour of each class; of one for all, if there are too many classes or no target."""

    names: tuple[str, ...]

    @property
    def tell_apart(self) -> bool:
        return len(self.names) > 1


def _colours(classes: int) -> _Colours:
    if 2 <= classes <= _COLOURED:
        return _Colours((*CLASSES, PALE_INK)[:classes])
    return _Colours((TRAIN_COLOUR,))


def _card(table: DescribedTable, about: ColumnSummary, colours: _Colours) -> str:
    labels = table.labels if colours.tell_apart else np.zeros_like(table.labels)
    column, role = table.columns[about.name], table.roles[about.name]
    counts = counts_of(column, role, labels, len(colours.names))
    picture = draw_column(counts, colours.names, title=f"rows by {about.name}").text if counts else ""
    what = f"{role.name}: {about.said}" if about.said else role.name
    said = [what, *_gaps(about, len(column)), _beyond(counts) if isinstance(counts, Histogram) else ""]
    return (
        f"<section>\n<h3>{_text(about.name)}</h3>\n"
        f'<p class="about">{_text("; ".join(filter(None, said)))}</p>\n'
        f"{picture}</section>"
    )


def _gaps(about: ColumnSummary, rows: int) -> Iterator[str]:
    for count, what in ((about.missing, "missing"), (about.unreadable, "unreadable")):
        if count:
            yield f"{count} {what} ({count / rows:.1%})"


def _beyond(counts: Histogram) -> str:
    """Say which rows are not drawn, because they lie far from all others; empty if all are."""
    if not counts.below + counts.above:
        return ""
    if counts.kind != "number":
        return f"not drawn, because far off: {_rows(counts.below + counts.above)}"
    sides = [(counts.below, f"down to {counts.lowest:.6g}"), (counts.above, f"up to {counts.highest:.6g}")]
    found = [f"{_rows(rows)} {side}" for rows, side in sides if rows]
    return f"not drawn, because far off: {' and '.join(found)}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _target(table: DescribedTable, colours: _Colours) -> Iterator[str]:
    classes = table.summary.classes
    if table.numbers is not None:
        pairs = zip(table.summary.targets, table.numbers.T, strict=True)
        for target, numbers in islice(pairs, _DRAWN_TARGETS):
            yield from _numbers(target, numbers)
    if not classes:
        return
    order = sorted(range(len(classes)), key=lambda place: -classes[place][1]) if len(classes) > 12 else None
    shown = (order or list(range(len(classes))))[:12]
    counts = np.zeros((len(shown), len(colours.names)), np.int64)
    for row, place in enumerate(shown):
        counts[row, place if colours.tell_apart else 0] = classes[place][1]
    rest = [count for place, (_, count) in enumerate(classes) if place not in shown]
    bars = Frequencies(tuple(classes[place][0] for place in shown), counts, len(rest), sum(rest))
    yield f"<h2>target: {_text(table.summary.targets[0])}</h2>"
    picture = draw_column(bars, colours.names, title="rows of each class").text
    yield f'<div class="columns"><section>{picture}</section></div>'


def _numbers(target: str, numbers: NDArray[np.float64]) -> Iterator[str]:
    counts = counts_of_numbers(numbers)
    if counts is None:
        return
    yield f"<h2>target: {_text(target)}</h2>"
    picture = draw_column(counts, (TRAIN_COLOUR,), title="rows by the number to be predicted").text
    beyond = f'<p class="about">{_text(said)}</p>\n' if (said := _beyond(counts)) else ""
    yield f'<div class="columns"><section>{beyond}{picture}</section></div>'


def _left_out(left: Sequence[ColumnSummary], limit: int) -> Iterator[str]:
    if not left:
        return
    yield "<h2>left out</h2>\n<dl>"
    for each in left[:limit]:
        yield f"<dt>{_text(each.name)}</dt><dd>{_text(f'{each.role}: {each.said}')}</dd>"
    if len(left) > limit:
        yield f"<dt></dt><dd>and {len(left) - limit} more</dd>"
    yield "</dl>"


def _key(classes: Sequence[tuple[str, int]], colours: _Colours) -> str:
    if not colours.tell_apart:
        return ""
    items = (
        '<li><svg width="14" height="14" aria-hidden="true">'
        f'<rect width="14" height="14" fill="{colour}"/></svg>{_text(name)}</li>'
        for colour, (name, _) in zip(colours.names, classes, strict=True)
    )
    return f'<ul class="key">{"".join(items)}</ul>'


def _heading(used: int, limit: int) -> str:
    return "columns" if used <= limit else f"columns: the first {limit} of {used}"


def _paragraph(lines: Sequence[str]) -> str:
    pairs = [re.split(" {2,}", line, maxsplit=1) for line in lines]
    items = (f"<dt>{_text(word)}</dt><dd>{_text(' '.join(rest))}</dd>" for word, *rest in pairs)
    return f"<dl>{''.join(items)}</dl>"


def _next(commands: Sequence[str]) -> Iterator[str]:
    if commands:
        yield "<h2>next</h2>"
        yield from (f"<p><code>{_text(each)}</code></p>" for each in commands)


def _page(title: str, parts: Sequence[str]) -> str:
    dark = "".join(
        f' svg [{what}="{light}"] {{ {what}: {colour}; }}'
        for light, colour in _DARK.items()
        for what in ("fill", "stroke")
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{MARK}\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_text(title)}</title>\n<style>{_STYLE}"
        "@media (prefers-color-scheme: dark) {\n"
        "  :root { --ink: #ededed; --paper: #16181b; --quiet: #b4b4b4; --line: #3a3f45; }\n"
        f" {dark}\n}}\n</style>\n</head>\n<body>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def _text(text: str) -> str:
    """Escape a text, and show control characters and lone surrogates as what they are: unknown."""
    return escape("".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text))
