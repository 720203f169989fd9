"""Mutated real input for every parser: seconds within `make test`, longer with `python -m tests.fuzz --seconds 600`."""
