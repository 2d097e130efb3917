"""What a sweep's own page in MLflow says of it, in Markdown: what was swept, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_BEGINNING = "**Swept**"
_LONGEST = 3000  # characters, beside the user's note; MLflow keeps 8,000
_LONGEST_VALUE = 200


@dataclass(frozen=True)
class Best:
    """The best run, and what it has of what was swept."""

    run_id: str
    metric: str
    value: float
    settings: Mapping[str, object]


def describe_sweep(
    space: Mapping[str, str],
    counts: Mapping[str, int] | None = None,
    best: Best | None = None,
    *,
    metric: str,
    note: str = "",
) -> str:
    """The description.

    Parameters
    ----------
    space
        What each key takes, as it was typed.
    counts
        How many runs there are by their status; None where they are still to come.
    best
        None if no run has finished with the metric.
    metric
        By which the best is chosen.
    note
        The user's own, which stands first.
    """
    swept = [f"- {_code(key)}: {_code(values)}" for key, values in space.items()]
    parts = [_BEGINNING, "\n".join(_cut(swept))] if swept else [f"{_BEGINNING} nothing"]
    if counts is None:
        parts.append(f"The best run will be chosen by {_code(metric)}.")
    else:
        parts.append(f"**{_runs(counts)}**")
        if best is None:
            parts.append(f"No run has finished with {_code(metric)}.")
        else:
            parts.append(f"**Best {_code(best.metric)}: {best.value:.4f}**, run {_code(best.run_id)}")
            parts.append("\n".join(_cut([f"- {_code(f'{k}={v}')}" for k, v in best.settings.items()])))
    return "\n\n".join(part for part in [note, *parts] if part)


def words_of(description: str) -> str:
    """What a user has written into a sweep's description, before what stands there by itself."""
    return description.partition(_BEGINNING)[0].strip()


def with_words(description: str, note: str) -> str:
    """The same description with other words of the user's before it."""
    _, beginning, rest = description.partition(_BEGINNING)
    return f"{note}\n\n{beginning}{rest}" if beginning else note


def _runs(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    shares = ", ".join(f"{count:,} {status}" for status, count in counts.items())
    return f"{total:,} run{'' if total == 1 else 's'}: {shares}"


def _code(text: object) -> str:
    """As it stands, whatever Markdown would make of it."""
    line = " ".join(str(text).replace("`", "'").split())
    return f"`{line if len(line) <= _LONGEST_VALUE else f'{line[: _LONGEST_VALUE - 3]}...'}`"


def _cut(lines: Sequence[str]) -> list[str]:
    """As many as there is room for, and how many more there are."""
    length, kept = 0, list[str]()
    for line in lines:
        length += len(line) + 1
        if length > _LONGEST // 2:
            return [*kept, f"- and {len(lines) - len(kept)} more"]
        kept.append(line)
    return kept
