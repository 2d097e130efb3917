"""Which code, machine and user a run came from."""

import getpass
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from micrograde.core.project import checkout
from micrograde.core.version import VERSION
from micrograde.store import tags
from micrograde.tracking.environment import environment_tag, parse_environment_tag

UNCOMMITTED = "uncommitted changes"
"""``yes`` if the working tree had any; the commit then does not fully identify the code."""


def present_provenance() -> dict[str, str]:
    """Return the tags that a run of this process would get."""
    return provenance_tags(checkout(), sys.argv[0], environment_tag())


def provenance_tags(checkout: Path | None, script: str, environment: str) -> dict[str, str]:
    """Return the tags of every run: version, git commit, whether the tree was dirty, libraries, script, user.

    What git cannot report (there is no checkout, no git, or it takes too long) is left out. ``environment``
    is that of the process that trains, as a tag.
    """
    program = Path(script).resolve()
    if checkout and program.is_relative_to(checkout):
        program = program.relative_to(checkout)
    source = str(program) if Path(script).exists() else script  # else the words of a command
    given = {
        tags.VERSION: VERSION,
        tags.ENVIRONMENT: environment,
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": source,
        "mlflow.user": _user(),
    }
    commit = _git(checkout, "rev-parse", "HEAD") if checkout else None
    changes = _git(checkout, "status", "--porcelain") if checkout and commit else None
    if commit:
        given[tags.GIT_COMMIT] = commit
    if changes is not None:
        given[tags.GIT_DIRTY] = "true" if changes else "false"
    return given


def provenance_of(recorded: Mapping[str, str]) -> dict[str, str]:
    """Return what a run's tags say about its data, code and machine, under readable names.

    Missing tags are left out. The data digest is cut to twelve characters.
    """
    given = {
        "data digest": recorded.get(tags.DATA_DIGEST, "")[:12],
        "micrograde": recorded.get(tags.VERSION, ""),
        "commit": recorded.get(tags.GIT_COMMIT, ""),
        **parse_environment_tag(recorded.get(tags.ENVIRONMENT, "")),
        UNCOMMITTED: {"true": "yes", "false": "no"}.get(recorded.get(tags.GIT_DIRTY, ""), ""),
    }
    return {name: value for name, value in given.items() if name and value}


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints; None if it is missing, fails, or takes longer than 5 seconds."""
    # Without optional locks, as they would make a commit fail that the user makes at the same moment.
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "unknown"
