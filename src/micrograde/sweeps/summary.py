"""The end of a sweep: write tables and pictures to the parent run, and print the results."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from micrograde.analysis.repeats import of_settings
from micrograde.config.locations import where_to_look
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.terminal import say
from micrograde.core.working import working
from micrograde.runs.recorded_models import MODEL
from micrograde.store import ModelDescription, StoreLocation, tags
from micrograde.sweeps.best_pictures import pictures_of_run
from micrograde.sweeps.completeness import Lacking, lacking_of
from micrograde.sweeps.description import describe_sweep, with_words, words_of
from micrograde.sweeps.ensembling import save_ensemble
from micrograde.sweeps.jobs import sweep_name
from micrograde.sweeps.state import SweepState
from micrograde.tracking import RunRecorder

if TYPE_CHECKING:
    import pandas as pd

    from micrograde.analysis import BestSetting
    from micrograde.analysis.variance_shares import VarianceShares
    from micrograde.sweeps.retest import Retested

_ROOM = 68  # columns for what mattered, beside the label, on a terminal of 80
_FAILURES = 5  # printed at most; the table has all


@dataclass(frozen=True)
class SweepSummary:
    """The summary of a sweep: its parent's id, its runs, its best setting, what mattered, and left out.

    Attributes
    ----------
    others
        How the other settings stand to the best, a word and what stands beside it; None if nothing was
        compared.
    out_of_fold
        The line about rows that were held out, of a sweep over folds.
    notes
        What to say of its model.
    own_model
        Whether its own model, an ensemble, is to be logged once its parent run has ended.
    model
        The description of that model if it lies in the parent's folder, and not in the store yet.
    """

    run_id: str
    runs: "pd.DataFrame"
    best: "BestSetting | None"
    others: tuple[str, str] | None = None
    mattered: "VarianceShares | None" = None
    retested: "Retested | None" = None
    left_out: tuple[str, ...] = ()
    out_of_fold: str = ""
    notes: tuple[str, ...] = ()
    own_model: bool = False
    model: ModelDescription | None = None


def summarize_sweep(sweep: SweepState, recorder: RunRecorder, parent: int) -> SweepSummary:
    """Read the sweep's runs back, and write tables, report and pictures for the parent run."""
    # Imported while the writer is still at work on the last runs.
    from micrograde.analysis import best_setting, compare_settings, in_short, load_history, load_runs
    from micrograde.analysis.comparing import told_apart
    from micrograde.analysis.out_of_fold import words_of_rows
    from micrograde.analysis.repeats import split_retests
    from micrograde.analysis.what_mattered import what_mattered
    from micrograde.store.readers import store_of
    from micrograde.sweeps.out_of_fold import read_out_of_fold, write_out_of_fold
    from micrograde.sweeps.report import metrics_drawn, write_sweep_report
    from micrograde.sweeps.retest import retested

    assert sweep.location
    with working("recording what waits to be recorded"):
        recorded = recorder.wait()
    run_id = next(run.run_id for run in recorded if run.run == parent)
    uri = sweep.location.read_at
    with working("reading the runs back"):
        runs, retests = split_retests(load_runs(uri, sweep=run_id, retests=True))
    if runs.empty:
        return SweepSummary(run_id, runs, None)
    tags_before = store_of(uri).read_details(uri, run_id).tags
    described = tags_before.get(tags.DESCRIPTION, "")
    varies = sweep.varies or [key for key in sweep.identity.swept if key in runs]
    again = retested(runs, retests, varies, sweep.metric, sweep.options.order)
    if sweep.is_as_before:
        if sweep.options.note:
            recorder.set_tags(parent, {tags.DESCRIPTION: with_words(described, sweep.options.note)})
        held_out = read_out_of_fold(sweep.location, run_id)
        best = best_setting(runs, sweep.metric, sweep.options.order, varies)
        by = of_settings(told_apart(runs, varies))
        return SweepSummary(
            run_id,
            runs,
            best,
            others=in_short(compare_settings(runs, sweep.metric, sweep.options.order, by)) if best else None,
            mattered=what_mattered(runs, varies, sweep.metric),
            retested=again,
            out_of_fold="" if held_out is None else words_of_rows(held_out),
        )
    with working("reading the runs back"):
        history = load_history(uri, sweep=run_id, metrics=metrics_drawn(sweep.metric))
    folder = recorder.run_folder(parent)
    assert folder
    left_out, held_out = tuple[str, ...](), None
    try:
        by_setting = _best_setting_first(runs, varies, sweep)
        held_out = write_out_of_fold(folder, by_setting, sweep.location, varies)
    except InputError as error:
        left_out = (str(error),)
    with working("drawing the report"):
        report = write_sweep_report(
            folder,
            runs,
            history,
            title=sweep_name(sweep.identity.swept),
            varies=varies,
            metric=sweep.metric,
            order=sweep.options.order,
            wanted=sweep.drawing.format,
            pictures_of=partial(pictures_of_run, location=sweep.location),
            retests=again.table if again else None,
            held_out=held_out,
            searched=sweep.searches,
        )
    found = {
        tags.SWEEP_VARIES: json.dumps(varies),
        tags.REPORTED: sweep.reported,
        tags.SEARCH: "true" if sweep.searches else "false",
    }
    counts = runs["status"].value_counts()
    measured = {f"sweep/{str(status).lower()}": float(count) for status, count in counts.items()}
    model: ModelDescription | None = None
    own_model, notes = False, tuple[str, ...]()
    if again:
        again.write(folder)
        measured |= again.metrics
    if best := report.best:
        found |= {tags.BEST_RUN_ID: best.run_id, tags.BEST_SETTING: json.dumps(best.params)}
        measured |= _measures(best)
        if sweep.options.register == "ensemble":
            before = tags_before.get(tags.ENSEMBLE)
            model, own_model, notes = _ensemble(best, before, folder / MODEL, sweep.location)
        if model:
            found[tags.ENSEMBLE] = json.dumps(best.run_ids)
        if not own_model:
            name = sweep.tracking.register
            recorder.log_model(parent, source_run_id=best.run_id, registered_name=name)
    found[tags.DESCRIPTION] = describe_sweep(
        sweep.identity.space,
        {str(status): int(count) for status, count in counts.items()},
        best,
        metric=sweep.metric,
        note=sweep.options.note or words_of(described),
        retested=again.lines() if again else (),
    )
    recorder.set_tags(parent, found)
    recorder.log_metrics(parent, 0, measured)
    return SweepSummary(
        run_id,
        runs,
        best,
        others=None if report.compared is None else in_short(report.compared),
        mattered=report.mattered,
        retested=again,
        left_out=(*left_out, *report.left_out),
        out_of_fold="" if held_out is None else words_of_rows(held_out),
        notes=notes,
        own_model=own_model,
        model=model,
    )


