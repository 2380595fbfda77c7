"""The compiled library as the C++ classes of Linux, by raw calls: symbols, objects and types."""

import time
from typing import Final

import pytest

from vdi_conformance.harness.expectations import PendingAnswer, Result
from vdi_conformance.harness.judging import vdi_requirement
from vdi_conformance.harness.native import (
    CONSTRUCTOR,
    DESTRUCTOR,
    DEVICE_CONSTRUCTOR,
    DEVICE_DESTRUCTOR,
    OBJECT_SIZE,
    SYMBOLS,
)
from vdi_conformance.harness.native_set import NativeBackup, let_time_pass, set_of
from vdi_conformance.harness.scenario import USUAL, Scenario
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.host.messages.native import Returned
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_PROTOCOL

UNDESCRIBED = "_ZN22ClientVirtualDeviceSet20RegisterDeviceClosedEv"
ENDLESS: Final = {8: (-1, -2, -(1 << 40)), 4: (-1, -2, -(1 << 31))}
"""Time-outs without limit by the width of a time; the last one of 64 bits is below all that 32 bits can hold."""
SECONDS: Final = 3.0
"""So long a wait without limit is watched; no library shows its end."""
LONGER: Final = (1, 3)
"""The simplest time-out, of milliseconds or of seconds (Q53), so often that it outlasts the smallest numbers."""
ABI: Final = "libsqlvdi"


@vdi_requirement("LNX-01")
def test_both_classes_serve_a_whole_backup(testbed: Testbed) -> None:
    """ClientVirtualDeviceSet and ClientVirtualDevice serve a whole BACKUP, with the result numbers of Windows."""
    start = testbed.native(ABI)
    backup = NativeBackup(testbed, start)
    joined = set_of(start("secondary by raw calls"))
    joined.open_in_secondary(backup.name).expect(NOERROR)
    backup.share(joined)
    joined.close().expect(NOERROR)
    backup.finish()


@vdi_requirement("LNX-02")
def test_every_method_has_its_symbol(testbed: Testbed) -> None:
    """Every method, constructor and destructor of both classes is exported under its Itanium-ABI symbol name."""
    process = testbed.native(ABI)("client")
    ends = (CONSTRUCTOR, DESTRUCTOR, DEVICE_CONSTRUCTOR, DEVICE_DESTRUCTOR)
    # Those of whole objects are variant 1, those that derived classes call are variant 2.
    of_derived = (symbol.replace("1Ev", "2Ev") for symbol in ends)
    missing = [symbol for symbol in (*SYMBOLS.values(), *ends, *of_derived) if process.find(symbol) is None]
    assert not missing, f"the library exports no {', '.join(missing)}"


@vdi_requirement("LNX-03")
def test_a_device_takes_no_more_than_a_pointer(testbed: Testbed) -> None:
    """A ClientVirtualDevice holds one pointer: its constructor writes no more than 8 bytes."""
    process = testbed.native(ABI)("client")
    this = process.variable(OBJECT_SIZE)
    # Whether one that no OpenDevice gave can be destroyed is nowhere said.
    process.send(process.symbol(DEVICE_CONSTRUCTOR), (this, process.pointer)).result()
    process.require_guard(this, OBJECT_SIZE, "the constructor of a device")


@vdi_requirement("LNX-03")
def test_an_object_takes_no_more_than_a_pointer(testbed: Testbed) -> None:
    """A ClientVirtualDeviceSet holds one pointer: no call on it writes more than 8 bytes there."""
    process = testbed.native(ABI)("client")
    made = set_of(process)
    made.create(testbed.name(), USUAL.config.pack()).expect(NOERROR)
    made.close().expect(NOERROR)
    process.require_guard(made.this, OBJECT_SIZE, "a client object")
    process.send(process.symbol(DESTRUCTOR), (made.this, process.pointer)).result()
    process.require_guard(made.this, OBJECT_SIZE, "the destructor of a client object")


