"""Tags of forms."""
