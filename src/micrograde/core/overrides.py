"""What is typed to set a key: texts in Hydra's syntax, and whole overrides as a shell takes them."""

import re
import shlex
from collections.abc import Mapping, Sequence

_PLAIN = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_READ_OTHERWISE = re.compile(r"true|false|null|none|nan|inf", re.IGNORECASE)
_PLAIN_IN_LIST = re.compile(r"[^\W\d][\w -]*[\w-]|[^\W\d]")
_PLAIN_KEY = re.compile(r"[A-Za-z_](?:[\w -]*[\w-])?", re.ASCII)


def quoted_text(text: str) -> str:
    """Return a text in Hydra's syntax, which reads it as this text again."""
    if _PLAIN.fullmatch(text) and not _READ_OTHERWISE.fullmatch(text):
        return text
    if re.fullmatch(r"[\w.+-]+", text):
        return f'"{text}"'
    escaped = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), text)
    return "'" + escaped.replace("${", "\\${") + "'"


def is_plain_key(text: str) -> bool:
    """Return whether Hydra reads a text as a dictionary's key, which may have no quotes there."""
    return bool(_PLAIN_KEY.fullmatch(text)) and not _READ_OTHERWISE.fullmatch(text)


def typed_text(key: str, text: str) -> str:
    """Return the override that sets a key to a text, quoted for a shell: ``data.group=customer``."""
    return shlex.quote(f"{key}={_in_list(text)}")


def list_override(key: str, names: Sequence[str]) -> str:
    """Return the override that sets a key to a list of names: ``data.drop=[id,name]``."""
    return f"{key}=[{','.join(map(_in_list, names))}]"


def typed_names(key: str, *names: str) -> str:
    """Return the override that sets a key to a list of names, for a shell: ``'data.drop=[id,name]'``."""
    return shlex.quote(list_override(key, names))


def typed_mapping(key: str, values: Mapping[str, str]) -> str:
    """Return the override that sets a key to names with a value each: ``'data.roles={zip: category}'``.

    A list, ``'data.roles=["größe: category"]'``, stands for them if a name can be no key of Hydra's
    dictionaries.
    """
    if all(map(is_plain_key, values)):
        return shlex.quote(f"{key}={{{', '.join(f'{name}: {value}' for name, value in values.items())}}}")
    return typed_names(key, *(f"{name}: {value}" for name, value in values.items()))


def _in_list(text: str) -> str:
    """Return a text as an element of a list, for keys whose texts ``config/quoting.py`` quotes."""
    if _PLAIN_IN_LIST.fullmatch(text) and not _READ_OTHERWISE.fullmatch(text):
        return text
    return quoted_text(text) if any(each in text for each in ('"', "\\", "$")) else f'"{text}"'
