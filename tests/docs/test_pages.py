"""The pages tell the truth: what they say to type runs, and prints what they show."""

import sys

import pytest
from tests.docs.reader import ROOT, Reader

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN = ("```python\n", "```console\n")
OF_SYSTEM = ROOT / "docs" / "howto" / "cluster.md"  # tests/system reads it


def pages():
    texts = {page: page.read_text() for page in PAGES}
    return [
        pytest.param(page, id=str(page.relative_to(ROOT)), marks=[pytest.mark.slow] if RUN[1] in text else [])
        for page, text in texts.items()
        if page != OF_SYSTEM and any(fence in text for fence in RUN)
    ]


@pytest.fixture
def reader(home, monkeypatch):
    monkeypatch.chdir(home)
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    reader = Reader(home)
    yield reader
    reader.end()
    reader.shell.communicate()
    if "mlflow" in sys.modules:
        sys.modules["mlflow"].set_tracking_uri(None)


@pytest.mark.parametrize("page", pages())
def test_what_a_page_says_to_type_prints_what_it_shows(page, reader):
    reader.read(page)
