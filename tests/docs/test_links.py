"""Links lead somewhere: to a file, and to a heading in it. (`make docs` checks those that Sphinx follows, too.)"""

import re

import pytest
from tests.docs.reader import ROOT
from tests.docs.test_pages import PAGES

FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def anchors(page):
    """What GitHub and Sphinx call the headings of a page."""
    headings = re.findall(r"^#+ (.*)", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page):
    return re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text()))


def paragraphs(text):
    """The paragraphs and points of a page, code left out."""
    return [
        " ".join(each.split()) for each in re.split(r"\n\n|\n(?=- )", FENCE.sub("", text)) if each.strip()
    ]


def named_tests(text):
    return re.findall(r"`(tests/[\w/.]+)`", text)


def test_links_are_found():
    found = [target for page in PAGES for target in links(page)]
    assert len(found) > 50
    assert len([target for target in found if "#" in target]) > 3


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES])
def test_links_lead_somewhere(page):
    for target in links(page):
        if ":" in target:
            assert target.startswith("https://"), target
            continue
        path, _, anchor = target.partition("#")
        other = page.parent / path if path else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


def test_what_is_said_to_be_tested_has_its_test():
    named = {(page.name, test) for page in PAGES for test in named_tests(page.read_text())}
    assert len(named) > 5
    assert [(page, test) for page, test in named if not (ROOT / test).exists()] == []


def test_each_promise_of_security_names_its_test():
    promises = [
        each for each in paragraphs((ROOT / "docs" / "security.md").read_text()) if each.startswith("- **")
    ]
    assert len(promises) > 3
    assert [promise[:60] for promise in promises if not named_tests(promise)] == []
