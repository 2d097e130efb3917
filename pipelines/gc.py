"""Remove runs that were deleted for good, as `micrograde gc` does."""

from micrograde.cli.commands.gc import main

if __name__ == "__main__":
    main()
