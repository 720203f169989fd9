"""Dates and numbers as people write them."""
