"""Fuzzing of everything that reads a file which somebody else may have made: `make fuzz`.

A target (`targets/`) turns a fuzzer's bytes into files and reads them. `one.py` lets Atheris, which watches
the coverage, find such bytes for one target in a process of its own; `__main__.py` runs that for all. The
tests try the same targets on mutations that Hypothesis thinks of (tests/data/test_fuzzed.py).
"""
