"""The reference page has all keys and all entries, as the schema and the registries have them."""

import sys

from tests.docs.reader import ROOT

from micrograde.config.keys import OF_SWEEPS, SCHEMAS, keys_of

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
