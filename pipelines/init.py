"""Make the working directory a project, as `micrograde init` does."""

from micrograde.cli.main import run_command

if __name__ == "__main__":
    run_command("init")
