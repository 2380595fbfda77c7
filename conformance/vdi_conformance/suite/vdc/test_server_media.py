"""Which commands the server sends to clients of each kind, and what it does where one medium ends."""

from collections.abc import Iterator
from typing import Final

from vdi_conformance.harness.device import Fetched
from vdi_conformance.harness.judging import ConformanceFailure, judging, not_applicable, not_tested, vdi_requirement
from vdi_conformance.harness.parametrizations import alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.server_messages import require_failure
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.completion import ERROR_DISK_FULL, ERROR_END_OF_MEDIA, ERROR_HANDLE_DISK_FULL, ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE

ALWAYS: Final = {vdc.VDC_READ, vdc.VDC_WRITE, vdc.VDC_CLEAR_ERROR, vdc.VDC_FLUSH}
IMPLIED: Final = {
    vdc.VDF_REMOVABLE: {vdc.VDC_LOAD},
    vdc.VDF_REWIND: {vdc.VDC_REWIND},
    vdc.VDF_POSITION: {vdc.VDC_GET_POSITION, vdc.VDC_SET_POSITION},
    vdc.VDF_SKIP_BLOCKS: {vdc.VDC_SKIP_BLOCKS},
    vdc.VDF_FILE_MARKS: {vdc.VDC_WRITE_MARK, vdc.VDC_SKIP_MARKS},
    vdc.VDF_RANDOM_ACCESS: {vdc.VDC_GET_POSITION, vdc.VDC_SET_POSITION},
    vdc.VDF_DISCARD: {vdc.VDC_DISCARD},
    vdc.VDF_COMPLETE_ENABLED: {vdc.VDC_COMPLETE},
}
"""Which commands a feature lets the server send; a snapshot's need the statement."""
POSITIONING: Final = set().union(*IMPLIED.values()) - {vdc.VDC_LOAD, vdc.VDC_DISCARD, vdc.VDC_COMPLETE}

KINDS: Final = {
    "pipe": vdc.VDF_LIKE_PIPE,
    "tape": vdc.VDF_LIKE_TAPE,
    "disk": vdc.VDF_LIKE_DISK,
    "removable disk": vdc.VDF_LIKE_DISK | vdc.VDF_REMOVABLE | vdc.VDF_DISCARD,
    "removable pipe": vdc.VDF_REMOVABLE | vdc.VDF_DISCARD,
}
ZONE: Final = 2 * 65536


def commands_of(statement: StatementRun) -> list[Fetched]:
    """Be an ordinary client to the end of a statement that must succeed; give its commands."""
    return list(each_command_of(statement))


def each_command_of(statement: StatementRun) -> Iterator[Fetched]:
    """Be an ordinary client to the end of a statement that must succeed; show each command before it is done."""
    for command in statement.commands():
        yield command
        statement.answer_any(command).expect(NOERROR, by="CMP-01")
    statement.require_success(statement.outcome())


def require_within(codes: set[int], permitted: set[int], who: str) -> None:
    """Fail the check if other commands came than are permitted."""
    if further := sorted(codes - permitted):
        names = ", ".join(map(vdc.name_of, further))
        raise ConformanceFailure(f"{names} came to {who}", (), names)


@alternating_direction("features", list(KINDS.values()), list(KINDS))
@vdi_requirement("VDC-42")
def test_commands_are_implied_by_features(testbed: Testbed, kind: Kind, features: int) -> None:
    """The server sends a client only commands that are implied by its feature bits."""
    permitted = ALWAYS.union(*(codes for bit, codes in IMPLIED.items() if features & bit))
    codes = {command.code for command in commands_of(testbed.statement(kind, Scenario(features=features)))}
    require_within(codes, permitted, f"a client with the features {features:#x}")


