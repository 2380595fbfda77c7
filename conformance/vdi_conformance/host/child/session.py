"""What a host process holds between requests: the adapter, and its objects by the ids that the parent gave them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from vdi_conformance.host.codes import INVALID_PARAMS, INVALID_REQUEST, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.contract import Adapter, NativeAbi, ScriptedServer, VirtualDevice, VirtualDeviceSet
    from vdi_conformance.host.child.dispatch import DispatchedCall

T = TypeVar("T")


@dataclass
class Session:
    """The state of one host process; what was released stays known, so that stale use can be tried.

    `let_go` starts calls at the same moment, each on the thread of its label; `end_thread` ends that of a label.
    """

    target: str
    own_layout: bool
    let_go: Callable[[tuple[DispatchedCall, ...]], None]
    end_thread: Callable[[str], None]
    adapter: Adapter | None = None
    sets: dict[str, VirtualDeviceSet] = field(default_factory=dict)
    devices: dict[str, VirtualDevice] = field(default_factory=dict)
    servers: dict[str, ScriptedServer] = field(default_factory=dict)
    _abi: NativeAbi | None = None

    def loaded(self) -> Adapter:
        """Give the adapter; there is none before `initialize`."""
        if self.adapter is None:
            raise Refused(INVALID_REQUEST, "the first request must be initialize, and must succeed")
        return self.adapter

    def abi(self) -> NativeAbi:
        """Give the compiled library behind the adapter."""
        if self._abi is None:
            self._abi = self.loaded().native_abi()
        return self._abi

    def set(self, id_: str) -> VirtualDeviceSet:
        """Give the client object of that id."""
        return _known(self.sets, "set", id_)

    def device(self, id_: str) -> VirtualDevice:
        """Give the device of that id."""
        return _known(self.devices, "device", id_)

    def server(self, id_: str) -> ScriptedServer:
        """Give the scripted server of that id."""
        return _known(self.servers, "server", id_)


def _known(objects: dict[str, T], kind: str, id_: str) -> T:
    try:
        return objects[id_]
    except KeyError:
        raise Refused(INVALID_PARAMS, f"no {kind} is known by the id {id_!r}: one must have been made first") from None
