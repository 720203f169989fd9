"""Watching: tickets for nodes, the wall with its layouts, the player, the map, bookmarks."""
