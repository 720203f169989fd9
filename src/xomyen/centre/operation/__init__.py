"""Keeping a centre in order: its lock, its database's version, backup and examination."""
