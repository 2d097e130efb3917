"""What stands in an SVG picture: its texts, its labelled curves, its images."""

import base64
import io
import math
import re
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tests.narrowing import not_none

from micrograde.drawing.svg import Svg
from micrograde.drawing.text import text_width
from micrograde.nn.arrays import FloatArray

SVG = "{http://www.w3.org/2000/svg}"


def drawn(picture: Svg | None, kind: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(not_none(picture).text).iter(f"{SVG}{kind}"))


def texts(picture: Svg | None) -> list[str]:
    return [each.text or "" for each in drawn(picture, "text")]


def says(picture: Svg | None, words: str) -> bool:
    """Whether the picture says that, on however many lines."""
    return words in " ".join(texts(picture))


def curves(picture: Svg | None) -> dict[str, list[FloatArray]]:
    """The points (N, 2) of each labelled curve, piece by piece."""
    found = {}
    for path in drawn(picture, "path"):
        title = path.find(f"{SVG}title")
        if title is not None and title.text:
            pieces = [piece for piece in not_none(path.get("d")).rstrip("Z").split("M") if piece]
            found[title.text] = [
                np.array([tuple(map(float, point.split())) for point in piece.split("L")]) for piece in pieces
            ]
    return found


def images(picture: Svg | None) -> dict[str, NDArray[np.uint8]]:
    """The pixels (rows, columns, 3) of each image, by its label."""
    found = {}
    for image in drawn(picture, "image"):
        _, _, content = not_none(image.get("href")).partition("base64,")
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB"))
        found[image.findtext(f"{SVG}title", "")] = pixels
    return found


def outside(picture: Svg | None) -> list[str | None]:
    """The texts that reach beyond the picture's edges, by the width they are reckoned to have."""
    root = ElementTree.fromstring(not_none(picture).text)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    found = []
    for each in root.iter(f"{SVG}text"):
        x, y = float(each.attrib["x"]), float(each.attrib["y"])
        size = text_width(each.text or "", float(each.attrib["font-size"]))
        start = {"start": 0.0, "middle": -size / 2, "end": -size}[each.attrib["text-anchor"]]
        turn = re.search(r"rotate\((\S+)", each.get("transform") or "rotate(0 ")
        assert turn
        angle = math.radians(float(turn[1]))
        for along in (start, start + size):
            across, down = x + along * math.cos(angle), y + along * math.sin(angle)
            if not (-1 <= across <= width + 1 and -1 <= down <= height + 1):
                found.append(each.text)
    return found


def boxes(picture: Svg | None) -> list[tuple[str, tuple[float, float, float, float]]]:
    """The texts that are not turned, each with its left, top, right and bottom edge."""
    found = []
    for each in drawn(picture, "text"):
        if each.get("transform") is None and each.text:
            x, y, size = (float(each.attrib[name]) for name in ("x", "y", "font-size"))
            wide = text_width(each.text, size)
            left = x - {"start": 0.0, "middle": wide / 2, "end": wide}[each.attrib["text-anchor"]]
            found.append((each.text, (left, y - 0.7 * size, left + wide, y)))
    return found


def overlapping(picture: Svg | None) -> list[tuple[str, str]]:
    """The pairs of texts that are not turned and lie upon each other."""
    found = boxes(picture)
    return [
        (one, other)
        for number, (one, (left, top, right, bottom)) in enumerate(found)
        for other, (from_x, from_y, to_x, to_y) in found[:number]
        if left < to_x - 1 and from_x < right - 1 and top < to_y - 1 and from_y < bottom - 1
    ]


def points(picture: Svg | None, colour: str) -> FloatArray:
    """The places (N, 2) of all dots of a colour, in the order in which they are drawn."""
    paths = [each for each in drawn(picture, "path") if each.get("stroke") == colour]
    places = [re.findall(r"M(\S+) (\S+?)h0", not_none(each.get("d"))) for each in paths]
    return np.array([(float(x), float(y)) for found in places for x, y in found]).reshape(-1, 2)


def crosses(picture: Svg | None, colour: str) -> FloatArray:
    """The upper left ends (N, 2) of all crosses of a colour."""
    paths = [not_none(each.get("d")) for each in drawn(picture, "path") if each.get("stroke") == colour]
    places = [found for path in paths if "m0 -" in path for found in re.findall(r"M(\S+) (\S+?)l", path)]
    return np.array([(float(x), float(y)) for x, y in places]).reshape(-1, 2)


def levels(picture: Svg | None, *heights: float) -> list[float]:
    """The values at heights of the picture, by the labels of its first linear axis upwards."""
    ticks: dict[float, float] = {}
    first = None
    for each in drawn(picture, "text"):
        if each.attrib["text-anchor"] == "end" and each.get("transform") is None:
            first = each.attrib["x"] if first is None else first
            if each.attrib["x"] == first:
                ticks[float(each.attrib["y"]) - 4] = float(each.text or "nan")
    (one, low), *_, (other, high) = ticks.items()
    return [low + (height - one) / (other - one) * (high - low) for height in heights]
