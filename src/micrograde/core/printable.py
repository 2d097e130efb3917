"""Text that somebody else wrote, made safe for a line on a terminal."""


def printable(text: str) -> str:
    r"""The text with signs that a terminal would act on, or hide, written as escapes.

    A name may come from a file, or from a store that others write to. An escape sequence in it could
    recolour, overwrite or retitle the terminal, and a sign that turns the direction of writing could make a
    line read as another one. Spaces of any width stay, ends of lines become ``\n``.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or _is_space(sign) else _escaped(sign) for sign in text)


def _is_space(sign: str) -> bool:
    return sign.isspace() and sign > "\x9f" and sign not in "\u2028\u2029"


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")
