"""Write a recorded run's model as an ONNX file, as `micrograde export` does."""

from micrograde.cli.commands.export import main

if __name__ == "__main__":
    main()
