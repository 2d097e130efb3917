"""Describe a table before anything is trained, as `micrograde describe` does."""

from micrograde.cli.main import run_command

if __name__ == "__main__":
    run_command("describe")
