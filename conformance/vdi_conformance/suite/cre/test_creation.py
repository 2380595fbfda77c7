"""CreateEx: what it makes, which configurations it takes, and what a refusal leaves behind."""

from contextlib import nullcontext

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.parametrizations import BACKUP, RESTORE, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed, close_all
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR, VD_E_NOTSUPPORTED, VD_E_PROTOCOL, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import MAX_ALIGNMENT, MAX_DEVICES, MAX_TRANSFER_SIZE, VDConfig

SHORT = 1
"""A time-out in milliseconds that is over at once, or after one second where the unit is seconds (Q53)."""
NO_DEVICE_COUNTS = (0, 65, 256 + 1, 0x10000 + 1, 0x80000001, 0xFFFFFFFF)
"""Not from 1 to 64, though the lower bits of some are."""
ODD_ALIGNMENTS = (3, 1000, MAX_ALIGNMENT + 1, 2 * MAX_ALIGNMENT, 0x80000000)
JUNK = 0x5A5A5A5A
SERVERS_HALVES = {
    "sizes that cannot be": VDConfig(block_size=JUNK, max_io_depth=JUNK, max_transfer_size=JUNK, buffer_area_size=JUNK),
    "sizes that another server would choose": VDConfig(
        block_size=65536, max_io_depth=1, max_transfer_size=MAX_TRANSFER_SIZE, buffer_area_size=(1 << 30) + 512
    ),
}
KINDS = tuple(
    kind | options
    for kind in (vdc.VDF_LIKE_PIPE, vdc.VDF_REMOVABLE, vdc.VDF_LIKE_TAPE, vdc.VDF_LIKE_DISK)
    for options in (0, vdc.VDF_DISCARD)
)
"""The features that the documents name together."""
ASKED = (
    VDConfig(3, vdc.VDF_LIKE_TAPE | vdc.VDF_DISCARD, 96, 4096, 2048, 3 << 20, 0x7654321),
    VDConfig(64, vdc.VDF_LIKE_DISK | vdc.VDF_REMOVABLE | 0x3C00, 1, 1, 0, 0xFFFFFE00, 0xFFFFFFFF),
    VDConfig(63, vdc.VDF_LIKE_TAPE | vdc.VDF_SNAPSHOT_PREPARE, 0x12345, 65536, 0x89ABCDEF, 0x7FFFFFFF, 0x80000000),
)
"""Values that differ from one another, and lose something where they are cut, rounded or taken for signed ones."""
OPTIONS = {
    "SnapshotPrepare": vdc.VDF_SNAPSHOT_PREPARE,
    "RequestComplete": vdc.VDF_REQUEST_COMPLETE,
    "both": vdc.VDF_SNAPSHOT_PREPARE | vdc.VDF_REQUEST_COMPLETE,
}
UNKNOWN_FEATURES = (0x4, 0x8, 0x4000, 0x8000, 0x80000, 0x40000000)
ODD_MIXES = {
    "Rewind alone": vdc.VDF_REWIND,
    "FileMarks alone": vdc.VDF_FILE_MARKS,
    "LikeTape without Removable": vdc.VDF_LIKE_TAPE & ~vdc.VDF_REMOVABLE,
    "LikeTape and LikeDisk": vdc.VDF_LIKE_TAPE | vdc.VDF_LIKE_DISK,
    "WriteMedia": vdc.VDF_WRITE_MEDIA,
    "ReadMedia": vdc.VDF_READ_MEDIA,
    "CompleteEnabled": vdc.VDF_COMPLETE_ENABLED,
}


def _require_nothing_open(client: Client) -> None:
    """Fail the check unless the object is as one that never opened anything."""
    client.get_configuration(SHORT).expect(VD_E_PROTOCOL)
    client.close().expect(VD_E_PROTOCOL)


# What it makes


@vdi_requirement("CRE-01")
def test_a_created_set_waits_for_its_server(testbed: Testbed) -> None:
    """After CreateEx with a free name GetConfiguration waits for a server: it answers VD_E_TIMEOUT."""
    primary = testbed.client("primary")
    primary.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR)
    for _ in range(2):
        primary.get_configuration(SHORT).expect(VD_E_TIMEOUT)
    primary.close().expect(NOERROR)


@BACKUP
@vdi_requirement("CRE-01")
def test_a_statement_finds_the_set_that_was_created(testbed: Testbed, kind: Kind) -> None:
    """A BACKUP finds by its name the set that CreateEx made, and runs on it."""
    statement = testbed.created(kind)
    statement.primary.get_configuration(SHORT).expect(VD_E_TIMEOUT)
    statement.configure()
    statement.open_devices()
    statement.succeed()


