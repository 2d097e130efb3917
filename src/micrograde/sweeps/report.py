"""Write the report of a sweep: as a page, as Markdown, its tables as CSV and LaTeX, its pictures as files."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from micrograde.analysis import BestSetting, best_setting, compare_settings, order_runs, summarize
from micrograde.analysis.comparing import METRICS, ascending, told_apart
from micrograde.analysis.document import Document, Picture, Section
from micrograde.analysis.latex import latex_table
from micrograde.analysis.markdown import markdown
from micrograde.analysis.page import page
from micrograde.analysis.repeats import of_repeats, of_settings
from micrograde.analysis.variance_shares import VarianceShares, variance_shares
from micrograde.core.picture_formats import PictureFormat, in_format
from micrograde.drawing import Bar, Say, converted, draw_shares, draw_sweep, left_out
from micrograde.drawing import Picture as Drawn
from micrograde.metrics import name_in_history
from micrograde.sweeps.report_sections import (
    REASON,
    SECTIONS,
    ReportContents,
    pictures_of_best,
    settings_caption,
    settings_table,
)

if TYPE_CHECKING:
    import pandas as pd

_LOSS = "train/loss"
_NAME_LENGTH = 60


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
    compared
        How each setting stands to the best one, as ``compare_settings`` returns it; None if no run has the
        metric.
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
    compared: "pd.DataFrame | None"
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
    retests: "pd.DataFrame | None" = None,
    held_out: "pd.DataFrame | None" = None,
    searched: bool = False,
) -> SweepReport:
    """Write ``report.html``, ``report.md``, ``summary.csv`` and ``figures/*.svg`` into a folder.

    The folder is created. If anything varies, ``settings.tex`` is a table of settings for a paper.
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
    retests, held_out
        The best settings on fresh seeds, as ``load_retest`` returns them; and, of a sweep over folds, what
        its runs say of the rows that they held out, as ``out_of_fold`` does. None if there are none.
    searched
        Whether a search chose the runs.

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
    compared = compare_settings(runs, metric, order, by) if best else None
    mattered = variance_shares(runs, swept, metric)
    if mattered.shares:
        mattered.frame().to_csv(folder / "importance.csv", index=False)
    said: list[str] = []
    rule: dict[str, Any] = {"metric": metric, "drawn": metrics_drawn(metric), "lower_is_better": up}
    pictured = draw_sweep(runs, history, by, seed=repeats[0] if repeats else None, say=said.append, **rule)
    with left_out("figures/importance.svg", said.append):
        pictured += _what_mattered(mattered, metric)
    contents = ReportContents(
        runs=runs,
        settings=settings,
        by=by,
        repeats=repeats,
        metric=metric,
        lower_is_better=up,
        best=best,
        of_best=pictures_of_best(list(pictures_of(best.run_id)), best) if best else [],
        pictures=_keep_pictures(folder, pictured, wanted, said.append),
        mattered=mattered,
        compared=compared,
        retests=retests,
        held_out=held_out,
        searched=searched,
    )
    unfinished, going_on = len(runs) - finished, int((runs["status"] == "RUNNING").sum())
    about = f"{len(runs):,} run{_s(len(runs))}: {finished:,} finished"
    about += f", {unfinished - going_on:,} did not" if unfinished > going_on else ""
    about += f", {going_on:,} going on" if going_on else ""
    about += f" · varied: {', '.join(swept)}" if swept else ""
    made = _write_documents(folder, title, about, contents, said.append)
    return SweepReport(best, finished, unfinished, summary, settings, mattered, compared, made, tuple(said))


def _summary(runs: "pd.DataFrame", swept: Sequence[str], metric: str) -> "pd.DataFrame":
    measured = [name for name in map(str, runs) if "/" in name and not name.startswith("tags.")]
    first = [name for name in (metric, *METRICS) if name in runs]
    columns = ["run_id", "run_name", "status", *swept, *dict.fromkeys([*first, *measured]), "duration"]
    table = runs[columns].copy()
    table.insert(3, "reason", runs.get(REASON))
    return table


def _what_mattered(found: VarianceShares, metric: str) -> list[Drawn]:
    """Return the picture of what mattered; none if it cannot be told, or there is nothing to compare."""
    if not found.shares or not found.of_several:
        return []
    bars = [Bar(each.of, each.share, each.kind) for each in found.shares]
    svg = draw_shares(bars, metric=metric, runs=found.runs, fitted_forest=found.how == "forest")
    return [Drawn("importance", f"What mattered for {metric}", svg)]


def _keep_pictures(folder: Path, drawn: Iterable[Drawn], wanted: PictureFormat, say: Say) -> list[Section]:
    """Write the pictures into ``figures/``; return a section for each that could be written."""
    (folder / "figures").mkdir(exist_ok=True)
    sections = []
    for name, text, svg in drawn:
        file = in_format(f"figures/{name}.svg", wanted)
        with left_out(file, say):
            content = svg.text.encode()
            kept = content if wanted in ("auto", "svg") else converted(svg.text, wanted)
            (folder / file).write_bytes(kept)
            sections.append(Section(text, [Picture(content, text, "image/svg+xml", file)]))
    return sections


def _write_documents(folder: Path, title: str, about: str, contents: ReportContents, say: Say) -> Path | None:
    """Write the report as HTML and Markdown, and its table as LaTeX; return the page if it could be made."""
    with left_out("settings.tex", say):
        if settings := settings_table(contents):
            caption = f"{title}. {settings_caption(contents)}"
            text = latex_table(settings, caption=caption, label="tab:settings")
            (folder / "settings.tex").write_text(text, encoding="utf-8")
    document = None
    with left_out("report.html", say):
        sections = [each for section in SECTIONS for each in section(contents)]
        document = Document(title, about, sections)
    made: set[str] = set()
    for name, write in (("report.html", page), ("report.md", markdown)) if document else ():
        with left_out(name, say):
            (folder / name).write_text(write(document), encoding="utf-8")
            made.add(name)
    return folder / "report.html" if "report.html" in made else None


def _s(count: int) -> str:
    return "" if count == 1 else "s"
