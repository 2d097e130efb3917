"""Make a help page of what the schema says, and fit it to the terminal: commands can be copied.

A file of ``conf/hydra/help/`` holds what cannot be derived: what the command is for, examples, and what comes
after. A line ``KEYS`` in it stands for the keys.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from micrograde.config.descriptions import DescribedGroup, DescribedKey, describe, presets
from micrograde.core.terminal import cells, folded

_COMMAND = re.compile(r"(\s*)micrograde [a-z]+(?: |$)")
_ENTRY = re.compile(r"(\s*)(\S.*? {2,})(\S.*)")
_ROOM = 24  # columns of a description, at least
_LEGEND = "Keys  (key=value; defaults in brackets, what else may be given in parentheses or true, false)"
_PRESETS = {
    "experiment": "a preset, which sets several keys at once",
    "search": "with -m hydra/sweeper=optuna: what Optuna chooses from",
}
_DEEPER = 4  # further indent of a continued line, and of a description that has no room beside its key


def with_keys(page: str, command: str, conf: Path) -> str:
    """Return a help page with all keys of a command in place of its line ``KEYS``."""
    parts = [_LEGEND, *(_lines_of_group(group) for group in describe(command, conf))]
    if command == "train":
        parts += [_lines_of_presets(group, what, conf) for group, what in _PRESETS.items()]
    return re.sub(r"^KEYS$", lambda _: "\n\n".join(parts), page, flags=re.MULTILINE)


def _lines_of_group(group: DescribedGroup) -> str:
    rows = [row for key in group.keys for row in _rows(key, "  ")]
    for entry in group.entries:
        rows.append((f"  {group.name}={entry.name}", entry.sentence))
        rows += [row for key in entry.keys for row in _rows(key, "    ")]
    return "\n".join([*([group.name] if group.name else []), *_aligned(rows)])


def _rows(key: DescribedKey, margin: str) -> Iterator[tuple[str, str]]:
    """Yield the lines of a key, and of the entries that its value may name."""
    yield margin + key.name, said_of(key)
    for entry in key.options:
        own = [f"{each.name}: {said_of(each)}" for each in entry.keys]
        yield f"{margin}  {entry.name}", "; ".join([entry.sentence, *own])


def said_of(key: DescribedKey) -> str:
    """Return what stands behind a key: its sentence, what it may be, its default."""
    names = "" if key.options else key.allowed  # the entries stand below
    default = key.default if key.default.startswith("[") else f"[{key.default}]"
    return " ".join(filter(None, (key.sentence, names and f"({names})", default)))


def _lines_of_presets(group: str, what: str, conf: Path) -> str:
    rows = [(f"  {group}={entry.name}", entry.sentence) for entry in presets(group, conf)]
    return "\n".join([f"{group}  ({what})", *_aligned(rows)])


def _aligned(rows: list[tuple[str, str]]) -> list[str]:
    column = max((len(label) for label, _ in rows), default=0) + 2
    return [f"{label:<{column}}{text}".rstrip() for label, text in rows]


def fitted_page(text: str, width: int) -> str:
    """Return the page in lines of at most ``width`` columns; lines that fit stay as they are."""
    return "\n".join(line for group in _groups(text.split("\n")) for line in _fitted(group, width))


def _groups(lines: list[str]) -> Iterator[list[str]]:
    """Yield the lines that belong together: a paragraph, or a key with the lines of its description."""
    group: list[str] = []
    for line in lines:
        if group and not _goes_on(group[0], line):
            yield group
            group = []
        group.append(line)
    yield group


def _goes_on(first: str, line: str) -> bool:
    """Return whether a line belongs to the paragraph or the entry that begins with the line ``first``."""
    if not first.strip() or not line.strip() or _COMMAND.match(first) or _COMMAND.match(line):
        return False
    column = _description_column(first)
    is_sentence = column == _margin(first)
    return _margin(line) == column and not (is_sentence and _ENTRY.fullmatch(line))


def _description_column(line: str) -> int:
    entry = _ENTRY.fullmatch(line)
    return entry.start(3) if entry else _margin(line)


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


def _fitted(group: list[str], width: int) -> list[str]:
    if all(cells(line) <= width for line in group):
        return group
    first = group[0]
    if _COMMAND.match(first):
        return _fitted_command(first, width)
    margin, column = min(_margin(first), width // 3), _description_column(first)
    words = " ".join([first[column:], *(line.strip() for line in group[1:])])
    longest = max(map(cells, words.split()))
    if column > margin and column + max(longest, _ROOM) > width:  # the key has a line of its own
        label = " " * margin + first[:column].strip()
        margin = min(margin + _DEEPER, width // 3)
        return [*_hard(label, width, margin), *_hard(" " * margin + words, width, margin)]
    return _hard(first[:column] + words, width, column)


def _hard(line: str, width: int, hanging: int) -> list[str]:
    """Return a line folded as by ``folded``, with words longer than a line broken, too."""
    longest = width - hanging
    words = [
        " ".join(word[start : start + longest] for start in range(0, len(word), longest)) or word
        for word in line.split(" ")
    ]
    return folded(" ".join(words), width, hanging)


def _fitted_command(line: str, width: int) -> list[str]:
    r"""Return the command in several lines, joined by ``\`` so that a shell reads them as one."""
    margin = min(_margin(line), width // 3)
    deeper = " " * min(margin + _DEEPER, width // 3)
    lines = [" " * margin]
    for word in re.findall(r"(?:'[^']*'|\"[^\"]*\"|\S)+", line):
        if lines[-1].strip() and cells(lines[-1]) + 1 + cells(word) + len(" \\") > width:
            lines[-1] += " \\"
            lines.append(deeper)
        lines[-1] += (" " if lines[-1].strip() else "") + word
    return lines
