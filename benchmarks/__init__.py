"""Speeds, measured beside what users would take instead; `make bench` runs all of it."""
