"""Whatever a record of a run says, no report that is made of it does anything to its reader but inform."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given, settings

from selftest.evidence.samples import FOOTER, HEADER
from selftest.proof.made import trial
from selftest.report import certificates
from selftest.report.generated import evidence
from selftest.report.harmless import require_harmless
from selftest.report.html_reading import require_closed
from selftest.report.made import check
from vdi_conformance.cli import main
from vdi_conformance.evidence.files import Evidence, EvidenceWriter
from vdi_conformance.evidence.proof import Cell, Proof, Score, TrialResult, Verified
from vdi_conformance.evidence.records import (
    Call,
    Cause,
    CheckRecord,
    KnownFailure,
    Observation,
    Party,
    Pin,
    ProfileVersion,
    Verdict,
)
from vdi_conformance.judgement.baseline import Entry, parse, render
from vdi_conformance.report import allure
from vdi_conformance.report.certificate import certificate
from vdi_conformance.report.certificate_archive import pack
from vdi_conformance.report.certification import CANARIES, SEEDS
from vdi_conformance.report.comparison import compare
from vdi_conformance.report.comparison_views import as_json, as_markdown, as_text
from vdi_conformance.report.formats import FORMATS
from vdi_conformance.report.junit import junit
from vdi_conformance.report.proof_page import page
from vdi_conformance.report.proof_summary import summary
from vdi_conformance.report.wording import account, facts, headline, rerun
from vdi_conformance.untrusted.printable import keepable
from vdi_fixtures.hosts.hostile import NASTY

ROWS = [NASTY, "GBH-01"]
"""A forged record may have anything where ids of requirements are."""


def _forged(verdict: Verdict, text: str = NASTY) -> Evidence:
    party = Party(reference=text, name=text, version=text, vendor=text, library=text)
    header = msgspec.structs.replace(HEADER, client=party, server=party, platform=text, selection=[text], started=text)
    cause = Cause(kind="code", sentence=text * 3, expected=[text], observed=text)
    made = CheckRecord(
        id=f"a/b{text}",
        node=text,
        requirements=ROWS,
        level="MUST",
        verdict=verdict,
        duration=0.1,
        cause=None if verdict == "passed" else cause,
        known=KnownFailure(entry=text, reason=text, issue=text, fault="adapter")
        if verdict == "known failure"
        else None,
        observations=[Observation(question=text, subject=text, answer=f"{verdict}{text}")],
        calls=[Call(number=1, process=text, method=text, params={text: text}, answer=text)],
        detail=text,
    )
    footer = msgspec.structs.replace(FOOTER, counts={verdict: 1}, complaints=[text], exit_code=1)
    return Evidence(header, (made,), footer)


def _write(path: Path, run: Evidence, selection: tuple[str, ...] = ()) -> Path:
    writer = EvidenceWriter(path)
    for record in (msgspec.structs.replace(run.header, selection=list(selection)), *run.checks, run.footer):
        writer.write(msgspec.convert(keepable(msgspec.to_builtins(record)), type(record)))
    writer.close()
    return path


def _texts_of(document: bytes) -> str:
    root = ET.fromstring(document)  # noqa: S314, our own text
    return "\n".join(text for one in root.iter() for text in (one.text or "", *one.attrib.values()))


@settings(max_examples=40, deadline=None)
@given(run=evidence())
def test_junit_says_nothing_that_acts(run: Evidence) -> None:
    require_harmless(_texts_of(junit(run)))


def test_junit_and_the_words_of_reports_pass_a_forged_record_on_without_its_tricks() -> None:
    for verdict in ("failed", "known failure", "warning"):
        run = _forged(verdict)
        (check,) = run.checks
        require_harmless(_texts_of(junit(run)))
        require_harmless(account(run.header, check))
        for line in (headline(check), rerun(run.header, check), *facts(run.header).values()):
            require_harmless(line)
            assert "\n" not in line


def test_allure_passes_it_on_without_its_tricks() -> None:
    run = _forged("known failure")
    (check,) = run.checks
    told = [*allure.title_path(check), *(text for pair in allure.labels(check) for text in pair)]
    told += [text for link in allure.links(check) for text in link]
    for line in told:
        require_harmless(line)
    require_harmless(allure.description(run.header, check))
    assert "<b>" not in allure.description(run.header, check).replace("\\<b\\>", "").split("```")[0]
    assert allure.environment(run.header).isascii()


def test_comparisons_pass_it_on_without_its_tricks() -> None:
    between = compare(_forged("passed"), _forged("failed"))
    for view in (as_text, as_markdown, as_json):
        require_harmless(view(between))
    assert as_json(between).isascii()
    assert json.loads(as_json(between))["regressions"][0]["requirements"] == ROWS
    unescaped = as_markdown(between).replace("\\<", "").replace("\\!", "").replace("\\[", "")
    assert not [line for line in unescaped.splitlines() if "<b>" in line and "`" not in line]


def test_a_baseline_is_written_without_its_tricks() -> None:
    text = NASTY.encode("utf-8", "replace").decode()
    listed = Entry(check=text, cause=text, reason=text, issue=text, fault="adapter")
    written = render([listed], NASTY, {text: ROWS})
    assert parse(written, "b.toml") == (listed,)
    assert not re.search(r"[^\n\x20-\U0010ffff]|[\x7f-\x9f\u200b-\u202e]|^\s*::|##\[|##vso", written, re.MULTILINE)


def test_a_proof_is_drawn_without_its_tricks() -> None:
    made = Proof(
        suite_version=NASTY,
        catalogue_sha256="0" * 64,
        profile=ProfileVersion(name="full", version=1, sha256=""),
        adapter=Party(reference=NASTY, name=NASTY, version=NASTY),
        platform=NASTY,
        python=NASTY,
        started=NASTY,
        duration=1.0,
        ending="not proven",
        findings=(NASTY,),
        partial=(NASTY,),
        charges=(),
        cells=(Cell(requirement="MBH-04", fault="wrong", outcome="killed", check=NASTY, cause=NASTY),),
        requirements=(Verified(requirement="MBH-04", level="MUST", scored=True, faults=("wrong",)),),
        scores=(Score(name=NASTY, about=NASTY, met=(), scored=1, must=1, unmet_musts=1),),
        false_positives=(),
        trials=(TrialResult(trial=trial(about=NASTY)), TrialResult(trial=trial("reading", NASTY, about=NASTY))),
    )
    drawn = page(made)
    require_harmless("\n".join(require_closed(drawn).text))
    assert "<b>x</b>" not in drawn
    for line in summary(made):
        require_harmless(line)
        assert "\n" not in line


def test_a_certificate_is_verified_without_its_tricks(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = keepable(NASTY)
    claimed = {"reference": text, "name": text, "version": text, "vendor": text, "library": text}
    pins = {text: Pin(kind="library", sha256="a" * 64)}
    client = msgspec.structs.replace(certificates.PARTY, **claimed, server_version=text, pins=pins)
    header = {"suite_version": f"0{text}", "platform": text}
    runs = tuple(certificates.lines(certificates.run(seed, client=client, **header)) for seed in SEEDS)
    canaries = {}
    for one in CANARIES["core"]:
        found = [check(f"made/{one.requirement}", "failed", requirements=(one.requirement,))]
        around = msgspec.structs.replace(client, reference=one.reference)
        run = certificates.run(0, found, [f"requirement {one.requirement}"], client=around, **header)
        canaries[one.fault] = certificates.lines(run)
    path = tmp_path / "c.zip"
    path.write_bytes(pack(certificate(certificates.parts(runs=runs, canaries=canaries))))
    assert main(["verify", str(path)]) == 0
    told = capfd.readouterr().out
    assert "[red]x[/]" in told
    require_harmless(told)
    assert len(told.splitlines()) == 10


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", "{old}", "{new}"],
        ["compare", "{old}", "{new}", "--format", "markdown"],
        ["compare", "{old}", "{new}", "--format", "json"],
        ["baseline", "update", "{new}"],
        ["compare", "{old}", "{new}", "--format", "html"],
        ["compare", "{old}", "{new}", "{new}"],
        *(["report", form, "{new}"] for form in FORMATS),
        ["compare", "{old}", "\x1b[2J{new}"],
        ["compare", "{old}", "{selected}"],
        ["baseline", "update", "{selected}"],
        ["report", "\x1b[2J\n::error::x", "{new}"],
        ["requirements", "\x1b[2J\n::error::x" * 5000],
        ["questions", "\u202ex"],
        ["verify", "\x1b[2J\n::error::x"],
        ["replay", "\x1b[2J\n::error::x", "--adapter", "emulator"],
        ["run", "--adapter", "\x1b[2J\n::error::x\u202e" * 500],
        ["run", "--adapter", "emulator", "--topic", "\x1b[2J\n::error::x\u202e"],
        ["run", "--adapter", "emulator", "--profile", "\x1b[2J\n::error::x\u202e"],
    ],
)
def test_commands_echo_nothing_that_acts(
    arguments: list[str], tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    old = _write(tmp_path / "old.jsonl", _forged("passed"))
    new = _write(tmp_path / "new.jsonl", _forged("failed"))
    selected = _write(tmp_path / "selected.jsonl", _forged("failed"), (NASTY,))
    main(
        [
            argument.format(old=old, new=new, selected=selected) if "{" in argument else argument
            for argument in arguments
        ]
    )
    captured = capfdbinary.readouterr()
    told = (captured.out + captured.err).decode("utf-8")
    assert told
    assert not captured.err or len(captured.err.decode("utf-8").rstrip("\n").splitlines()) == 1
    require_harmless("\n".join(line for line in told.splitlines() if not line.startswith(("check =", "cause ="))))
    assert len(told) < 200_000
