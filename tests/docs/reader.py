"""Somebody who reads a page and types what it says, Python and shell, and compares what comes with what is shown.

- Fences of ``python`` run in one namespace for the page. What they print is what the next fence without a language
  shows, or, behind a ``print``, a comment.
- Fences of ``console`` go to one shell for the page. A line that begins with ``$ `` is a command, and may go on after
  a backslash or to the END of ``<<'END'``; below it stands what it prints, standard error too. It ends with status 0, or with what a comment
  behind it says: ``# exit status 1``.
- ``...`` stands for whatever is left out. Ids of runs are others each time; what a page calls by an id that it has
  shown is found. Of numbers with a point the last digits may differ, of seconds all.
- Other fences are not run, nor is one behind ``<!-- skip: next -->``.
"""

import contextlib
import io
import math
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from benchmarks.servers import free_port
from sybil import Document, Example, Region, Sybil
from sybil.example import SybilFailure
from sybil.parsers.markdown import SkipParser
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer
from tests.narrowing import not_none

from micrograde.core.project import STARTED_AS

ROOT = Path(__file__).parents[2]
END = "---- status"
# On a slow machine there are more such lines.
SLOW_WORK = re.compile(r"^(?:[a-z][^.\n]* \.\.\.|done \d+/\d+  running [1-9].*)\n", re.MULTILINE)

COMMAND = re.compile(r"([^\n]*<<'END'\n.*?\nEND|(?:[^\n]*\\\n)*[^\n]*)\n?(.*)", re.DOTALL)
TOKENS = re.compile(
    r"(?P<run>\b(?:[0-9a-f]{32}|(?=[0-9a-f]*[a-f])(?=[a-f]*\d)[0-9a-f]{8})\b)"
    r"|(?P<launch>\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_\w+)"
    r"|(?P<seconds>\b[\d.]+(?= s\b))"
    r"|(?P<number>\d+\.\d+(?:e[-+]\d+)?)"
    r"|(?P<lines>\A\.\.\.\n|\n\.\.\.(?=\n|\Z))"
    r"|(?P<gap>\.\.\.)"
    r"|(?P<space>\s+)"
)
STANDS_FOR = {
    "run": r"([0-9a-f]+)",
    "launch": r"\S+",
    "seconds": r"[\d.]+",
    "number": r"(\d+\.?\d*(?:e[-+]\d+)?)",
    "lines": r"(?:.*\n|\n.*|)",
    "gap": r".*?",
    "space": r"\s+",
}