def _ensemble(
    best: "BestSetting", recorded: str | None, folder: Path, location: StoreLocation
) -> tuple[ModelDescription | None, bool, tuple[str, ...]]:
    """Make the ensemble, unless there is one; return its description, whether there is any, and notes."""
    if recorded is not None:  # whose versions in the registry go on naming it
        same = recorded == json.dumps(best.run_ids)
        stays = "the ensemble stays that of the runs that were there first; sweep.resume=false makes another"
        return None, True, () if same else (stays,)
    instead = f"run {best.run_id}, in the middle, is registered instead"
    if best.count < 2:
        return None, False, (f"sweep.register=ensemble: the best setting has one run; {instead}",)
    try:
        with working("making the ensemble"):
            return save_ensemble(folder, best, location), True, ()
    except (InputError, OSError) as error:
        return None, False, (f"sweep.register=ensemble: {error}; {instead}",)


def _measures(best: "BestSetting") -> dict[str, float]:
    """Return the metrics of the parent run that say what the best setting reached."""
    name = f"best/{best.metric}"
    of_mean = {
        name: best.mean,
        f"{name}_std": best.std,
        f"{name}_ci_low": best.ci_low,
        f"{name}_ci_high": best.ci_high,
    }
    counts = {"best/runs": float(best.count), "best/runs_without_value": float(best.failed)}
    return {key: value for key, value in of_mean.items() if not math.isnan(value)} | counts


def _best_setting_first(runs: "pd.DataFrame", varies: Sequence[str], sweep: SweepState) -> "pd.DataFrame":
    """Return the runs by the mean of their settings."""
    from micrograde.analysis import best_first, summarize

    by = [name for name in of_settings(varies) if name in runs]
    if not by or sweep.metric not in runs:
        return runs
    settings = summarize(runs, by, sweep.metric, sweep.options.order)
    groups = settings["run_ids"].iloc[best_first(settings)]
    return runs.set_index("run_id").loc[list(chain.from_iterable(groups))].reset_index()


