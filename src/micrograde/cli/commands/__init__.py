"""The commands, one file for each, found by itself: ``micrograde train`` calls ``main()`` of ``train.py``.

The first sentence of a file's docstring is what ``micrograde --help`` says of the command.
"""
