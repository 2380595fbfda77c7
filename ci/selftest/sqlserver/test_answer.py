"""The kit for a SQL Server, as far as it can be tried without one: the command, the fingerprint, what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import native
from selftest.report.harmless import require_harmless
from selftest.report.made import check, run
from sqlserver import answer
from sqlserver.fingerprint import as_json, as_markdown, differences, pull_request
from vdi_conformance.evidence.records import Party
from vdi_conformance.requirements import catalogue

KIT: Final = Path(answer.__file__).parent
CHECK: Final = "GBH/an_address_inside_a_buffer_stays_inside_it[backup-last byte]"
SUBJECT: Final = next(reading.subject for reading in catalogue().questions["Q38"].readings)
HOSTILE: Final = "](x) | <script>\n```\n# heading\x1b[31m \u202e"


def test_a_fingerprint_has_every_open_question_and_is_the_same_whatever_the_order() -> None:
    checks = (check("a/1", seen={SUBJECT: "NOERROR"}), check("a/2", seen={SUBJECT: "VD_E_INVALID", "zone": "NOERROR"}))
    first, second = run(*checks), run(*checks[::-1], started="2027-01-01T00:00:00+00:00", seed=7)
    assert as_json(first) == as_json(second)
    assert as_markdown(first) == as_markdown(second)
    told = json.loads(as_json(first))
    assert [one["id"] for one in told["questions"]] == [*catalogue().questions]
    (shared,) = (one for one in told["questions"] if one["id"] == "Q38")
    (tried,) = (one for one in shared["tried"] if one["subject"] == SUBJECT)
    assert tried["answers"] == ["NOERROR", "VD_E_INVALID"]
    permitted = next(one.permitted for one in catalogue().questions["Q38"].readings if one.subject == SUBJECT)
    assert tried["permitted"] == (list(permitted) or None)


def test_only_what_both_runs_saw_can_differ() -> None:
    mine, theirs = run(check(seen={SUBJECT: "NOERROR", "mine": "x"})), run(check(seen={SUBJECT: "VD_E_INVALID"}))
    ((one, other),) = differences(mine, theirs)
    assert (one.subject, one.answers, other.answers) == (SUBJECT, ("NOERROR",), ("VD_E_INVALID",))
    assert [*differences(mine, mine)] == []


def test_a_pull_request_says_what_was_run_what_failed_and_what_differs() -> None:
    server = Party(reference="sqlserver", name="sqlserver", version="", server_version="16.0.1 Developer Edition")
    failed = check("MBH/a", "failed", "NOERROR")
    mine = run(failed, check("MBH/b", seen={SUBJECT: "NOERROR"}), server=server)
    text = pull_request(mine, run(check(seen={SUBJECT: "VD_E_INVALID"})))
    for told in ("16.0.1 Developer Edition", "| passed | 1 |", "it gave NOERROR (MBH-04; MBH/a)".replace("_", "\\_")):
        assert told in text
    assert text.splitlines()[-1].endswith("| NOERROR | VD\\_E\\_INVALID |")
    assert "No run of the emulator was at hand." in pull_request(mine, None)


def test_texts_of_others_do_no_harm() -> None:
    party = Party(reference=HOSTILE, name=HOSTILE, version=HOSTILE, server_version=HOSTILE)
    hostile = run(check(HOSTILE, "failed", HOSTILE, seen={HOSTILE: HOSTILE}), client=party, server=party)
    for text in (as_json(hostile), as_markdown(hostile), pull_request(hostile, run(check(seen={HOSTILE: "x"})))):
        require_harmless(text)
        assert "<script>" not in text.replace("\\<script\\>", "").replace('"', "") or text.startswith("{")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (None, "--database NAME"),
        ("master", "a database of the system"),
        ("MSDB", "a database of the system"),
        (" tempdb", "a database of the system"),
        ("vdi_conformance_0123456789abcdef", "a name that the suite gives"),
        ("x" * 200, "no name of a database"),
        ("mine", "there is no server to run statements on"),
    ],
)
def test_no_database_is_touched_that_was_not_named(
    name: str | None,
    reason: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("VDI_SQLSERVER_CONNECTION", raising=False)
    output = tmp_path / "answer"
    assert answer.main([*(["--database", name] if name else []), "-o", str(output)]) == 4
    told = capsys.readouterr().err
    assert reason in told
    assert told.count("\n") == 1
    assert not output.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="libsqlvdi.so is a library of Linux")
def test_one_command_leaves_all_of_an_answer(tmp_path: Path) -> None:
    options = ["--adapter", f"sqlserver:{native.build()}", "--server", "emulator", "-n", "1", "-o", "answer"]
    command = [sys.executable, str(KIT / "answer.py"), *options, "--", f"--check={CHECK}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=150, check=False)
    # One check is not all of the profile: the others were not tested, which is what 6 says.
    assert done.returncode == 6, done.stdout + done.stderr
    assert done.stderr.startswith("The profile shared-buffers, with the library of sqlserver:")
    left = {path.name for path in (tmp_path / "answer").iterdir()}
    assert left == {"evidence.jsonl", "run.html", "fingerprint.json", "fingerprint.md", "pull-request.md"}
    told = json.loads((tmp_path / "answer" / "fingerprint.json").read_text("utf-8"))
    answers = [one["answers"] for asked in told["questions"] if asked["id"] == "Q38" for one in asked["tried"]]
    assert ["VD_E_INVALID"] in answers
    text = (tmp_path / "answer" / "pull-request.md").read_text("utf-8")
    assert "None: whatever both were asked, they answer alike." in text


@pytest.mark.skipif(sys.platform == "win32", reason="bash of Windows is another system's")
def test_the_script_of_the_container_can_be_read() -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    done = subprocess.run([bash, "-n", "entry.sh"], cwd=KIT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_image_has_all_that_its_script_needs() -> None:
    lines = (KIT / "Containerfile").read_text("utf-8").splitlines()
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    missing = [one for one in copied if not one.startswith("dist/") and not (KIT.parents[1] / one).exists()]
    assert missing == []
