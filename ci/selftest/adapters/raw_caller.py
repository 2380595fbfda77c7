"""Plays the 32-bit client of ci/widths/stack.py on the emulator: `raw_caller.py TAKEN LIBRARY SET`.

TAKEN is what it says that CompleteCommand took from the stack; `dies` ends it before that, `lies` has it read another
position than the one that was sent.
"""

import os
import sys

from vdi_conformance.adapters.emulator import Emulator
from vdi_conformance.contract import Environment
from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.structures import VDConfig

UNUSED = ("Create", "OpenInSecondary", "OpenInSecondaryEx", "SignalAbort", "QueryInterface", "AddRef", "Release")
POSITION = 0x0123456789ABCDEF
WAIT = 20000


def call(name: str, code: int, taken: int = 8, given: int = 8) -> None:
    """Say what a call did."""
    say("call", name, f"{code:08x}", str(taken), str(given))


def say(*words: str) -> None:
    """Write a line."""
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def main(behaviour: str, _library: str, name: str) -> None:
    """Run a device of a set to its end."""
    directory = os.environ["VDI_EMULATOR_DIRECTORY"].removeprefix("Z:").replace("\\", "/")
    made = Emulator(Environment(directory, 0, 1.0)).virtual_device_set()
    for unused in UNUSED:
        call(unused, 0)
    call("CreateEx", made.create_ex(None, name, VDConfig(device_count=1)))
    call("GetConfiguration", made.get_configuration(WAIT).code)
    code, device = made.open_device(name)
    call("OpenDevice", code)
    assert device is not None
    while True:
        code, command = device.get_command(WAIT)
        call("GetCommand", code)
        if command is None:
            break
        seen = command.position + (behaviour == "lies")
        say("command", f"{command.code:08x}", f"{command.size:08x}", f"{seen:016x}")
        if command.code in DATA_COMMANDS:
            code, handle = made.get_buffer_handle(command.buffer)
            call("GetBufferHandle", code)
            call("MapBufferHandle", made.map_buffer_handle(handle or 0).code)
            say("handle", str(handle))
            sys.stdin.readline()
            say("found", "c0ffee42")
        if behaviour == "dies":
            raise SystemExit(3)
        code = device.complete_command(command.address, 0, command.size, POSITION)
        call("CompleteCommand", code, int(behaviour) if behaviour.isdigit() else 24, 24)
    call("Close", made.close())


if __name__ == "__main__":
    main(*sys.argv[1:])
