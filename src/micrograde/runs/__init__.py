"""Runs: built from configs, trained in stacks, recorded, resumed, replayed, used to predict."""
