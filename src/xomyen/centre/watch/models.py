"""Layouts of walls and bookmarks."""
