"""Train a recorded run again, and compare every value bit for bit, as `micrograde replay` does."""

from micrograde.cli.main import run_command

if __name__ == "__main__":
    run_command("replay")
