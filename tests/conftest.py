"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# No test asserts how long something takes: machines are busy. Examples are the same in every run, so that a test fails
# for what was changed and not by chance; tests/fuzz looks for what nobody thought of.
settings.register_profile("xomyen", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("xomyen")