@vdi_requirement("CRE-02")
def test_a_creation_while_a_thread_waits_is_refused(testbed: Testbed) -> None:
    """CreateEx and Create answer VD_E_PROTOCOL while another thread waits in GetConfiguration, which waits on."""
    statement = testbed.created("backup")
    waiting = statement.primary.send_get_configuration(thread="waiter")
    # It waits by then, or will find the set as it was.
    statement.primary.get_configuration(0).expect(VD_E_TIMEOUT)
    for _ in range(2):
        _create_again(testbed, statement, (statement.set_name, testbed.name()))
    assert not waiting.done, "a creation that was refused ended GetConfiguration on another thread"
    statement.execute()
    waiting.result().expect(NOERROR)


@alternating_direction("when", ["before the statement", "while devices are open"])
@vdi_requirement("CRE-02")
def test_a_second_creation_is_refused_and_harms_nothing(testbed: Testbed, kind: Kind, when: str) -> None:
    """A second CreateEx or Create without Close answers VD_E_PROTOCOL, and the existing set keeps working."""
    statement = testbed.created(kind)
    if when == "while devices are open":
        statement.configure()
        statement.open_devices()
        statement.answer_next(statement.device, 1)
    held = None if when == "before the statement" else statement.next_data_command()
    names = statement.set_name, testbed.name()
    with judging("CRE-02"):
        _create_again(testbed, statement, names)
        if held is None:
            statement.configure()
        else:
            statement.answer(held).expect(NOERROR)
    if held is None:
        statement.open_devices()
    statement.succeed()


def _create_again(testbed: Testbed, statement: StatementRun, names: tuple[str, str]) -> None:
    """Ask the primary for further sets, under the name that it uses and a free one, which stays free."""
    for name in names:
        for config in (statement.scenario.config, VDConfig(device_count=3, features=vdc.VDF_DISCARD)):
            statement.primary.create_ex(None, name, config).expect(VD_E_PROTOCOL)
            statement.primary.create(name, config).expect(VD_E_PROTOCOL)
    other = testbed.client("other")
    other.create_ex(None, names[1], VDConfig()).expect(NOERROR)
    other.close().expect(NOERROR)


