"""Text without the passwords in it: one rule for all that is printed, logged or recorded.

Left out, as ``***``, are

- what stands before the host of an address: ``user:password@``, or a token alone; of any scheme, also where
  the address is percent-encoded, lacks a slash, or has others in its password;
- the value of what is called like a password, in the query of an address (``?token=...``), in an
  assignment (``password=...``) and in braces (``{secret: ...}``);
- what follows ``Authorization:``.

An address ends at a space, so that in a sentence a password with a space in it is not recognised; of a value
that was typed ``hide_passwords`` knows that it is one word. Everything else stays as it is.
"""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "***"

_NAME = (
    r"(?:[A-Za-z0-9]{1,20}[._-]){0,6}"
    r"(?:(?:password|secret|credential)s?|passwd|passphrase|pwd|token|(?:api|access|secret|private)_?key"
    r"|(?:AWS)?access_?key_?id|signature|sig)"
)
_CALLED_LIKE_ONE = re.compile(_NAME, re.IGNORECASE)
_VALUE = r"""(?:"[^"]*"|'[^']*'|\[[^\]]*\]|\{[^}]*\}|[^\s&;,'"}\])]+)"""
_ASSIGNED = re.compile(rf"""((?<![A-Za-z0-9]){_NAME}["']?\s?=\s?){_VALUE}""", re.IGNORECASE)
_IN_BRACES = re.compile(rf"""([{{,]\s?["']?{_NAME}["']?\s?:\s?){_VALUE}""", re.IGNORECASE)
_YAML_LINE = re.compile(rf"""^([ -]*["']?{_NAME}["']?: )(?!null$)[^\n]+""", re.IGNORECASE | re.MULTILINE)
_HEADER = re.compile(r"""(authorization["']?\s?[:=]\s?["']?(?:[a-z0-9-]{1,20}\s)?)[^\s"',]+""", re.IGNORECASE)

# Where an address begins, up to what may be a user's name. One without a scheme stands by itself; one with a
# single slash is how Hydra writes a choice; of the schemes left out there, a path follows, or an @ of theirs.
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
    """The text with every password in it made unreadable; see the module's description."""
    if "@" in text or "%" in text:
        text = _WORD.sub(lambda word: _without_user(word[0]), text)
    return _without_named(text)


def hide_passwords(value: str) -> str:
    """The same of one value, or of one ``key=value``, as it was typed: a password may hold spaces.

    Of a key that is called like a password the whole value is left out.
    """
    return _without_value(value) or _without_named(_without_user(value))


def without_password_in_yaml(text: str) -> str:
    """The same of what YAML says, a key a line: values of what is called like a password are left out."""
    return _YAML_LINE.sub(rf"\1{HIDDEN}", without_password(text))


def is_called_like_password(name: str) -> bool:
    """Whether values of this name are left out: ``password``, ``api_key``, ``AWS_SESSION_TOKEN``."""
    return _CALLED_LIKE_ONE.fullmatch(name) is not None


def redacted(value: Any) -> Any:
    """Nested dictionaries, lists and texts, such as what was typed, without the passwords in them."""
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
    """``key=***`` if the key is called like a password."""
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
    """From where the first address begins to the last @ of the word, whatever is in between."""
    # By searching from both sides, which takes no longer than the word is long.
    at, begins = word.rfind("@"), _BEGINNING.search(word)
    if begins and begins.end() < at:
        inner = word[begins.end() : at]
        # A path may follow a single slash, {where:/home/me@work}; of Azure a container stands before an @.
        harmless = "/" not in inner if begins["container"] else begins["single"] and "/" in inner
        if ":" in inner or not harmless:
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
