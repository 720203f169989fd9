"""The append-only, hash-chained record of everything that matters, its check and its export."""
