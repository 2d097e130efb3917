"""Send records to the stores that launches could not reach. `--help` lists the keys."""

import sys
from pathlib import Path

from micrograde.cli.command_line import Config, entry_point
from micrograde.config.commands import SyncConfig
from micrograde.config.exit_lines import RUN_FAILED
from micrograde.config.locations import store_location
from micrograde.config.parsing import parse_command
from micrograde.core.errors import InputError
from micrograde.core.project import project_home
from micrograde.core.terminal import say
from micrograde.core.working import working
from micrograde.store.path_kinds import check_kinds
from micrograde.tracking import Kept, Launch, Sent, is_alive, send_launch, set_aside


@entry_point(config_name="sync")
def main(composed: Config) -> None:
    """Send one launch after the other, with a line for each; the exit status is 1 if any is still kept."""
    config = parse_command(SyncConfig, composed)
    mlruns = project_home() / "mlruns"
    check_kinds(mlruns)
    folders = waiting(mlruns / "launches", config.launch)
    if not folders:
        print("nothing is waiting")
    away: dict[str | None, str] = {}  # why a store did not answer; it is not tried again
    kept = False
    for folder in folders:
        launch = Launch.read(folder)
        if launch is None:
            kept = True
            place = set_aside(folder)
            say(f"{folder}: has no launch.json that can be read; what is left is in {place}", flush=True)
            continue
        server = launch.server
        if server in away:
            outcome: Sent | Kept = Kept(away[server])
        else:
            with working(f"sending {folder.name}"):
                outcome = send(folder, launch, config)
        for line in outcome.lines:
            say(line, flush=True)
        if isinstance(outcome, Kept):
            kept = True
            if outcome.away:
                away[server] = outcome.reason
            say(f"kept {folder}: {outcome.reason}", flush=True)
        else:
            what = "by another process meanwhile" if outcome.by_another else named(outcome.run_ids)
            say(f"sent {folder}: {what}", flush=True)
    if kept:
        sys.exit(RUN_FAILED)


def waiting(launches: Path, name: str | None) -> list[Path]:
    """Return the folders of launches that have ended or died, the earliest first."""
    folders = sorted(path for path in launches.glob("*") if path.is_dir())
    if name is not None:
        folders = [folder for folder in folders if folder.name == name]
        if not folders:
            raise InputError(f"launch={name}: there is no such folder in {launches}")
    return [folder for folder in folders if not is_alive(folder)]


def send(folder: Path, launch: Launch, config: SyncConfig) -> Sent | Kept:
    """Send a launch's records to the store that they were meant for."""
    home = project_home()
    try:
        backend = launch.backend
        given = store_location(config.tracking) if isinstance(config.tracking, backend) else None
        location = given if given and launch.belongs_to(given) else backend.located(launch.server, home)
    except InputError as error:  # it has to be named
        return Kept(str(error))
    return send_launch(folder, location)


def named(run_ids: tuple[str, ...]) -> str:
    """Return the ids of the runs, or how many there are if they are more than three."""
    if len(run_ids) > 3:
        return f"{len(run_ids)} runs"
    return " ".join(f"run {run_id}" for run_id in run_ids) or "it had no run"
