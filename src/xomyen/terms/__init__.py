"""What every room shares: ids, time, errors, words of the trade and settings.

Imports nothing but the standard library and pydantic.
"""
