"""The pictures a run leaves: light ones for every run, all of them for a run by itself; see drawing/run/."""

from pathlib import Path

import numpy as np

from micrograde.drawing import PICTURES, RunContents, Say, left_out


def write_pictures(folder: Path, run: RunContents, *, light: bool, say: Say | None = None) -> None:
    """Write the light pictures of a run, or the others, about a tenth of a second each.

    Parameters
    ----------
    folder
        The run's folder; folders within it are made.
    say
        Called with a message for each picture that cannot be drawn and is left out; see ``left_out``.
    """
    for entry in PICTURES.values():
        if entry.light != light or (entry.needs_epochs and not run.history):
            continue
        if entry.task not in (None, run.task.name):
            continue
        # A diverged run has pictures, too.
        with left_out(entry.path(), say), np.errstate(all="ignore"):
            picture = entry()
            drawn = picture.draw(run) if picture.applies(run) else None
            if drawn is not None:
                target = folder / entry.path()
                target.parent.mkdir(parents=True, exist_ok=True)
                drawn.save(target)
