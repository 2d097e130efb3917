"""Sweeps: many runs from one command line, as Hydra's ``-m`` understands it, trained as stacks.

Hydra finds the sweeper and the launcher in ``hydra_plugins``, where it looks for them; these classes are
thin and call this package.
"""
