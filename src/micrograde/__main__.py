"""``python -m micrograde`` is the command ``micrograde``."""

from micrograde.cli.main import main

if __name__ == "__main__":
    main()
