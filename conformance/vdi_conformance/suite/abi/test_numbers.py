"""The numbers of the interface: result codes, feature bits and command codes are what the headers say."""

from collections.abc import Sequence

import pytest

from vdi_conformance.harness.expectations import Answer
from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.parametrizations import no_such_instance
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.statement_run import StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.structures import VDConfig

# The numbers of vdi.h and vdierror.h, written out once more: the checks are about them.
SUCCESS = 0x00000000
TIMEOUT, ABORT, INVALID = 0x80770003, 0x80770004, 0x80770006
NOTSUPPORTED, PROTOCOL, OPEN, CLOSE = 0x80770009, 0x8077000C, 0x8077000D, 0x8077000E
FEATURES = {
    "pipe, Removable, Discard, SnapshotPrepare": 0x1 | 0x80 | 0x400,
    "tape": 0x173,
    "disk": 0x200,
    "bits of the header alone": 0x800 | 0x1000 | 0x80000000,
}
WRITE_MEDIA, READ_MEDIA, REQUEST_COMPLETE, COMPLETE_ENABLED = 0x10000, 0x20000, 0x2000, 0x40000
FACILITY = 0x80770000
IN_THE_HEADER = (2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15)
BITS = 0x1 | 0x2 | 0x10 | 0x20 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800 | 0x1000 | 0x80000000
COMMANDS = range(1, 20)
DATA_COMMANDS = (1, 2)
FLUSH = 12


@vdi_requirement("ABI-15")
def test_codes_that_need_no_server_have_their_numbers(testbed: Testbed) -> None:
    """VD_E_PROTOCOL, VD_E_NOTSUPPORTED, VD_E_TIMEOUT and VD_E_ABORT have the numbers of the header."""
    primary, name = testbed.client("primary"), testbed.name()
    primary.close().expect(PROTOCOL)
    primary.create_ex(None, name, VDConfig(device_count=0)).expect(NOTSUPPORTED)
    primary.create_ex(None, name, VDConfig()).expect(SUCCESS)
    primary.get_configuration(1).expect(TIMEOUT)
    primary.signal_abort().expect(SUCCESS)
    primary.get_configuration(1).expect(ABORT)


@vdi_requirement("ABI-15")
def test_codes_of_a_statement_have_their_numbers(testbed: Testbed, backup: StatementRun) -> None:
    """VD_E_INVALID, VD_E_OPEN and VD_E_CLOSE have the numbers of the header."""
    primary = backup.primary
    primary.get_buffer_handle(primary.outside_addresses().stack).expect(INVALID)
    primary.open_device(backup.set_name).permit("Q2", "OpenDevice of an open device, all devices open", OPEN, PROTOCOL)
    backup.run_out()
    backup.device.get_command().permit("Q5", "GetCommand after the end of every device", CLOSE, PROTOCOL)
    backup.close()
    aborted = testbed.statement("backup")
    aborted.primary.close().permit("Q3", "Close of the primary with open devices", OPEN, SUCCESS)


@vdi_requirement("ABI-15")
def test_refusals_have_no_number_that_the_header_lacks(testbed: Testbed) -> None:
    """Each refusal with a code of VDI's own range has one of the numbers of the header."""
    primary, name = testbed.client("primary"), testbed.name()
    instance = no_such_instance(testbed)
    refused = [
        primary.create_ex(instance, name, VDConfig()),
        primary.create_ex(None, f"{name}\\b", VDConfig()),
        primary.create_ex(None, name.ljust(1000, "x"), VDConfig()),
        *(primary.create_ex(None, name, VDConfig(device_count=count)) for count in (0, 65, 0xFFFFFFFF)),
        *(primary.create_ex(None, name, VDConfig(alignment=alignment)) for alignment in (3, 1 << 17)),
        primary.create_ex(None, name, VDConfig(features=0x40000000)),
        primary.open_device(name),
        primary.get_buffer_handle(primary.outside_addresses().stack),
        primary.map_buffer_handle(0xFFFFFFFF),
        primary.signal_abort(),
        primary.close(),
    ]
    _require_known_numbers(refused)


def _require_known_numbers(refused: Sequence[Answer]) -> None:
    for answer in refused:
        if answer.code & 0xFFFF0000 == FACILITY and answer.code - FACILITY not in IN_THE_HEADER:
            raise ConformanceFailure(f"{answer.call} gave {answer.name}, which is no code of the interface")


