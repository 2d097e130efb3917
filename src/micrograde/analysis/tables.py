"""A data frame shown on a terminal, or written to a file."""

import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde.analysis.layout import Column, fitted_layout, whole_layout
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.terminal import cells, folded, moves_cursor, spelled, terminal_width

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".parquet", ".md", ".html")


def write_table(frame: "pd.DataFrame", path: Path) -> None:
    """Write the frame in the format that the file's name ends in.

    Raises
    ------
    InputError
        If the ending is none of ``SUFFIXES``, the folder is not there, or the file cannot be written.
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


def check_output(path: Path, suffixes: Sequence[str] = SUFFIXES) -> None:
    """Raise ``InputError`` unless a file of one of these endings could be written there."""
    if path.suffix not in suffixes:
        ending = suffixes[0] if len(suffixes) == 1 else f"one of {' '.join(suffixes)}"
        raise InputError(f"output={path}: should end in {ending}")
    try:
        in_folder, is_there = path.parent.is_dir(), path.exists()
        is_folder, is_file = path.is_dir(), path.is_file()
    except OSError as error:  # a name that is too long, a folder not to be entered
        raise InputError(f"output={path}: cannot be written ({error.strerror})") from None
    if not in_folder:
        raise InputError(f"output={path}: there is no folder {path.parent}")
    if is_there and not is_file:
        what = "a folder" if is_folder else "no regular file"
        raise InputError(f"output={path}: cannot be written (it is {what})")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError(f"output={path}: cannot be written; needs write permission")


def print_table(
    frame: "pd.DataFrame",
    title: str,
    *,
    important: Sequence[str] = (),
    numbers: Collection[str] = (),
    whole: str | None = None,
) -> None:
    """Print the frame: whole where there is no terminal, else the columns that fit.

    Parameters
    ----------
    important
        The columns that are shown before others, the most important first.
    numbers
        Columns whose texts are numbers, besides those of numbers.
    whole
        What to type to have all columns, such as ``output=runs.csv``.
    """
    # Names may be anybody's: nothing in them is an escape sequence that a terminal acts on.
    columns = [
        Column(
            _shown(str(name)),
            [_shown(as_cell(str(name), value)) for value in values],
            to_the_right=name in numbers or _is_number(values.dtype),
            whole=name in numbers or name == "run_id" or _is_number(values.dtype),
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
    layout = fitted_layout(columns, width, [_shown(name) for name in important], rule=rule, more=more)
    titles = folded(title, width, 0)
    if moves_cursor(sys.stdout):
        titles = [f"\x1b[1m{line}\x1b[0m" for line in titles]
    left_out = [f"{layout.left_out} more column{'s' * (layout.left_out > 1)}"] * (layout.left_out > 0)
    left_out += ["whole texts"] * layout.shortened
    note = [" and ".join(left_out) + (f": {whole}" if whole else "")] if left_out else []
    notes = [part for line in note for part in folded(f"  {line}", width)]
    print("\n".join([*titles, "", *(line.rstrip() for line in layout.lines), *notes, ""]))


def merge_mean_and_std(frame: "pd.DataFrame") -> "pd.DataFrame":
    """``<metric> mean`` and ``<metric> std`` as one column ``<metric>`` of ``mean ± std``, to be read."""
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
    """A value in few characters: four digits where it is measured, as it was given where it is set."""
    import pandas as pd

    if pd.isna(value):
        return "-"
    if isinstance(value, float):
        if column == "duration":
            return f"{value:.1f} s"
        return f"{value:.4f}" if "accuracy" in column else f"{value:.4g}"
    return str(value)


def _shown(text: str) -> str:
    """As this output can show it."""
    return spelled(printable(text))


def _is_number(dtype: Any) -> bool:
    return getattr(dtype, "kind", "O") in "iuf"


def _markdown(frame: "pd.DataFrame") -> str:
    """A GitHub table; pandas writes one only with another library. No cell holds HTML, or a link."""
    told = {"&": "&amp;", "<": "&lt;", "|": "\\|", "](": "]\\(", "\n": " "}

    def line(cells: list[str]) -> str:
        for sign, instead in told.items():
            cells = [cell.replace(sign, instead) for cell in cells]
        return "| " + " | ".join(cells) + " |\n"

    names = [str(name) for name in frame]
    rows = (
        line([as_cell(name, value) for name, value in zip(names, row, strict=True)]) for row in frame.values
    )
    return line(names) + line(["---"] * len(names)) + "".join(rows)
