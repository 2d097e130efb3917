"""Text that somebody else wrote, made safe for a line on a terminal."""


def printable(text: str) -> str:
    r"""Return the text with characters that a terminal would act on, or hide, written as escapes.

    A name may come from a file, or from a store that others write to. An escape sequence in it could
    recolour, overwrite or retitle the terminal, and a character that reverses the direction of writing could
    make a line read as another one. Spaces of any width stay, line breaks become ``\n``.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if each.isprintable() or _is_space(each) else _escaped(each) for each in text)


def _is_space(character: str) -> bool:
    return character.isspace() and character > "\x9f" and character not in "\u2028\u2029"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
