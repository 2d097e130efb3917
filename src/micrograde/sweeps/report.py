"""Write the report of a sweep: a page with tables and pictures, tables as CSV and pictures as files, too."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from micrograde.analysis import BestSetting, best_setting, order_runs, summarize
from micrograde.analysis.comparing import METRICS, ascending, told_apart
from micrograde.analysis.page import heading, page, paragraph, picture, table
from micrograde.analysis.repeats import of_repeats, of_settings
from micrograde.analysis.variance_shares import VarianceShares, variance_shares
from micrograde.core.picture_formats import PictureFormat, in_format
from micrograde.drawing import converted, draw_sweep, left_out
from micrograde.metrics import KEPT, name_in_history, part_of
from micrograde.store import tags

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 100  # of a table in the page; the CSV files hold them all
_REASON = f"tags.{tags.REASON}"
_LOSS = "train/loss"
_NAME_LENGTH = 60
MEDIA_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}


@dataclass(frozen=True)
class SweepReport:
    """The results in a sweep's report, and where it is written.

    Attributes
    ----------
    best
        The best setting; None if no run that finished has the metric.
    finished, unfinished
        How many runs finished, and how many failed, were killed or are still running.
    summary
        The content of ``summary.csv``: a row per run, best first.
    settings
        A row per setting, best mean first, as ``summarize`` returns it; over seeds, splits and folds, if they
        vary.
    mattered
        How much of the metric's variance each key, each pair of keys and the seed accounts for.
    page
        ``report.html``; None if it could not be made.
    left_out
        A line for each picture that could not be drawn.
    """

    best: BestSetting | None
    finished: int
    unfinished: int
    summary: "pd.DataFrame"
    settings: "pd.DataFrame"
    mattered: VarianceShares
    page: Path | None
    left_out: tuple[str, ...] = ()


def report_folder(home: Path, name: str, run_id: str) -> Path:
    """Return the default folder of a sweep's report, under ``mlruns/reports``."""
    slug = re.sub(r"[^A-Za-z0-9_=.-]+", "-", name.replace("×", "x"))[:_NAME_LENGTH].strip("-.")
    # The id may come from a server, so only its letters and digits are used in the path.
    return home / "mlruns" / "reports" / f"{slug or 'sweep'}-{re.sub(r'[^A-Za-z0-9]', '', run_id)[:8]}"


def metrics_drawn(metric: str) -> tuple[str, ...]:
    """Return the metrics whose history a report draws; of the kept model's that of the same name."""
    return tuple(dict.fromkeys((_LOSS, name_in_history(metric))))


