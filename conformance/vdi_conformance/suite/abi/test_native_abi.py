"""The compiled library by raw calls: layouts and sizes that both of its ABIs share."""

import struct

import pytest

from vdi_conformance.harness.judging import ConformanceFailure, not_tested, set_up, vdi_requirement
from vdi_conformance.harness.memory import Seeded
from vdi_conformance.harness.native import CONFIG_SIZE, NativeProcess
from vdi_conformance.harness.native_set import BOTH, WRITE, NativeBackup, RawCommand, set_of
from vdi_conformance.harness.scenario import RICH, Scenario
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.commands import VDF_DISCARD, VDF_LIKE_TAPE
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT

OF_THE_CLIENT = 28
"""So many bytes of a configuration, at its beginning, are the client's."""
SIZES = Scenario(block_size=4096, max_transfer_size=131072, buffer_count=3, prefix_zone_size=1024, transfers=2)


def _field(configuration: bytes, offset: int) -> int:
    (number,) = struct.unpack_from("<I", configuration, offset)
    return int(number)


@vdi_requirement("ABI-11")
def test_a_configuration_lies_where_the_header_says(testbed: Testbed) -> None:
    """GetConfiguration stores the fields of VDConfig at the offsets that the header gives them."""
    backup = NativeBackup(testbed, testbed.native(*BOTH), SIZES)
    wanted = {"deviceCount": (0, 1), "prefixZoneSize": (8, 1024), "blockSize": (28, 4096)}
    wanted |= {"maxIODepth": (32, 4), "maxTransferSize": (36, 131072)}
    found = {name: _field(backup.configuration, offset) for name, (offset, _) in wanted.items()}
    assert found == {name: number for name, (_, number) in wanted.items()}
    assert _field(backup.configuration, 4) & 0x10000, "features, at offset 4, have no VDF_WriteMedia for a BACKUP"
    assert _field(backup.configuration, 12) % 4096 == 0, "alignment, at offset 12, is none of blocks"
    backup.finish()


@vdi_requirement("ABI-11")
def test_what_a_client_asks_for_is_read_where_the_header_says(testbed: Testbed) -> None:
    """Create reads the client's fields of VDConfig at the offsets that the header gives them."""
    testbed.need_scripted()
    testbed.need_default_instance()
    process = testbed.native(*BOTH)("primary by raw calls")
    asked = {0: 3, 4: VDF_LIKE_TAPE | VDF_DISCARD, 8: 512, 12: 8192, 16: 1024, 20: 1048576, 24: 61000}
    config = bytearray(CONFIG_SIZE)
    for offset, number in asked.items():
        struct.pack_into("<I", config, offset, number)
    name = testbed.name()
    set_up(lambda: set_of(process)).create(name, bytes(config)).expect(NOERROR)
    server = testbed.server()
    server.open(None, name).expect(NOERROR)
    told = server.get_configuration().expect(NOERROR).pack()
    found = {offset: _field(told, offset) for offset in asked}
    assert found == asked, f"by offset the client gave {asked}, the server was told {found}"


def _creator(testbed: Testbed, method: str) -> NativeProcess:
    """Start a process that can create a set of the default instance by that method."""
    if method == "CreateEx":
        return testbed.native("com")("primary by raw calls")
    testbed.need_default_instance()
    return testbed.native(*BOTH)("primary by raw calls")


@pytest.mark.parametrize("method", ["Create", "CreateEx"])
@vdi_requirement("CRE-11")
def test_the_structure_of_a_client_is_left_alone(testbed: Testbed, method: str) -> None:
    """Create and CreateEx do not change the structure that they are given."""
    process = _creator(testbed, method)
    made, given = set_of(process), RICH.config.pack()
    place = process.place(given)
    made.create_from(method, testbed.name(), place).expect(NOERROR)
    assert process.read(place, CONFIG_SIZE) == given, f"{method} changed the structure that it was given"
    made.close().expect(NOERROR)


