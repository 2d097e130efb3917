"""Open the MLflow UI of the recorded runs in a browser, as `micrograde ui` does."""

from micrograde.cli.commands.ui import main

if __name__ == "__main__":
    main()
