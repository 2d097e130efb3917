"""Numbers as people write them: decimal point or comma, separators of thousands.

A file has one convention, which its values prove: ``3.14`` is no number with a decimal comma, ``1.234,5``
none with a decimal point; ``1.299`` may be either.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micrograde.data.units import NO_UNIT, Unit, unit_of

if TYPE_CHECKING:
    import pyarrow

_EXPONENT = r"([eE][+-]?\d+)?"
_SAMPLE = 50
SPACES = " \u00a0\u202f\u2009'\u2019"  # of Swiss, French and other thousands


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written.

    Attributes
    ----------
    decimal
        ``.`` or ``,``.
    thousands
        The separator of groups of three digits: ``,``, ``.``, a space (which stands for all that are used
        so), or "" for none.
    unit
        What stands before or after each of them; they are also numbers without it.
    """

    decimal: str = "."
    thousands: str = ""
    unit: Unit = NO_UNIT

    @property
    def pattern(self) -> str:
        """A regular expression of the numbers."""
        point = rf"\{self.decimal}"
        if not self.thousands:
            return rf"^[+-]?(\d+({point}\d*)?|{point}\d+){_EXPONENT}$"
        between = f"[{SPACES}]" if self.thousands == " " else rf"\{self.thousands}"
        return rf"^[+-]?(\d{{1,3}}({between}\d{{3}})+|\d+)({point}\d*)?$"

    def described(self) -> str:
        """Return the style in words."""
        decimal = "decimal point" if self.decimal == "." else "decimal comma"
        names = {",": "commas", ".": "points", " ": "spaces"}
        thousands = f", {names[self.thousands]} between thousands" if self.thousands else ""
        if not self.unit:
            return decimal + thousands
        usual = self.decimal == "." and not self.thousands
        return f"in {self.unit}" + ("" if usual else f", {decimal}{thousands}")


STYLES = tuple(
    NumberStyle(decimal, thousands)
    for decimal, others in ((".", ("", ",", " ")), (",", ("", ".", " ")))
    for thousands in others
)
POINT = STYLES[0]


def parse_numbers(texts: "pyarrow.Array", style: NumberStyle) -> NDArray[np.float64]:
    """Return the numbers that texts write in a style, shape (n,); NaN for what is none.

    Each is the float64 nearest to its decimals. Spaces around a number do not count.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = style.unit.without(texts)
    fits = pc.match_substring_regex(trimmed, style.pattern)
    plain = pc.if_else(fits, trimmed, pa.scalar("nan", trimmed.type))
    if style.thousands == " ":
        plain = pc.replace_substring_regex(plain, f"[{SPACES}]", "")
    elif style.thousands:
        plain = pc.replace_substring(plain, style.thousands, "")
    if style.decimal == ",":
        plain = pc.replace_substring(plain, ",", ".")
    plain = pc.utf8_ltrim(plain, characters="+")  # of which the pattern allows one
    numbers: NDArray[np.float64] = pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False)
    return np.where(np.isinf(numbers), np.nan, numbers)  # of an exponent beyond float64


def has_leading_zeros(texts: "pyarrow.Array") -> bool:
    """Return whether a text is a whole number with zeros before it, as a code has: ``007``."""
    import pyarrow.compute as pc

    found = pc.any(pc.match_substring_regex(texts, r"^\s*[+-]?0\d+\s*$")).as_py()
    return bool(found)


@dataclass(frozen=True)
class Evidence:
    """What the texts of one column prove of the decimal sign.

    Attributes
    ----------
    point, comma
        How many texts that differ are numbers with a decimal point only, and with a comma only.
    example
        A text that is a number either way, such as ``1.299``; None if there is none.
    """

    point: int
    comma: int
    example: str | None


def evidence(texts: "pyarrow.Array") -> Evidence:
    """Return what the texts of a column prove of the decimal sign."""
    import pyarrow.compute as pc

    signs = pc.filter(texts, pc.match_substring_regex(texts, r"\d[.,]|[.,]\d"))
    if len(signs) == 0:
        return Evidence(0, 0, None)
    by = _by_sign(pc.utf8_trim_whitespace(signs))
    if not (by["."] | by[","]).any() and (unit := unit_of(signs[:_SAMPLE].to_pylist())):
        signs = unit.without(signs)
        by = _by_sign(signs)
    both = np.flatnonzero(by["."] & by[","])
    example = signs[int(both[0])].as_py().strip() if len(both) else None
    return Evidence(int((by["."] & ~by[","]).sum()), int((by[","] & ~by["."]).sum()), example)


def _by_sign(texts: "pyarrow.Array") -> dict[str, NDArray[np.bool_]]:
    """Return whether each text is a number, for each decimal sign."""
    import pyarrow.compute as pc

    found = {}
    for sign in ".,":
        either = "|".join(style.pattern for style in STYLES if style.decimal == sign)
        found[sign] = pc.match_substring_regex(texts, either).to_numpy(zero_copy_only=False)
    return found


def decimal_sign(found: Iterable[Evidence], separator: str | None) -> str:
    """Return the decimal sign of a file, from what its columns prove; the point if they prove nothing.

    If nothing but ``1,299`` stands in a file whose columns are separated by ``;``, it is the comma.
    """
    evidences: Sequence[Evidence] = list(found)
    points = sum(each.point > 0 for each in evidences)
    commas = sum(each.comma > 0 for each in evidences)
    if commas != points:
        return "," if commas > points else "."
    if not commas and separator == ";" and any(each.example and "," in each.example for each in evidences):
        return ","
    return "."


def style_of(
    texts: "pyarrow.Array", decimal: str, unit: Unit = NO_UNIT
) -> tuple[NumberStyle, NDArray[np.float64]]:
    """Return the style in which most of the texts are numbers, and these numbers.

    Of styles that read equally many, one with the sign ``decimal`` is taken.
    """
    best, numbers = POINT, None
    for style in sorted(
        STYLES, key=lambda each: (each.decimal != decimal, bool(each.thousands), each.thousands == " ")
    ):
        style = replace(style, unit=unit)
        parsed = parse_numbers(texts, style)
        if numbers is None or np.isnan(parsed).sum() < np.isnan(numbers).sum():
            best, numbers = style, parsed
        if not np.isnan(numbers).any():
            break
    assert numbers is not None
    return best, numbers