@vdi_requirement("VDC-29")
def test_a_pipe_is_used_in_sequence(testbed: Testbed, kind: Kind) -> None:
    """A pipe-like client gets no command that positions."""
    codes = {command.code for command in commands_of(testbed.statement(kind, Scenario(devices=2)))}
    require_within(codes, set(vdc.NAMES) - POSITIONING, "a pipe")


@vdi_requirement("VDC-26")
def test_discard_comes_to_none_who_does_not_support_it(testbed: Testbed) -> None:
    """VDC_Discard comes only to clients that set VDF_Discard."""
    codes = {command.code for command in commands_of(testbed.backup(Scenario(features=vdc.VDF_LIKE_TAPE)))}
    require_within(codes, set(vdc.NAMES) - {vdc.VDC_DISCARD}, "a client without VDF_Discard")


@vdi_requirement("VDC-27")
def test_a_disk_is_told_the_place_of_every_transfer(testbed: Testbed) -> None:
    """With VDF_RandomAccess positions are byte offsets: no Write leaves a gap, no Read starts beyond the data.

    What a pipe can restore, a disk can restore too, unless the places were wrong.
    """
    testbed.restore().succeed()
    scenario, streams = Scenario(features=vdc.VDF_LIKE_DISK), testbed.directory("streams")
    end = 0
    for command in commands_of(testbed.backup(scenario, streams)):
        if command.code == vdc.VDC_WRITE:
            if command.position > end:
                raise ConformanceFailure(f"a Write went to {command.position}, up to {end} there was data", (str(end),))
            end = max(end, command.position + command.size)
    with judging("VDC-27"):
        for command in each_command_of(testbed.restore(scenario, streams)):
            if command.code == vdc.VDC_READ and command.position >= end:
                raise ConformanceFailure(f"a Read went to {command.position}, the data end at {end}", (f"below {end}",))


@vdi_requirement("VDC-24")
def test_setposition_on_a_disk_has_an_origin(testbed: Testbed) -> None:
    """With VDF_RandomAccess the size of a SetPosition is its origin: 0, 1 or 2."""
    disk = Scenario(features=vdc.VDF_LIKE_DISK)
    known = {vdc.WHENCE_BEGINNING, vdc.WHENCE_CURRENT, vdc.WHENCE_END}
    came = False
    for kind in ("backup", "restore"):
        for command in each_command_of(testbed.statement(kind, disk)):
            if command.code != vdc.VDC_SET_POSITION:
                continue
            came = True
            if command.size not in known:
                raise ConformanceFailure(f"SetPosition has the origin {command.size}", ("0, 1 or 2",))
    if not came:
        not_tested("the server sent no SetPosition to a disk")


@vdi_requirement("VDC-25")
def test_a_tape_is_sent_to_places_that_it_told(testbed: Testbed) -> None:
    """Without VDF_RandomAccess SetPosition uses only positions that GetPosition returned."""
    tape = Scenario(features=vdc.VDF_LIKE_TAPE)
    targets = 0
    for kind in ("backup", "restore"):
        statement = testbed.statement(kind, tape)
        told = set()
        for command in statement.commands():
            statement.answer_any(command).expect(NOERROR)
            if command.code == vdc.VDC_GET_POSITION:
                told.add(statement.device.accepted[-1].position)
            elif command.code == vdc.VDC_SET_POSITION:
                targets += 1
                if command.position not in told:
                    raise ConformanceFailure(f"SetPosition went to {command.position}, GetPosition told {sorted(told)}")
        statement.require_success(statement.outcome())
    if not targets:
        not_tested("the server sent no SetPosition to a tape")


def digest(statement: StatementRun, command: Fetched) -> tuple[int, str]:
    """Tell a Write by its size and contents."""
    return command.size, statement.primary.digest(command.buffer, command.size)


