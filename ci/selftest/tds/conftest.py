"""A server for each test, and one for all those that only ask it something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from selftest.tds.scripted import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selftest.tds.scripted import Served


@pytest.fixture
def tds() -> Iterator[Served]:
    """Give a server that encrypts where a client wants that."""
    with served() as found:
        yield found
