"""Train a recorded run again, and compare every value bit for bit. `--help` lists the keys."""

import sys
from collections.abc import Sequence

from micrograde.cli.command_line import Config, entry_point
from micrograde.config.commands import ReplayConfig
from micrograde.config.exit_lines import RUN_FAILED
from micrograde.config.parsing import parse_command
from micrograde.core.printable import printable
from micrograde.core.terminal import say
from micrograde.metrics import KEPT, part_of
from micrograde.runs.replaying import MetricComparison, Replay, replay_run


@entry_point(config_name="replay")
def main(composed: Config) -> None:
    """Replay a run, print a line per metric and whether all are identical; the exit status is 1 if not."""
    config = parse_command(ReplayConfig, composed)
    replay = replay_run(config.run_id, config.tracking, config.data.given())
    say(verdict(replay))
    if not replay.identical:
        sys.exit(RUN_FAILED)


def verdict(replay: Replay) -> str:
    """Return a line for each metric, one for all of them, and what is known to have changed.

    The values of the kept model that are identical have one line for each part of the data.
    """
    recorded = [each for each in replay.metrics if each.recorded]
    values = sum(each.values for each in recorded)
    different = sum(each.different for each in recorded)
    shown = _parts_together(replay.metrics)
    width = max((len(each.metric) for each in shown), default=0)
    lines = [each.line(width) for each in shown]
    if replay.identical:
        lines.append(f"identical   {values} values of {len(recorded)} metrics, bit for bit")
    else:
        lines.append(f"different   {different} of {values} values")
    known = replay.differences or ([] if replay.identical else ["nothing that was recorded about the run"])
    lines += [f"{'changed' if number == 0 else '':<11} {line}" for number, line in enumerate(known)]
    return "\n".join(map(printable, lines))  # names of metrics come from the store


def _parts_together(metrics: Sequence[MetricComparison]) -> list[MetricComparison]:
    shown: dict[str, MetricComparison] = {}
    for each in metrics:
        part = part_of(each.metric)
        if not part.startswith(KEPT) or each.different or not each.recorded:
            shown[each.metric] = each
            continue
        name = f"{part}/*"
        values = each.values + (shown[name].values if name in shown else 0)
        shown[name] = MetricComparison(name, values, 0, None)
    return list(shown.values())
