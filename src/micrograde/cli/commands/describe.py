"""Describe a table before anything is trained. `--help` lists the keys."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser

from micrograde.analysis import check_output, print_table, write_table
from micrograde.cli.command_line import Config, entry_point
from micrograde.config.commands import AnyTable, DescribeConfig
from micrograde.config.keys import key_of
from micrograde.config.parsing import parse_command
from micrograde.config.quoting import override_of
from micrograde.core.atomic_files import replace_file
from micrograde.core.errors import InputError
from micrograde.core.overrides import list_override
from micrograde.core.printable import printable
from micrograde.core.project import command_line
from micrograde.core.terminal import cells, say, spelled, terminal_width
from micrograde.core.working import working
from micrograde.data.possible_targets import listing_of_targets, possible_targets
from micrograde.data.role_tables import DescribedTable, nothing_left
from micrograde.data.table_summary import note_lines
from micrograde.data.targets import read_target
from micrograde.data.trial_split import what_splits

_AUTO = "auto"
_LONGEST_STEM = 80  # characters of the table's name in the page's
_BEGINNING = 1000  # bytes of a page that show whose it is
_OF_A_TABLE = ("csv", "parquet")


@entry_point(config_name="describe")
def main(composed: Config) -> None:
    """Print the paragraph about a table, a row for each column, and what to type next; write the page."""
    _refuse_other_data(composed)
    config = parse_command(DescribeConfig, composed)
    output = Path(config.output) if config.output else None
    if output:
        check_output(output)
        _refuse_the_table(output, "output", config.data)
    page, no_page = _page_of(config)
    with working("reading the table", "stderr"):
        table = config.data.describe(None if config.task == "auto" else config.task)
    lines = [*table.summary.lines(), *note_lines(table.notes)]
    commands = next_commands(table, HydraConfig.get().overrides.task, config.data)
    say("\n".join(lines))
    print()
    _print_columns(table, config.limit)
    if output:
        write_table(table.summary.frame(), output)
        say(f"written     {output}, {len(table.summary.columns)} rows")
    if page:
        _write_page(page, table, lines, commands, config.limit)
    elif no_page:
        say(f"page        not written: {no_page}")
    if not table.summary.targets:
        say(f"targets     {_possible(table)}")
        if not commands and (why := _why_no_command(table, config.data.source)):
            say(why, sys.stderr)
    for command in commands:
        _say_command("next", command)


def next_commands(table: DescribedTable, overrides: Sequence[str], data: AnyTable) -> list[str]:
    """Return the command that trains on a table: with the target, or with the most likely one.

    Parameters
    ----------
    overrides
        What was typed to describe it; what it says of the data, and of the task, is said again.
    data
        What was said of the data, with defaults.
    """
    typed = [_again(each) for each in overrides if key_of(each).partition(".")[0] in ("data", "task")]
    likely = _likely_target(table)
    targets = table.summary.targets or ((likely,) if likely else ())
    if not targets or not _others_used(table, targets):
        return []
    typed = [each for each in typed if key_of(each) != "data.target"]
    several = len(targets) > 1
    chosen = list_override("data.target", targets) if several else override_of("data.target", targets[0])
    needed = [f"{key}={value}".lower() for key, value in _to_split(table, targets, data).items()]
    return [command_line("train", *typed, chosen, *needed)]


def _to_split(table: DescribedTable, targets: Sequence[str], data: AnyTable) -> Mapping[str, object]:
    """Return what is to be typed so that the rows can be split, where they are few, or a class has few."""
    own = data.validation_path or data.test_path or data.group or data.time or data.folds
    if own or not data.stratify or len(targets) != 1:
        return {}
    if table.summary.targets:
        labels, names = table.labels, tuple(name for name, _ in table.summary.classes)
    else:
        rules = table.rules
        target = read_target(
            table.columns[targets[0]],
            na_values=rules.na_values,
            decimal=rules.decimal or ".",
            task=None,
            source="",
        )
        labels, names = target.labels[target.labels >= 0], target.names
    if len(names) < 2:  # numbers
        return {}
    return what_splits(
        labels, names, validation_fraction=data.validation_fraction, test_fraction=data.test_fraction
    )


def _again(override: str) -> str:
    """Return an override as it is best typed again: a text with the fewest quotes."""
    value = OverridesParser.create().parse_override(override).value()
    return override_of(key_of(override), value) if isinstance(value, str) else override


def _likely_target(table: DescribedTable) -> str | None:
    found = possible_targets(table)
    return found[0].name if found else None


def _others_used(table: DescribedTable, targets: Sequence[str]) -> bool:
    return any(role.used for name, role in table.roles.items() if name not in targets)


def _why_no_command(table: DescribedTable, source: str) -> str:
    """Return why no command trains on a table of which the likely target is known; empty if none is."""
    target = _likely_target(table)
    others = {name: role for name, role in table.roles.items() if name != target}
    if target is None:
        return ""
    if not others:
        return f"{source}: has no column beside {target!r}; needs at least one feature"
    return nothing_left(others, source)


def _possible(table: DescribedTable) -> str:
    return listing_of_targets(table) or "no column holds numbers, or 2 to 20 classes of three rows or more"


def _say_command(label: str, command: str) -> None:
    """Print a command on one line, however long, so that it can be copied; a terminal breaks it itself."""
    line = spelled(printable(f"{label:<11} {command}"))
    width = terminal_width()
    print(line if not width or cells(line) <= width else f"{label}\n{spelled(printable(command))}")


def _print_columns(table: DescribedTable, limit: int) -> None:
    frame, source = table.summary.frame(), table.summary.source
    frame["missing"] += frame["unreadable"]  # which the paragraph tells apart
    frame = frame.drop(columns="unreadable")
    title = f"columns of {source}"
    if len(frame) > limit:
        title = f"the first {limit} of {len(frame)} columns; output=columns.csv writes all"
    print_table(
        frame.head(limit),
        title,
        important=["column", "role", "missing", "features", "about", "different"],
        whole="output=columns.csv",
    )


def _refuse_other_data(composed: Config) -> None:
    data = composed.get("data")
    name = data.get("name") if isinstance(data, dict) else None
    if isinstance(name, str) and name not in _OF_A_TABLE:
        raise InputError(
            f"data={name}: is no table in a file; describe reads one, of any kind: data.path=table.csv"
        )


def _page_of(config: DescribeConfig) -> tuple[Path | None, str]:
    """Return where the page is written, and why it is not if it was not asked for and cannot be.

    Raises
    ------
    InputError
        If the user has named a file that cannot be written, or that is no page of this command.
    """
    if config.page is None:
        return None, ""
    if config.page != _AUTO:
        path = Path(config.page).expanduser()
        _check_page(path, config.data)
        return path, ""
    stem = Path(config.data.path).name.partition(".")[0] or "table"
    path = Path(f"{stem[:_LONGEST_STEM]}_columns.html")
    try:
        _check_page(path, config.data)
    except InputError as error:
        return None, f"{error}, or page=null"
    return path, ""


def _check_page(path: Path, data: AnyTable) -> None:
    check_output(path, (".html",), key="page")
    _refuse_the_table(path, "page", data)
    from micrograde.drawing.table import MARK

    if path.exists():
        with path.open("rb") as stream:
            if MARK.encode() not in stream.read(_BEGINNING):
                raise InputError(
                    f"page={path}: is there, and no page of this command; choose another: page=other.html"
                )


def _refuse_the_table(path: Path, key: str, data: AnyTable) -> None:
    if path.exists() and path.resolve() == Path(data.path).expanduser().resolve():
        raise InputError(f"{key}={path}: is the table itself, which would be lost")


def _write_page(
    path: Path, table: DescribedTable, lines: Sequence[str], commands: Sequence[str], limit: int
) -> None:
    from micrograde.drawing.table import draw_table

    with working("drawing the columns", "stderr"):
        text = draw_table(table, lines=lines, commands=commands, limit=limit).text
    try:
        replace_file(path, text)
    except OSError as error:
        raise InputError(f"page={path}: cannot be written ({error.strerror})") from None
    used = sum(role.used for role in table.roles.values())
    drawn = f"the first {limit} of {used} columns" if used > limit else "each column that is used"
    say(f"page        {path}: a picture of {drawn}")
