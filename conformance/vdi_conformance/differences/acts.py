"""Everything that a step may do, by its name."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vdi_conformance.differences import (
    device_acts,
    process_acts,
    server_acts,
    set_acts,
    sharing_acts,
    statement_acts,
)
from vdi_conformance.differences.playing import Playing
from vdi_conformance.differences.seen import Seen
from vdi_conformance.differences.steps import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

Act = Callable[[Playing, Step], Seen]
"""Takes a step, and tells what is seen of it."""

ACTS: Final[Mapping[str, Act]] = MappingProxyType(
    {
        **set_acts.ACTS,
        **device_acts.ACTS,
        **sharing_acts.ACTS,
        **process_acts.ACTS,
        **server_acts.ACTS,
        **statement_acts.ACTS,
    }
)
