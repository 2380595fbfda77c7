"""The adapter over COM: each method calls its slot, with its arguments in their order, and reports what came."""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING

import pytest

from selftest.adapters.fake_com import Fake
from vdi_conformance.adapters.sqlserver_windows import SqlServer
from vdi_conformance.adapters.sqlvdi_com import SqlvdiDevice, SqlvdiSet
from vdi_conformance.contract import OUT_UNTOUCHED, Command, Environment, Outcome, Unavailable
from vdi_conformance.vdi.hresult import NOERROR, VD_E_INVALID, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import INFINITE, VDConfig

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UNTOUCHED = OUT_UNTOUCHED & 0xFFFFFFFF
CONFIG = VDConfig(*range(1, 12))
ADDRESS = 0xFFFF_8765_4321_0000
RECORD = ctypes.create_string_buffer(b"\xff\xff\xff\xff\x02\0\0\x80" + b"\xfe" * 8 + ADDRESS.to_bytes(8, "little"))


@pytest.mark.parametrize(
    ("slot", "call"),
    [
        (2, lambda made: made.release()),
        (3, lambda made: made.create("s", CONFIG)),
        (4, lambda made: made.get_configuration(7)),
        (5, lambda made: made.open_device("d")),
        (6, lambda made: made.close()),
        (7, lambda made: made.signal_abort()),
        (8, lambda made: made.open_in_secondary("s")),
        (9, lambda made: made.get_buffer_handle(ADDRESS)),
        (10, lambda made: made.map_buffer_handle(0xFFFFFFFF)),
        (11, lambda made: made.create_ex("i", "s", CONFIG)),
        (12, lambda made: made.open_in_secondary_ex("i", "s")),
    ],
)
def test_every_method_of_the_set_calls_its_slot(slot: int, call: Callable[[SqlvdiSet], object]) -> None:
    fake = Fake()
    call(SqlvdiSet(fake.address))
    assert [called for called, _ in fake.called] == [slot]


def test_null_is_passed_as_null() -> None:
    fake = Fake()
    made = SqlvdiSet(fake.address)
    made.create_ex(None, None, None)
    assert fake.called[-1][1][:3] == (0, 0, 0)
    made.get_buffer_handle(ADDRESS, null_out=True)
    assert fake.called[-1][1][:2] == (ADDRESS, 0)


def test_a_code_is_given_as_it_came_and_out_variables_as_they_were_left() -> None:
    made = SqlvdiSet(Fake(VD_E_INVALID).address)
    assert made.close() == VD_E_INVALID
    assert made.get_buffer_handle(ADDRESS) == Outcome(VD_E_INVALID, UNTOUCHED)
    assert made.map_buffer_handle(1) == Outcome(VD_E_INVALID, OUT_UNTOUCHED)
    assert made.get_configuration(0) == Outcome(VD_E_INVALID, VDConfig(*[UNTOUCHED] * 11))
    assert made.open_device("d").value is not None


def test_out_variables_are_read() -> None:
    assert SqlvdiSet(Fake(write=(1, CONFIG.pack())).address).get_configuration(INFINITE).value == CONFIG
    assert SqlvdiSet(Fake(write=(1, b"\xff" * 4)).address).get_buffer_handle(1).value == 0xFFFFFFFF
    assert SqlvdiSet(Fake(write=(1, bytes(8))).address).open_device("d") == Outcome(NOERROR, None)


def test_a_command_is_read_from_its_record() -> None:
    record = ctypes.addressof(RECORD)
    fake = Fake(write=(1, record.to_bytes(8, "little")))
    found = SqlvdiDevice(fake.address).get_command(INFINITE)
    assert found == Outcome(NOERROR, Command(record, 0xFFFFFFFF, 0x80000002, 0xFEFEFEFEFEFEFEFE, ADDRESS))
    assert fake.called[0][0] == 3
    assert fake.called[0][1][0] & 0xFFFFFFFF == INFINITE


def test_without_a_command_there_is_no_record() -> None:
    assert SqlvdiDevice(Fake(VD_E_TIMEOUT).address).get_command(0) == Outcome(VD_E_TIMEOUT)


def test_a_completion_passes_every_argument_by_value() -> None:
    fake = Fake()
    assert SqlvdiDevice(fake.address).complete_command(ADDRESS, 0xFFFFFFFF, 0x80000001, 1 << 63) == NOERROR
    ((slot, (command, code, size, position, _)),) = fake.called
    assert (slot, command, code & 0xFFFFFFFF, size & 0xFFFFFFFF, position) == (
        4,
        ADDRESS,
        0xFFFFFFFF,
        0x80000001,
        1 << 63,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="what a machine without the class answers")
def test_a_class_that_is_not_registered_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"no COM class \{40700425-.*\} is registered .*: install SQL Server or"):
        SqlServer(Environment(str(tmp_path)))
