"""The pictures a run leaves: light ones for every run, all of them for a run by itself; see drawing/run/."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from micrograde.config.schema import TrainConfig
from micrograde.core.errors import InputError
from micrograde.core.picture_formats import EXTRA, PictureFormat, in_format, needs_extra
from micrograde.core.project import pip_install
from micrograde.drawing import PICTURES, RunContents, Say, convert, left_out


def check_formats(configs: Iterable[TrainConfig]) -> None:
    """Raise ``InputError`` if the pictures of a run cannot be had in the format that is asked for."""
    for wanted in {config.drawing.format for config in configs if config.tracking.keeps_runs}:
        if needs_extra(wanted):
            raise InputError(
                f"drawing.format={wanted}: needs vl-convert-python, which is not installed; "
                f"{pip_install(EXTRA)}, or leave the key out for SVG"
            )


def write_pictures(
    folder: Path, run: RunContents, *, light: bool, say: Say | None = None, wanted: PictureFormat = "auto"
) -> None:
    """Write the light pictures of a run, or the others, about a tenth of a second each.

    Parameters
    ----------
    folder
        The run's folder; folders within it are made.
    say
        Called with a message for each picture that cannot be drawn and is left out; see ``left_out``.
    wanted
        The format in which they are kept.
    """
    for entry in PICTURES.values():
        if entry.light != light or (entry.needs_epochs and not run.history):
            continue
        if entry.task not in (None, run.task.name):
            continue
        # A diverged run has pictures, too.
        with left_out(in_format(entry.path(), wanted), say), np.errstate(all="ignore"):
            picture = entry()
            drawn = picture.draw(run) if picture.applies(run) else None
            if drawn is not None:
                target = folder / entry.path()
                target.parent.mkdir(parents=True, exist_ok=True)
                drawn.save(target)
                for name in entry.files:
                    if name.endswith(".svg"):
                        convert(folder / name, wanted)
