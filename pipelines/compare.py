"""Compare recorded runs, as `micrograde compare` does."""

from micrograde.cli.commands.compare import main

if __name__ == "__main__":
    main()