@pytest.mark.vdi_timing
@vdi_requirement("LNX-05")
def test_get_configuration_waits_without_limit_for_a_negative_time(testbed: Testbed) -> None:
    """GetConfiguration with a negative time-out waits for seconds and goes on, until SignalAbort ends it."""
    process = testbed.native(ABI)("client")
    endless = ENDLESS[process.pointer]
    sets = [set_of(process) for _ in endless]
    for made in sets:
        made.create(testbed.name(), USUAL.config.pack()).expect(NOERROR)
    waiting = [
        made.send_get_configuration(timeout, thread=f"waiter {timeout}")
        for made, timeout in zip(sets, endless, strict=True)
    ]
    let_time_pass(testbed, process, *LONGER)
    testbed.session.supervisor.wait_any([later.pending for later in waiting], SECONDS)
    for later, timeout in zip(waiting, endless, strict=True):
        assert not later.done, f"GetConfiguration with the time-out {timeout} came to an end"
    for made, later in zip(sets, waiting, strict=True):
        made.signal_abort().expect(NOERROR)
        later.result().expect(VD_E_ABORT)


@pytest.mark.vdi_timing
@vdi_requirement("LNX-05")
def test_get_command_waits_without_limit_for_a_negative_time(testbed: Testbed) -> None:
    """GetCommand with a negative time-out waits for seconds, until a command comes or SignalAbort ends it."""
    first = NativeBackup(testbed, testbed.native(ABI))
    simplest, *others = ENDLESS[first.process.pointer]
    backups = {simplest: first} | {timeout: NativeBackup(testbed, testbed.native(ABI)) for timeout in others}
    waits = {timeout: _wait(backup, timeout) for timeout, backup in backups.items()}
    # What the server sends while it waits for the completion of others is held as well.
    end = time.monotonic() + SECONDS
    while (left := end - time.monotonic()) > 0:
        testbed.session.supervisor.wait_any([later.pending for later in waits.values()], left)
        for timeout in [timeout for timeout, later in waits.items() if later.done]:
            waits[timeout].result().expect(NOERROR)
            waits[timeout] = _wait(backups[timeout], timeout)
    for timeout, backup in backups.items():
        backup.set.signal_abort().expect(NOERROR)
        backup.device.await_abort(waits[timeout])


def _wait(backup: NativeBackup, timeout: int) -> PendingAnswer[Returned, Result[int]]:
    return backup.device.send_get_command(timeout, thread="waiter")


@vdi_requirement("LNX-09")
def test_a_handle_is_the_same_32_bits_whatever_their_sign(testbed: Testbed) -> None:
    """MapBufferHandle takes as an int the same bits that GetBufferHandle stored as an unsigned int."""
    start = testbed.native(ABI)
    for _ in range(4):
        backup = NativeBackup(testbed, start, Scenario(transfers=6))
        joined = set_of(start("secondary by raw calls"))
        joined.open_in_secondary(backup.name).expect(NOERROR)
        for _ in range(4):
            backup.share(joined)
        joined.close().expect(NOERROR)
        backup.finish()


@vdi_requirement("LNX-08")
def test_a_set_that_nobody_created_cannot_be_joined(testbed: Testbed) -> None:
    """OpenInSecondary gives VD_E_PROTOCOL when the set has not been created."""
    start = testbed.native(ABI)
    stranger = set_of(start("stranger"))
    stranger.open_in_secondary(testbed.name()).expect(VD_E_PROTOCOL)
    # Who refuses everything refuses nothing wrong.
    backup = NativeBackup(testbed, start)
    stranger.open_in_secondary(backup.name).expect(NOERROR)
    stranger.close().expect(NOERROR)
    backup.finish()


@vdi_requirement("LNX-16")
def test_the_method_without_a_description_is_exported(testbed: Testbed) -> None:
    """Whether RegisterDeviceClosed, which the header has without description, is exported is recorded."""
    process = testbed.native(ABI)("client")
    testbed.observe("LNX-16", "RegisterDeviceClosed", "exported" if process.find(UNDESCRIBED) else "missing")