@vdi_requirement("CRE-03")
def test_an_object_creates_again_and_again(testbed: Testbed) -> None:
    """After Close the same object takes a new CreateEx, under the same set name or another one."""
    primary = testbed.client("primary")
    names = testbed.name(), testbed.name()
    for turn in range(300):
        primary.create_ex(None, names[turn % 4 // 2], VDConfig()).expect(NOERROR, by="CRE-03" if turn else "CRE-01")
        primary.close().expect(NOERROR)


@RESTORE
@vdi_requirement("CRE-03")
def test_an_object_serves_one_statement_after_the_other(testbed: Testbed, kind: Kind) -> None:
    """After Close the same object creates the set of the next statement, and that statement succeeds."""
    statement = testbed.statement(kind)
    statement.succeed()
    statement.devices.clear()
    statement.start()
    statement.succeed()
    testbed.again(statement).succeed()


@vdi_requirement("CRE-03")
def test_no_earlier_set_of_an_object_shows_in_a_later_one(testbed: Testbed) -> None:
    """A set created after Close has the values that its own CreateEx was given, none of earlier sets."""
    primary = testbed.client("primary")
    rich = Scenario(
        devices=2, features=OPTIONS["both"] | vdc.VDF_DISCARD, prefix_zone_size=512, server_time_out=3_600_000
    )
    lives = (
        ("success", rich),
        ("failure", Scenario(max_transfer_size=131072, block_size=4096)),
        ("success", Scenario(devices=2)),
        ("abort", rich),
        ("success", Scenario(devices=2)),
    )
    for number, (end, scenario) in enumerate(lives):
        with judging("CRE-03") if number else nullcontext():
            statement = testbed.configured("backup", scenario, [primary])
        found = statement.primary.get_configuration(0).expect(NOERROR)
        kept = found.features & ~(vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA | vdc.VDF_COMPLETE_ENABLED)
        served = found.device_count, kept, found.prefix_zone_size, found.server_time_out, found.block_size
        asked = scenario.devices, scenario.features, scenario.prefix_zone_size, scenario.server_time_out
        assert served == (*asked, scenario.block_size), f"a set of {scenario} was configured as {found}"
        statement.open_devices()
        if end == "success":
            statement.succeed()
        if end == "abort":
            primary.signal_abort().expect(NOERROR)
        close_all([primary])


@RESTORE
@vdi_requirement("CRE-03")
def test_who_joined_a_set_creates_one_after_its_close(testbed: Testbed, kind: Kind) -> None:
    """After Close a process that had joined a set creates one, and the process that had created it joins."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(0, 1)))
    statement.succeed()
    close_all(statement.clients)
    with judging("CRE-03"):
        turned = testbed.configured(kind, Scenario(devices=2, owners=(0, 1)), statement.clients[::-1])
    turned.join_all()
    turned.open_devices()
    turned.succeed()


@vdi_requirement("CRE-01")
def test_every_kind_of_device_can_be_had(testbed: Testbed) -> None:
    """CreateEx accepts the features of a pipe, a removable device, a tape and a disk, and VDF_Discard with each."""
    primary = testbed.client("primary")
    for features in KINDS:
        for size in (0, 512):
            config = VDConfig(device_count=2, features=features, prefix_zone_size=size, alignment=size)
            primary.create_ex(None, testbed.name(), config).expect(NOERROR)
            primary.close().expect(NOERROR)


@vdi_requirement("CRE-15")
def test_objects_create_at_once(testbed: Testbed) -> None:
    """CreateEx calls on 16 objects in 16 threads of one process all answer NOERROR."""
    first = testbed.client("primary")
    objects = [first, *(testbed.beside(first) for _ in range(15))]
    creating = [one.send_create_ex(None, testbed.name(), VDConfig(), thread=one.key) for one in objects]
    for created in creating:
        created.result().expect(NOERROR)
    for one in objects:
        one.close().expect(NOERROR)


# Which configurations it takes


@vdi_requirement("CRE-04")
def test_a_number_of_devices_that_cannot_be_is_refused(testbed: Testbed) -> None:
    """CreateEx answers VD_E_NOTSUPPORTED for a deviceCount that is not from 1 to 64."""
    primary = testbed.client("primary")
    for used in (False, True):
        for count in NO_DEVICE_COUNTS:
            for config in (VDConfig(count), VDConfig(count, vdc.VDF_LIKE_TAPE, 512, 4096)):
                primary.create_ex(None, testbed.name(), config).expect(VD_E_NOTSUPPORTED)
        if not used:
            primary.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR, by="CRE-01")
            primary.close().expect(NOERROR, by="CLS-01")


@vdi_requirement("CRE-05")
def test_every_number_of_devices_can_be_had(testbed: Testbed) -> None:
    """CreateEx accepts every deviceCount from 1 to 64."""
    primary = testbed.client("primary")
    for count in range(1, MAX_DEVICES + 1):
        for features in KINDS if count in (1, MAX_DEVICES) else KINDS[:1]:
            primary.create_ex(None, testbed.name(), VDConfig(count, features)).expect(NOERROR)
            primary.close().expect(NOERROR)


@alternating_direction("devices", [2, MAX_DEVICES], ["2 devices", f"{MAX_DEVICES} devices"])
@vdi_requirement("CRE-05")
def test_the_number_of_devices_comes_back(testbed: Testbed, kind: Kind, devices: int) -> None:
    """GetConfiguration gives back the deviceCount of CreateEx, and that many devices open."""
    statement = testbed.configured(kind, Scenario(devices=devices, buffer_count=devices))
    assert statement.primary.get_configuration().expect(NOERROR).device_count == devices
    statement.open_devices()
    statement.succeed()


@vdi_requirement("CRE-06")
def test_an_alignment_that_cannot_be_does_not_become_the_final_one(testbed: Testbed) -> None:
    """CreateEx refuses an alignment that is no power of 2 up to 64 KB, or it does not become the final one."""
    for alignment in ODD_ALIGNMENTS:
        scenario = Scenario(alignment=alignment)
        statement = testbed.prepared(scenario)
        answer = statement.primary.create_ex(None, statement.set_name, scenario.config)
        subject = f"CreateEx with an alignment of {alignment}"
        if answer.permit("Q12", subject, VD_E_NOTSUPPORTED, NOERROR) == NOERROR:
            statement.configure()
            _require_alignment(statement.primary.get_configuration().expect(NOERROR))
            statement.open_devices()
            statement.succeed()


@vdi_requirement("CRE-07")
def test_no_wish_for_an_alignment_is_none(testbed: Testbed) -> None:
    """CreateEx accepts an alignment of 0."""
    primary = testbed.client("primary")
    primary.create_ex(None, testbed.name(), VDConfig(alignment=0)).expect(NOERROR)
    primary.close().expect(NOERROR)


@RESTORE
@vdi_requirement("CRE-07")
def test_without_a_wish_the_alignment_is_the_servers(testbed: Testbed, kind: Kind) -> None:
    """With alignment 0 in CreateEx the final alignment is a power of 2 that the server chose, not below blockSize."""
    statement = testbed.configured(kind, Scenario(block_size=4096, alignment=0))
    config = statement.primary.get_configuration().expect(NOERROR)
    _require_alignment(config)
    assert config.alignment >= config.block_size, "the alignment is below the block size"
    statement.open_devices()
    statement.succeed()


def _require_alignment(config: VDConfig) -> None:
    if config.alignment.bit_count() != 1 or config.alignment > MAX_ALIGNMENT:
        raise ConformanceFailure(f"the final alignment is {config.alignment}, no power of 2 up to {MAX_ALIGNMENT}")


@vdi_requirement("CRE-08")
def test_features_of_newer_servers_can_be_asked_for(testbed: Testbed) -> None:
    """CreateEx accepts VDF_SnapshotPrepare and VDF_RequestComplete, which older servers do not know."""
    primary = testbed.client("primary")
    for features in OPTIONS.values():
        primary.create_ex(None, testbed.name(), VDConfig(features=features)).expect(NOERROR)
        primary.close().expect(NOERROR)


@BACKUP
@vdi_requirement("CRE-08")
def test_a_statement_runs_with_features_of_newer_servers(testbed: Testbed, kind: Kind) -> None:
    """A BACKUP succeeds where CreateEx asked for VDF_SnapshotPrepare and VDF_RequestComplete."""
    testbed.statement(kind, Scenario(features=OPTIONS["both"])).succeed()


@vdi_requirement("CRE-08")
def test_a_server_may_leave_features_out_that_it_does_not_know(testbed: Testbed) -> None:
    """Where the server leaves out feature bits of the request, the set is configured without them and works."""
    scripted = testbed.scripted_created(Scenario(features=OPTIONS["both"]))
    scenario, server = scripted.scenario, scripted.server
    server.open(None, scripted.set_name).expect(NOERROR)
    limit = testbed.scaled(10_000)
    sizes = scenario.block_size, scenario.max_transfer_size
    server.begin_configuration(vdc.VDF_WRITE_MEDIA, 0, *sizes, limit).expect(NOERROR)
    scripted.end_configuration()
    features = scripted.primary.get_configuration().expect(NOERROR).features
    assert features & ~OPTIONS["both"] == vdc.VDF_WRITE_MEDIA, f"the client was given the features {features:#x}"
    scripted.open_devices()
    assert scripted.passes(0, 3), "the set was aborted"


@vdi_requirement("CRE-09")
def test_features_that_do_not_go_together_are_observed(testbed: Testbed) -> None:
    """CreateEx may refuse or accept features outside pipe, tape and disk with their options; it is recorded which."""
    mixes = ODD_MIXES | {f"the unknown bit {bit:#x}": bit for bit in UNKNOWN_FEATURES}
    primary = testbed.client("primary")
    for named, features in mixes.items():
        answer = primary.create_ex(None, testbed.name(), VDConfig(features=features))
        answer.observe("Q12", f"CreateEx with {named}")
        if answer.code == NOERROR:
            primary.close().expect(NOERROR)


@pytest.mark.parametrize("half", SERVERS_HALVES)
@vdi_requirement("CRE-10")
def test_what_the_server_decides_cannot_be_asked_for(testbed: Testbed, half: str) -> None:
    """CreateEx ignores values in the server's fields: GetConfiguration gives the server's own, not the client's."""
    statement = testbed.prepared(Scenario(block_size=1024, max_transfer_size=131072))
    asked = SERVERS_HALVES[half]
    answer = statement.primary.create_ex(None, statement.set_name, asked)
    answer.observe("Q13", "CreateEx with values in the server's fields")
    answer.expect(NOERROR)
    statement.configure()
    config = statement.primary.get_configuration().expect(NOERROR)
    assert (config.block_size, config.max_transfer_size) == (1024, 131072), "the client's sizes were not ignored"
    assert config.max_io_depth != asked.max_io_depth, "the client's depth was not ignored"
    # What it is is nowhere said (CFG-22); that of a pool so small is none of these.
    assert config.buffer_area_size != asked.buffer_area_size, "the client's area size was not ignored"
    statement.open_devices()
    statement.succeed()


@vdi_requirement("CRE-20")
def test_the_servers_get_what_the_client_asked_for(testbed: Testbed) -> None:
    """All seven inputs of CreateEx, from deviceCount to serverTimeOut, reach the server unchanged."""
    testbed.need_scripted()
    primary = testbed.client("primary")
    for number, asked in enumerate(ASKED):
        answer = primary.create_ex(None, name := testbed.name(), asked)
        if number and answer.code == VD_E_NOTSUPPORTED:
            # How large these may become is not documented (Q12).
            continue
        answer.expect(NOERROR)
        _require_told(testbed, name, asked)
        primary.close().expect(NOERROR)


def _require_told(testbed: Testbed, name: str, asked: VDConfig) -> None:
    server = testbed.server()
    server.open(None, name).expect(NOERROR)
    found = server.get_configuration().expect(NOERROR)
    assert found[:7] == asked[:7], f"the server was told {found[:7]} where the client asked for {asked[:7]}"


@vdi_requirement("CRE-19")
def test_the_servers_get_what_was_asked_for_by_the_older_form(testbed: Testbed) -> None:
    """All seven inputs of Create reach the server unchanged, as those of CreateEx do."""
    testbed.need_scripted()
    testbed.need_default_instance()
    primary, name = testbed.client("primary"), testbed.name()
    primary.create(name, ASKED[0]).expect(NOERROR)
    _require_told(testbed, name, ASKED[0])


# What a refusal leaves


@pytest.mark.parametrize("argument", ["no name", "empty name", "no configuration"])
@vdi_requirement("CRE-12", "CRE-13")
def test_an_argument_that_is_missing_is_refused(testbed: Testbed, argument: str) -> None:
    """CreateEx and Create fail without a set name or a configuration, and a good CreateEx then succeeds."""
    name = {"no name": None, "empty name": ""}.get(argument, testbed.name())
    config = None if argument == "no configuration" else VDConfig()
    primary = testbed.client("primary")
    with judging("CRE-12"):
        answers = {"CreateEx": primary.create_ex(None, name, config), "Create": primary.create(name, config)}
        for form, answer in answers.items():
            answer.expect_failure()
            answer.observe("Q11", f"{form} with {argument}")
    with judging("CRE-13"):
        _require_nothing_open(primary)
        primary.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR)
        primary.close().expect(NOERROR)


@vdi_requirement("CRE-12")
def test_a_missing_argument_leaves_the_set_that_is_open(testbed: Testbed) -> None:
    """CreateEx and Create without a set name or a configuration fail on an open object, and leave its set as it was."""
    primary, name = testbed.client("primary"), testbed.name()
    primary.create_ex(None, name, VDConfig()).expect(NOERROR, by="CRE-01")
    for other, config in ((None, VDConfig()), ("", VDConfig()), (testbed.name(), None), (name, None)):
        primary.create_ex(None, other, config).expect_failure()
        primary.create(other, config).expect_failure()
        primary.get_configuration(SHORT).expect(VD_E_TIMEOUT)
    primary.close().expect(NOERROR)


@vdi_requirement("CRE-13")
def test_a_refused_creation_leaves_the_object_as_it_was(testbed: Testbed) -> None:
    """After a failed CreateEx the object is as before: Close answers VD_E_PROTOCOL and a good CreateEx NOERROR."""
    primary, other = testbed.client("primary"), testbed.client("other primary")
    taken, free = testbed.name(), testbed.name()
    other.create_ex(None, taken, VDConfig()).expect(NOERROR)
    for name, count in ((free, 0), (free, MAX_DEVICES + 1), (taken, 1), (f"{free}\\b", 1)):
        answer = primary.create_ex(None, name, VDConfig(device_count=count))
        if answer.code == NOERROR and "\\" in name:
            # A library without instance names may take it (NAM-07).
            primary.close().expect(NOERROR)
            continue
        answer.expect_failure()
        _require_nothing_open(primary)
    other.close().expect(NOERROR)
    for name in (free, taken):
        other.create_ex(None, name, VDConfig()).expect(NOERROR)
        other.close().expect(NOERROR)
        primary.create_ex(None, name, VDConfig()).expect(NOERROR)
        primary.close().expect(NOERROR)
