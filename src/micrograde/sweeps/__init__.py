"""Sweeps: many runs from one command line, as Hydra's ``-m`` understands it, trained as stacks.

Hydra finds the sweeper and the launcher in ``hydra_plugins``, which is where it looks; they are thin and
call what is here.
"""
