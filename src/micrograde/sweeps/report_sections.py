"""The sections of a sweep's report, in the order of a paper: what was asked, what came of it, details.

A section is a function in ``SECTIONS``, which yields nothing if there is nothing to say.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from micrograde.analysis import BestSetting, are_compared, next_steps, summarize
from micrograde.analysis.comparing import METRICS
from micrograde.analysis.document import Paragraph, Part, Picture, Section, Table
from micrograde.analysis.out_of_fold import first_setting
from micrograde.analysis.repeats import in_plural
from micrograde.analysis.tables import as_cell
from micrograde.analysis.variance_shares import VarianceShares
from micrograde.core.natural_order import is_missing, natural_key
from micrograde.core.plain_numbers import plain_number
from micrograde.metrics import KEPT, part_of
from micrograde.store import tags

if TYPE_CHECKING:
    import pandas as pd

REASON = f"tags.{tags.REASON}"
"""The column that says why a run did not finish."""

_ROWS = 100  # of a table; the CSV files hold them all
_IN_OWN_UNIT = ("true", "predicted", "residual", "absolute_error")  # columns of predicted numbers
_HARD = 20  # rows of the data that are listed
_VALUES = 12  # of a key that are listed; of more, the first and the last


@dataclass(frozen=True)
class ReportContents:
    """What a sweep's report is made of.

    Attributes
    ----------
    runs
        A row per run, best first.
    settings
        A row per setting, best mean first, as ``summarize`` returns it.
    by, repeats
        The params that vary: those of settings, and the seeds, splits and folds.
    metric, lower_is_better
        By which runs are compared, and which of two values is better.
    best
        The best setting; None if no run that finished has the metric.
    of_best
        The own pictures of its run in the middle: names and contents.
    pictures
        The pictures of the sweep, each with its heading.
    mattered
        How much of the metric's variance each key has.
    compared
        How each setting stands to the best one, as ``compare_settings`` returns it, in the order of
        ``settings``; None if it could not be told.
    retests
        The best settings on fresh seeds, as ``load_retest`` returns them; None if there are none.
    held_out
        What the runs of a sweep over folds say of the rows that they held out; None of other sweeps.
    searched
        Whether a search chose the runs.
    """

    runs: "pd.DataFrame"
    settings: "pd.DataFrame"
    by: Sequence[str]
    repeats: Sequence[str]
    metric: str
    lower_is_better: bool
    best: BestSetting | None
    of_best: Sequence[Picture]
    pictures: Sequence[Section]
    mattered: VarianceShares
    compared: "pd.DataFrame | None" = None
    retests: "pd.DataFrame | None" = None
    held_out: "pd.DataFrame | None" = None
    searched: bool = False

    @property
    def swept(self) -> list[str]:
        """All params that vary, those of settings first."""
        return [*self.by, *self.repeats]

    @property
    def extreme(self) -> str:
        """What the best value is: ``lowest`` or ``highest``."""
        return "lowest" if self.lower_is_better else "highest"


def question(contents: ReportContents) -> Iterator[Section]:
    """Which values were tried, and by what they are compared."""
    wanted = f"the {contents.extreme} {contents.metric}"
    if contents.by:
        keys = f"which {'values' if len(contents.by) > 1 else 'value'} of {_listed(contents.by)}"
        asked = f"{keys[0].upper()}{keys[1:]} has {wanted}"
        asked = asked.replace(" has ", " have ") if len(contents.by) > 1 else asked
        asked += f", on average over {_listed(contents.repeats)}?" if contents.repeats else "?"
    elif contents.repeats:
        asked = f"How much does {contents.metric} vary with {_listed(contents.repeats)}?"
    else:
        asked = f"What is {contents.metric}?"
    parts: list[Part] = [Paragraph(asked)]
    if contents.swept:
        import pandas as pd

        tried = [_tried(name, contents.runs[name].tolist()) for name in contents.swept]
        frame = pd.DataFrame({"varied": contents.swept, "values": tried})
        parts.append(Table(frame, ["varied"]))
    yield Section("The question", parts)


def result(contents: ReportContents) -> Iterator[Section]:
    """Say what is known of the best setting, and show the run whose model stands for it."""
    runs, metric, best = contents.runs, contents.metric, contents.best
    if best is None:
        yield Section("The best setting", [Paragraph(f"No run finished with {metric}.")])
        return
    metrics = dict.fromkeys(name for name in (metric, *METRICS) if name in runs)
    frame = runs[runs["run_id"] == best.run_id][["run_id", "run_name", *contents.swept, *metrics]]
    mean = " mean" if best.repeats else ""
    title = (
        f"The best setting: the {contents.extreme}{mean} {metric}" if best.settings > 1 else "The one setting"
    )
    said = f"{best.label}: " if best.label else ""
    said += f"{metric} {best.text}, {best.counted}" + (f", {best.interval}." if best.interval else ".")
    parts: list[Part] = [
        Paragraph(said),
        *(Paragraph(f"{note[0].upper()}{note[1:]}.") for note in best.notes),
    ]
    if best.count > 1:
        parts.append(Paragraph("Its model is that of the run in the middle, not of the luckiest one:"))
    yield Section(title, [*parts, Table(frame, ["run_id"]), *contents.of_best])


def settings(contents: ReportContents) -> Iterator[Section]:
    """Show the table of settings with the mean of the metric and of the same metric on the test part."""
    table = settings_table(contents)
    if table is None:
        return
    text = settings_caption(contents)
    rest = "over_seeds.csv" if contents.repeats else "summary.csv"
    yield Section(text, _cut(table, rest))


def settings_caption(contents: ReportContents) -> str:
    """Return what the table of settings shows."""
    spread = f": mean ± standard deviation over {in_plural(contents.repeats)}" if contents.repeats else ""
    return f"Settings, best mean {contents.metric} first{spread}"


def settings_table(contents: ReportContents) -> Table | None:
    """Return the whole table of settings; None if nothing varies."""
    runs, found, by, metric = contents.runs, contents.settings, contents.by, contents.metric
    if not contents.swept:
        return None
    frame = found[[*by, "count"]].rename(columns={"count": "runs"})
    if found["failed"].any():
        frame["without a result"] = found["failed"]
    frame[metric] = _spread(metric, found["mean"], found["std"])
    if found["std"].notna().any():
        low, high = (_texts(metric, found[end]) for end in ("ci_low", "ci_high"))
        frame["95 % interval"] = [
            f"{one} to {other}" if one != "-" else "-" for one, other in zip(low, high, strict=True)
        ]
    if contents.compared is not None and are_compared(contents.compared):
        frame["verdict"] = contents.compared["words"].tolist()
    test = _of_test_part(metric)
    if test in runs and test != metric:
        row_of = {ids[0]: row for row, ids in enumerate(found["run_ids"])}
        other = summarize(runs, by, test)
        other.index = [row_of[ids[0]] for ids in other["run_ids"]]
        other = other.sort_index()
        frame[test] = _spread(test, other["mean"], other["std"])
    return Table(frame)


def retest(contents: ReportContents) -> Iterator[Section]:
    """Show the best settings on seeds that took no part in choosing them: the number to publish."""
    table = contents.retests
    if table is None or table.empty:
        return
    names = [str(name) for name in table]
    by, metric = names[: names.index("metric")], str(table["metric"].iloc[0])
    frame = table[by].copy()
    frame["fresh seeds"] = table["count"]
    if table["failed"].any():
        frame["without a result"] = table["failed"]
    frame[metric] = _spread(metric, table["mean"], table["std"])
    low, high = (_texts(metric, table[end]) for end in ("ci_low", "ci_high"))
    frame["95 % interval"] = [
        f"{one} to {other}" if one != "-" else "-" for one, other in zip(low, high, strict=True)
    ]
    frame["in the sweep itself"] = _texts(metric, table["sweep_mean"])
    frame["its luckiest run"] = _texts(metric, table["winner"])
    said = (
        f"These runs took no part in choosing, so that {metric} of the first setting, with its interval, is "
        "the number to publish. The luckiest run is the one that a table of runs ranks first."
    )
    yield Section("The result on fresh seeds", [Paragraph(said), Table(frame)])


def held_out(contents: ReportContents) -> Iterator[Section]:
    """List the rows that most runs miss where they are held out, of a sweep over folds."""
    if contents.held_out is None or contents.held_out.empty:
        return
    rows = first_setting(contents.held_out)
    said = (
        f"Each of {len(rows):,} rows was tested by runs that had not learned it. First are the rows that are "
        "missed most often: hard ones, and those whose label is wrong. All are in out_of_fold.parquet."
    )
    if "missed" not in rows:
        said = said.replace("missed most often", "predicted worst")
    frame = rows.head(_HARD).copy()
    for name in map(str, frame):
        if frame[name].dtype.kind == "f" and name.startswith(_IN_OWN_UNIT):
            frame[name] = [plain_number(value) for value in frame[name].tolist()]
    yield Section("Rows that were held out", [Paragraph(said), Table(frame)])


def what_next(contents: ReportContents) -> Iterator[Section]:
    """Say what the sweep leaves open."""
    test = _of_test_part(contents.metric)
    steps = next_steps(
        contents.runs,
        contents.compared,
        contents.best,
        contents.repeats,
        retested=contents.retests is not None,
        tested=test in contents.runs and bool(contents.runs[test].notna().any()),
        searched=contents.searched,
    )
    if steps:
        yield Section("What to try next", [Paragraph(step) for step in steps])


def pictures(contents: ReportContents) -> Iterator[Section]:
    """Show the pictures of the sweep."""
    yield from contents.pictures


def unfinished(contents: ReportContents) -> Iterator[Section]:
    """List the runs that have no result, with the reason."""
    gone = contents.runs[contents.runs["status"] != "FINISHED"]
    if gone.empty:
        return
    frame = gone[["run_id", "run_name", *contents.swept, "status"]].assign(reason=gone.get(REASON))
    not_yet = " (yet)" if (gone["status"] == "RUNNING").any() else ""
    yield Section(f"Runs that did not finish{not_yet}", _cut(Table(frame, ["run_id"]), "summary.csv"))


def runs(contents: ReportContents) -> Iterator[Section]:
    """List all runs."""
    table, metric = contents.runs, contents.metric
    metrics = dict.fromkeys(name for name in (metric, *METRICS) if name in table)
    frame = table[["run_id", "run_name", *contents.swept, *metrics, "status", "duration"]]
    yield Section(f"Runs, best {metric} first", _cut(Table(frame, ["run_id"]), "summary.csv"))


SECTIONS: tuple[Callable[[ReportContents], Iterator[Section]], ...] = (
    question,
    result,
    settings,
    retest,
    pictures,
    held_out,
    what_next,
    unfinished,
    runs,
)
"""The report from top to bottom; a section more is a line here."""


def _of_test_part(metric: str) -> str:
    """Return the name of the same metric of the test part; empty if it is of no part."""
    kept = KEPT if metric.startswith(KEPT) else ""
    return metric.replace(part_of(metric), f"{kept}test", 1) if part_of(metric) else ""


def _cut(table: Table, rest: str) -> list[Part]:
    """Return the table; if it is long, its beginning and a line that says where the rest is."""
    rows = len(table.frame)
    if rows <= _ROWS:
        return [table]
    said = f"The first {_ROWS} of {rows:,}; all are in {rest}."
    return [Table(table.frame.head(_ROWS), table.codes), Paragraph(said)]


def _tried(name: str, values: Sequence[object]) -> str:
    """Return the different values in order; of many the first and the last, and how many."""
    by_key = {natural_key(value): value for value in values}
    ordered = [by_key[key] for key in sorted(by_key)]
    texts = ["null" if is_missing(value) else as_cell(name, value) for value in ordered]
    if len(texts) <= _VALUES:
        return ", ".join(texts)
    known = [text for text, value in zip(texts, ordered, strict=True) if not is_missing(value)]
    return f"{len(texts):,} values, from {known[0]} to {known[-1]}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _spread(metric: str, means: "pd.Series[float]", stds: "pd.Series[float]") -> list[str]:
    pairs = zip(_texts(metric, means), _texts(metric, stds), strict=True)
    return [mean if std == "-" else f"{mean} ± {std}" for mean, std in pairs]


def _texts(metric: str, values: "pd.Series[float]") -> list[str]:
    return [as_cell(metric, float(value)) for value in values]


def pictures_of_best(found: Sequence[tuple[str, bytes]], best: BestSetting) -> list[Picture]:
    """Return the own pictures of the best setting's run, as far as a page can show them."""
    which = "the run in the middle" if best.count > 1 else "its run"
    return [
        Picture(content, f"{Path(name).stem.replace('_', ' ')} of {which}", kind)
        for name, content in found
        if (kind := MEDIA_TYPES.get(Path(name).suffix))
    ]


MEDIA_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}
"""What a page can show of a run's pictures."""
