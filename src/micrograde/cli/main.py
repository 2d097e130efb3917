"""The command ``micrograde``: it calls one of ``micrograde.cli.commands``.

It imports nothing that is slow, so that ``micrograde --version`` and ``micrograde --help`` answer at once.
"""

import ast
import difflib
import gc
import os
import sys
from importlib import import_module
from pathlib import Path

from micrograde.core.project import STARTED_AS
from micrograde.core.terminal import folded, terminal_width
from micrograde.core.version import VERSION

_COMMANDS = Path(__file__).parent / "commands"
_FIRST = ("train", "describe", "compare", "replay", "predict", "export", "ui", "sync", "gc")
"""The order of the commands in the help page; others follow by name."""

BAD_INPUT = 2
_PIPED = 100  # columns of a page that is not printed on a terminal


def main() -> None:
    """Run the command that is named first on the command line; exit with status 2 if there is none."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("--help", "-h", "help"):
        print(help_page())
    elif name in ("--version", "-V"):
        print(f"micrograde {VERSION}")
    elif name in command_names():
        os.environ[STARTED_AS] = "micrograde"
        sys.argv = [f"micrograde {name}", *arguments]
        run_command(name)
    else:
        print(_unknown(name), file=sys.stderr)
        sys.exit(BAD_INPUT)


def run_command(name: str) -> None:
    """Run a command, as the files of ``pipelines/`` do, too."""
    gc.disable()  # importing makes no garbage, and collecting would take a fifth of the time
    try:
        command = import_module(f"micrograde.cli.commands.{name}")
    finally:
        gc.enable()
    gc.freeze()  # nor is what has been imported looked at again
    try:
        command.main()
    finally:
        gc.freeze()  # else the interpreter's end goes through everything once more, to no purpose


def command_names() -> list[str]:
    """Return the names of all commands, in the order of the help page."""
    there_are = sorted(path.stem for path in _COMMANDS.glob("*.py") if path.stem != "__init__")
    return sorted(there_are, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))


def help_page() -> str:
    """Return the page with a line for each command."""
    names = command_names()
    column = max(map(len, names)) + 4
    lines = [
        ("Watch small neural networks learn: every gradient by hand, every run with its recipe.", 0),
        ("", 0),
        ("  micrograde COMMAND [key=value ...]", 0),
        ("", 0),
        ("Commands  (micrograde COMMAND --help lists the keys)", 0),
        *((f"  {name:<{column - 2}}{_sentence(name)}", column) for name in names),
        ("", 0),
        ("  micrograde --version", 0),
        ("", 0),
        ("Begin with:  micrograde train", 0),
    ]
    width = terminal_width() or _PIPED
    return "\n".join(part for line, hanging in lines for part in folded(line, width, hanging))


def _sentence(name: str) -> str:
    """Return the first sentence of a command's docstring, without importing it."""
    text = ast.get_docstring(ast.parse((_COMMANDS / f"{name}.py").read_text(encoding="utf-8"))) or ""
    return text.split("\n", 1)[0].split(". ", 1)[0].rstrip(".")


def _unknown(name: str) -> str:
    from micrograde.core.printable import printable

    names = command_names()
    near = difflib.get_close_matches(name, names, n=1)
    if name.startswith("-"):
        advice = "give the command first: micrograde train -m ..."
    elif "=" in name:
        advice = f"keys follow a command: micrograde train {name}"
    else:
        advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    return f"{printable(name[:100])}: there is no such command; {advice}"