class Reader:
    """One who reads one page, in a folder that looks like the project's and is a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.namespace: dict[str, object] = {}
        self.printed = ""
        # What is written here for what a page says: ports, and later ids of runs.
        ports = {"5000": str(free_port()), "5001": str(free_port())}
        places = ("--port ", "127.0.0.1:")
        self.actual = {place + said: place + actual for said, actual in ports.items() for place in places}
        (folder / "pipelines").symlink_to(ROOT / "pipelines")
        (folder / ".venv").symlink_to(sys.prefix)
        self.shell = subprocess.Popen(
            ["bash"],
            cwd=folder,
            env={
                **{name: value for name, value in os.environ.items() if name != STARTED_AS},
                "MICROGRADE_HOME": str(folder),
                "MICROGRADE_QUIET": "1",
                "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.type(f'make() {{ command make -s -f "{ROOT}/Makefile" -o .venv/installed "$@"; }}')

    def end(self) -> None:
        """End the shell, and what it has left in the background."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.shell.pid, signal.SIGKILL)

    def read(self, page: Path) -> None:
        for example in Sybil(parsers=[self.fences, SkipParser()]).parse(page).examples():
            example.evaluate()
        assert self.printed == "", f"the page does not show what this prints: {self.printed}"

    def fences(self, document: Document) -> Iterator[Region]:
        do = {"python": self.run, "console": self.give_commands, "": self.compare_printed}
        for region in FencedCodeBlockLexer("|".join(do))(document):
            region.parsed = region.lexemes["source"]
            region.evaluator = do[region.lexemes["language"]]
            yield region

    def run(self, example: Example) -> None:
        if self.printed:
            raise SybilFailure(example, f"the page does not show what is printed before: {self.printed}")
        source = "\n" * (example.line + example.parsed.line_offset) + self.as_it_is_here(example.parsed)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(source, example.path, "exec"), self.namespace)
        self.printed = output.getvalue()
        comments = [
            line.split("  # ")[1]
            for line in example.parsed.splitlines()
            if line.startswith("print(") and "  # " in line
        ]
        if comments:
            self.expect(example, "\n".join(comments), self.printed)
            self.printed = ""

    def compare_printed(self, example: Example) -> None:
        if self.printed:
            self.expect(example, example.parsed, self.printed)
            self.printed = ""

    def give_commands(self, example: Example) -> None:
        for text in re.split(r"^\$ ", example.parsed, flags=re.MULTILINE)[1:]:
            self.give(example, text, self)

    def give(self, example: Example, text: str, to: "Reader") -> None:
        """Type a command in somebody's shell, and compare what it prints with what is shown below it."""
        command, shown = not_none(COMMAND.fullmatch(text)).groups()
        printed, status = to.type(self.as_it_is_here(command))
        promised = re.search(r"# exit status (\d+)", command)
        if status != int(promised[1] if promised else 0):
            raise SybilFailure(example, f"{command}\nends with status {status}:\n{printed}")
        self.expect(example, shown, printed)

    def type(self, command: str) -> tuple[str, int]:
        """What a command prints, and its status."""
        stdin, stdout = not_none(self.shell.stdin), not_none(self.shell.stdout)
        stdin.write(f'{{ {command}\n}} </dev/null\nprintf "\\n{END} %s\\n" "$?"\n')
        stdin.flush()
        lines: list[str] = []
        too_late = threading.Timer(300, self.end)
        too_late.start()
        try:
            for line in stdout:
                if line.startswith(END):
                    return "".join(lines), int(line.removeprefix(END))
                lines.append(line)
        finally:
            too_late.cancel()
        raise EOFError(f"the shell ended at: {command}\n{''.join(lines)}")

    def as_it_is_here(self, text: str) -> str:
        for said, actual in self.actual.items():
            text = re.sub(rf"(?<!\w){re.escape(said)}\b", actual, text)
        return text

    def expect(self, example: Example, shown: str, printed: str) -> None:
        """Fail unless what was printed is what is shown, and remember which run is meant by which id."""
        shown, printed = without_rules(self.as_it_is_here(shown)), without_rules(SLOW_WORK.sub("", printed))
        tokens = list(TOKENS.finditer(shown))
        pattern, place = "", 0
        for token in tokens:
            pattern += re.escape(shown[place : token.start()]) + STANDS_FOR[not_none(token.lastgroup)]
            place = token.end()
        match = re.fullmatch(pattern + re.escape(shown[place:]), printed, re.DOTALL)
        if match is None:
            raise SybilFailure(example, f"shown:\n{shown}\nprinted:\n{printed}")
        captured = [token for token in tokens if token.lastgroup in ("run", "number")]
        for token, actual in zip(captured, match.groups(), strict=True):
            if token.lastgroup == "number":
                if not math.isclose(float(token[0]), float(actual), rel_tol=0.1, abs_tol=0.03):
                    raise SybilFailure(example, f"{token[0]} is shown, {actual} printed:\n{printed}")
            elif token[0] in self.actual.values():
                if not actual.startswith(token[0][:8]):
                    raise SybilFailure(example, f"run {token[0]} is meant, {actual} printed:\n{printed}")
            else:
                looks_like_a_number = re.match(r"\d+e\d+\b", actual[:8])
                short = actual if looks_like_a_number else actual[:8]
                self.actual |= {token[0][:8]: short, token[0]: actual}


def without_rules(text: str) -> str:
    """Without the lines of tables, empty lines and space at the ends of lines."""
    lines = (line.strip().strip("─") for line in text.splitlines())
    return "\n".join(line.strip() for line in lines if line.strip())
