"""What two sides can be asked for both: sequences are cut to that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vdi_conformance.differences.sequences import Sequence
from vdi_conformance.differences.server_acts import ACTS as SCRIPTED
from vdi_conformance.differences.steps import SERVER, Step, step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vdi_conformance.harness.worker_session import Parties

STATEMENT: Final = step("1 statement")
DISPENSABLE: Final = ("send", "completion")
"""Steps of a server that a statement takes by itself, or that cannot be seen of it."""


@dataclass(frozen=True)
class Limits:
    """What both sides have: a server that is told every step, and null out pointers."""

    scripted: bool = True
    null_pointers: bool = True

    @classmethod
    def of(cls, *sides: Parties) -> Limits:
        """Give what all of them have."""
        return cls(
            all(one.server_capabilities.server == "scripted" for one in sides),
            all(one.client_capabilities.null_out_pointers for one in sides),
        )

    def cut(self, sequences: Iterable[Sequence]) -> Iterator[Sequence]:
        """Give sequences as far as they can be played; those of which nothing is left are left out."""
        for one in sequences:
            if steps := tuple(self._possible(one.steps)):
                yield Sequence(one.name, steps)

    def _possible(self, steps: Iterable[Step]) -> Iterator[Step]:
        for one in steps:
            if one.argument("null") and not self.null_pointers:
                continue
            if self.scripted or one.by != SERVER:
                yield one
            elif one.act == "configure" and one.argument("set", "1") == "1":
                yield STATEMENT
            elif one.act in SCRIPTED and one.act not in DISPENSABLE:
                return
