"""The usual course of a BACKUP and of a RESTORE, step by step, as all processes take part in it; pure."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vdi_conformance.model.steps import Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SERVER: Final = 0
PRIMARY: Final = 1
FETCHER: Final = 2
MAPPER: Final = 3
PROCESSES: Final = MappingProxyType({"server": SERVER, "primary": PRIMARY, "fetcher": FETCHER, "mapper": MAPPER})
"""Who takes part, by the numbers that the steps of a walk have for them."""
CLIENTS: Final = (PRIMARY, FETCHER, MAPPER)
WORKING: Final = MappingProxyType({PRIMARY: 0, FETCHER: 1})
IDLE: Final = MappingProxyType({PRIMARY: 2, FETCHER: 3})
"""The devices of each process: one that holds a buffer, and one on which GetCommand waits all the while."""
OWNERS: Final = MappingProxyType({device: by for devices in (WORKING, IDLE) for by, device in devices.items()})
KINDS: Final = MappingProxyType({"backup": "Write", "restore": "Read"})
MOVE: Final = "move"
"""The act of moving the bytes of every buffer that is held, through the addresses at which it is mapped."""


def course(operation: str) -> Mapping[str, Sequence[Step]]:
    """Give what leads from each crash point to the next, the last steps under the name of none."""
    kind = KINDS[operation]
    by_owner = sorted(OWNERS.items())
    return {
        "created": [Step("create", PRIMARY, len(OWNERS), "fresh")],
        "opened": [Step("server_open")],
        "configuring": [Step("server_configure", kind="begin")],
        "configured": [Step("server_configure", kind="end")],
        "told": [Step("get_configuration", PRIMARY)],
        "joined": [Step("join", by, 0, "set") for by in (FETCHER, MAPPER)],
        "offered": [Step("server_open_device", SERVER, device) for device, _ in by_owner],
        "taken": [Step("open_device", by, device, "device") for device, by in by_owner],
        "waiting": [Step("wait", by, device) for device, by in by_owner],
        "fetched": [Step("send", SERVER, device, kind) for device in WORKING.values()],
        "queued": [Step("send", SERVER, WORKING[FETCHER], "Flush")],
        "named": [Step("get_buffer_handle", by, device, "live 0") for by, device in WORKING.items()],
        "mapped": [
            Step("map_buffer_handle", by, WORKING[of], "live 0") for by in CLIENTS for of in WORKING if by != of
        ],
        "moved": [Step(MOVE, MAPPER)],
        "completed": [
            *(Step("complete_command", by, device, "held 0") for by, device in WORKING.items()),
            Step("get_command", FETCHER, WORKING[FETCHER]),
            Step("complete_command", FETCHER, WORKING[FETCHER], "held 0"),
        ],
        "ended": [
            *(Step("close_device", SERVER, device) for device, _ in by_owner),
            *(Step("get_command", by, device) for by, device in WORKING.items()),
        ],
        "left": [Step("close", by) for by in (FETCHER, MAPPER)],
        "": [Step("close", PRIMARY), Step("server_close")],
    }


def fresh_set() -> Sequence[Step]:
    """Give the steps of a small set from its beginning to its end: a secondary fetches, and the primary maps."""
    return [
        Step("create", PRIMARY, 1, "fresh"),
        Step("server_open"),
        Step("server_configure", kind="begin"),
        Step("server_configure", kind="end"),
        Step("get_configuration", PRIMARY),
        Step("join", FETCHER, 0, "set"),
        Step("server_open_device"),
        Step("open_device", FETCHER, 0, "device"),
        Step("send", SERVER, 0, "Write"),
        Step("get_command", FETCHER),
        Step("get_buffer_handle", FETCHER, 0, "live 0"),
        Step("map_buffer_handle", PRIMARY, 0, "live 0"),
        Step("complete_command", FETCHER, 0, "held 0"),
        Step("close_device"),
        Step("get_command", FETCHER),
        Step("close", FETCHER),
        Step("close", PRIMARY),
        Step("server_close"),
    ]


def passing(device: int) -> Sequence[Step]:
    """Give the steps that pass a command over a device on which GetCommand waits, and wait again."""
    by = OWNERS[device]
    return [
        Step("send", SERVER, device, "Flush"),
        Step("complete_command", by, device, "held 0"),
        Step("wait", by, device),
    ]


def concerns(step: Step, process: int) -> bool:
    """Tell whether a process takes part in a step."""
    if step.act in ("send", "close_device"):
        return process in (step.by, OWNERS[step.what])
    if step.act == MOVE:
        return process in CLIENTS
    if step.act == "complete_command":
        # The server is asked whether it has seen it.
        return process in (step.by, SERVER)
    return process == step.by
