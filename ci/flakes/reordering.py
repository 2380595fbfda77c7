"""A plugin of pytest that puts the checks into another order, which follows from `--order` alone.

Every worker must collect in one order, so that nothing but that number may decide it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--order", type=int, metavar="S", help="the seed of the order in which the checks are run")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Reorder, where that is asked for."""
    seed = config.getoption("--order")
    if seed is not None:
        items.sort(key=lambda item: item.nodeid)
        random.Random(seed).shuffle(items)
