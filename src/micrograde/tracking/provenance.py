"""Which code made a run, and who ran it where."""

import getpass
import subprocess
from importlib.metadata import version
from pathlib import Path


def provenance_tags(checkout: Path | None, script: str) -> dict[str, str]:
    """Tags every run gets: code version, git commit, whether the tree was dirty, script, user.

    What git does not tell (there is no checkout, no git, or it takes too long) is left out.
    """
    program = Path(script).resolve()
    if checkout and program.is_relative_to(checkout):
        program = program.relative_to(checkout)
    tags = {
        "micrograde.version": version("micrograde"),
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": str(program),
        "mlflow.user": _user(),
    }
    commit = _git(checkout, "rev-parse", "HEAD") if checkout else None
    changes = _git(checkout, "status", "--porcelain") if checkout and commit else None
    if commit:
        tags["mlflow.source.git.commit"] = commit
    if changes is not None:
        tags["micrograde.git_dirty"] = "true" if changes else "false"
    return tags


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, or None where there is none to ask."""
    # Without its optional locks, or a commit that the user makes at this moment would fail.
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "unknown"
