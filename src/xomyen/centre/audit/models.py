"""The hash-chained record."""
