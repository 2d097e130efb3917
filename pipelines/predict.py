"""Classify the rows of a table with a recorded run's model, as `micrograde predict` does."""

from micrograde.cli.commands.predict import main

if __name__ == "__main__":
    main()
