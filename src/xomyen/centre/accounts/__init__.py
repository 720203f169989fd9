"""People: who they are, which roles they hold where and until when, how they sign in, and paired screens."""
