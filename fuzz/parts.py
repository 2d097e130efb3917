"""Inputs of several parts, and bytes in them that choose. Any bytes are an input, so a fuzzer is free."""

from collections.abc import Sequence
from typing import TypeVar

_Choice = TypeVar("_Choice")


def join_parts(*parts: bytes) -> bytes:
    """The lengths of all parts but the last, two bytes each, and then the parts."""
    return b"".join([*(len(part).to_bytes(2, "big") for part in parts[:-1]), *parts])


def split_parts(content: bytes, count: int) -> list[bytes]:
    """The parts again; lengths that lie are cut to what is there."""
    head, rest = content[: 2 * (count - 1)], content[2 * (count - 1) :]
    parts = []
    for index in range(0, 2 * (count - 1), 2):
        length = int.from_bytes(head[index : index + 2], "big")
        parts.append(rest[:length])
        rest = rest[length:]
    return [*parts, rest]


def choose(content: bytes, place: int, choices: Sequence[_Choice]) -> _Choice:
    """What the byte at ``place`` chooses, the first if there is no such byte."""
    return choices[content[place] % len(choices) if place < len(content) else 0]
