"""Variants that checks of several topics come in."""

from collections.abc import Sequence
from itertools import cycle
from typing import Final

import pytest

OWNER_NAMES: Final = ("primary", "secondary")
OWNERS: Final = pytest.mark.parametrize("owner", [0, 1], ids=OWNER_NAMES)
"""Who fetches, as the place among the participants."""

BACKUP: Final = pytest.mark.parametrize("kind", ["backup"])
RESTORE: Final = pytest.mark.parametrize("kind", ["restore"])
"""One direction, for rows that are about neither; checks take them in turn."""

_DIRECTIONS: Final = ("backup", "restore")


def in_turn(name: str, values: Sequence[object], names: Sequence[str] = ()) -> pytest.MarkDecorator:
    """Give each value one direction, BACKUP and RESTORE in turn: for rows that are not about both of them together.

    `names` are what the values are called in the ids of checks, where they do not speak for themselves.
    """
    return pytest.mark.parametrize(
        ("kind", name),
        [
            pytest.param(kind, value, id=f"{kind}-{called}")
            for kind, value, called in zip(cycle(_DIRECTIONS), values, names or values, strict=False)
        ],
    )
