"""A data frame shown on a terminal, or written to a file."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde.errors import InputError
from micrograde.printable import printable

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
    if not path.parent.is_dir():
        raise InputError(f"output={path}: there is no folder {path.parent}")
    if path.is_dir():
        raise InputError(f"output={path}: cannot be written (it is a folder)")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError(f"output={path}: cannot be written; needs write permission")


def print_table(frame: "pd.DataFrame", title: str) -> None:
    """Print the frame whole: as wide as it is where there is no terminal, else fitted to it."""
    import sys

    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    names = [str(name) for name in frame]
    # Names may be anybody's: nothing in them is markup, or an escape sequence that a terminal acts on.
    cells = {name: [printable(as_cell(name, value)) for value in frame[name]] for name in names}
    for name in names:
        numeric = frame[name].dtype.kind in "iuf" or str(frame[name].dtype) in ("Int64", "Float64")
        table.add_column(Text(printable(name)), justify="right" if numeric else "left", overflow="fold")
    for row in range(len(frame)):
        table.add_row(*(Text(cells[name][row]) for name in names))
    width = None
    if not sys.stdout.isatty():
        width = 4 + sum(
            max(cell_len(printable(name)), *map(cell_len, values), 1) + 3 for name, values in cells.items()
        )
    console = Console(width=width, highlight=False)
    console.print(Text(printable(title), style="bold"))
    console.print(table)


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
