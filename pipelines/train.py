"""The main job: train a network on a data set and record the run, as `micrograde train` does."""

from micrograde.cli.commands.train import main

if __name__ == "__main__":
    main()
