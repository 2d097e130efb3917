import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograde.drawing.text import broken, fitted, power_of_ten, text_width


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("0.5", 13.9), ("WWW", 28.32), ("iii", 6.66), ("日本", 20)]
)
def test_widths_are_those_of_the_font(text, width):
    # Helvetica's metrics: a digit is 0.556 of the size wide, W 0.944, i 0.222; a Chinese sign is a square.
    assert text_width(text, 10) == pytest.approx(width, abs=0.01)


@given(st.text(max_size=60), st.floats(20, 400))
def test_a_fitted_text_is_no_wider_and_begins_as_the_text_does(text, width):
    line = fitted(text, 12, width)
    assert text_width(line, 12) <= width
    whole = " ".join(text.split())
    assert line == whole or (line.endswith("…") and whole.startswith(line[:-1]))


@given(st.text(st.sampled_from("ab W\n日"), max_size=80), st.floats(30, 200), st.integers(1, 4))
def test_broken_lines_fit_and_lose_nothing_unless_they_say_so(text, width, lines):
    found = broken(text, 12, width, lines=lines)
    assert len(found) <= lines
    assert all(text_width(line, 12) <= width for line in found)
    if not any(line.endswith("…") for line in found):
        assert " ".join(found).split() == text.split()


@pytest.mark.parametrize(
    ("logarithm", "text"),
    [(0, "1"), (-2, "0.01"), (2.5, "320"), (-3.001, "1.0e-3"), (-400.5, "3.2e-401"), (9999, "1.0e9999")],
)
def test_a_number_is_told_by_its_logarithm(logarithm, text):
    assert power_of_ten(logarithm) == text
