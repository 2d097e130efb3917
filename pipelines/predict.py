"""Classify the rows of a table with a recorded run's model, as `micrograde predict` does."""

from micrograde.cli.main import run_command

if __name__ == "__main__":
    run_command("predict")
