"""Compare recorded runs, as `micrograde compare` does."""

from micrograde.cli.main import run_command

if __name__ == "__main__":
    run_command("compare")
