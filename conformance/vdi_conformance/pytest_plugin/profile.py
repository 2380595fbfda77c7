"""The profile of a run: which checks belong to it, and what it lets them ask for."""

from typing import Final

import pytest

from vdi_conformance.requirements.profiles import Profile, profile
from vdi_conformance.untrusted.printable import shown

PROFILE: Final = pytest.StashKey[Profile | None]()


def pytest_configure(config: pytest.Config) -> None:
    """Find the profile, or end with a usage error (exit code 4); the option then names its version too."""
    word = config.getoption("vdi_profile")
    try:
        config.stash[PROFILE] = profile(word) if word else None
    except ValueError as error:
        raise pytest.UsageError(shown(str(error))) from error
    if (found := config.stash[PROFILE]) is not None:
        config.option.vdi_profile = found.label
