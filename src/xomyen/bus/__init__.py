"""Subjects, messages, streams and the embedded bus server."""
