"""Units as a dated tree, posts and their jurisdictions, schemes and the register of mandate documents."""
