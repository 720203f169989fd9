"""Access units to sealed files: segment writer, index, retention, recovery, check."""
