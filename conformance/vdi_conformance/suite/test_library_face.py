"""The compiled library as the C++ classes of Linux, by raw calls: symbols, objects and types."""

from typing import Final

import pytest

from vdi_conformance.suite.judging import judges
from vdi_conformance.suite.native import (
    CONSTRUCTOR,
    DESTRUCTOR,
    DEVICE_CONSTRUCTOR,
    DEVICE_DESTRUCTOR,
    OBJECT_SIZE,
    SYMBOLS,
)
from vdi_conformance.suite.native_scene import NativeBackup, let_time_pass, set_of
from vdi_conformance.suite.scene import USUAL, Geometry
from vdi_conformance.suite.stage import Stage
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_PROTOCOL

UNDESCRIBED = "_ZN22ClientVirtualDeviceSet20RegisterDeviceClosedEv"
ENDLESS: Final = (-1, -2, -(1 << 40))
LONGER: Final = (1, 3)
"""The shortest time-out, of milliseconds or of seconds (Q53), so often that it outlasts the smallest numbers."""
FACE: Final = "libsqlvdi"


@judges("LNX-01")
def test_both_classes_serve_a_whole_backup(stage: Stage) -> None:
    start = stage.native(FACE)
    backup = NativeBackup(stage, start)
    joined = set_of(start("secondary by raw calls"))
    joined.open_in_secondary(backup.name).expect(NOERROR)
    backup.share(joined)
    joined.close().expect(NOERROR)
    backup.finish()


@judges("LNX-02")
def test_every_method_has_its_symbol(stage: Stage) -> None:
    process = stage.native(FACE)("client")
    ends = (CONSTRUCTOR, DESTRUCTOR, DEVICE_CONSTRUCTOR, DEVICE_DESTRUCTOR)
    # Those of whole objects are variant 1, those that derived classes call are variant 2.
    of_derived = (symbol.replace("1Ev", "2Ev") for symbol in ends)
    missing = [symbol for symbol in (*SYMBOLS.values(), *ends, *of_derived) if process.find(symbol) is None]
    assert not missing, f"the library exports no {', '.join(missing)}"


@judges("LNX-03")
def test_a_device_takes_no_more_than_a_pointer(stage: Stage) -> None:
    process = stage.native(FACE)("client")
    this = process.variable(OBJECT_SIZE)
    # Whether one that no OpenDevice gave can be destroyed is nowhere said.
    process.send(process.symbol(DEVICE_CONSTRUCTOR), (this, process.pointer)).result()
    process.require_guard(this, OBJECT_SIZE, "the constructor of a device")


@judges("LNX-03")
def test_an_object_takes_no_more_than_a_pointer(stage: Stage) -> None:
    process = stage.native(FACE)("client")
    made = set_of(process)
    made.create(stage.name(), USUAL.config.pack()).expect(NOERROR)
    made.close().expect(NOERROR)
    process.require_guard(made.this, OBJECT_SIZE, "a client object")
    process.send(process.symbol(DESTRUCTOR), (made.this, process.pointer)).result()
    process.require_guard(made.this, OBJECT_SIZE, "the destructor of a client object")


@pytest.mark.parametrize("timeout", ENDLESS)
@judges("LNX-05")
def test_get_configuration_waits_without_limit_for_a_negative_time(stage: Stage, timeout: int) -> None:
    process = stage.native(FACE)("client")
    made = set_of(process)
    made.create(stage.name(), USUAL.config.pack()).expect(NOERROR)
    waiting = made.send_get_configuration(timeout, thread="waiter")
    let_time_pass(stage, process, *LONGER)
    assert not waiting.done, "GetConfiguration with a negative time-out ended before finite ones"
    made.signal_abort().expect(NOERROR)
    waiting.result().require(VD_E_ABORT)


@pytest.mark.parametrize("timeout", ENDLESS)
@judges("LNX-05")
def test_get_command_waits_without_limit_for_a_negative_time(stage: Stage, timeout: int) -> None:
    backup = NativeBackup(stage, stage.native(FACE))
    # What the server sends while it waits for the completion of others is held as well.
    waiting = backup.device.send_get_command(timeout, thread="waiter")
    let_time_pass(stage, backup.process, *LONGER)
    while waiting.done:
        waiting.result().expect(NOERROR)
        waiting = backup.device.send_get_command(timeout, thread="waiter")
        let_time_pass(stage, backup.process, *LONGER)
    backup.set.signal_abort().expect(NOERROR)
    backup.device.await_abort(waiting)


@judges("LNX-09")
def test_a_handle_is_the_same_32_bits_whatever_their_sign(stage: Stage) -> None:
    start = stage.native(FACE)
    for _ in range(4):
        backup = NativeBackup(stage, start, Geometry(transfers=6))
        joined = set_of(start("secondary by raw calls"))
        joined.open_in_secondary(backup.name).expect(NOERROR)
        for _ in range(4):
            backup.share(joined)
        joined.close().expect(NOERROR)
        backup.finish()


@judges("LNX-08")
def test_a_set_that_nobody_created_cannot_be_joined(stage: Stage) -> None:
    start = stage.native(FACE)
    stranger = set_of(start("stranger"))
    stranger.open_in_secondary(stage.name()).expect(VD_E_PROTOCOL)
    # Who refuses everything refuses nothing wrong.
    backup = NativeBackup(stage, start)
    stranger.open_in_secondary(backup.name).expect(NOERROR)
    stranger.close().expect(NOERROR)
    backup.finish()


@judges("LNX-16")
def test_the_method_without_a_description_is_exported(stage: Stage) -> None:
    process = stage.native(FACE)("client")
    stage.observe("LNX-16", "RegisterDeviceClosed", "exported" if process.find(UNDESCRIBED) else "missing")