def write_sweep_report(
    folder: Path,
    runs: "pd.DataFrame",
    history: "pd.DataFrame",
    *,
    title: str,
    varies: Sequence[str],
    metric: str,
    order: Literal["auto", "ascending", "descending"] = "auto",
    wanted: PictureFormat = "auto",
    pictures_of: Callable[[str], Iterable[tuple[str, bytes]]] = lambda _: (),
) -> SweepReport:
    """Write ``report.html``, ``summary.csv`` and ``figures/*.svg`` into a folder, which is created.

    If a seed, the split or the fold varies, ``over_seeds.csv`` is written, too, with a row for each setting;
    and ``importance.csv``, unless it cannot be told what mattered.

    Parameters
    ----------
    runs
        The runs of the sweep, as ``load_runs`` returns them; at least one.
    history
        Their history, as ``load_history`` returns it; only ``metrics_drawn`` are used.
    varies
        The params that the sweep set, such as ``optimizer.learning_rate`` and ``seed``.
    metric
        The metric by which runs are compared; if no run has it, there is no best setting.
    wanted
        The format of the pictures in ``figures/``; those in the page are SVG in any case.
    pictures_of
        Returns the own pictures of a run, by its id: file names, contents. Those of the run in the middle of
        the best setting are shown.

    Raises
    ------
    OSError
        If something cannot be written.
    """
    if metric not in runs:  # all may have failed before it was recorded
        runs = runs.assign(**{metric: np.nan})
    runs = order_runs(runs, metric, order, finished_first=True).reset_index(drop=True)
    swept = told_apart(runs, varies)
    by, repeats = of_settings(swept), of_repeats(swept)
    up = ascending(metric, order)
    settings = summarize(runs, by, metric, order)
    best = best_setting(runs, metric, order, swept)
    finished = int((runs["status"] == "FINISHED").sum())

    folder.mkdir(parents=True, exist_ok=True)
    summary = _summary(runs, swept, metric)
    summary.to_csv(folder / "summary.csv", index=False)
    if repeats:
        listed = settings.assign(run_ids=[" ".join(ids) for ids in settings["run_ids"]])
        listed.to_csv(folder / "over_seeds.csv", index=False)
    mattered = variance_shares(runs, swept, metric)
    if mattered.shares:
        mattered.frame().to_csv(folder / "importance.csv", index=False)
    (folder / "figures").mkdir(exist_ok=True)
    pictures: list[str] = []
    said: list[str] = []
    rule: dict[str, Any] = {"metric": metric, "drawn": metrics_drawn(metric), "lower_is_better": up}
    pictured = draw_sweep(runs, history, by, seed=repeats[0] if repeats else None, say=said.append, **rule)
    for name, text, figure in pictured:
        file = in_format(f"figures/{name}.svg", wanted)
        with left_out(file, said.append):
            shown = figure.text.encode()
            (folder / file).write_bytes(
                shown if wanted in ("auto", "svg") else converted(figure.text, wanted)
            )
            pictures += [heading(text), picture(shown, text, "image/svg+xml")]

    unfinished, going_on = len(runs) - finished, int((runs["status"] == "RUNNING").sum())
    about = f"{len(runs):,} run{_s(len(runs))}: {finished:,} finished"
    about += f", {unfinished - going_on:,} did not" if unfinished > going_on else ""
    about += f", {going_on:,} going on" if going_on else ""
    about += f" · varied: {', '.join(swept)}" if swept else ""
    target, made = folder / "report.html", None
    with left_out("report.html", said.append):
        parts = [
            *_best_part(runs, best, swept, metric, "lowest" if up else "highest"),
            *(_pictures_of_best(pictures_of(best.run_id), best) if best else ()),
            *_settings_part(runs, settings, by, metric, bool(repeats)),
            *pictures,
            *_unfinished_part(runs, swept),
            *_runs_part(runs, swept, metric),
        ]
        target.write_text(page(title, about, parts), encoding="utf-8")
        made = target
    return SweepReport(best, finished, unfinished, summary, settings, mattered, made, tuple(said))


# --- tables -------------------------------------------------------------------------------------


def _summary(runs: "pd.DataFrame", swept: Sequence[str], metric: str) -> "pd.DataFrame":
    measured = [name for name in map(str, runs) if "/" in name and not name.startswith("tags.")]
    first = [name for name in (metric, *METRICS) if name in runs]
    columns = ["run_id", "run_name", "status", *swept, *dict.fromkeys([*first, *measured]), "duration"]
    table = runs[columns].copy()
    table.insert(3, "reason", runs.get(_REASON))
    return table


def _best_part(
    runs: "pd.DataFrame", best: BestSetting | None, swept: Sequence[str], metric: str, extreme: str
) -> list[str]:
    """Return what is known of the best setting, and the run whose model stands for it."""
    if best is None:
        return [heading("The best setting"), paragraph(f"No run finished with {metric}.")]
    metrics = dict.fromkeys(name for name in (metric, *METRICS) if name in runs)
    shown = runs[runs["run_id"] == best.run_id][["run_id", "run_name", *swept, *metrics]]
    mean = " mean" if best.repeats else ""
    title = f"The best setting: the {extreme}{mean} {metric}" if best.settings > 1 else "The one setting"
    said = f"{best.label}: " if best.label else ""
    said += f"{metric} {best.text}, {best.counted}" + (f", {best.interval}." if best.interval else ".")
    parts = [paragraph(said), *(paragraph(f"{note[0].upper()}{note[1:]}.") for note in best.notes)]
    if best.count > 1:
        parts.append(paragraph("Its model is that of the run in the middle, not of the luckiest one:"))
    return [heading(title), *parts, table(shown, codes=["run_id"])]


