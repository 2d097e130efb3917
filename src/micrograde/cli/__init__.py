"""The command line: entry points, help pages, and checks of the environment that a command starts in."""
