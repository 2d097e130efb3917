"""Write a recorded run's model as an ONNX file, as `micrograde export` does."""

from micrograde.cli.main import run_command

if __name__ == "__main__":
    run_command("export")
