"""The API of the centre: what its pages do, for programs, with access tokens."""
