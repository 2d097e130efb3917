"""Open the MLflow UI of the recorded runs in a browser, as `micrograde ui` does."""

from micrograde.cli.main import run_command

if __name__ == "__main__":
    run_command("ui")
