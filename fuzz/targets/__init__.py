"""Every reader that is fuzzed. A new one is a file beside this, and a line here."""

from fuzz.targets.address import ADDRESS
from fuzz.targets.checkpoint import CHECKPOINT
from fuzz.targets.claim import CLAIM
from fuzz.targets.csv import CSV
from fuzz.targets.idx import IDX
from fuzz.targets.journal import JOURNAL
from fuzz.targets.npz import NPZ
from fuzz.targets.parquet import PARQUET
from fuzz.targets.safetensors import SAFETENSORS
from fuzz.targets.table import TABLE

TARGETS = {
    each.name: each
    for each in (CSV, NPZ, IDX, PARQUET, TABLE, SAFETENSORS, CHECKPOINT, JOURNAL, CLAIM, ADDRESS)
}
