"""SVG pictures of a run, and of a few runs side by side."""
