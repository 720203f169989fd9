"""What can be done with units, posts, schemes and papers."""
