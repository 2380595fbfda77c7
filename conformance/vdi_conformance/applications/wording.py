"""The words in which verdicts speak of processes, commands and codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.vdi import completion

if TYPE_CHECKING:
    from vdi_conformance.applications.events import Call, ObjectKey
    from vdi_conformance.applications.sets import Command, Device


def process(owner: ObjectKey) -> str:
    """Name a process."""
    return f"process {owner.process}"


def command_of(command: Command, device: Device) -> str:
    """Name a command and its device."""
    return f"{command.name} of device {device.name!r}"


def outcome(call: Call) -> str:
    """Tell what a CompleteCommand said of its command."""
    _, _, code, count, _ = call.arguments
    return f"{completion.name_of(code)} and {count} bytes"


def led_to(command: Command) -> tuple[Call, ...]:
    """Give the calls of a command."""
    found = (command.fetched, command.exported, command.completed)
    return tuple(call for call in found if call is not None)
