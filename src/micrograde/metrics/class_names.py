"""The names of classes as they stand in the names of recorded metrics, such as ``val/recall/spam``."""

import re
import unicodedata
from collections.abc import Sequence

_LONGEST = 200  # of the 250 characters that MLflow allows for the whole name


def recorded_class_names(class_names: Sequence[str]) -> tuple[str, ...]:
    """Return a name for each class that MLflow accepts as the last part of a metric's name.

    Other characters than letters, digits, blanks and ``_-.`` become ``_``: ``<=50K`` is ``__50K``.
    Names that are equal then, or in all but capitals, which some databases do not tell apart, get a number:
    ``no`` and ``No`` are ``no`` and ``No 2``.
    """
    found: list[str] = []
    taken: set[str] = set()
    plain = [_plain(name) for name in class_names]
    unchanged = {name.casefold() for name, given in zip(plain, class_names, strict=True) if name == given}
    for name, given in zip(plain, class_names, strict=True):
        number, free = 1, name
        while free.casefold() in taken or (free.casefold() in unchanged and free != given):
            number += 1
            free = f"{name} {number}"
        taken.add(free.casefold())
        found.append(free)
    return tuple(found)


def _plain(name: str) -> str:
    text = re.sub(r"[^\w. -]", "_", unicodedata.normalize("NFC", name))[:_LONGEST].strip()
    return "_" * max(1, len(text)) if not text.strip(".") else text