@vdi_requirement("ABI-15")
def test_refusals_in_use_have_no_number_that_the_header_lacks(testbed: Testbed, backup: StatementRun) -> None:
    """On a set in use each refusal, that of a NULL out pointer too, has one of the numbers of the header."""
    primary, device, command = backup.primary, backup.device, backup.next_data_command()
    refused: list[Answer] = [
        primary.create_ex(None, testbed.name(), VDConfig()),
        primary.open_device(""),
        primary.open_device(f"{backup.set_name} and more"),
        primary.get_buffer_handle(command.buffer + 1),
        primary.map_buffer_handle(0),
        device.complete(primary.allocate(32)),
    ]
    if testbed.session.parties.client_capabilities.null_out_pointers:
        refused += [
            primary.get_configuration(0, null_out=True),
            primary.open_device(backup.set_name, null_out=True),
            primary.get_buffer_handle(command.buffer, null_out=True),
            primary.map_buffer_handle(0, null_out=True),
            device.get_command(0, null_out=True),
        ]
    _require_known_numbers(refused)


@pytest.mark.parametrize("like", list(FEATURES))
@vdi_requirement("ABI-25")
def test_feature_bits_have_their_numbers(testbed: Testbed, like: str) -> None:
    """Feature bits have the numbers of the header, on the way to the server and back to the client."""
    asked = FEATURES[like]
    if like == "bits of the header alone":
        tried = testbed.client("primary").create_ex(None, testbed.name(), VDConfig(features=asked))
        tried.observe("Q12", f"CreateEx with {like}")
        if tried.code != SUCCESS:
            tried.expect_failure()
            return
    scripted = testbed.scripted_created(Scenario(features=asked))
    scripted.server.open(None, scripted.set_name).expect(SUCCESS)
    told = scripted.server.get_configuration().expect(SUCCESS).features
    assert told & BITS == asked, f"the client asked for the features {asked:#x}, the server was told {told:#x}"
    given = asked | WRITE_MEDIA | READ_MEDIA
    scripted.server.begin_configuration(given, 0, 512, 65536, testbed.scaled(10_000)).expect(SUCCESS)
    scripted.end_configuration()
    found = scripted.primary.get_configuration().expect(SUCCESS).features
    assert found & (BITS | WRITE_MEDIA | READ_MEDIA) == given, (
        f"the server gave the features {given:#x}, the client found {found:#x}"
    )


@vdi_requirement("ABI-26")
def test_the_bits_of_complete_have_their_numbers(testbed: Testbed) -> None:
    """VDF_RequestComplete reaches the server as 0x2000, and VDF_CompleteEnabled the client as 0x40000."""
    for enabled in (0, COMPLETE_ENABLED):
        with judging("ABI-26"):
            scripted = testbed.scripted_created(Scenario(features=REQUEST_COMPLETE))
        scripted.server.open(None, scripted.set_name).expect(SUCCESS)
        told = scripted.server.get_configuration().expect(SUCCESS).features
        assert told & REQUEST_COMPLETE, f"RequestComplete did not reach the server among {told:#x}"
        given = REQUEST_COMPLETE | WRITE_MEDIA | enabled
        scripted.server.begin_configuration(given, 0, 512, 65536, testbed.scaled(10_000)).expect(SUCCESS)
        scripted.end_configuration()
        found = scripted.primary.get_configuration().expect(SUCCESS).features
        assert found & COMPLETE_ENABLED == enabled, f"the server gave the features {given:#x}, the client {found:#x}"


@vdi_requirement("ABI-27")
def test_commands_have_their_numbers(testbed: Testbed) -> None:
    """The client gets each command with the code of the header that the server sent it with."""
    tape = Scenario(features=FEATURES["tape"] | 0x80 | 0x400 | REQUEST_COMPLETE)
    scripted = testbed.scripted(tape, features=WRITE_MEDIA | READ_MEDIA | COMPLETE_ENABLED)
    buffer, passed = scripted.allocate(), set()
    for code in COMMANDS:
        # A server may refuse what the features or the situation do not call for.
        if scripted.try_to_send(buffer if code in DATA_COMMANDS else 0, code).code == SUCCESS:
            command = scripted.device.next_command()
            assert command.code == code, f"the server sent command {code}, the client was given {command.code}"
            scripted.device.complete(command).expect(SUCCESS)
            passed.add(code)
    assert passed >= {*DATA_COMMANDS, FLUSH}, f"of the commands only {sorted(passed)} could be sent"


@vdi_requirement("LNX-13")
def test_codes_without_a_name_on_linux_are_numbers_all_the_same(testbed: Testbed) -> None:
    """Completion codes that the Linux header does not name, 1100 and 1117, reach the server unchanged."""
    scripted = testbed.scripted(Scenario(devices=2))
    for number, code in enumerate((1100, 1117)):
        tag = scripted.send(code=FLUSH, device=number)
        device = scripted.devices[number]
        device.complete(device.next_command(), code).expect(SUCCESS)
        scripted.completed(tag, code, 0)
