"""Runs that name no adapter: whoever asks for the suite all the same is told in one sentence what is missing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from vdi_conformance.pytest_plugin.usage_errors import refuse

SUITE: Final = Path(__file__).resolve().parent.parent / "suite"
REMEDY: Final = "add --vdi-adapter REF, such as --vdi-adapter emulator"


def refuse_options(given: Sequence[str]) -> None:
    """Refuse options of ours that speak of no adapter."""
    if given:
        verb = "asks" if len(given) == 1 else "ask"
        raise pytest.UsageError(f"{' and '.join(given)} {verb} for a run of the suite without an adapter: {REMEDY}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse to run checks, wherever they were named from."""
    if any(path.is_relative_to(SUITE) for path in {item.path for item in items}):
        refuse(config, items, f"the checks of vdi_conformance.suite judge an adapter, and none is named: {REMEDY}")
