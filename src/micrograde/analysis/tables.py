"""Print a data frame on a terminal, or write it to a file."""

import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde.analysis.layout import Column, fitted_layout, whole_layout
from micrograde.analysis.short_ids import SHORTEST
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.terminal import cells, folded, moves_cursor, spelled, terminal_width
from micrograde.metrics import formatted

if TYPE_CHECKING:
    import pandas as pd

INIT_FROM = "model.init_from"
"""The param that names the run whose weights a run began with."""
SUFFIXES = (".csv", ".parquet", ".md", ".html")


def write_table(frame: "pd.DataFrame", path: Path) -> None:
    """Write the frame in the format that the file's name ends in.

    Raises
    ------
    InputError
        If the suffix is not one of ``SUFFIXES``, the folder does not exist, or the file cannot be written.
    """
    check_output(path)
    try:
        if path.suffix == ".csv":
            frame.to_csv(path, index=False)
        elif path.suffix == ".parquet":
            frame.to_parquet(path, index=False)
        elif path.suffix == ".md":
            path.write_text(_markdown(frame), encoding="utf-8")
        else:
            frame.to_html(path, index=False, escape=True, border=0, na_rep="", encoding="utf-8")
    except OSError as error:
        raise InputError(f"output={path}: cannot be written ({error.strerror})") from None


def check_output(path: Path, suffixes: Sequence[str] = SUFFIXES, *, key: str = "output") -> None:
    """Raise ``InputError`` unless ``path`` has one of the suffixes and a file can be written there.

    ``key`` is the one that holds the path, which the message names.
    """
    if path.suffix not in suffixes:
        ending = suffixes[0] if len(suffixes) == 1 else f"one of {' '.join(suffixes)}"
        raise InputError(f"{key}={path}: should end in {ending}")
    try:
        in_folder, is_there = path.parent.is_dir(), path.exists()
        is_folder, is_file = path.is_dir(), path.is_file()
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise InputError(f"{key}={path}: cannot be written ({error.strerror})") from None
    if not in_folder:
        raise InputError(f"{key}={path}: there is no folder {path.parent}")
    if is_there and not is_file:
        what = "a folder" if is_folder else "not a regular file"
        raise InputError(f"{key}={path}: cannot be written (it is {what})")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError(f"{key}={path}: cannot be written; needs write permission")


def print_table(
    frame: "pd.DataFrame",
    title: str,
    *,
    important: Sequence[str] = (),
    numbers: Collection[str] = (),
    unbroken: Collection[str] = (),
    folding: Collection[str] = (),
    needed: Collection[str] = (),
    whole: str | None = None,
) -> None:
    """Print the frame: the columns that fit the terminal, or the whole frame if there is no terminal.

    Parameters
    ----------
    important
        Columns that are preferred to others where room is short, the most important first.
    numbers
        Columns of text to be treated as numbers: aligned to the right and never shortened.
    unbroken
        Columns of text that are never shortened.
    folding, needed
        Columns of text that may go on in a second line, so that there is room for the columns that tell rows
        apart.
    whole
        What to type to get all columns, such as ``output=runs.csv``.
    """
    # Names may come from anybody: escape sequences that a terminal would act on are made harmless.
    columns = [
        Column(
            _shown(str(name)),
            [_shown(as_cell(str(name), value)) for value in values],
            to_the_right=name in numbers or _is_number(values.dtype),
            whole=name in numbers or name in unbroken or name == "run_id" or _is_number(values.dtype),
            folds=name in folding,
        )
        for name, values in frame.items()
    ]
    title, rule, more = _shown(title), spelled("─"), spelled("…")
    width = terminal_width()
    if width is None:
        lines = whole_layout(columns, rule=rule).lines
        empty = " " * cells(lines[1])
        print("\n".join([title, empty, *lines, empty]))
        return
    layout = fitted_layout(
        columns,
        width,
        [_shown(name) for name in important],
        needed=[_shown(name) for name in needed],
        rule=rule,
        more=more,
    )
    titles = folded(title, width, 0)
    if moves_cursor(sys.stdout):
        titles = [f"\x1b[1m{line}\x1b[0m" for line in titles]
    left_out = [f"{layout.left_out} more column{'s' * (layout.left_out > 1)}"] * (layout.left_out > 0)
    left_out += ["whole texts"] * layout.shortened
    note = [" and ".join(left_out) + (f": {whole}" if whole else "")] if left_out else []
    notes = [part for line in note for part in folded(f"  {line}", width)]
    print("\n".join([*titles, "", *(line.rstrip() for line in layout.lines), *notes, ""]))


def merge_mean_and_std(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Merge columns ``<metric> mean`` and ``<metric> std`` into one ``<metric>`` of texts ``mean ± std``."""
    import pandas as pd

    merged = frame.copy()
    for name in [name for name in map(str, frame) if name.endswith(" mean")]:
        metric = name.removesuffix(" mean")
        spread = frame[f"{metric} std"]
        texts = [
            as_cell(metric, mean) + (f" ± {as_cell(metric, std)}" if pd.notna(std) else "")
            for mean, std in zip(frame[name], spread, strict=True)
        ]
        merged[name] = texts
        merged = merged.rename(columns={name: metric}).drop(columns=f"{metric} std")
    return merged


def as_cell(column: str, value: Any) -> str:
    """Return a value as short text: floats with four digits, ``duration`` in seconds, ``-`` if missing.

    Of the id of the run that one began from, as many characters as name it.
    """
    import pandas as pd

    if pd.isna(value):
        return "-"
    if isinstance(value, float):
        if column == "duration":
            return f"{value:.1f} s"
        return formatted(column, value, ".4g")
    return str(value)[:SHORTEST] if column == INIT_FROM else str(value)


def _shown(text: str) -> str:
    """Return the text with what standard output cannot show replaced."""
    return spelled(printable(text))


def _is_number(dtype: Any) -> bool:
    return getattr(dtype, "kind", "O") in "iuf"


def _markdown(frame: "pd.DataFrame") -> str:
    """Return a GitHub table, in which no cell is read as HTML or a link; pandas needs a library for that."""
    escapes = {"&": "&amp;", "<": "&lt;", "|": "\\|", "](": "]\\(", "\n": " "}

    def line(cells: list[str]) -> str:
        for text, escape in escapes.items():
            cells = [cell.replace(text, escape) for cell in cells]
        return "| " + " | ".join(cells) + " |\n"

    names = [str(name) for name in frame]
    rows = (
        line([as_cell(name, value) for name, value in zip(names, row, strict=True)]) for row in frame.values
    )
    return line(names) + line(["---"] * len(names)) + "".join(rows)
