"""An output of a cell of Jupyter that is updated in place, without widgets."""

import sys
from typing import Any

from micrograde.core.interrupts import uninterrupted


def in_notebook() -> bool:
    """Return whether output goes to a front end of Jupyter, which shows HTML and updates it."""
    return getattr(_shell(), "kernel", None) is not None


def this_cell() -> int:
    """Return the number of the cell that is being executed."""
    return int(getattr(_shell(), "execution_count", 0))


class CellOutput:
    """An output; whoever gives HTML has escaped the names in it."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, text: str, html: str) -> None:
        """Show this in the place of what was shown before; the text is for front ends without HTML."""
        from IPython.display import display

        bundle = {"text/plain": text, "text/html": html}
        with uninterrupted():  # what was shown and not noted as shown would be shown twice
            if self._handle is None:
                self._handle = display(bundle, raw=True, display_id=True)
            else:
                self._handle.update(bundle, raw=True)


def _shell() -> Any:
    return getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
