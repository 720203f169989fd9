"""Tickets: signed permission that a node checks alone."""
