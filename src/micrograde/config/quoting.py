"""Quote the values of keys that are text, so that Hydra reads them as they were typed.

The run id ``602036e0``, the experiment ``2024`` and the column ``1.10`` are text; Hydra would turn them into
602036.0, 2024 and 1.1, and what was typed could not be recovered. The file ``trees (1).csv`` and the column
``größe`` are text, too, which Hydra's grammar does not know without quotes.
"""

import re
from collections.abc import Iterator, Sequence

from hydra._internal.grammar import grammar_functions
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, ParsedElementType
from hydra.errors import HydraException

from micrograde.config.keys import key_of, keys_of_mappings, text_keys
from micrograde.core.overrides import is_plain_key, quoted_text

# Let null be one of the values of these functions, too, as it may be in a list with commas.
for _function in (grammar_functions.choice, grammar_functions.shuffle):
    _function.__annotations__["args"] = ParsedElementType | ChoiceSweep

_MAY_BE_NUMBER = re.compile(r"[+-]?([0-9.][\w.+-]*|inf|nan)|true|false", re.IGNORECASE)
_SPLIT = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\\.|.""", re.DOTALL)
_FUNCTION = re.compile(r"(\s*(?:choice|shuffle|sort)\()(.*)(\)\s*)", re.DOTALL)
_ESCAPED = re.compile(r"[\\()\[\]{}:=,]")
_GROUP = re.compile(r"(\s*[{\[])(.*)([}\]]\s*)", re.DOTALL)


def override_of(key: str, text: str) -> str:
    """Return the shortest override that sets a key whose values are text: ``data.target=species``.

    What Hydra would read otherwise is quoted: ``data.target="n,m"``.
    """
    for value in (text, f'"{text}"'):
        try:
            found = OverridesParser.create().parse_override(quote_texts([f"{key}={value}"])[0])
        except HydraException:
            continue
        if not found.is_sweep_override() and "${" not in text and found.value() == text:
            return f"{key}={value}"
    return f"{key}={quoted_text(text)}"


def quote_texts(overrides: Sequence[str]) -> list[str]:
    """Return the overrides with values quoted that Hydra would not read as text, if those of their key are.

    ``experiment_name=2024`` becomes ``experiment_name="2024"``, also in the lists of a sweep and below
    ``run.tags``, and ``data.path=trees (1).csv`` becomes ``data.path='trees (1).csv'``. Quoted values,
    ``null``, and all that Hydra reads as text anyway stay as they are. Commas are between values of a sweep.
    """
    return [_quoted(override) for override in overrides]


def _quoted(override: str) -> str:
    name, equals, value = override.partition("=")
    return name + equals + _quote_value(value, key_of(override)) if equals else override


def _quote_value(value: str, key: str) -> str:
    """Return the value of a key with its texts quoted."""
    if not any(_touch(key, each) for each in text_keys()):
        return value
    if value.strip() == "," and _is_text(key):  # a separator of a table, say
        return quoted_text(",")
    if function := _FUNCTION.fullmatch(value):
        return function[1] + _quote_value(function[2], key) + function[3]
    return ",".join(_quote_element(each, key) for each in _split(value, ","))


def _quote_element(text: str, key: str) -> str:
    if group := _GROUP.fullmatch(text):
        opened, inner, closed = group.groups()
        if opened.endswith("["):
            return opened + _quote_value(inner, key) + closed
        if key in keys_of_mappings() and (listed := _as_list(inner)):
            return f"[{listed}]"
        return opened + ",".join(_quote_pair(each, key) for each in _split(inner, ",")) + closed
    plain = text.strip()
    if _MAY_BE_NUMBER.fullmatch(plain) and _is_text(key) and not _is_read_as_text(plain):
        return text.replace(plain, f'"{plain}"')
    if _is_text(key) and _needs_quotes(plain):
        return text.replace(plain, quoted_text(plain))
    return text


def _as_list(pairs: str) -> str:
    """Return the entries of a dictionary as texts, ``'größe: category'``, if Hydra cannot read a name.

    Returns
    -------
    str
        Empty if it can read all of them, or an entry has no value.
    """
    found = []
    for pair in _split(pairs, ","):
        *names, value = _split(pair, ":")
        if not names:
            return ""
        found.append((_unquoted(":".join(names).strip()), value.strip()))
    if all(is_plain_key(name) for name, _ in found):
        return ""
    return ",".join(quoted_text(f"{name}: {value}") for name, value in found)


def _unquoted(name: str) -> str:
    if name[:1] not in ("'", '"'):
        return name
    try:
        return str(OverridesParser.create().parse_override(f"key={name}").value())
    except HydraException:
        return name


def _quote_pair(text: str, key: str) -> str:
    """Return one entry of a dictionary, such as ``team: 7``, with its value quoted if it is text."""
    name, *value = _split(text, ":")
    if not value:
        return text
    plain = name.strip()
    inner = _quote_element(":".join(value), f"{key}.{plain}")
    if _needs_quotes(plain):  # where Hydra knows no quotes
        name = name.replace(plain, _ESCAPED.sub(r"\\\g<0>", plain))
    return f"{name}:{inner}"


def _is_text(key: str) -> bool:
    group = key.rpartition(".")[0]
    return key in text_keys() or f"{group}." in text_keys()


def _touch(key: str, other: str) -> bool:
    other = other.rstrip(".")
    return key == other or key.startswith(f"{other}.") or other.startswith(f"{key}.")


def _is_read_as_text(value: str) -> bool:
    try:
        return isinstance(OverridesParser.create().parse_rule(value, "primitive"), str)
    except HydraException:
        return True


def _needs_quotes(text: str) -> bool:
    """Return whether Hydra cannot read a text, whose quotes and brackets are not just left open."""
    if not text or text[0] in "'\"" or "${" in text:
        return False
    if any(text.count(opening) != text.count(closing) for opening, closing in ("[]", "{}")):
        return False
    try:
        OverridesParser.create().parse_override(f"key={text}")
    except HydraException:
        return True
    return False


def _split(text: str, separator: str) -> Iterator[str]:
    """Return an iterator over the pieces between separators that are not within quotes or brackets."""
    pieces, depth = [""], 0
    for token in _SPLIT.findall(text):
        depth += (token in "[{(") - (token in ")}]")
        if token == separator and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += token
    return iter(pieces)
