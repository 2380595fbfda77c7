"""What holds for all selftests: how fast Hypothesis draws and tries examples is no matter of theirs."""

from hypothesis import HealthCheck, settings

settings.register_profile("selftests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("selftests")
