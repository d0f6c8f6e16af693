"""`python -m rebirth`."""

from rebirth.cli import main

main()
