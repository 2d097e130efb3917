"""The reference page has all keys and all entries, as the schema and the registries have them."""

import inspect
import re
import sys

from tests.docs.reader import ROOT

from micrograde.config.keys import OF_SWEEPS, SCHEMAS, keys_of
from micrograde.diagnostics.findings import FINDINGS

sys.path.insert(0, str(ROOT / "docs"))
from entries import entries_page, keys_page, registries


def test_every_key_of_every_command_is_in_a_table():
    page = keys_page()
    for command in SCHEMAS:
        part = page.partition(f"\n## {command}\n")[2]
        for key in set(keys_of(command)) - set(OF_SWEEPS):
            assert f"| `{key}` |" in part


def test_every_entry_of_every_registry_is_in_a_table():
    page = entries_page()
    assert {"activation", "normalization", "initializer", "data set"} <= {each.kind for each in registries()}
    for registry in registries():
        part = page.partition(f"\n## {registry.kind}\n")[2].partition("\n## ")[0]
        for name in registry:
            assert f"\n| `{name}` | " in part


def test_the_table_of_findings_has_each_of_them_with_its_words_in_their_order():
    page = (ROOT / "docs" / "insight.md").read_text(encoding="utf-8")
    table = page.partition("| what it begins with | finding |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (.+?) \| `(\w+)` \| .+ \|$", table, re.MULTILINE)
    names = list(dict.fromkeys(name for _, name in rows))
    assert names == sorted(FINDINGS, key=lambda name: (FINDINGS[name].place, name))
    for said, name in rows:
        source = inspect.getsource(sys.modules[FINDINGS[name].__module__])
        for words in filter(None, re.split(r"\s*\.\.\.[,:]?\s*", said)):
            assert words in source, f"docs/insight.md, Findings, {name}: it does not say {words!r}"
