"""Draw the pictures that suit a sweep, which depend on what it varies and on what its runs have measured."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from micrograde.core.leaving_out import Say, left_out
from micrograde.drawing.sweep.by_parameter import draw_metric_by_parameter, draw_metric_by_seed
from micrograde.drawing.sweep.curves import Curves, draw_sweep_curves
from micrograde.drawing.sweep.heat_map import draw_heat_map
from micrograde.drawing.sweep.parallel_coordinates import draw_parallel_coordinates
from micrograde.drawing.sweep.swept import Swept

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


class Picture(NamedTuple):
    """A figure, the name of its file, and a line that says what it shows."""

    name: str
    text: str
    figure: "Figure"


def draw_sweep(
    runs: "pd.DataFrame",
    history: "pd.DataFrame",
    parameters: Sequence[str],
    *,
    seeds: bool,
    metrics: Sequence[str],
    lower_is_better: bool,
    say: Say | None = None,
) -> list[Picture]:
    """Draw the pictures of a sweep.

    The pictures: the last metric against each parameter (against the seeds, if nothing else varies); a heat
    map for two parameters, parallel coordinates for more; and the learning curves of all metrics, coloured by
    the first parameter.

    Parameters
    ----------
    runs
        The runs, best first, with ``run_id``, ``status``, the parameters and the metric. A run that did not
        finish counts as one without a result.
    history
        Columns run_id (categorical), metric, step and value; see ``load_history``.
    parameters
        The parameters that vary, without the seed.
    seeds
        Whether the seed varies.
    say
        Called with a line for each picture that is left out because it cannot be drawn.
    """
    metric = metrics[-1]
    values = np.where(runs["status"] == "FINISHED", runs[metric].astype("float64"), np.nan)
    best = 0 if np.isfinite(values[:1]).any() else None
    swept = [_swept(runs, name) for name in parameters]
    rule: dict[str, Any] = {"metric": metric, "lower_is_better": lower_is_better}
    drawn: list[tuple[str, str, Callable[..., Figure]]] = []
    if swept:
        text = f"{metric} against {'each parameter' if len(swept) > 1 else swept[0].name}"
        draw = partial(draw_metric_by_parameter, swept, values, best=best, **rule)
        drawn.append(("by_parameter", text, draw))
    elif seeds:
        text = f"{metric} over the seeds"
        seed = _swept(runs, "seed")
        drawn.append(("by_seed", text, partial(draw_metric_by_seed, seed, values, metric=metric, best=best)))
    if len(swept) == 2:
        across, up = swept
        text = f"{metric} over {across.name} and {up.name}"
        drawn.append(("heat_map", text, partial(draw_heat_map, across, up, values, **rule)))
    if len(swept) > 2:
        text = f"{metric} over all parameters at once"
        drawn.append(
            ("parallel_coordinates", text, partial(draw_parallel_coordinates, swept, values, **rule))
        )
    colour_by = swept[0] if swept else None
    curves = [_curves(runs, history, name) for name in metrics]
    panels = [each for each in curves if each.steps.size > 1] or [each for each in curves if each.steps.size]
    if panels:
        draw = partial(draw_sweep_curves, panels, colour_by=colour_by, best=best)
        drawn.append(("learning_curves", "Learning curves", draw))
    pictures = []
    for name, text, make in drawn:
        with left_out(f"figures/{name}.png", say):
            pictures.append(Picture(name, text, make(title=text)))
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
