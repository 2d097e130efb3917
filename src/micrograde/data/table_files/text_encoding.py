"""The encoding of a text file: found out, or as it is said, and the text as UTF-8."""

import codecs
from dataclasses import dataclass

from micrograde.core.errors import InputError
from micrograde.data.messages import shortened

_CHUNK = 2**20
_ADVICE = "such as utf-8, windows-1252, latin-1, cp850 or utf-16"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),  # begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_MOST_ZEROS = 0.2  # of the bytes; a text with more is of two bytes a character, or no text
_FALLBACK, _FALLBACK_NAME = "cp1252", "Windows-1252"


@dataclass(frozen=True)
class DecodedText:
    """A text as UTF-8 without byte order mark.

    Attributes
    ----------
    content
        The text.
    encoding
        The name of the encoding that was found or said; None for UTF-8.
    guessed
        Whether the bytes alone do not tell the encoding.
    """

    content: bytes | bytearray
    encoding: str | None = None
    guessed: bool = False


def as_utf8(text: bytearray, encoding: str | None, source: str) -> DecodedText:
    """Return a text as UTF-8: by its byte order mark, else UTF-8, else Windows-1252.

    Raises
    ------
    InputError
        If there is no encoding of the name ``encoding``, or the text has bytes that mean nothing in it.
    """
    if encoding is not None:
        codec = _codec(encoding)
        content = _recoded(text, codec, f"data.encoding={shortened(encoding)}", source)
        return DecodedText(_without_mark(content), None if codec == "utf-8" else shortened(encoding))
    for mark, codec, name in _BYTE_ORDER_MARKS:
        if text.startswith(mark):
            del text[: len(mark)]
            content = _recoded(text, codec, f"its first bytes say {name}", source)
            return DecodedText(content, None if codec == "utf-8" else name)
    fault = _first_fault(text)
    zeros = text[:_CHUNK].count(0)
    if zeros and (fault is not None or zeros > _MOST_ZEROS * len(text[:_CHUNK])):
        _refuse_bytes_of_zero(text, source)
    if fault is None:
        return DecodedText(text)
    if any(byte >= 0x80 for byte in text[:fault]):  # Windows-1252 is hardly ever valid UTF-8 by chance
        raise InputError(
            f"{source}: is UTF-8 but for the byte 0x{text[fault]:02X} in line {_line(text, fault)}; "
            "mend it, or set data.encoding=windows-1252"
        )
    content = _recoded(text, _FALLBACK, "is no UTF-8 text; as Windows-1252", source)
    return DecodedText(content, _FALLBACK_NAME, guessed=True)


def _codec(name: str) -> str:
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        found = None
    if found is None or not getattr(found, "_is_text_encoding", True):
        raise InputError(f"data.encoding={shortened(name)}: is no encoding; give one {_ADVICE}")
    return found.name


def _first_fault(text: bytearray) -> int | None:
    """Return the place of the first byte that is no UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view, begin = memoryview(text), 0
    while begin < len(text):
        end = min(begin + _CHUNK, len(text))
        pending = len(decoder.getstate()[0])  # bytes of a character that the last chunk has begun
        try:
            decoder.decode(view[begin:end], final=end == len(text))
        except UnicodeDecodeError as error:
            return begin - pending + error.start
        begin = end
    return None


def _recoded(text: bytearray, codec: str, what: str, source: str) -> bytes | bytearray:
    """Return a text as UTF-8; in chunks, as Python's characters may take four bytes each."""
    if codec == "utf-8" and _first_fault(text) is None:
        return text
    recoded, view = bytearray(), memoryview(text)
    try:
        decoder = codecs.getincrementaldecoder(codec)()
        for begin in range(0, len(text), _CHUNK):
            end = begin + _CHUNK
            recoded += decoder.decode(bytes(view[begin:end]), final=end >= len(text)).encode()
    except UnicodeDecodeError as error:
        line = max(recoded.count(b"\n"), recoded.count(b"\r"))
        line += _line(error.object, error.start)
        byte = error.object[error.start] if error.start < len(error.object) else 0
        raise InputError(
            f"{source}: {what}, the byte 0x{byte:02X} in line {line} means nothing; "
            f"set data.encoding to the file's, {_ADVICE}"
        ) from None
    except (UnicodeError, LookupError, ValueError):  # of codecs that are no plain tables, and lone surrogates
        raise InputError(
            f"{source}: {what}, it cannot be read; set data.encoding to the file's, {_ADVICE}"
        ) from None
    return recoded


def _without_mark(content: bytes | bytearray) -> bytes | bytearray:
    return content[len(codecs.BOM_UTF8) :] if content.startswith(codecs.BOM_UTF8) else content


def _line(text: bytes | bytearray, place: int) -> int:
    return 1 + max(text.count(b"\n", 0, place), text.count(b"\r", 0, place))


def _refuse_bytes_of_zero(text: bytearray, source: str) -> None:
    """Refuse what holds bytes of 0: a text of two bytes a character, or no text at all."""
    beginning = text[:_CHUNK]
    zeros = beginning.count(0)
    for codec, odd in (("utf-16-le", beginning[1::2]), ("utf-16-be", beginning[::2])):
        if odd.count(0) > 0.9 * zeros and zeros > 0.2 * len(beginning):
            raise InputError(f"{source}: looks like UTF-16 without its mark; set data.encoding={codec}")
    line = _line(text, text.index(0))
    raise InputError(
        f"{source}: holds bytes of 0, the first in line {line}, so it is no text; "
        "it should be CSV (or text with another separator), Parquet, Feather or Excel (.xlsx)"
    )
