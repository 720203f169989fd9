"""What holds for all tests."""

from hypothesis import settings

# No test asserts how long something takes: machines are busy.
settings.register_profile("xomyen", deadline=None)
settings.load_profile("xomyen")
