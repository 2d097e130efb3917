"""The command ``micrograde``: it calls one of ``micrograde.cli.commands``.

It imports nothing that is slow, so that ``micrograde --version`` and ``micrograde --help`` answer at once.
"""

import ast
import difflib
import os
import sys
from importlib import import_module
from pathlib import Path

from micrograde.core.project import STARTED_AS

_COMMANDS = Path(__file__).parent / "commands"
_FIRST = ("train", "compare", "replay", "predict", "export", "ui", "sync", "gc")
"""The order of the commands in the help page; others follow by name."""

BAD_INPUT = 2


def main() -> None:
    """Run the command that is named first on the command line; exit with status 2 if there is none."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("--help", "-h", "help"):
        print(help_page())
    elif name in ("--version", "-V"):
        from importlib.metadata import version

        print(f"micrograde {version('micrograde')}")
    elif name in command_names():
        os.environ[STARTED_AS] = "micrograde"
        sys.argv = [f"{Path(sys.argv[0]).name} {name}", *arguments]
        import_module(f"micrograde.cli.commands.{name}").main()
    else:
        print(_unknown(name), file=sys.stderr)
        sys.exit(BAD_INPUT)


def command_names() -> list[str]:
    """Return the names of all commands, in the order of the help page."""
    there_are = sorted(path.stem for path in _COMMANDS.glob("*.py") if path.stem != "__init__")
    return sorted(there_are, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))


def help_page() -> str:
    """Return the page with a line for each command."""
    names = command_names()
    width = max(map(len, names))
    return "\n".join(
        [
            "Watch small neural networks learn: every gradient by hand, every run with its recipe.",
            "",
            "  micrograde COMMAND [key=value ...]",
            "",
            "Commands  (micrograde COMMAND --help lists the keys)",
            *(f"  {name:<{width}}  {_sentence(name)}" for name in names),
            "",
            "  micrograde --version",
            "",
            "Begin with:  micrograde train",
        ]
    )


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
