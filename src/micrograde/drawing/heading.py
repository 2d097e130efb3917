"""The heading of a picture: its title, and one sentence on what it shows."""

from dataclasses import dataclass

from micrograde.drawing.svg import Canvas
from micrograde.drawing.text import broken

_TITLE, _POINT = 17, 13  # font sizes
_TITLE_LINE, _POINT_LINE = 22, 18
_TOP, _BELOW = 6, 12
_LINES = 3  # of each at most


@dataclass(frozen=True)
class Heading:
    """The title and the picture's message, broken into lines that fit the picture."""

    left: float
    title: list[str]
    point: list[str]

    @property
    def height(self) -> float:
        """Pixels from the upper edge to where the picture begins."""
        return _TOP + _TITLE_LINE * len(self.title) + _POINT_LINE * len(self.point) + _BELOW

    def draw(self, canvas: Canvas) -> None:
        """Write the heading at the top of the canvas."""
        y = float(_TOP)
        for line in self.title:
            y += _TITLE_LINE
            canvas.text(self.left, y, line, size=_TITLE, anchor="start")
        for line in self.point:
            y += _POINT_LINE
            canvas.text(self.left, y, line, size=_POINT, anchor="start")


def heading(title: str, point: str, width: float, *, left: float = 20, right: float = 20) -> Heading:
    """Return the heading of a picture ``width`` pixels wide; title and message are cut after three lines."""
    room = width - left - right
    return Heading(
        left,
        broken(title, _TITLE, room, lines=_LINES),
        broken(point, _POINT, room, lines=_LINES),
    )
