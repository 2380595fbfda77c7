"""What an observer of a broker is told: who came and went, and each call with its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.emulator.state import CallAnswer

WATCHED: Final = "watched"
"""The file of a broker's directory that asks client libraries to tell of misuse that the broker cannot see."""


class Observer(Protocol):
    """Is told of everything in its order, on the broker's thread, and must neither wait nor raise.

    `connection` stands for one thread of a process: each call on it is answered before the next one, or never.
    """

    def came(self, process: int) -> None:
        """Take note of a process that will make calls; numbers begin with 1."""

    def called(self, connection: object, process: int, name: str, fields: Sequence[Any]) -> None:
        """Take note of a call: the number of its object in the process, and the arguments."""

    def answered(self, connection: object, answer: CallAnswer) -> None:
        """Take note of the answer to the call under way there."""

    def went(self, process: int) -> None:
        """Take note of the end of a process."""
