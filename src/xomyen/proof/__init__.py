"""Evidence: keys, hash tree, seals, manifests and their verification; usable without the rest of the package."""
