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
            pieces = [piece for piece in not_none(path.get("d")).split("M") if piece]
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
