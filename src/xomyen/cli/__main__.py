"""`python -m xomyen.cli`, the same as `xomyen`."""

from xomyen.cli import main

main()
