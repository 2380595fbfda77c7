"""A server's own trouble is charged to no library, a library's own to no server; by the set of each statement."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftest.suite import full_disk, troubled
from selftest.suite.runs import Run, RunSuite
from vdi_conformance.harness import server_trouble
from vdi_conformance.host.messages.server import StatementEnd, StatementMessage
from vdi_conformance.report.junit import junit

SETS = ("vdi-conformance-0123456789ab-1", "vdi-conformance-0123456789ab-1-1")
LAST = StatementMessage(3013, "BACKUP DATABASE is terminating abnormally.")
CONFIGURED = "CFG/the_call_waits_until_the_server_has_configured_the_set[restore]"
RESTORED = "BUF/what_a_backup_wrote_can_be_restored[64 KiB]"
UNCONFIGURED = "ABT/a_statement_fails_on_a_set_that_was_aborted_before[backup]"
NUMBERS = st.integers(1, 60000).filter(lambda number: number not in {3013, 3041, 3261, 18210})
DENIED = (
    "Open failure on backup device 'NAME'. Operating system error 0x80070005(Access is denied.).",
    "Open-Fehler auf Sicherungsmedium 'NAME'. Betriebssystemfehler 0x80070005(Zugriff verweigert).",
    "备份设备 'NAME' 出现打开失败。操作系统错误0x80070005\uff08拒绝访问。\uff09。",
    "Échec d'ouverture sur l'unité 'NAME'. Erreur du système d'exploitation 5(Accès refusé.).",
)


def _end(*messages: tuple[int, str]) -> StatementEnd:
    return StatementEnd(False, [*(StatementMessage(*one) for one in messages), LAST])


@given(NUMBERS)
def test_what_speaks_of_no_device_is_the_servers_whatever_its_number(number: int) -> None:
    end = _end((number, "Die Datenbank 'x' ist offline."))
    assert "ist offline" in str(server_trouble.before_the_set(end, SETS))
    assert server_trouble.at_the_set(end, SETS) is None


@pytest.mark.parametrize("text", DENIED)
@pytest.mark.parametrize("number", [18210, 3201, 41999])
def test_the_error_of_the_operating_system_is_known_in_every_language(number: int, text: str) -> None:
    said = text.replace("NAME", SETS[1])
    end = _end((number, said), (3041, "BACKUP failed."))
    sentence = str(server_trouble.at_the_set(end, SETS))
    assert "0x80070005" in sentence
    assert "account" in sentence
    assert said in sentence
    assert "BACKUP failed." in sentence
    assert server_trouble.before_the_set(end, SETS) is None


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (3261, "SQL Server kann die Konfiguration nicht verwenden."),
        (18210, f"Schreibfehler auf '{SETS[0]}'. Betriebssystemfehler 995(abgebrochen)."),
        (18210, f"write failure on '{SETS[0]}'. Operating system error 0x800703e3."),
        (3271, f"write failure on '{SETS[0]}'. Operating system error 995."),
    ],
)
def test_what_comes_of_an_opened_set_may_be_the_librarys_doing(number: int, text: str) -> None:
    end = _end((number, text))
    assert server_trouble.before_the_set(end, SETS) is None
    assert server_trouble.at_the_set(end, SETS) is None
    assert server_trouble.of_its_own(end, SETS) is None


def _run(run_suite: RunSuite, client: str, server: str | None, *options: str) -> Run:
    named = [f"{troubled.__file__}:{name}" if name in vars(troubled) else name for name in (client, server) if name]
    parties = [part for pair in zip(("--adapter", "--server"), named, strict=False) for part in pair]
    # In the course of a run: what shows before it is the probe's.
    return run_suite(*parties, "--timeout-scale", "2", *options, "--", "-p", "no:vdi-probe")


def _say(monkeypatch: pytest.MonkeyPatch, number: int, text: str) -> None:
    monkeypatch.setenv(troubled.NUMBER, str(number))
    monkeypatch.setenv(troubled.TEXT, text)


def _sentences(run: Run) -> set[str]:
    return {check.cause.sentence for check in run.evidence.checks if check.cause}


def test_a_server_that_may_not_open_the_set_is_told_as_that_in_every_report(
    run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    _say(monkeypatch, 18210, f"Fehler\r\nauf {DENIED[1]}")
    run = _run(run_suite, "emulator", "Refusing", "--check", CONFIGURED)
    assert (set(run.verdicts().values()), run.exit_code) == ({"not tested"}, 6), run.output
    for told in (*_sentences(run), junit(run.evidence).decode()):
        assert "0x80070005(Zugriff verweigert)" in told
        assert "terminating abnormally" in told


def test_a_later_statement_of_a_check_has_a_set_of_its_own(
    run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    _say(monkeypatch, 54321, "Kein Platz auf dem Datenträger.")
    run = _run(run_suite, "emulator", "RefusingRestores", "--check", RESTORED)
    assert (set(run.verdicts().values()), run.exit_code) == ({"not tested"}, 6), run.output
    assert all("Kein Platz" in sentence for sentence in _sentences(run))


def test_a_statement_that_fails_for_something_else_shows_nothing(
    run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    _say(monkeypatch, 54321, "the database is somewhere else")
    run = _run(run_suite, "emulator", "Refusing", "--check", UNCONFIGURED)
    assert (set(run.verdicts().values()), run.exit_code) == ({"not tested"}, 6), run.output


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("Read on 'x.mdf' failed: 87(wrong).", "not tested"), ("Write on 'NAME' failed: 87.", "failed")],
)
def test_a_backup_fails_for_what_a_device_did_or_for_the_servers_own(
    run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch, text: str, verdict: str
) -> None:
    _say(monkeypatch, 3203, text)
    run = _run(run_suite, "emulator", "FailingInTheMiddle", "--check", RESTORED)
    assert set(run.verdicts().values()) == {verdict}, run.output
    assert text.partition(" failed")[2] in junit(run.evidence).decode()


def test_a_slow_server_is_told_as_one(run_suite: RunSuite) -> None:
    run = _run(run_suite, "Patient", "Slow", "--check", CONFIGURED)
    assert (set(run.verdicts().values()), run.exit_code) == ({"not tested"}, 6), run.output
    assert all("slow" in sentence and "--timeout-scale" in sentence for sentence in _sentences(run))


def test_the_death_of_a_server_is_no_clients(run_suite: RunSuite) -> None:
    run = _run(run_suite, "emulator", "Dying", "--check", RESTORED)
    assert (set(run.verdicts().values()), run.exit_code) == ({"not tested"}, 6), run.output


@pytest.mark.parametrize("client", ["Blind", "Forgetful"])
@pytest.mark.parametrize("server", ["Honest", None])
def test_no_server_excuses_a_library_that_loses_the_configuration(
    run_suite: RunSuite, client: str, server: str | None
) -> None:
    run = _run(run_suite, client, server, "--check", CONFIGURED)
    assert (set(run.verdicts().values()), run.exit_code) == ({"failed"}, 1), run.output


@pytest.mark.parametrize("full", [True, False])
def test_a_lack_of_room_is_believed_where_it_can_be_seen(
    run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    plugins = ("--", "-p", full_disk.__name__) if full else ()
    checks = ("--check", CONFIGURED, "--check", "BUF/one_buffer_serves_all_devices[primary]")
    run = run_suite("--adapter", f"{troubled.__file__}:NoRoom", *checks, *plugins)
    assert set(run.verdicts().values()) == {"not tested" if full else "failed"}, run.output
    if full:
        assert all("no room for the buffers" in sentence for sentence in _sentences(run))


def test_a_library_that_has_room_for_little_is_not_tested_with_much(run_suite: RunSuite) -> None:
    reference = "vdi_fixtures.readings.buf.large_sets_end_in_configuration:Reading"
    large = "MBH/large_buffers_are_shared_to_their_last_byte[restore-4 MiB]"
    run = run_suite("--adapter", reference, "--check", large)
    assert (set(run.verdicts().values()), run.exit_code) == ({"not tested"}, 6), run.output
    assert all("more shared memory" in sentence for sentence in _sentences(run))
