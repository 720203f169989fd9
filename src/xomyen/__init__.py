"""Xóm Yên: the open system a Vietnamese commune runs its community security cameras on."""

__version__ = "0.1.0"
