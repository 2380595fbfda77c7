"""Lets 32-bit and 64-bit clients share a buffer, each as the primary in turn (Q63): `mixed.py ADAPTER32 ADAPTER64`.

To be run with the Python of `.venv`. The server is a 64-bit process of the emulator.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vdi_conformance.adapters import resolve
from vdi_conformance.host.messages.base import Config
from vdi_conformance.host.messages.client import (
    Close,
    CompleteCommand,
    Create,
    GetBufferHandle,
    GetCommand,
    GetConfiguration,
    OpenDevice,
)
from vdi_conformance.host.messages.memory import ReadMemory, WriteMemory
from vdi_conformance.host.messages.server import ExecuteStatement
from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, name_of
from vdi_conformance.vdi.structures import VDConfig
from widths.machine import SET, SET_ID, THE_SAME, THREAD, Sharing, machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.host.messages.client import CommandRecord
    from vdi_conformance.host.process import Host

WIDTHS: Final = (32, 64)
_DEVICE: Final = "d"
_MARKS: Final = ("c0ffee42", "0badcafe")
_MILLISECONDS: Final = 20000
_SECONDS: Final = 30
_BITS: Final = 8


class Strayed(Exception):
    """A call that this needs did not give NOERROR; the text says which."""


def main(*references: str) -> int:
    """Tell what each pair of widths came to; 1 where it was not the same memory, which it is with our stand-ins."""
    ended = 0
    for primary, secondary in ((0, 1), (1, 0)):
        try:
            seen = observed(references[primary], references[secondary], WIDTHS[primary], WIDTHS[secondary])
        except Strayed as reason:
            seen = str(reason)
        ended |= seen != THE_SAME
        told = f"Q63: a {WIDTHS[secondary]}-bit secondary of a {WIDTHS[primary]}-bit primary: {seen}\n"
        sys.stdout.write(told if seen == THE_SAME else f"FAILED  {told}")
    return ended


def observed(primary_reference: str, secondary_reference: str, *widths: int) -> str:
    """Run a BACKUP to its end, and say what the secondary sees of its first buffer."""
    with machine() as made:
        primary = made.client(resolve(primary_reference), "primary")
        secondary = made.client(resolve(secondary_reference), "secondary")
        found = [_BITS * host.initialized.process.pointer_bytes for host in (primary, secondary)]
        if found != list(widths):
            raise Strayed(f"the processes have {' and '.join(map(str, found))} bits")
        config = Config(**VDConfig(device_count=1)._asdict())
        _need("Create", primary.call(Create(set=SET_ID, name=SET, config=config, thread=THREAD)).code)
        statement = made.server.send(_backup())
        _open(primary)
        seen = "no data was moved"
        for command in _commands(primary):
            if command.code in DATA_COMMANDS and seen != THE_SAME:
                seen = _share(primary, secondary, command.buffer)
            _complete(primary, command)
        _need("Close", primary.call(Close(set=SET_ID, thread=THREAD)).code)
        if not statement.result(_SECONDS).succeeded:
            raise Strayed("the BACKUP failed")
        return seen


def _backup() -> ExecuteStatement:
    return ExecuteStatement(
        operation="backup",
        instance=None,
        devices=[SET],
        seed=0,
        size=1 << 18,
        block_size=512,
        max_transfer_size=1 << 16,
        buffer_count=4,
        thread="statement",
    )


def _open(primary: Host) -> None:
    waiting = GetConfiguration(set=SET_ID, timeout=_MILLISECONDS, thread=THREAD)
    _need("GetConfiguration", primary.call(waiting, patience=_SECONDS).code)
    _need("OpenDevice", primary.call(OpenDevice(set=SET_ID, name=SET, device=_DEVICE, thread=THREAD)).code)


def _commands(primary: Host) -> Iterator[CommandRecord]:
    """Give commands until there are no more."""
    fetching = GetCommand(device=_DEVICE, timeout=_MILLISECONDS, thread=THREAD)
    while (command := primary.call(fetching, patience=_SECONDS).command) is not None:
        yield command


def _complete(primary: Host, command: CommandRecord) -> None:
    completion = CompleteCommand(
        device=_DEVICE,
        command=command.address,
        completion_code=ERROR_SUCCESS,
        bytes_transferred=command.size if command.code in DATA_COMMANDS else 0,
        position="0x0",
        thread=THREAD,
    )
    _need("CompleteCommand", primary.call(completion).code)


def _share(primary: Host, secondary: Host, buffer: str) -> str:
    """Let each process store what the other one reads; the bytes that the server wrote are nobody's concern here."""
    asked = primary.call(GetBufferHandle(set=SET_ID, address=buffer, thread=THREAD))
    _need("GetBufferHandle", asked.code)
    assert asked.handle is not None
    sharing = Sharing(secondary, asked.handle)
    first, second = _MARKS
    sharing.write(first)
    there = primary.call(ReadMemory(address=buffer, size=len(first) // 2)).data == first
    primary.call(WriteMemory(address=buffer, data=second))
    return THE_SAME if there and sharing.reads(second) else f"{sharing.seen}, and then other bytes were found"


def _need(method: str, code: int) -> None:
    if code != NOERROR:
        raise Strayed(f"{method} gave {name_of(code)}")


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
