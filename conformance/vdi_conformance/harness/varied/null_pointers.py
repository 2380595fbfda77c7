"""Null pointers under conditions: given only where the library is known to answer them, since a death ends a set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.judging import ConformanceFailure
from vdi_conformance.harness.varied.questions import Question
from vdi_conformance.host.errors import HostError
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import VD_E_INVALID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.host.spec import AdapterSpec

_SURVIVES: Final[dict[AdapterSpec, bool]] = {}
"""What was found out in this process of the run, by the adapter of the client."""


def are_survived(testbed: Testbed) -> bool:
    """Tell whether the library lives on after null pointers, as an ordinary set shows once; ask before anything starts.

    A death is judged elsewhere, method by method.
    """
    library = testbed.session.parties.client
    if library not in _SURVIVES:
        try:
            statement = testbed.backup()
            command = statement.next_data_command()
            handle = statement.primary.get_buffer_handle(command.buffer).value
            outs = can_be_out(testbed)
            for question in [*of_a_set(statement.primary, handle, outs), *of_a_command(command, outs)]:
                question.ask()
        except (ConformanceFailure, HostError):
            _SURVIVES[library] = False
        else:
            _SURVIVES[library] = True
        testbed.clear()
    return _SURVIVES[library]


def can_be_out(testbed: Testbed) -> bool:
    """Tell whether the adapter can hand on that an out pointer is null."""
    return testbed.session.parties.client_capabilities.null_out_pointers


def of_a_set(client: Client, handle: int | None, outs: bool) -> Iterator[Question]:
    """Give what any object of a set can be asked; a handle is one of a buffer."""
    if outs:
        yield Question(lambda: client.get_configuration(0, null_out=True), "CFG-26")
        if handle is not None:
            yield Question(lambda: client.map_buffer_handle(handle, null_out=True), "MBH-28")


def of_a_command(command: Fetched, outs: bool) -> Iterator[Question]:
    """Give what can be asked of whoever holds a command."""
    device = command.device
    yield Question(lambda: device.complete(0, ERROR_SUCCESS, command.size), "CMP-04", (VD_E_INVALID,))
    if outs:
        yield Question(lambda: device.client.get_buffer_handle(command.buffer, null_out=True), "GBH-10")
