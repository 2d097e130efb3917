"""Print a script for a shell, as `micrograde completion` does."""

from micrograde.cli.main import run_command

if __name__ == "__main__":
    run_command("completion")
