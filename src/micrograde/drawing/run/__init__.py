"""Pictures of a run, and of a few runs side by side, as SVG."""
