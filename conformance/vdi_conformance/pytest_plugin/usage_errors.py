"""Usage errors that only the collected tests show: they end the run before any test, with and without pytest-xdist."""

from typing import Any, Final

import pytest

_KEY: Final = "vdi_refused"


def refuse(config: pytest.Config, items: list[pytest.Item], sentence: str) -> None:
    """End the run with one sentence; a worker of pytest-xdist cannot, so it runs nothing and tells the controller."""
    if not hasattr(config, "workerinput"):
        raise pytest.UsageError(sentence)
    config.workeroutput[_KEY] = sentence  # type: ignore[attr-defined]
    items.clear()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """End the run for what a worker refused."""
    if sentence := getattr(node, "workeroutput", {}).get(_KEY):
        raise pytest.UsageError(sentence)