def _pictures_of_best(found: Iterable[tuple[str, bytes]], best: BestSetting) -> list[str]:
    """Return the own pictures of the best setting's run, as far as a page can show them."""
    which = "the run in the middle" if best.count > 1 else "its run"
    return [
        picture(content, f"{Path(name).stem.replace('_', ' ')} of {which}", kind)
        for name, content in found
        if (kind := MEDIA_TYPES.get(Path(name).suffix))
    ]


def _settings_part(
    runs: "pd.DataFrame", settings: "pd.DataFrame", by: Sequence[str], metric: str, seeds: bool
) -> list[str]:
    """Return the table of settings with the mean of the metric and of the same metric on the test part."""
    if not by and not seeds:
        return []
    shown = settings[[*by, "count"]].rename(columns={"count": "runs"})
    if settings["failed"].any():
        shown["without a result"] = settings["failed"]
    shown[metric] = _spread(metric, settings["mean"], settings["std"])
    if settings["std"].notna().any():
        low, high = (_texts(metric, settings[end]) for end in ("ci_low", "ci_high"))
        shown["95 % interval"] = [
            f"{one} to {other}" if one != "-" else "-" for one, other in zip(low, high, strict=True)
        ]
        shown["best"] = settings["best"]
    kept = KEPT if metric.startswith(KEPT) else ""
    test = metric.replace(part_of(metric), f"{kept}test", 1) if part_of(metric) else ""
    if test in runs and test != metric:
        row_of = {ids[0]: row for row, ids in enumerate(settings["run_ids"])}
        other = summarize(runs, by, test)
        other.index = [row_of[ids[0]] for ids in other["run_ids"]]
        other = other.sort_index()
        shown[test] = _spread(test, other["mean"], other["std"])
    shown["best run"] = settings["best_run_id"].str[:8]
    text = f"Settings, best mean {metric} first" + (": mean ± standard deviation over seeds" if seeds else "")
    return [heading(text), *_cut(shown, "over_seeds.csv" if seeds else "summary.csv", ["best run"])]


def _unfinished_part(runs: "pd.DataFrame", swept: Sequence[str]) -> list[str]:
    gone = runs[runs["status"] != "FINISHED"]
    if gone.empty:
        return []
    shown = gone[["run_id", "run_name", *swept, "status"]].assign(reason=gone.get(_REASON))
    not_yet = " (yet)" if (gone["status"] == "RUNNING").any() else ""
    return [heading(f"Runs that did not finish{not_yet}"), *_cut(shown, "summary.csv", ["run_id"])]


def _runs_part(runs: "pd.DataFrame", swept: Sequence[str], metric: str) -> list[str]:
    metrics = dict.fromkeys(name for name in (metric, *METRICS) if name in runs)
    shown = runs[["run_id", "run_name", *swept, *metrics, "status", "duration"]]
    return [heading(f"Runs, best {metric} first"), *_cut(shown, "summary.csv", ["run_id"])]


def _cut(frame: "pd.DataFrame", rest: str, codes: Sequence[str]) -> list[str]:
    """Return the table; if it is long, its beginning and a line that says where the rest is."""
    parts = [table(frame.head(_ROWS), codes=codes)]
    if len(frame) > _ROWS:
        parts.append(paragraph(f"The first {_ROWS} of {len(frame):,}; all are in {rest}."))
    return parts


def _spread(metric: str, means: "pd.Series[float]", stds: "pd.Series[float]") -> list[str]:
    pairs = zip(_texts(metric, means), _texts(metric, stds), strict=True)
    return [mean if std == "-" else f"{mean} ± {std}" for mean, std in pairs]


def _texts(metric: str, values: "pd.Series[float]") -> list[str]:
    from micrograde.analysis.tables import as_cell

    return [as_cell(metric, float(value)) for value in values]


def _s(count: int) -> str:
    return "" if count == 1 else "s"
