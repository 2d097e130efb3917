"""The ensemble of a sweep's best setting: its runs' networks, copied beside the sweep as one model."""

from contextlib import ExitStack
from pathlib import Path

from micrograde.analysis import BestSetting
from micrograde.core.errors import InputError
from micrograde.core.json_files import read_json
from micrograde.core.markdown import as_markdown
from micrograde.data.messages import listed
from micrograde.data.sets.tables import Table
from micrograde.models.ensemble import EnsembleFacts, describe_ensemble, write_ensemble
from micrograde.runs.files import contained, files_of, stored_recipe
from micrograde.runs.recorded_models import MODEL
from micrograde.store import ModelDescription, StoreLocation, load_run
from micrograde.store.mlmodel import CARD

_EXAMPLE = "input_example.json"
_LONGEST = 1_000_000  # bytes


def save_ensemble(folder: Path, best: BestSetting, location: StoreLocation) -> ModelDescription:
    """Write the ensemble of the setting's finished runs to ``folder``, with its card.

    Raises
    ------
    InputError
        If a run's model cannot be read, or the runs do not agree; the message is one line.
    """
    with ExitStack() as stack:
        runs = [load_run(location.read_at, run_id) for run_id in best.run_ids]
        places = [stack.enter_context(files_of(run, location, (MODEL, "config"))) for run in runs]
        data = stored_recipe(places[0], runs[0]).data
        header = data.header if isinstance(data, Table) else None
        sources = [place / MODEL for place in places]
        facts = EnsembleFacts(best.run_ids, tuple(data.target_columns), header)
        ensemble = write_ensemble(folder, sources, facts)
        example = _example(sources[0])
    described = describe_ensemble(ensemble, example)
    (folder / CARD).write_text(_card(best, described), encoding="utf-8")
    return described


def _example(source: Path) -> list[list[float | str | bool]]:
    """Return the example rows of a member; none if they cannot be read."""
    path = contained(source, _EXAMPLE)
    try:
        found = read_json(path, _LONGEST)["data"] if path else []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{_EXAMPLE} of a run cannot be read ({error})") from None
    return list(found)


def _card(best: BestSetting, described: ModelDescription) -> str:
    """Return the card as Markdown."""
    about = f" of {as_markdown(best.label)}" if best.label else ""
    lines = [
        f"# Model card: an ensemble of {best.count} networks",
        "",
        f"The answers of the runs{about}, the best setting of a sweep, are averaged: probabilities, "
        f"or numbers. "
        f"Alone they reached {best.metric} {best.text}, {best.counted}.",
        "",
        "No value of the ensemble itself is claimed: it was not measured, and where the splits of its runs "
        "differ, they have seen each other's validation rows.",
        "",
        "## Runs",
        "",
        *(f"- `{run_id}`" for run_id in best.run_ids),
        "",
        "Their weights are copied into this model, which works without them.",
        "",
        "## Columns",
        "",
        f"It reads {as_markdown(listed(list(described.inputs)))}, and says "
        f"{as_markdown(listed(list(described.outputs)))}.",
    ]
    return "\n".join(lines) + "\n"
