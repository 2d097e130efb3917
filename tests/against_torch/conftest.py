"""These tests compare with PyTorch, which `make test` does not install: `make test-torch` does."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["test_*.py"]
