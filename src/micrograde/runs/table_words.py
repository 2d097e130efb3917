"""What is said about a run's table: on the terminal, in its files and in its description."""

from collections.abc import Iterable
from pathlib import Path

from micrograde.core.terminal import say
from micrograde.data.table_summary import note_lines
from micrograde.runs.building import PreparedData

FOLDER = "data"


def table_lines(data: PreparedData) -> list[str]:
    """Return the paragraph about the table that a run learns from, with the notes of its data and its split.

    Nothing if its data are no table.
    """
    summary = data.dataset.summary
    if summary is None:
        return []
    parts = {"train": data.training, "validation": data.validation, "test": data.test}
    lines = summary.lines({name: part.labels for name, part in parts.items() if part is not None})
    return [*lines, *note_lines(data.notes)]


def tell_tables(prepared: Iterable[PreparedData]) -> None:
    """Print the paragraph about each table."""
    for data in {id(each): each for each in prepared}.values():
        if lines := table_lines(data):
            say("\n".join(lines), flush=True)


def write_table_words(folder: Path, data: PreparedData) -> None:
    """Write ``data/columns.csv``, a row for each column, and ``data/table.txt``, the paragraph."""
    summary = data.dataset.summary
    if summary is None:
        return
    folder = folder / FOLDER
    folder.mkdir(exist_ok=True)
    summary.frame().to_csv(folder / "columns.csv", index=False)
    (folder / "table.txt").write_text("\n".join(table_lines(data)) + "\n", encoding="utf-8")


def table_description(data: PreparedData) -> str:
    """Return the paragraph as Markdown, in which nothing that a table holds is markup; empty for no table."""
    lines = table_lines(data)
    return "```text\n" + "\n".join(lines).replace("`", "'") + "\n```" if lines else ""
