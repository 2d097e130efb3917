"""Text that looks like a number stays the text that was typed, by Hydra's own grammar."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, QuotedString
from hypothesis import assume, example, given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from tests.narrowing import of_type

from micrograde.config.keys import text_keys
from micrograde.config.quoting import override_of, quote_texts
from micrograde.config.schema import TrainConfig

PARSER = OverridesParser.create()


def quoted(override):
    (text,) = quote_texts([override])
    return text


def read(override):
    """What Hydra reads, of several values a list."""
    value = PARSER.parse_override(quoted(override))
    if not value.is_sweep_override():
        return value.value()
    return [getattr(each, "text", each) for each in of_type(ChoiceSweep, value.value()).list]


@given(st.text(alphabet="0123456789+-._eEabnfitru", min_size=1, max_size=12))
@example("602036e0")
@example("12345678")
@example("1e5")
@example("1_000")
@example("-.5E+3")
@example("nan")
@example("Inf")
@example("TRUE")
@example("007")
def test_a_word_is_read_as_it_was_typed_and_quoted_only_if_it_must_be(word):
    assume(word.lower() != "null")
    assert read(f"experiment_name={word}") == word
    plain = PARSER.parse_override(f"experiment_name={word}").value()
    assert (quoted(f"experiment_name={word}") == f"experiment_name={word}") is isinstance(plain, str)


@pytest.mark.parametrize(
    "key",
    ["run_id", "training.resume", "experiment_name", "run.name", "run.note", "sweep.name", "sweep.note", "data.target",
     "data.path", "sweep", "launch", "output", "report", "tracking.register", "+data.images", "++run.name", "run.tags.team"],
)  # fmt: skip
def test_every_key_of_text_is_known_by_the_schema(key):
    assert read(f"{key}=602036e0") == "602036e0"


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("data.target=2024,height,1e5", ["2024", "height", "1e5"]),
        ("data.target=choice(2024, null)", ["2024", None]),
        ("data.target=shuffle(2024,2025)", ["2024", "2025"]),
        ("run.tags={team: a, fold: 3, version: 1.10, done: true}", {"team": "a", "fold": "3", "version": "1.10", "done": "true"}),
        ("run={name: 1e5, tags: {fold: 07}}", {"name": "1e5", "tags": {"fold": "07"}}),
        ("data={name: csv, path: 3}", {"name": "csv", "path": "3"}),
        ("where=[2024, wide]", ["2024", "wide"]),
        ("data.target= 2024", "2024"),
    ],
)  # fmt: skip
def test_lists_and_dictionaries_are_looked_into(override, value):
    assert read(override) == value


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12))
@example("trees (1).csv")
@example("[1].csv")
@example("a=b")
@example("it's")
@example("größe in m²")
@example("f(a,b)")
@example("a\\")
def test_a_text_that_hydra_cannot_parse_is_read_as_it_was_typed(text):
    """But for what is Hydra's: commas, open quotes and brackets, interpolations, functions, spaces at the ends."""
    assume(text == text.strip() and text.lower() != "null" and "," not in text.replace("f(a,b)", ""))
    assume(not any(mark in text for mark in ("${", "'", '"', "\\") if text not in ("it's", "a\\")))
    assume(all(text.count(opening) == text.count(closing) for opening, closing in ("[]", "{}", "()")))
    assume(not (text[0] in "[{" and text[-1] in "]}"))
    assert read(f"data.path={text}") == text


def test_a_comma_alone_is_a_separator():
    assert read("data.separator=,") == ","


@pytest.mark.parametrize(
    "override",
    ["training.resume=null", "training.resume=NULL", "data.target='2024'", 'data.target="2024"', "seed=3", "seed=1,2", "seed=range(3)",
     "model.hidden_size=[5,6]", "data.features=4", "optimizer={name: sgd, momentum: 0.5}", "training.num_epochs=1e5", "sweep.verbose=true",
     "sweep={verbose: true}", "tracking.uri=http://me:1,2@host", "data.target=[", "data.target=\\1", "~seed", "seed", "=1", ""],
)  # fmt: skip
def test_everything_else_stays_as_it_is(override):
    assert quoted(override) == override


def test_no_key_of_a_number_or_a_choice_is_taken_for_text():
    assert (
        not {"seed", "data.features", "data.name", "optimizer.name", "training.batch_size", "limit"}
        & text_keys()
    )
    assert {"experiment_name", "data.target"} <= text_keys()
    assert TrainConfig.__dataclass_fields__["experiment_name"].type is not int


def test_null_is_a_choice_among_others():
    for function in ("choice", "shuffle"):
        assert read(f"training.batch_size={function}(16,null)") == [16, None]


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
@example("species")
@example("3")
@example("n,m")
@example("null")
@example("a: {b}")
@example('it\'s "quoted" \\')
@example("${data.name}")
@example(" spaced ")
def test_an_override_that_is_told_sets_the_text_whatever_it_holds(text):
    found = PARSER.parse_override(quoted(override_of("data.target", text)))
    assert not found.is_sweep_override()
    value = found.value()
    read = value if isinstance(value, str) else of_type(QuotedString, value).text
    assert OmegaConf.create({"target": read}).target == text


def test_no_quotes_are_told_where_none_are_needed():
    for text in ("species", "3", "a_b.c", "/data/penguins.csv"):
        assert override_of("data.target", text) == f"data.target={text}"
    assert override_of("data.target", "n,m") == 'data.target="n,m"'
