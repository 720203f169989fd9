"""Pages with pictures, and what they ask for."""
