"""Send records to the stores that launches could not reach, as `micrograde sync` does."""

from micrograde.cli.commands.sync import main

if __name__ == "__main__":
    main()
