"""Processes of other accounts: let in, and then with all that a process has, or refused with a code; never half."""

from typing import Final

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.device import COMPLETE_COMMAND, Fetched
from vdi_conformance.harness.expectations import Answer
from vdi_conformance.harness.judging import Needed, judging, not_applicable, vdi_requirement
from vdi_conformance.harness.other_accounts import Other
from vdi_conformance.harness.parametrizations import alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import (
    BufferView,
    fetched_view,
    handle_of,
    mapped_view,
    require_same_memory,
)
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL

INSIDE: Final[Other] = "in our group"
BESIDE: Final[Other] = "another in our group"
OUTSIDE: Final[Other] = "outside our group"
ACCOUNTS: Final = (INSIDE, OUTSIDE)
OPENED: Final = ("no server may open it", "a server opens it")
SERVED: Final = ("is refused", "runs")
WIN32: Final = 0x8007
VDI: Final = 0x8077
"""The first half of failures: the bit that says so, and whose code it is."""

Cast = tuple[Other | None, Other | None]
"""The accounts of the primary and of its secondary; None is that of the run."""

CASTS: Final[tuple[Cast, ...]] = (
    (None, INSIDE),
    (None, OUTSIDE),
    (INSIDE, None),
    (INSIDE, INSIDE),
    (INSIDE, BESIDE),
    (OUTSIDE, INSIDE),
)
NAMES: Final = (
    "secondary in our group",
    "secondary outside",
    "primary in our group",
    "both of one account",
    "each of its own",
    "primary outside",
)


@alternating_direction("cast", CASTS, NAMES)
@vdi_requirement("MBH-01", "MBH-02", "MBH-13")
def test_accounts_share_memory_or_are_refused(testbed: Testbed, kind: Kind, cast: Cast) -> None:
    """A secondary of another account maps each handle to the same memory, or is refused and maps none."""
    statement = _prepared(testbed, kind, cast, Scenario(secondaries=1))
    if not _begins(statement):
        return
    (secondary,) = statement.secondaries
    joined = _joins(statement, secondary)
    statement.open_devices()
    command = statement.next_data_command()
    handle = handle_of(command)
    if joined:
        with judging("MBH-01"):
            mapped = mapped_view(secondary, handle)
        # To use what was mapped is MBH-01, that it is the same memory MBH-02: the harness tells them apart.
        require_same_memory(command.size, fetched_view(command), mapped, seed=testbed.seed)
    else:
        refused = secondary.map_buffer_handle(handle)
        with judging("MBH-13"):
            refused.permit(
                "Q56", "MapBufferHandle of a good handle after a refused OpenInSecondaryEx", VD_E_PROTOCOL, VD_E_INVALID
            )
        statement.forget(secondary)
    statement.answer(command).expect(NOERROR, by=COMPLETE_COMMAND)
    _run_out(statement)


@alternating_direction("cast", CASTS, NAMES)
@vdi_requirement("SEC-09", "GBH-01")
def test_accounts_serve_devices_or_are_refused(testbed: Testbed, kind: Kind, cast: Cast) -> None:
    """A secondary of another account that was let in runs a device to its end, and each buffer has a handle there."""
    statement = _prepared(testbed, kind, cast, Scenario(owners=(1,)))
    if not _begins(statement):
        return
    (secondary,) = statement.secondaries
    if not _joins(statement, secondary):
        return
    with judging("SEC-09"):
        statement.open_devices()
        for command in statement.commands():
            if command.code in DATA_COMMANDS:
                statement.answer(command, _view_of_primary(statement, command)).expect(NOERROR, by=COMPLETE_COMMAND)
            else:
                statement.answer_any(command).expect(NOERROR, by=COMPLETE_COMMAND)
        statement.require_success(statement.outcome())
    statement.close()


def _view_of_primary(statement: StatementRun, command: Fetched) -> BufferView:
    with judging("GBH-01"):
        handle = handle_of(command)
    return mapped_view(statement.primary, handle)


@vdi_requirement("CRE-16")
def test_a_caller_without_rights_is_refused_with_a_code(testbed: Testbed) -> None:
    """CreateEx by another account gives a failure, or a set that a server opens, or one that no server may open."""
    for other in ACCOUNTS:
        statement = _prepared(testbed, "backup", (other, None), Scenario())
        with judging("CRE-16"):
            answer = statement.primary.create_ex(None, statement.set_name, statement.scenario.config)
        answer.observe("Q63", f"CreateEx by an account {other}")
        if not answer.succeeded:
            answer.expect_failure()
            continue
        opened = _configures(statement)
        testbed.observe("Q63", f"a set of an account {other}", OPENED[opened], OPENED)
        if opened:
            statement.open_devices()
            _run_out(statement)


