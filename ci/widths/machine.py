"""A machine of the emulator for clients of different widths: what the scripts here have in common."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vdi_conformance.adapters import resolve
from vdi_conformance.host.messages.client import MapBufferHandle, NewSet, OpenInSecondary
from vdi_conformance.host.messages.memory import ReadMemory, WriteMemory
from vdi_conformance.host.supervisor import Supervisor
from vdi_conformance.vdi.hresult import NOERROR, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.host.process import Host
    from vdi_conformance.host.spec import AdapterSpec

SET: Final = "widths"
"""The name of the set, and of its only device."""
SET_ID: Final = "s"
THREAD: Final = "t"
THE_SAME: Final = "the same memory"


class Machine:
    """The broker and the server, 64-bit processes with a directory of their own."""

    def __init__(self, supervisor: Supervisor, directory: Path) -> None:
        self.directory = directory
        self._supervisor = supervisor
        directory.mkdir(exist_ok=True)
        emulator = resolve("emulator")
        _ = supervisor.launch(emulator, "broker", "broker", directory=str(directory)).initialized
        self.server = supervisor.launch(emulator, "server", "server", directory=str(directory))

    def client(self, spec: AdapterSpec, name: str) -> Host:
        """Start a process of a client, with an object."""
        host = self._supervisor.launch(spec, "client", name, directory=str(self.directory))
        host.call(NewSet(set=SET_ID))
        return host


@contextmanager
def machine(within: str = "") -> Iterator[Machine]:
    """Have a machine, and end every process of it; `within` is a further directory below that of the run."""
    with Supervisor() as supervisor:
        yield Machine(supervisor, Path(supervisor.directory) / within)


class Sharing:
    """A buffer that a secondary maps by its handle, as far as that goes."""

    def __init__(self, secondary: Host, handle: int) -> None:
        self._secondary = secondary
        joined = secondary.call(OpenInSecondary(set=SET_ID, name=SET, thread=THREAD)).code
        mapped = secondary.call(MapBufferHandle(set=SET_ID, handle=handle, thread=THREAD))
        self._address = mapped.address if joined == mapped.code == NOERROR else None
        self.seen = f"OpenInSecondary gave {name_of(joined)}, MapBufferHandle {name_of(mapped.code)}"

    def write(self, data: str) -> None:
        """Store bytes, in hexadecimal, at the beginning."""
        if self._address is not None:
            self._secondary.call(WriteMemory(address=self._address, data=data))

    def reads(self, data: str) -> bool:
        """Tell whether these bytes are at the beginning."""
        if self._address is None:
            return False
        return self._secondary.call(ReadMemory(address=self._address, size=len(data) // 2)).data == data
