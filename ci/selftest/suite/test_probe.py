"""What would make every check fail is told once, before the run; a wrong implementation is judged all the same."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from selftest.suite import probed
from selftest.suite.runs import run_pytest_in
from vdi_conformance.host.spec import RunSettings
from vdi_conformance.host.supervisor import Supervisor
from vdi_conformance.pytest_plugin.parties import UnknownParties, ask_parties, parties_of
from vdi_conformance.pytest_plugin.probe import Trouble, probe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from selftest.suite.runs import RunSuite

    Probe = Callable[..., None]

ACCESS_DENIED = "18210 BackupVirtualDeviceSet::Initialize: Open failure on 'x'. Operating system error 0x80070005(No.)."
NOT_FOUND = (
    "18210 BackupVirtualDeviceSet::Initialize: Open-Fehler auf 'x'. Betriebssystemfehler 2(Keine Datei.).|3013 x"
)
NO_ROOM = "18210 BackupVirtualDeviceSet::AllocateBuffer: failure on 'x'. Operating system error 995.|3013 x"


def adapter(name: str) -> str:
    return f"{probed.__file__}:{name}"


@pytest.fixture
def probing() -> Probe:
    """Probe a client, and a server where one is named, as a run does."""

    def probing(client: str, server: str | None = None, with_statements: bool = True) -> None:
        settings = RunSettings()
        with Supervisor() as supervisor:
            found = ask_parties(supervisor, client, server, settings)
            probe(parties_of(*found, settings), supervisor, with_statements)

    return probing


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("80070005", r"E_ACCESSDENIED \(0x80070005\): the account lacks rights.*run as an administrator"),
        ("80770005", r"VD_E_SECURITY \(0x80770005\): the account lacks rights"),
        ("80770007", r"VD_E_INSTANCE_NAME \(0x80770007\): there is no such instance.*start the default one"),
        ("8077000A", r"VD_E_MEMORY \(0x8077000A\): there is no room.*/dev/shm"),
        ("80070070", r"0x80070070\): there is no room"),
    ],
)
@pytest.mark.parametrize("with_statements", [True, False])
def test_a_set_that_cannot_be_for_want_of_rights_instance_or_room(
    probing: Probe, monkeypatch: pytest.MonkeyPatch, code: str, sentence: str, with_statements: bool
) -> None:
    monkeypatch.setenv(probed.CODE, code)
    with pytest.raises(Trouble, match=f"cannot create the plainest set, CreateEx gave .*{sentence}"):
        probing(adapter("Refused"), with_statements=with_statements)


@pytest.mark.parametrize(
    ("client", "code"),
    [
        ("Refused", "80770006"),
        ("Refused", "80004005"),
        ("Refused", "00000001"),
        ("RefusedForFeatures", "80070005"),
        ("RefusedJoin", "80070005"),
    ],
)
def test_a_library_that_is_wrong_is_left_to_the_checks(
    probing: Probe, monkeypatch: pytest.MonkeyPatch, client: str, code: str
) -> None:
    monkeypatch.setenv(probed.CODE, code)
    probing(adapter(client))


def test_a_default_instance_that_one_form_alone_knows_is_there(probing: Probe) -> None:
    probing("vdi_fixtures.broken.nam.the_default_instance_needs_its_name:Broken")


@pytest.mark.parametrize("client", ["answers_noerror", "answers_invalid", "answers_protocol", "dies_at_once"])
def test_a_client_with_nothing_behind_it_is_left_to_the_checks(probing: Probe, client: str) -> None:
    probing(f"vdi_fixtures.trivial.{client}:Trivial")


def test_a_stranger_never_meets_the_emulator(probing: Probe) -> None:
    with pytest.raises(Trouble, match=r"probed\.py:Stranger and emulator never meet.*0x80070002.*--server none"):
        probing(adapter("Stranger"))


def test_a_stranger_alone_needs_no_server(probing: Probe) -> None:
    probing(adapter("Stranger"), "none", with_statements=False)


def test_a_client_that_fails_by_itself_is_no_stranger(probing: Probe) -> None:
    probing(adapter("Impatient"))


def test_a_client_whose_own_server_does_not_find_its_sets_is_judged(probing: Probe) -> None:
    probing(adapter("Elsewhere"))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (ACCESS_DENIED, r"Saying cannot run the plainest statement, it says: .*Open failure.*\(18210\).*rights"),
        (NOT_FOUND, r"emulator and .*Saying never meet.*Keine Datei.*\(18210\); x \(3013\)\. Name a server"),
        (NO_ROOM, r"AllocateBuffer.*\(18210\).*So there is no room"),
    ],
)
def test_the_server_of_another_says_why_it_cannot_be(
    probing: Probe, monkeypatch: pytest.MonkeyPatch, said: str, sentence: str
) -> None:
    monkeypatch.setenv(probed.TEXT, said)
    with pytest.raises(Trouble, match=sentence):
        probing("emulator", adapter("Saying"))


@pytest.mark.parametrize(("said", "told"), [(ACCESS_DENIED, True), (NO_ROOM, True), (NOT_FOUND, False)])
def test_ones_own_server_is_believed_in_what_is_nobodys_doing(
    probing: Probe, monkeypatch: pytest.MonkeyPatch, said: str, told: bool
) -> None:
    monkeypatch.setenv(probed.TEXT, said)
    if told:
        with pytest.raises(Trouble):
            probing(adapter("Own"))
    else:
        probing(adapter("Own"))


@pytest.mark.parametrize("said", [ACCESS_DENIED, NO_ROOM, NOT_FOUND])
def test_a_server_that_is_judged_has_no_excuse(probing: Probe, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv(probed.TEXT, said)
    probing(adapter("Judged"))


@pytest.mark.parametrize("said", ["942 the database is offline|3013 x", "1 5 (five) and 0x80070002 (two)"])
def test_other_trouble_of_a_server_is_left_to_the_checks(
    probing: Probe, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv(probed.TEXT, said)
    probing("emulator", adapter("Saying"))


def test_a_server_of_another_that_serves_nothing_is_told(probing: Probe) -> None:
    with pytest.raises(Trouble, match=r"Speechless does not serve statement\.execute"):
        probing("emulator", adapter("Speechless"))
    probing(adapter("OwnSpeechless"))


@pytest.mark.parametrize("options", [("--requirement", "CRE-01"), ("-n", "2"), ("--server", "none")])
def test_a_run_ends_before_it_begins(
    run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setenv(probed.CODE, "80070005")
    run = run_suite("--adapter", adapter("Refused"), *options)
    assert run.exit_code == 4, run.output
    (line,) = (line for line in run.output.splitlines() if line.strip())
    assert line.startswith("ERROR: ")
    assert not run.evidence_path.exists()


def test_plain_pytest_is_ended_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(probed.CODE, "80070005")
    told = f"--vdi-adapter={adapter('Refused')}"
    ended = run_pytest_in(tmp_path, told)
    assert (ended.exit_code, "cannot create" in ended.output) == (4, True)
    assert "cannot create" not in run_pytest_in(tmp_path, told, "--collect-only").output


def test_a_wrong_library_fails_its_checks(run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(probed.CODE, "80770006")
    run = run_suite("--adapter", adapter("Refused"), "--requirement", "CRE-01")
    assert run.exit_code == 1, run.output
    assert set(run.verdicts().values()) == {"failed"}


def test_a_run_can_do_without_the_probe(run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(probed.CODE, "80070005")
    run = run_suite("--adapter", adapter("Refused"), "--requirement", "CRE-01", "--", "-p", "no:vdi-probe")
    assert run.exit_code == 1, run.output


@pytest.mark.parametrize("left", [1000, 1 << 30])
def test_a_full_disk_is_no_fault_of_whoever_fails_on_it(
    probing: Probe, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    monkeypatch.setenv(probed.TEXT, NO_ROOM)
    full = type(shutil.disk_usage("."))(left, 0, left)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    if left > 1000:
        probing(adapter("Judged"))
    else:
        with pytest.raises(Trouble, match=r"there is no room left in .*: make room there"):
            probing(adapter("Judged"))


def test_two_machines_of_their_own_are_refused_before_either_is_started(probing: Probe) -> None:
    with pytest.raises(
        UnknownParties, match=r"handles_are_offsets:Reading and the server emulator each have a machine"
    ):
        probing("vdi_fixtures.readings.gbh.handles_are_offsets:Reading", "emulator")
