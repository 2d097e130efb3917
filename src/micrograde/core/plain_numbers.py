"""Numbers in the units of the user's own data, as text."""

_LARGEST = 1e15  # larger whole parts are not read any more


def plain_number(value: float, digits: int = 4) -> str:
    """Return a number with so many significant digits, but with its whole part as it is: ``46003``.

    A price is then read as one, and not as ``4.6e+04``; from 1e15 on, and below 0.0001, it has an exponent.
    """
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e+" in text and abs(value) < _LARGEST else text
