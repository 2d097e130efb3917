"""A document as Markdown: pictures are files beside it, and no text is taken for markup."""

from collections.abc import Iterator
from typing import assert_never

from micrograde.analysis.document import Document, Paragraph, Part, Picture, Table
from micrograde.analysis.tables import as_cell
from micrograde.core.markdown import as_markdown, table


def markdown(document: Document) -> str:
    """Return the whole text; pictures without a file of their own are left out."""
    return "\n\n".join(_blocks(document)) + "\n"


def _blocks(document: Document) -> Iterator[str]:
    yield f"# {as_markdown(document.title)}"
    yield as_markdown(document.about)
    for section in document.sections:
        yield f"## {as_markdown(section.heading)}"
        yield from filter(None, map(_part, section.parts))


def _part(part: Part) -> str:
    """Return a part; of a picture that is no file beside the document, nothing."""
    match part:
        case Paragraph():
            return as_markdown(part.text)
        case Table():
            return _table(part)
        case Picture():
            return f"![{as_markdown(part.description)}]({part.file})" if part.file else ""
        case _:
            assert_never(part)


def _table(part: Table) -> str:
    names = [str(name) for name in part.frame]
    columns = [[as_markdown(as_cell(name, value)) for value in part.frame[name]] for name in names]
    header = [as_markdown(name) for name in names]
    return "\n".join(table(header, zip(*columns, strict=True), numbers=False))