@vdi_requirement("VDC-08")
def test_what_had_no_room_is_sent_again_and_nothing_else(testbed: Testbed) -> None:
    """After ERROR_END_OF_MEDIA and Load only the Writes whose count fell short are sent again."""
    statement = testbed.backup(Scenario(features=vdc.VDF_LIKE_TAPE, transfers=6))
    kept: list[tuple[int, str]] = []
    refused: list[tuple[int, str]] = []
    again: list[tuple[int, str]] = []
    loaded = False
    for command in statement.commands():
        if command.code != vdc.VDC_WRITE:
            loaded = loaded or command.code == vdc.VDC_LOAD
            statement.answer_any(command).expect(NOERROR)
            continue
        write = digest(statement, command)
        if len(kept) < 3:
            kept.append(write)
            code = ERROR_END_OF_MEDIA if len(kept) == 3 else ERROR_SUCCESS
            statement.device.complete(command, code, command.size).expect(NOERROR)
        elif not loaded:
            refused.append(write)
            statement.device.complete(command, ERROR_END_OF_MEDIA, 0).expect(NOERROR)
        else:
            again.append(write)
            statement.device.complete(command, ERROR_SUCCESS, command.size).expect(NOERROR)
    statement.require_success(statement.outcome())
    assert loaded, "the server asked for no further medium"
    assert [write for write in again if write in refused] == refused, "a Write that had no room did not come again"
    assert kept[2] not in again, "a Write came again that had been counted as written"


@vdi_requirement("VDC-21")
def test_load_waits_for_the_transfers_under_way(testbed: Testbed) -> None:
    """The server sends Load only when the other outstanding transfers of the device are completed."""
    statement = testbed.backup(Scenario(features=vdc.VDF_LIKE_TAPE, transfers=6))
    device = statement.device
    statement.answer(device.next_data_command()).expect(NOERROR)
    held = [device.next_data_command()]
    while (more := device.get_command(0)).succeeded and len(held) < statement.scenario.buffer_count:
        held.append(more.expect(NOERROR))
    while held:
        device.complete(held.pop(0), ERROR_END_OF_MEDIA, 0).expect(NOERROR)
        if held and (early := device.get_command(0)).succeeded:
            held.append(early.expect(NOERROR))
            if held[-1].code == vdc.VDC_LOAD:
                raise ConformanceFailure("Load came while the client held other transfers of the device")


@vdi_requirement("VDC-32")
def test_after_the_warning_no_more_is_written_than_the_zone_holds(testbed: Testbed) -> None:
    """After ERROR_END_OF_MEDIA the server writes no more than EOMWarningSize before it sends Load."""
    statement = testbed.backup(Scenario(features=vdc.VDF_REMOVABLE, transfers=6, eom_warning_size=ZONE))
    writes = written = 0
    warned = loaded = False
    for command in statement.commands():
        loaded = loaded or command.code == vdc.VDC_LOAD
        if command.code != vdc.VDC_WRITE:
            statement.answer_any(command).expect(NOERROR)
            continue
        writes += 1
        written += command.size if warned and not loaded else 0
        warned = writes >= 3
        code = ERROR_END_OF_MEDIA if writes == 3 else ERROR_SUCCESS
        statement.device.complete(command, code, command.size).expect(NOERROR)
    statement.require_success(statement.outcome())
    if written > ZONE:
        raise ConformanceFailure(f"{written} bytes were written after the warning", (f"{ZONE} at most",), str(written))


COMPLETING: Final = Scenario(features=vdc.VDF_REQUEST_COMPLETE)


def up_to_complete(statement: StatementRun) -> tuple[list[int], Fetched]:
    """Be an ordinary client up to Complete; give the codes before it."""
    codes: list[int] = []
    while (command := statement.device.next_command()).code != vdc.VDC_COMPLETE:
        codes.append(command.code)
        statement.answer_any(command).expect(NOERROR)
    return codes, command


def enabled(statement: StatementRun) -> bool:
    """Whether the server will send Complete."""
    return bool(statement.primary.get_configuration().expect(NOERROR).features & vdc.VDF_COMPLETE_ENABLED)


