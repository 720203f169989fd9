"""Evidence: hash tree, seal, manifest and verify; usable without the rest of the package."""