def print_summary(sweep: SweepState, summary: SweepSummary, registered: str | None) -> int:
    """Print the results of a sweep, and what its best model is ``registered`` as; return how many failed."""
    from micrograde.analysis import without_metric
    from micrograde.analysis.what_mattered import in_words

    runs = summary.runs
    counts = Counter(map(str, runs["status"] if len(runs) else ()))
    print_finished(sweep, counts, lacking_of(sweep, runs))
    if summary.best:
        for word, text in summary.best.lines():
            say(f"{word:<11} {printable(text)}")
    elif counts.get("FINISHED"):
        say(f"best        none: no run that finished has a value of {sweep.metric}")
    if summary.own_model:
        say(f"ensemble    of runs of the best setting, averaged: predict run_id={summary.run_id} takes it")
    if summary.others:
        word, text = summary.others
        say(f"{word:<11} {printable(text)}")
    if summary.mattered and (line := in_words(summary.mattered, sweep.metric, _ROOM)):
        say(f"mattered    {line}")
    if summary.out_of_fold:
        say(f"out of fold {printable(summary.out_of_fold)}")
    if summary.retested:
        first, *others = summary.retested.lines()
        say(f"retest      {first}")
        for line in others:
            say(f"            {line}")
    if sweep.retest_note:
        say(f"retest      {printable(sweep.retest_note)}")
    for line in summary.notes:
        say(f"note        {printable(line)}")
    if registered:
        say(f"registered  {registered}")
    if not sweep.options.metric and len(runs) and (lacking := without_metric(runs, sweep.metric)):
        say(f"note        {lacking}; sweep.metric=... ranks by another")
    for line in summary.left_out:
        say(f"note        {printable(line)}")
    print_warnings(sweep)
    failed = runs[runs["status"] == "FAILED"] if len(runs) else runs
    for _, run in failed.head(_FAILURES).iterrows():
        reason = printable(str(run.get(f"tags.{tags.REASON}", "")))
        say(f"failed      {printable(str(run['run_name']))}: {reason}")
    if len(failed) > _FAILURES:
        say(f"            and {len(failed) - _FAILURES} more")
    say(f"sweep       run {summary.run_id}: {sweep_name(sweep.identity.swept)}")
    assert sweep.location
    say(where_to_look(sweep.location.tracking_uri, "sweep=latest"))
    return len(failed)


def print_finished(sweep: SweepState, counts: Mapping[str, int], lacks: Lacking) -> None:
    """Print how many runs have finished, of all that were asked for, and where the others are.

    ``counts`` is how many runs there are of each status, of which those that ``lacks`` has do not count.
    """
    done = {status: count for status, count in counts.items() if status in ("FINISHED", "FAILED")}
    others = {status: count for status, count in counts.items() if status not in done}
    total = max(sum(counts.values()), sum(done.values()) + lacks.count)
    parts = [f"{done.get('FINISHED', 0)} of {total} runs"]
    # Runs of earlier launches, which are not among the jobs of this one, are told of by their status alone.
    shown = done if lacks.count else done | others
    parts += [f"{count} {status}" for status, count in shown.items() if status != "FINISHED"]
    if sweep.before:
        parts.append(f"{sweep.before} of them from before")
    say(f"finished    {printable('; '.join([', '.join(parts), *lacks.texts()]))}")


def print_warnings(sweep: SweepState) -> None:
    """Print the warnings of this launch's runs, each once."""
    for line, count in sweep.warned.most_common(_FAILURES):
        where = "a run" if count == 1 else f"{count} runs"
        say(f"note        of {where}: {printable(line)}")
    if len(sweep.warned) > _FAILURES:
        say(f"            and {len(sweep.warned) - _FAILURES} more, which are in the runs' train.log")


def print_outcomes(sweep: SweepState) -> int:
    """Print the results of a sweep that has no summary from the store; return how many runs failed."""
    outcomes = sweep.outcomes
    finished = {digest: each for digest, each in outcomes.items() if each.status == "FINISHED"}
    failed = {digest: each for digest, each in outcomes.items() if each.status == "FAILED"}
    lacks = lacking_of(sweep, None)
    if lacks.count:
        counts = Counter(each.status for each in outcomes.values() if not each.kept)
        print_finished(sweep, counts, lacks)
    else:
        say(f"finished    {len(finished)} of {len(outcomes)} runs, {len(failed)} FAILED")
    if best := sweep.best_setting():
        for word, text in best.lines():
            say(f"{word:<11} {printable(text)}")
    print_warnings(sweep)
    for digest, each in list(failed.items())[:_FAILURES]:
        say(f"failed      {sweep.names[digest]}: {each.reason}")
    return len(failed)
