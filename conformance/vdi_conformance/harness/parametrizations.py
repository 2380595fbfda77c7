"""Variants that checks of several topics come in."""

from __future__ import annotations

from itertools import cycle
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vdi_conformance.harness.testbed import Testbed

OWNER_NAMES: Final = ("primary", "secondary")
OWNERS: Final = pytest.mark.parametrize("owner", [0, 1], ids=OWNER_NAMES)
"""Who fetches, as the place among the clients."""

BACKUP: Final = pytest.mark.parametrize("kind", ["backup"])
RESTORE: Final = pytest.mark.parametrize("kind", ["restore"])
"""One direction, for requirements that are about neither; checks take them in turn."""

ALONE_OR_NOT: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType({"backup": (0,), "restore": (0, 1)})
"""Owners of devices, one process for a BACKUP and two for a RESTORE: for what holds in both, so that profiles of
one process have a check of them."""

_DIRECTIONS: Final = ("backup", "restore")


def alternating_direction(name: str, values: Sequence[object], names: Sequence[str] = ()) -> pytest.MarkDecorator:
    """Give each value one direction, BACKUP and RESTORE in turn: for what is not about both of them together.

    `names` are what the values are called in the ids of checks, where they do not speak for themselves.
    """
    return pytest.mark.parametrize(
        ("kind", name),
        [
            pytest.param(kind, value, id=f"{kind}-{called}")
            for kind, value, called in zip(cycle(_DIRECTIONS), values, names or values, strict=False)
        ],
    )


def no_such_instance(testbed: Testbed) -> str:
    """Name an instance that does not exist; where others need no set-up, one that no instance can be called."""
    return "NO SUCH INSTANCE!" if testbed.session.parties.client_capabilities.named_instances else "NOSUCHINSTANCE"