@alternating_direction("features", [0, vdc.VDF_REQUEST_COMPLETE], ["not asked for", "asked for"])
@vdi_requirement("VDC-34")
def test_complete_comes_where_it_is_enabled_alone(testbed: Testbed, kind: Kind, features: int) -> None:
    """VDC_Complete comes only if VDF_CompleteEnabled was in the returned features."""
    statement = testbed.statement(kind, Scenario(features=features))
    enabling = enabled(statement)
    came = vdc.VDC_COMPLETE in {command.code for command in commands_of(statement)}
    if came and not enabling:
        raise ConformanceFailure("Complete came, and CompleteEnabled was not set")


def completing(testbed: Testbed) -> tuple[StatementRun, list[int], Fetched]:
    """Run a BACKUP up to its Complete."""
    statement = testbed.backup(COMPLETING)
    if not enabled(statement):
        not_applicable("the server supports no Complete")
    return statement, *up_to_complete(statement)


@vdi_requirement("VDC-35")
def test_complete_is_the_last_word_and_decides(testbed: Testbed) -> None:
    """VDC_Complete comes after all data and Flush, and the BACKUP succeeds only after its completion with success."""
    statement, codes, command = completing(testbed)
    assert vdc.VDC_WRITE in codes, "Complete came before any data"
    last = [code for code in codes if code in (vdc.VDC_WRITE, vdc.VDC_FLUSH)][-1]
    assert last == vdc.VDC_FLUSH, "Complete came before the data were flushed"
    testbed.backup().succeed()
    assert not statement.ended, "the statement ended before Complete was completed"
    statement.device.complete(command).expect(NOERROR)
    statement.device.get_command().expect(VD_E_CLOSE, by="VDC-37")
    statement.require_success(statement.outcome())


@vdi_requirement("VDC-37")
def test_a_close_alone_follows_complete(testbed: Testbed) -> None:
    """After VDC_Complete the next GetCommand gives VD_E_CLOSE."""
    statement, _, command = completing(testbed)
    statement.device.complete(command).expect(NOERROR)
    statement.device.get_command().expect(VD_E_CLOSE)


@vdi_requirement("VDC-39")
def test_the_server_waits_while_complete_is_held(testbed: Testbed) -> None:
    """The server waits for the completion of VDC_Complete as long as other BACKUPs take, and succeeds."""
    statement, _, command = completing(testbed)
    for _ in range(2):
        testbed.backup().succeed()
    statement.device.complete(command).expect(NOERROR)
    statement.require_success(statement.drain())


@vdi_requirement("VDC-36")
def test_complete_with_an_error_fails_the_backup(testbed: Testbed) -> None:
    """VDC_Complete completed with an error makes the BACKUP fail."""
    statement, _, command = completing(testbed)
    statement.device.complete(command, ERROR_DISK_FULL).expect(NOERROR)
    require_failure(statement.drain(), "Complete was completed with an error")


@vdi_requirement("TSQ-19")
def test_complete_with_an_error_fails_the_backup_of_a_log(testbed: Testbed) -> None:
    """VDC_Complete completed with an error makes the BACKUP of a log fail."""
    statement = testbed.backup(Scenario(features=vdc.VDF_REQUEST_COMPLETE, subject="log"))
    if not enabled(statement):
        not_applicable("the server supports no Complete")
    _, command = up_to_complete(statement)
    statement.device.complete(command, ERROR_HANDLE_DISK_FULL).expect(NOERROR)
    require_failure(statement.drain(), "Complete was completed with an error")


@vdi_requirement("VDC-38")
def test_complete_may_come_in_a_restore(testbed: Testbed) -> None:
    """A RESTORE for which the client asked for VDC_Complete succeeds, and no command follows VDC_Complete."""
    statement = testbed.restore(COMPLETING)
    codes = [command.code for command in commands_of(statement)]
    if vdc.VDC_COMPLETE in codes[:-1]:
        raise ConformanceFailure("commands followed Complete in a RESTORE")
