"""Print a script for a shell, as `micrograde completion` does."""

from micrograde.cli.commands.completion import main

if __name__ == "__main__":
    main()
