"""Units that stand with each number of a column: ``1.234,56 €``, ``45 %``, ``$ 12``, ``181 cm``."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow

_SAMPLE = 200
_LEAST = 0.9  # of the texts, at least, have the unit
_LONGEST = 15  # characters of a unit
_CURRENCIES = re.compile(
    "(USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|TRY|BRL|MXN|ZAR|KRW|US|R)?"
)
_LONGEST_TEXT = 60
_WITH_UNIT = re.compile(
    r"[+-]?\s*(?P<before>[^\W\d_]*[^\w\s.,;:#/+-]?)\s*[+-]?[.,]?\d(?:[\d.,'’\s]*\d)?[.,]?(?:[eE][+-]?\d+)?"
    r"\s*(?P<after>\D*)"
)
_AFTER = re.compile(r"[^\W\d_]*[^\w\s.,;:#+()-]?[^\W\d_]*(?:[/ ·*][^\W\d_]+)*[²³]?\.?")


@dataclass(frozen=True)
class Unit:
    """What stands before and after each number; "" for nothing."""

    before: str = ""
    after: str = ""

    def __bool__(self) -> bool:
        return bool(self.before or self.after)

    def __str__(self) -> str:
        return self.before or self.after

    def without(self, texts: "pyarrow.Array") -> "pyarrow.Array":
        """Return texts without the unit where they have it, and without spaces around them."""
        import pyarrow.compute as pc

        plain = pc.utf8_trim_whitespace(texts)
        if self.before:
            before = rf"^([+-]?)\s*{re.escape(self.before)}\s*"
            plain = pc.replace_substring_regex(plain, before, r"\1")
        if self.after:
            with_unit = pc.match_substring_regex(
                plain, rf"\d[.,]?[\s\x{{a0}}\x{{202f}}]*{re.escape(self.after)}$"
            )
            cut = pc.utf8_slice_codeunits(plain, 0, -len(self.after))
            plain = pc.utf8_trim_whitespace(pc.if_else(with_unit, cut, plain))
        return plain


NO_UNIT = Unit()


def unit_of(texts: Sequence[str]) -> Unit:
    """Return the unit that nine of ten texts have, each a number; none if they have not one."""
    sample = texts[:: max(1, len(texts) // _SAMPLE)]
    found: Counter[Unit] = Counter()
    for text in sample:
        match = _WITH_UNIT.fullmatch(text.strip()) if len(text) <= _LONGEST_TEXT else None
        if match and _is_before(match["before"]) and _is_after(match["after"].strip()):
            found[Unit(match["before"], match["after"].strip())] += 1
    if not found:
        return NO_UNIT
    unit, count = found.most_common(1)[0]
    return unit if unit and count >= _LEAST * len(sample) else NO_UNIT


def _is_before(text: str) -> bool:
    """Return whether a text is a currency; a code has letters before its number, too: ``A12``."""
    letters = text.rstrip("".join(each for each in text if unicodedata.category(each) == "Sc"))
    return _CURRENCIES.fullmatch(letters) is not None


def _is_after(text: str) -> bool:
    return len(text) <= _LONGEST and _AFTER.fullmatch(text) is not None
