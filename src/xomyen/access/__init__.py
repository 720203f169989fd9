"""Tickets: issue them, check them, revoke them; and the one-time codes that sign the first user in."""
