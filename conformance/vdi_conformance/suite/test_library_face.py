"""The compiled library as the C++ classes of Linux, by raw calls: symbols, objects and types."""

from typing import Final

import pytest

from vdi_conformance.suite.judging import judges
from vdi_conformance.suite.native import CONSTRUCTOR, DESTRUCTOR, SYMBOLS
from vdi_conformance.suite.native_scene import NativeBackup, set_of
from vdi_conformance.suite.scene import USUAL, Geometry
from vdi_conformance.suite.stage import Stage
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_PROTOCOL, VD_E_TIMEOUT

UNDESCRIBED = "_ZN22ClientVirtualDeviceSet20RegisterDeviceClosedEv"
OBJECT_SIZE = 8
SHORT = 50
"""A time-out in milliseconds that is long over when the answers are looked at."""
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
    wanted = {"the constructor": CONSTRUCTOR, "the destructor": DESTRUCTOR, **SYMBOLS}
    missing = [name for name, symbol in wanted.items() if process.find(symbol) is None]
    assert not missing, f"the library has no symbols for {', '.join(missing)}"


@judges("LNX-03")
def test_an_object_takes_no_more_than_a_pointer(stage: Stage) -> None:
    process = stage.native(FACE)("client")
    made = set_of(process)
    made.create(stage.name(), USUAL.config.pack()).expect(NOERROR)
    made.close().expect(NOERROR)
    process.require_guard(made.this, OBJECT_SIZE, "a client object")
    process.send(process.symbol(DESTRUCTOR), (made.this, process.pointer)).result()
    process.require_guard(made.this, OBJECT_SIZE, "the destructor of a client object")


@pytest.mark.parametrize("timeout", [-1, -1000, -(1 << 40)])
@judges("LNX-05")
def test_get_configuration_waits_without_limit_for_a_negative_time(stage: Stage, timeout: int) -> None:
    process = stage.native(FACE)("client")
    made = set_of(process)
    made.create(stage.name(), USUAL.config.pack()).expect(NOERROR)
    room = made.pointer(process.variable(44))
    waiting = made.send("GetConfiguration", made.time(timeout), room, thread="waiter")
    made.get_configuration(SHORT).require(VD_E_TIMEOUT)
    assert not waiting.done, "GetConfiguration with a negative time-out ended before a finite one"
    made.signal_abort().expect(NOERROR)
    assert waiting.result() == VD_E_ABORT


@pytest.mark.parametrize("timeout", [-1, -1000, -(1 << 40)])
@judges("LNX-05")
def test_get_command_waits_without_limit_for_a_negative_time(stage: Stage, timeout: int) -> None:
    backup = NativeBackup(stage, stage.native(FACE))
    held = [backup.next_write().address]
    while (found := backup.device.get_command(SHORT)).code == NOERROR:
        held.append(found.expect(NOERROR))
    found.require(VD_E_TIMEOUT)
    device = backup.device
    room = device.pointer(backup.process.variable())
    waiting = device.send("GetCommand", device.time(timeout), room, thread="waiter")
    device.get_command(SHORT).require(VD_E_TIMEOUT)
    assert not waiting.done, "GetCommand with a negative time-out ended before a finite one"
    backup.set.signal_abort().expect(NOERROR)
    assert waiting.result() == VD_E_ABORT


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
