"""What comes of a judge: evidence that all reports are made of, and exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from selftest.applications.sites import JudgedSite, application_named
from vdi_conformance.applications.calls import FORMS
from vdi_conformance.applications.judge import Judge
from vdi_conformance.applications.rules.streams import Ends
from vdi_conformance.applications.standards import standards
from vdi_conformance.emulator.calls import CALLS
from vdi_conformance.emulator.observing import WATCHED
from vdi_conformance.evidence.files import read
from vdi_conformance.report.formats import FORMATS
from vdi_conformance.requirements import catalogue
from vdi_conformance.vdi.commands import VDC_READ
from vdi_fixtures.applications.application import Application, Done

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vdi_conformance.contract import Command, VirtualDeviceSet


@pytest.fixture
def site(tmp_path: Path) -> Iterator[JudgedSite]:
    """A broker in this process."""
    place = tmp_path / "run"
    place.mkdir()
    made = JudgedSite(place)
    yield made
    made.threads.shutdown()


def test_every_requirement_of_the_client_application_has_a_standard() -> None:
    bound = [one.id for one in catalogue().requirements if one.binds == "client application"]
    assert [one.id for one in standards()] == bound
    judged = [one for one in standards() if one.unmet != "not judged"]
    assert len({one.name for one in judged}) == len(judged)
    assert all(one.judged for one in judged)
    assert [one.id for one in standards() if one.unmet == "not judged"] == ["VDC-09", "TSQ-10"]


def test_the_calls_that_are_told_are_those_of_the_broker() -> None:
    assert FORMS.keys() - CALLS == {"create", "attach", "server_open"}


def test_a_rule_that_fails_takes_nothing_along(site: JudgedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Ends, "moved", fail)
    judge = site.judged(application_named("right:OneDevice"))
    evidence = judge.evidence("an application")
    assert evidence.checks[0].verdict == "error"
    assert "ZeroDivisionError" in evidence.checks[0].detail
    assert evidence.footer.exit_code == 6
    for made in FORMATS.values():
        assert made(evidence)


def test_where_no_application_came_nothing_was_executed(site: JudgedSite, tmp_path: Path) -> None:
    judge = Judge(site.broker, site.directory, 7)
    judge.stop()
    judge.write(tmp_path / "evidence.jsonl", judge.evidence("nobody"))
    assert read(tmp_path / "evidence.jsonl").footer.exit_code == 5
    assert read(tmp_path / "evidence.jsonl").checks == ()


@pytest.mark.parametrize(
    ("name", "code"), [("right:OneDevice", 0), ("wrong.data:AltersBytes", 1), ("right:FullDisk", 6)]
)
def test_the_evidence_gives_every_report(site: JudgedSite, tmp_path: Path, name: str, code: int) -> None:
    judge = site.judged(application_named(name))
    file = tmp_path / "evidence.jsonl"
    judge.write(file, judge.evidence("an application"))
    evidence = read(file)
    assert evidence.footer.exit_code == code
    assert evidence.header.client.name == "an application"
    for made in FORMATS.values():
        assert made(evidence)
    page = FORMATS["html"](evidence).decode()
    assert "vdi-conformance emulator --judge EVIDENCE" in page
    shown = [check for check in evidence.checks if check.verdict in ("passed", "failed")]
    assert shown
    assert [check.id for check in shown if not check.calls and check.requirements != ["VDC-40"]] == []
    assert {call.process for check in shown for call in check.calls} >= {"process 1", "server 2"}


class Listing(Application):
    """Notes what it is asked for."""

    asked: ClassVar[list[tuple[int, int, int]]]

    def perform(self, index: int, device_set: VirtualDeviceSet, command: Command) -> Done:
        """Note it."""
        self.asked.append((command.code, command.size, command.position))
        return super().perform(index, device_set, command)


def test_the_same_seed_asks_for_the_same(site: JudgedSite) -> None:
    asked = []
    for _ in range(2):
        Listing.asked = []
        site.restart_names()
        site.judged(Listing)
        asked.append(Listing.asked)
    assert asked[0] == asked[1]
    assert len({size for code, size, _ in asked[0] if code == VDC_READ}) > 4


def test_libraries_are_asked_to_watch_only_while_there_is_a_judge(site: JudgedSite, tmp_path: Path) -> None:
    judge = Judge(site.broker, site.directory, 7)
    assert (tmp_path / "run" / WATCHED).exists()
    judge.stop()
    assert not (tmp_path / "run" / WATCHED).exists()
    Application(site_without_judge(site), "unseen").run()
    assert judge.ledger.sets == 0


def site_without_judge(site: JudgedSite) -> JudgedSite:
    """Let statements run on plain servers."""
    site.judge = None
    return site


def test_a_restore_of_a_backup_that_nobody_watched_is_not_compared(site: JudgedSite) -> None:
    class Unwatched(Application):
        """Has a backup from before the judge, and makes another one."""

        def transfer(self, operation: str) -> None:
            """Restore the old one."""
            if operation == "backup":
                judge, site.judge = site.judge, None
                super().transfer("backup")
                old = self.media
                site.judge = judge
                self.media = [type(medium)() for medium in old]
                self.name += " new"
                super().transfer("backup")
                self.media = old
                return
            super().transfer(operation)

    ledger = site.judged(Unwatched).ledger
    assert not ledger.broken
    assert not ledger.met["BUF-17"]
