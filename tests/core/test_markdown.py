"""Text within Markdown reads as it stands, by another library's reading of CommonMark and of tables."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from micrograde.core.markdown import as_markdown, fenced, table
from micrograde.core.printable import printable

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text("`|*_[]()<>&#+-.=~$!\\1a :/\n\t")


def shown(tokens):
    """Return the text that a reader sees; anything but paragraphs of text raises."""
    allowed = {"paragraph_open", "paragraph_close", "inline", "list_item_open", "list_item_close"}
    assert {each.type for each in tokens} <= allowed | {"bullet_list_open", "bullet_list_close"}
    (inline,) = [each for each in tokens if each.type == "inline"]
    assert {each.type for each in inline.children} <= {"text", "text_special"}
    return "".join(each.content for each in inline.children)


@given(TEXTS)
@example("1. one")
@example("# title")
@example("-")
@example("12) b")
@example("a_b _c_ __d__")
@example("&amp; <b> https://a.b www.x.y")
@example("===")
@example(" - a")
def test_a_line_reads_as_it_stands(text):
    wanted = printable(text).strip()
    if wanted:
        assert shown(MARKDOWN.parse(f"- {as_markdown(wanted)}")) == wanted
        assert shown(MARKDOWN.parse(as_markdown(wanted))) == wanted
        assert shown(MARKDOWN.parse(f"'{as_markdown(wanted)}'")) == f"'{wanted}'"


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3))
def test_a_table_has_the_cells_that_it_is_given(rows):
    lines = table(["a", "b"], [list(map(as_markdown, row)) for row in rows])
    tokens = MARKDOWN.parse("\n".join(lines))
    cells = [
        tokens[place + 1].children or []
        for place, token in enumerate(tokens)
        if token.type in ("th_open", "td_open")
    ]
    texts = ["".join(each.content for each in children) for children in cells]
    assert all(each.type in ("text", "text_special") for children in cells for each in children)
    assert texts == ["a", "b", *(printable(text).strip() for row in rows for text in row)]


@pytest.mark.parametrize("text", ["snake_case", "penguins.csv: 3 rows, 1.5", "'a' (2), 'b-c'", "1.0000"])
def test_usual_text_stays_as_it_is(text):
    assert as_markdown(text) == text


@given(st.lists(TEXTS, min_size=1))
def test_a_block_of_code_ends_at_its_end(lines):
    (token,) = MARKDOWN.parse("\n".join([*fenced(lines, "text"), ""]))
    assert token.type == "fence"
    assert token.content == "".join(f"{printable(line)}\n" for line in lines)
