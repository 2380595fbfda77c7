"""Two compare_abis held against each other, and the build of the stand-in where there is no compiler."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from compare_abis import Difference, differences, main
from selftest.evidence.samples import CHECK, PARTY
from selftest.report.made import run
from vdi_conformance.contract import Capabilities
from vdi_conformance.evidence.records import Cause, CheckRecord, Observation

if TYPE_CHECKING:
    from vdi_conformance.evidence.files import Evidence

ROOT = Path(__file__).resolve().parents[3]


def abi(*checks: CheckRecord, **capabilities: Any) -> Evidence:
    """Make a run of a client that declares these capabilities."""
    declared = Capabilities(**capabilities).to_mapping()
    return run(*checks, client=msgspec.structs.replace(PARTY, capabilities=declared))


def inapplicable(sentence: str) -> CheckRecord:
    """Make a check that did not apply."""
    cause = Cause(kind="assertion", sentence=sentence)
    return msgspec.structs.replace(CHECK, verdict="not applicable", cause=cause)


def seeing(question: str, answer: str) -> CheckRecord:
    """Make a check that saw an answer to an open question."""
    return msgspec.structs.replace(CHECK, observations=[Observation(question=question, subject="it", answer=answer)])


def test_equal_faces_do_not_differ() -> None:
    assert list(differences(abi(seeing("Q10", "NOERROR")), abi(seeing("Q10", "NOERROR")))) == []


def test_a_capability_that_is_not_declared_explains_what_needs_it() -> None:
    found = differences(abi(CHECK, named_instances=True), abi(inapplicable("it needs named instances")))
    assert list(found) == [Difference("a check passed and not applicable", "named_instances")]
    found = differences(abi(seeing("Q10", "a"), named_instances=True), abi(seeing("Q10", "b")))
    assert [difference.why for difference in found] == ["named_instances"]


@pytest.mark.parametrize(
    ("sentence", "cause"),
    [
        ("addresses of this process have no more than 32 bits", "the width of a process"),
        ("other accounts cannot enter /here, where the host program lies: move it", "the place of a host program"),
    ],
)
def test_what_a_process_lacks_explains_what_needs_it(sentence: str, cause: str) -> None:
    found = differences(abi(CHECK), abi(inapplicable(sentence)))
    assert [difference.why for difference in found] == [cause]


@pytest.mark.parametrize(
    "other",
    [
        inapplicable("it needs null out pointers"),
        msgspec.structs.replace(CHECK, verdict="failed", cause=Cause(kind="died", sentence="named instances")),
        msgspec.structs.replace(CHECK, verdict="warning", cause=Cause(kind="assertion", sentence="slow")),
        msgspec.structs.replace(CHECK, id="a/other"),
        seeing("Q38", "NOERROR"),
    ],
)
def test_nothing_explains_another_difference(other: CheckRecord) -> None:
    found = list(differences(abi(CHECK, named_instances=True), abi(other)))
    assert found
    assert not any(difference.why for difference in found)


def test_a_capability_that_both_declare_explains_nothing() -> None:
    declaring = {"named_instances": True}
    found = differences(abi(CHECK, **declaring), abi(inapplicable("it needs named instances"), **declaring))
    assert [difference.why for difference in found] == [""]


def test_without_evidence_there_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.jsonl")] * 2) == 4
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the stand-in is built on Linux")
def test_without_a_compiler_the_build_ends_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    done = subprocess.run([sys.executable, "ci/native.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stdout.strip() == (
        "There is no C++ compiler no-such-compiler here: install it, or name another in the variable CXX."
    )