@pytest.mark.parametrize("method", ["Create", "CreateEx"])
@vdi_requirement("CRE-11")
def test_the_structure_of_a_client_is_read_once(testbed: Testbed, method: str) -> None:
    """Create and CreateEx keep no reference to the structure that they are given."""
    testbed.need_scripted()
    process = _creator(testbed, method)
    made, name, given = set_of(process), testbed.name(), RICH.config.pack()
    place = process.place(given)
    made.create_from(method, name, place).expect(NOERROR)
    process.write(place, bytes([0xFF]) * CONFIG_SIZE)
    server = testbed.server()
    server.open(None, name).expect(NOERROR)
    told = server.get_configuration().expect(NOERROR).pack()
    assert told[:OF_THE_CLIENT] == given[:OF_THE_CLIENT], f"what was given to {method} was read after it"


@vdi_requirement("CMD-18")
def test_what_get_command_leaves_when_it_fails_is_recorded(testbed: Testbed) -> None:
    """What a GetCommand that gives VD_E_ABORT leaves in its out variable is recorded."""
    backup = NativeBackup(testbed, testbed.native(*BOTH))
    backup.set.signal_abort().expect(NOERROR)
    while (found := backup.device.get_command()).succeeded:
        pass
    found.expect(VD_E_ABORT)
    left = backup.process.number(backup.process.variable())
    answer = "null" if found.value is None else "untouched" if found.value == left else "something else"
    testbed.observe("Q23", "the out variable of GetCommand after VD_E_ABORT", answer)


@vdi_requirement("ABI-12")
def test_a_command_lies_where_the_header_says(testbed: Testbed) -> None:
    """The commands of a BACKUP have code, size and buffer at the offsets that the header gives them."""
    backup = NativeBackup(testbed, testbed.native(*BOTH), SIZES)
    sizes = []
    for record in backup.commands():
        if record.code == WRITE:
            sizes.append(record.size)
            backup.process.fill(record.buffer, Seeded(record.size), record.size)
        backup.complete(record)
    assert all(0 < size <= 131072 and size % 4096 == 0 for size in sizes), f"Writes had the sizes {sizes} at offset 4"
    backup.end()
    if 131072 not in sizes:
        not_tested(f"the server sent no full Write: the sizes at offset 4 are {sizes}")


@vdi_requirement("ABI-12")
def test_every_member_of_a_command_has_its_place(testbed: Testbed) -> None:
    """VDC_Command has commandCode at 0, size at 4, position at 8 and buffer at 16."""
    testbed.need_scripted()
    testbed.need_default_instance()
    process = testbed.native(*BOTH)("primary by raw calls")
    made, name = set_of(process), testbed.name()
    made.create(name, Scenario(features=0x173).config.pack()).expect(NOERROR)
    server = testbed.server()
    server.open(None, name).expect(NOERROR)
    server.begin_configuration(0x173 | 0x10000, 0, 512, 65536, testbed.scaled(10_000)).expect(NOERROR)
    server.request_buffers(65536, 512, 2).expect(NOERROR)
    server.end_configuration().expect(NOERROR)
    made.get_configuration().expect(NOERROR)
    server.open_device(name).expect(NOERROR)
    device = made.open_device(name).expect(NOERROR)
    buffer = server.allocate_buffer(65536, 512).expect(NOERROR)
    server.fill(buffer, Seeded(7), 3584)
    server.send_command(name, WRITE, 3584, 0x0123456789ABCDEF, buffer, 1).expect(NOERROR)
    record = RawCommand(process, device.get_command().expect(NOERROR))
    assert (record.code, record.size, record.position) == (WRITE, 3584, 0x0123456789ABCDEF)
    if process.digest(record.buffer, 3584) != server.digest(buffer, 3584):
        raise ConformanceFailure("what the record has at offset 16 is no address of the command's buffer")
    device.complete(record.address, 0, 3584, 0xFEDCBA9876543210).expect(NOERROR)
    seen = server.next_completion(testbed.scaled(10_000))
    assert seen is not None, "the completion did not reach the server"
    assert (seen.code, seen.bytes_transferred, int(seen.position, 16)) == (0, 3584, 0xFEDCBA9876543210)
