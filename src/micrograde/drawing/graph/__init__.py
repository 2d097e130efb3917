"""Computational graphs and networks, by graphviz."""