@vdi_requirement("ABI-16")
def test_what_the_system_refuses_has_its_code(testbed: Testbed) -> None:
    """What CreateEx and OpenInSecondaryEx refuse an account is an HRESULT_FROM_WIN32, or a code of VDI's own."""
    refusals = [answer for answer in _tried_outside(testbed) if not answer.succeeded]
    if not refusals:
        not_applicable("the library refuses an account outside the run's group nothing")
    for answer in refusals:
        answer.observe("Q63", f"what {answer.call.partition(' ')[0]} refuses an account")
        facility = answer.code >> 16
        assert facility in (WIN32, VDI), f"{answer.call} gave {answer.name}, which is neither the system's nor VDI's"


def _tried_outside(testbed: Testbed) -> list[Answer]:
    """Let an account that shares no group with the run create a set, and join one."""
    tried: list[Answer] = [testbed.client("primary", other=OUTSIDE).create_ex(None, testbed.name(), Scenario().config)]
    statement = _prepared(testbed, "backup", (None, OUTSIDE), Scenario(secondaries=1))
    if _begins(statement):
        (secondary,) = statement.secondaries
        tried.append(statement.join(secondary))
        if not tried[-1].succeeded:
            statement.forget(secondary)
        statement.open_devices()
        _run_out(statement)
    return tried


@vdi_requirement("LNX-11", "MBH-29")
def test_who_shares_a_set_is_observed(testbed: Testbed) -> None:
    """Whether OpenInSecondaryEx lets other accounts in is recorded; a set that refuses one goes on for the others."""
    for other in ACCOUNTS:
        statement = _prepared(testbed, "backup", (None, other), Scenario(secondaries=1))
        assert _begins(statement), "the set of the run's own account came to no configuration"
        (secondary,) = statement.secondaries
        answer = statement.join(secondary)
        answer.observe("Q63", f"OpenInSecondaryEx by an account {other}")
        if not answer.succeeded:
            statement.forget(secondary)
        statement.open_devices()
        _run_out(statement)


@vdi_requirement("LNX-11")
def test_a_server_of_another_account_is_observed(testbed: Testbed) -> None:
    """A BACKUP by a server of another account runs, or fails since that may not open the set; which is recorded."""
    for other in ACCOUNTS:
        server = testbed.server_of_another_account(other)
        statement = testbed.prepared(clients=[testbed.client("primary")], server=server)
        begins = _begins(statement)
        testbed.observe("Q63", f"a server of an account {other}", SERVED[begins], SERVED)
        if begins:
            statement.open_devices()
            _run_out(statement)


def _prepared(testbed: Testbed, kind: Kind, cast: Cast, scenario: Scenario) -> StatementRun:
    names = ("primary", "secondary 1")[: 1 + max(scenario.secondaries, *scenario.owners)]
    clients = [testbed.client(name, other=other) for name, other in zip(names, cast, strict=False)]
    return testbed.prepared(scenario, kind, clients=clients)


def _begins(statement: StatementRun) -> bool:
    """Create a set and let a server configure it; tell whether accounts let that be."""
    answer = statement.primary.create_ex(None, statement.set_name, statement.scenario.config)
    if not answer.succeeded:
        answer.expect_failure(by=Needed("ABI-17"))
        return False
    return _configures(statement)


def _configures(statement: StatementRun) -> bool:
    """Run the statement on a set that was created; False where its server may not open the set."""
    statement.joined.append(statement.primary)
    configuring = statement.primary.send_get_configuration(thread="configuration")
    if not statement.ends_before(configuring):
        statement.must_miss = False
        statement.configuration = configuring.result().expect(NOERROR, by=Needed("CFG-01"))
        return True
    statement.require_failure()
    # Nothing wakes who waits for a server that never came (CFG-29).
    statement.primary.signal_abort().expect(NOERROR, by=Needed("ABT-01"))
    configuring.result().expect(VD_E_ABORT, by=Needed("ABT-01"))
    return False


def _joins(statement: StatementRun, secondary: Client) -> bool:
    """Let a process of another account join, or find it refused with a code."""
    answer = statement.join(secondary)
    if not answer.succeeded:
        answer.expect_failure(by=Needed("ABI-17"))
    return answer.succeeded


def _run_out(statement: StatementRun) -> None:
    """Be ordinary clients to the end, in which no process reads or writes a file."""
    for command in statement.commands():
        statement.answer_any(command).expect(NOERROR, by=COMPLETE_COMMAND)
    statement.require_success(statement.outcome())
    statement.close()
