"""Translate the errors of Hydra and OmegaConf into one line that says what to type instead."""

import re
import shlex
from collections.abc import Sequence

from hydra.errors import OverrideParseException

from micrograde.config.keys import key_of, keys_of, shorten, takes_list, text_keys, unknown_key_message
from micrograde.config.table_choice import with_table
from micrograde.core.overrides import quoted_text
from micrograde.core.printable import printable
from micrograde.core.project import pip_install
from micrograde.core.redaction import hide_passwords

# Choices that are installed by an extra of this package.
_EXTRAS = {"hydra/sweeper=optuna": "search"}

_JOBLIB = (
    "hydra/launcher=joblib: is here no more; leave it out, as a sweep trains on all cores anyway, "
    "or type hydra/launcher=ray for processes and machines"
)
_RAY_CLUSTERS = (
    "hydra/launcher=ray_aws, ray_jobs: are here no more; start the cluster with ray up, and type "
    "hydra/launcher=ray hydra.launcher.address=HOST:6379"
)
GONE_LAUNCHERS = {"hydra_joblib_launcher": _JOBLIB, "hydra_ray_launcher": _RAY_CLUSTERS}
"""What to type instead of Hydra's plug-ins that earlier versions used, by the plug-in."""
_GONE = {
    "hydra/launcher=joblib": _JOBLIB,
    "hydra/launcher=ray_aws": _RAY_CLUSTERS,
    "hydra/launcher=ray_jobs": _RAY_CLUSTERS,
}

# A pattern of their message, and the line to show instead, which is filled with the pattern's groups.
_LINES = (
    (
        r"Could not append to config\. An item is already at '([^']+)'",
        "+{0}: is there already; write {0}=... without +",
    ),
    (
        r"Ambiguous value for argument '(.*?)'\s+1\. ",
        "{0}: is several values; put a list into [], or add -m for a run of each",
    ),
    (r"Sweep parameters '(.*)' requires --multirun", "{0}: is for several runs; add -m"),
    (
        r"Sweeping over Hydra's configuration is not supported : '(.*)'",
        "{0}: is for the whole command, not for a run; give one value",
    ),
    (
        r"hydra\.searchpath must be a list of strings\. Got: (.*)",
        "hydra.searchpath={0}: should be a list of folders, such as [file:///home/me/conf]",
    ),
    (r"Error merging override (.*)", "{0}"),
    (r"Cannot find primary config '(.*?)'", "--config-name {0}: there is no such config"),
    (
        r"Environment variable '(.*?)' not found[\s\S]*full_key: (\S*)",
        "{1}: the environment variable {0} is not set",
    ),
    (
        r"(Interpolation key '.*?' not found|Unsupported interpolation type \S+"
        r"|Recursive interpolation detected)[\s\S]*full_key: (\S*)",
        "{1}: {0}",
    ),
    (r"\w+ raised while resolving interpolation: (.*)[\s\S]*full_key: (\S*)", "{1}: {0}"),
)
_SWEPT = ", or add -m for a run of each"
_SEVERAL_VALUES = r"Ambiguous value for argument '(.*?)'\s+1\. "
_UNKNOWN_KEY = (
    r"Could not override '([^']+)'|Key '([^']+)' is not in struct|Could not delete from config\. '([^']+)'"
)
_UNKNOWN_CHOICE = r"Could not find '(.+)'\s+Available options in '.+':((?:\s+\w+)+?)\s*Config search"


def hydra_message(error: Exception, command: str = "train", typed: Sequence[str] = ()) -> str:
    """Return the line for an error of Hydra or OmegaConf; see ``unknown_key_message`` for the parameters."""
    return printable(hide_passwords(_line(error, command, typed)))


def _line(error: Exception, command: str, typed: Sequence[str]) -> str:
    message = str(error)
    if error.__cause__ and not isinstance(error, OverrideParseException):
        message = f"{message}: {error.__cause__}" if message else str(error.__cause__)
    if isinstance(error, OverrideParseException):
        reason = str(error).splitlines()[0]
        # Hydra's reason quotes parts of what was typed, which may be parts of a password.
        typed_one = str(error.override)
        quotes = typed_one in reason or "tracking" in typed_one or hide_passwords(typed_one) != typed_one
        told = "" if quotes else f" ({reason})"
        override = shorten(typed_one)
        how = _for_a_word(override, command) if "=" not in typed_one else "quote it as 'key=\"value\"'"
        return f"{override}: cannot be read as key=value{told}; {how}"
    unknown = re.search(_UNKNOWN_KEY, message)
    if unknown:
        typed = (with_table(typed) if command == "train" else None) or typed
        return unknown_key_message(next(filter(None, unknown.groups())), command, typed)
    choice = re.search(_UNKNOWN_CHOICE, message)
    if choice:
        chosen = _typed_choice(choice[1], typed)
        if chosen in _GONE:
            return _GONE[chosen]
        extra = _EXTRAS.get(chosen.partition("_")[0])
        if extra:
            return f"{chosen}: is not installed; {pip_install(extra)}"
        return f"{shorten(chosen)}: there is no such choice; there are {' '.join(choice[2].split())}"
    several = re.search(_SEVERAL_VALUES, message)
    if several and key_of(several[1]) in text_keys():
        override = next((each for each in typed if key_of(each) == key_of(several[1])), several[1])
        return _several_texts_line(override) + (_SWEPT if command == "train" else "")
    for pattern, line in _LINES:
        found = re.search(pattern, message)
        if found:
            return line.format(*found.groups())
    return " ".join(message.split())


def _for_a_word(word: str, command: str) -> str:
    """Return what to type instead of a word that is no ``key=value``."""
    known = keys_of(command)
    if word in known:
        return f"type {word}=VALUE"
    return f"for a run type run_id={word}" if "run_id" in known else "see --help for the keys"


def _several_texts_line(override: str) -> str:
    """Return the line for ``data.target=n,m``, with the argument that is one text, or one list of texts."""
    key, _, value = override.partition("=")
    if takes_list(key):
        what, one = "a list of them", f"{key}=[{value}]"
    else:
        is_plain = not re.search(r"""["'\\$]""", value)
        what, one = "one text", f'{key}="{value}"' if is_plain else f"{key}={quoted_text(value)}"
    return f"{override}: is several values; for {what} type {shlex.quote(one)}"


def _typed_choice(path: str, typed: Sequence[str]) -> str:
    """Return the choice ``data=lions`` for the path ``data/lions``, as it was typed if it was.

    A typed choice may contain slashes, of which Hydra drops some.
    """
    for override in typed:
        group, value = key_of(override), override.partition("=")[2]
        if value and path.startswith(f"{group}/"):
            chosen = path.removeprefix(f"{group}/")
            as_typed = hide_passwords(value) != value or value.replace("/", "") == chosen.replace("/", "")
            return f"{group}={value if as_typed else chosen}"
    group, _, value = path.rpartition("/")
    return f"{group}={value}"
