"""The main job: train a network on a data set and record the run, as `micrograde train` does."""

from micrograde.cli.main import run_command

if __name__ == "__main__":
    run_command("train")
