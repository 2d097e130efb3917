"""Train a recorded run again, and compare every value bit for bit, as `micrograde replay` does."""

from micrograde.cli.commands.replay import main

if __name__ == "__main__":
    main()
