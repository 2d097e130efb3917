"""Hide the passwords in a text: one rule for everything that is printed, logged or recorded.

Replaced by ``***`` are

- what stands before the host of an address: ``user:password@``, or a token alone; with any scheme, also if
  the address is percent-encoded, lacks a slash, or has slashes in its password;
- a value whose name is like that of a password, in the query of an address (``?token=...``), in an
  assignment (``password=...``) and in braces (``{secret: ...}``);
- what follows ``Authorization:``.

An address ends at a space, so that a password with a space in it is not recognised within a sentence;
``hide_passwords`` takes a value that was typed, and knows that all of it belongs together. All other text
stays as it is.
"""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "***"
PLACEHOLDER = "USER:PASSWORD"
"""What our own advice has in an address, for the user to replace."""

_NAME = (
    r"(?:[A-Za-z0-9]{1,20}[._-]){0,6}"
    r"(?:(?:(?:ssl)?password|secret|credential)s?|passwd|passphrase|pwd|token|(?:api|access|secret|private)_?key"
    r"|scram_(?:client|server)_key"  # of PostgreSQL's addresses, as is sslpassword
    r"|(?:AWS)?access_?key_?id|signature|sig)"
)
_CALLED_LIKE_ONE = re.compile(_NAME, re.IGNORECASE)
_VALUE = r"""(?:"[^"]*"|'[^']*'|\[[^\]]*\]|\{[^}]*\}|[^\s&;,'"}\])]+)"""
_ASSIGNED = re.compile(rf"""((?<![A-Za-z0-9]){_NAME}["']?\s?=\s?){_VALUE}""", re.IGNORECASE)
_IN_BRACES = re.compile(rf"""([{{,]\s?["']?{_NAME}["']?\s?:\s?){_VALUE}""", re.IGNORECASE)
_YAML_LINE = re.compile(rf"""^([ -]*["']?{_NAME}["']?: )(?!null$)[^\n]+""", re.IGNORECASE | re.MULTILINE)
_HEADER = re.compile(r"""(authorization["']?\s?[:=]\s?["']?(?:[a-z0-9-]{1,20}\s)?)[^\s"',]+""", re.IGNORECASE)

# Where an address begins, up to what may be a user's name. An address without a scheme must stand by itself.
# With a single slash it is one of Hydra's choices; the schemes excluded there are followed by a path, or by
# an @ that has another meaning.
_BEGINNING = re.compile(
    r"""https?:[/\\]*"""
    r"""|(?P<container>(?:wasb|abfs)s?://(?!/))"""
    r"""|:[/\\]{2}(?![/\\])"""
    r"""|(?:^|(?<=[\s'"=\[({,+~]))//(?!/)"""
    r"""|(?P<single>(?<![a-z0-9+.-])(?!(?:file|sqlite|models|runs|dbfs|s3):)[a-z][a-z0-9+.-]+:/(?!/))""",
    re.IGNORECASE,
)
_ENCODED_BEGINNING = re.compile(r"%(?:25)*3A(?:%(?:25)*2F){2}(?!%(?:25)*2F)", re.IGNORECASE)
_ENCODED_AT = re.compile(r"%(?:25)*40")
_AUTHORITY = re.compile(r"[^/\\?#]*")
_WORD = re.compile(r"\S+")


def without_password(text: str) -> str:
    """Return the text with every password replaced by ``***``; see the module's description."""
    if "@" in text or "%" in text:
        text = _WORD.sub(lambda word: _without_user(word[0]), text)
    return _without_named(text)


def hide_passwords(value: str) -> str:
    """Return one typed value, or one ``key=value``, without passwords, which may contain spaces here.

    If the key's name is like that of a password, the whole value is replaced.
    """
    return _without_value(value) or _without_named(_without_user(value))


def without_password_in_yaml(text: str) -> str:
    """Return YAML text, one key per line, without passwords and without values named like one."""
    return _YAML_LINE.sub(rf"\1{HIDDEN}", without_password(text))


def is_called_like_password(name: str) -> bool:
    """Return whether values with this name are hidden: ``password``, ``api_key``, ``AWS_SESSION_TOKEN``."""
    return _CALLED_LIKE_ONE.fullmatch(name) is not None


def redacted(value: Any) -> Any:
    """Return nested dictionaries, lists and texts, such as typed overrides, without the passwords in them."""
    if isinstance(value, str):
        return _without_value(value) or without_password(value)
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if isinstance(inner, str) and is_called_like_password(str(key)) else redacted(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [redacted(inner) for inner in value]
    return value


def _without_value(typed: str) -> str | None:
    """Return ``key=***`` if the key's name is like that of a password, else None."""
    key, equals, _ = typed.partition("=")
    return f"{key}={HIDDEN}" if equals and is_called_like_password(key.lstrip("+~")) else None


def _without_named(text: str) -> str:
    if "=" in text:
        text = _ASSIGNED.sub(rf"\1{HIDDEN}", text)
    if ":" in text:
        text = _IN_BRACES.sub(rf"\1{HIDDEN}", text)
        text = _HEADER.sub(rf"\1{HIDDEN}", text)
    return text


def _without_user(word: str) -> str:
    """Hide what stands between the beginning of the first address and the last @ of a word."""
    # Searching from both sides takes time linear in the length of the word.
    at, begins = word.rfind("@"), _BEGINNING.search(word)
    if begins and begins.end() < at:
        inner = word[begins.end() : at]
        # A path may follow a single slash, {where:/home/me@work}; Azure puts a container before the @.
        harmless = "/" not in inner if begins["container"] else begins["single"] and "/" in inner
        if (":" in inner or not harmless) and inner != PLACEHOLDER:
            return f"{word[: begins.end()]}{HIDDEN}{word[at:]}"
    elif begins and (authority := _AUTHORITY.match(word, begins.end())):
        ends = list(_ENCODED_AT.finditer(word, begins.end(), authority.end()))
        if ends:
            return f"{word[: begins.end()]}{HIDDEN}{word[ends[-1].start() :]}"
    begins = _ENCODED_BEGINNING.search(word)
    ends = list(_ENCODED_AT.finditer(word, begins.end())) if begins else []
    if begins and ends:
        return f"{word[: begins.end()]}{HIDDEN}{word[ends[-1].start() :]}"
    return word
