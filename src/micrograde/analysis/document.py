"""A report as data: sections of paragraphs, tables and pictures, which a file for each format writes down.

``page`` writes HTML, ``markdown`` Markdown, and ``latex`` the tables of a paper.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Paragraph:
    """A line of plain text."""

    text: str


@dataclass(frozen=True)
class Table:
    """A data frame to be shown whole; the columns ``codes`` hold ids and the like."""

    frame: "pd.DataFrame"
    codes: Sequence[str] = ()


@dataclass(frozen=True)
class Picture:
    """A picture: the content of its file, what it shows, and where it lies.

    Attributes
    ----------
    file
        Its path beside the document; None if it is in none of the files there.
    """

    content: bytes
    description: str
    media_type: str
    file: str | None = None


Part = Paragraph | Table | Picture


@dataclass(frozen=True)
class Section:
    """A heading, and what stands under it."""

    heading: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Document:
    """A title, a line about the whole, and sections in their order."""

    title: str
    about: str
    sections: Sequence[Section]
