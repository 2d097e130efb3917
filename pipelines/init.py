"""Make the working directory a project, as `micrograde init` does."""

from micrograde.cli.commands.init import main

if __name__ == "__main__":
    main()
