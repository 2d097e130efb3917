"""Draw the pictures that suit a sweep, which depend on what it varies and on what its runs have measured."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from micrograde.core.leaving_out import Say, left_out
from micrograde.drawing.svg import Svg
from micrograde.drawing.sweep import SWEEP_PICTURES, Curves, SweepContents, Swept

if TYPE_CHECKING:
    import pandas as pd


class Picture(NamedTuple):
    """A figure, the name of its file, and a line that says what it shows."""

    name: str
    text: str
    figure: Svg


def draw_sweep(
    runs: "pd.DataFrame",
    history: "pd.DataFrame",
    parameters: Sequence[str],
    *,
    seed: str | None,
    metric: str,
    drawn: Sequence[str],
    lower_is_better: bool,
    say: Say | None = None,
) -> list[Picture]:
    """Draw those of ``SWEEP_PICTURES`` that apply to a sweep, in the order of their places.

    Parameters
    ----------
    runs
        The runs, best first, with ``run_id``, ``status``, the parameters and the metric. A run that did not
        finish counts as one without a result.
    history
        Columns run_id (categorical), metric, step and value; see ``load_history``.
    parameters
        The parameters that vary, without seeds and folds.
    seed
        The seed, or else the split or fold, that varies; None if none does.
    metric, drawn
        The metric by which runs are compared, and those whose history is drawn.
    say
        Called with a line for each picture that is left out because it cannot be drawn.
    """
    values = np.where(runs["status"] == "FINISHED", runs[metric].astype("float64"), np.nan)
    sweep = SweepContents(
        parameters=[_swept(runs, name) for name in parameters],
        seeds=_swept(runs, seed) if seed else None,
        metric=metric,
        lower_is_better=lower_is_better,
        values=values,
        best=0 if np.isfinite(values[:1]).any() else None,
        curves=[_curves(runs, history, name) for name in drawn],
        runs=runs,
    )
    pictures = []
    for name, entry in sorted(SWEEP_PICTURES.items(), key=lambda item: (item[1].place, item[0])):
        with left_out(f"figures/{name}.svg", say):
            picture = entry()
            if picture.applies(sweep):
                text = picture.text(sweep)
                pictures.append(Picture(name, text, picture.draw(sweep, text)))
    return pictures


def _swept(runs: "pd.DataFrame", name: str) -> Swept:
    return Swept(name, runs[name].astype("object").tolist())


def _curves(runs: "pd.DataFrame", history: "pd.DataFrame", metric: str) -> Curves:
    """Return a metric of the runs, in their order, at every step at which any of them has a value."""
    import pandas as pd

    part = history[history["metric"] == metric]
    row_of_category = pd.Index(runs["run_id"]).get_indexer(pd.Index(part["run_id"].cat.categories))
    rows = row_of_category[part["run_id"].cat.codes.to_numpy()]
    steps, columns = np.unique(part["step"].to_numpy(), return_inverse=True)
    wanted = rows >= 0
    values = np.full((len(runs), len(steps)), np.nan)
    values[rows[wanted], columns[wanted]] = part["value"].to_numpy()[wanted]
    return Curves(metric, steps, values)
