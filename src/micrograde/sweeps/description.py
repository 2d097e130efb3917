"""The description of a sweep on its page in MLflow, in Markdown: what was swept, and the result."""

from collections.abc import Mapping, Sequence

from micrograde.analysis.best_setting import BestSetting

_BEGINNING = "**Swept**"
_LONGEST = 3000  # characters, not counting the user's note; MLflow keeps 8,000
_LONGEST_VALUE = 200


def describe_sweep(
    space: Mapping[str, str],
    counts: Mapping[str, int] | None = None,
    best: BestSetting | None = None,
    *,
    metric: str,
    note: str = "",
    retested: Sequence[str] = (),
) -> str:
    """Return the description of a sweep, in Markdown.

    Parameters
    ----------
    space
        The values of each swept key, as they were typed.
    counts
        The number of runs by their status; None before the sweep has been run.
    best
        The best setting; None if no run has finished with the metric.
    metric
        The metric by which the best setting is chosen.
    note
        The user's note, which comes first.
    retested
        What came of the best settings on fresh seeds, a line each.
    """
    swept = [f"- {_code(key)}: {_code(values)}" for key, values in space.items()]
    parts = [_BEGINNING, "\n".join(_cut(swept))] if swept else [f"{_BEGINNING} nothing"]
    if counts is None:
        parts.append(f"The best setting will be chosen by {_code(metric)}.")
    else:
        parts.append(f"**{_runs(counts)}**")
        if best is None:
            parts.append(f"No run has finished with {_code(metric)}.")
        else:
            said = f", {best.interval}" if best.interval else ""
            whose = (
                f", {best.counted}{said}" if best.count > 1 or best.failed else f", run {_code(best.run_id)}"
            )
            parts.append(f"**Best {_code(best.metric)}: {best.text}**{whose}")
            params = ((key, value) for key, value in best.params.items() if value is not None)
            parts.append("\n".join(_cut([f"- {_code(f'{key}={value}')}" for key, value in params])))
            if best.count > 1 or best.failed:
                middle = f", in the middle with {best.of(best.value)}" if best.count > 1 else ""
                parts.append(f"Its model is that of run {_code(best.run_id)}{middle}.")
            parts += [f"{note[0].upper()}{note[1:]}." for note in best.notes]
    if retested:
        parts.append("**Retested**")
        parts.append("\n".join(_cut([f"- {_code(line)}" for line in retested])))
    return "\n\n".join(part for part in [note, *parts] if part)


def words_of(description: str) -> str:
    """Return what a user has written into a sweep's description, before the part that is generated."""
    return description.partition(_BEGINNING)[0].strip()


def with_words(description: str, note: str) -> str:
    """Return a sweep's description with ``note`` in place of what the user has written into it."""
    _, beginning, rest = description.partition(_BEGINNING)
    return f"{note}\n\n{beginning}{rest}" if beginning else note


def _runs(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    shares = ", ".join(f"{count:,} {status}" for status, count in counts.items())
    return f"{total:,} run{'' if total == 1 else 's'}: {shares}"


def _code(text: object) -> str:
    """Return text as inline code, so that Markdown shows it as it is; long text is shortened."""
    line = " ".join(str(text).replace("`", "'").split())
    return f"`{line if len(line) <= _LONGEST_VALUE else f'{line[: _LONGEST_VALUE - 3]}...'}`"


def _cut(lines: Sequence[str]) -> list[str]:
    """Return as many lines as there is room for, and a line that says how many more there are."""
    length, kept = 0, list[str]()
    for line in lines:
        length += len(line) + 1
        if length > _LONGEST // 2:
            return [*kept, f"- and {len(lines) - len(kept)} more"]
        kept.append(line)
    return kept
