"""``python -m segprep_cli``."""

from .main import main

main()
