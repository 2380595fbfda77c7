"""The template of a repository for results: what it accepts, what it refuses, and the page that it makes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from selftest.report.certificates import PARTY, canary, checks, lines, parts, run
from selftest.report.made import check
from vdi_conformance.cli import main
from vdi_conformance.evidence.records import CheckRecord, Observation, Requests
from vdi_conformance.report.certificate import certificate
from vdi_conformance.report.certificate_archive import pack
from vdi_conformance.report.certification import CANARIES, SEEDS

TEMPLATE = Path(__file__).resolve().parents[2] / "results-repository"
OLD = "0.0.9"
"""A version of the suite whose checks the installed one does not know."""
PLACE = "vendors/made-here/made-vdi_1.0_core-1_here.zip"
SPARE = "vendors/somebody/keys/spare.pub"
NASTY = "<script>alert(1)</script>\x1b[31m"


def made(
    path: Path, name: str = "Made VDI", version: str = "1.0", vendor: str = "Made here", *, failing: bool = False
) -> Path:
    """Write a certificate of runs that never happened."""
    client = msgspec.structs.replace(PARTY, name=name, version=version, vendor=vendor)
    records = [_seen(one) for one in checks()]
    if failing:
        records[0] = _seen(
            msgspec.structs.replace(
                check(records[0].id, "failed"),
                requirements=records[0].requirements,
                broken=records[0].requirements,
                level=records[0].level,
            )
        )
    runs = tuple(lines(run(seed, records, client=client, server=client, suite_version=OLD)) for seed in SEEDS)
    canaries = {one.fault: lines(canary(one, suite_version=OLD)) for one in CANARIES["core"]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pack(certificate(parts(runs=runs, canaries=canaries))))
    return path


def _seen(one: CheckRecord) -> CheckRecord:
    seen = Observation(question="Q38", subject="GetBufferHandle of the last byte", answer="VD_E_INVALID")
    return msgspec.structs.replace(
        one, observations=[seen], requests=Requests(client=3, statements=1), codes=checks()[0].codes
    )


def results(root: Path, *arguments: str) -> tuple[int, str]:
    """Run the script of the template as its CI does; give the exit code and what it printed."""
    ended = subprocess.run(
        [sys.executable, str(root / "results.py"), *arguments],
        cwd=root.parent,
        env=os.environ | {"PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the template with one vendor, who has a key and a certificate."""
    root = tmp_path_factory.mktemp("results") / "merged"
    shutil.copytree(TEMPLATE, root)
    keys = root / "vendors" / "made-here" / "keys"
    keys.mkdir(parents=True)
    secret = root.parent / "release"
    assert main(["keys", "new", str(secret)]) == 0
    assert main(["keys", "new", str(root.parent / "stranger")]) == 0
    shutil.copy(f"{secret}.pub", keys / "release.pub")
    (root / SPARE).parent.mkdir(parents=True)
    shutil.copy(root.parent / "stranger.pub", root / SPARE)
    sign(made(root / PLACE), root, "release")
    return root


def sign(file: Path, root: Path, key: str) -> Path:
    assert main(["sign", str(file), "--key", str(root.parent / key)]) == 0
    return file


@pytest.fixture
def proposed(merged: Path, tmp_path: Path) -> Path:
    """What a pull request proposes, before it changes anything."""
    return Path(shutil.copytree(merged, tmp_path / "proposed"))


def checked(proposed: Path, merged: Path) -> tuple[int, str]:
    return results(merged, "check", str(proposed), "--base", str(merged))


def test_certificates_of_versions_are_accepted_conformant_or_not(merged: Path, proposed: Path) -> None:
    sign(made(proposed / of("1.1"), version="1.1", failing=True), merged, "release")
    assert checked(proposed, merged) == (0, "")
    assert results(merged, "name", str(proposed / PLACE)) == (0, f"{PLACE}\n")


def test_a_new_vendor_comes_with_a_key(merged: Path, proposed: Path) -> None:
    file = proposed / "vendors" / "another" / "other-vdi_2.0_core-1_here.zip"
    sign(made(file, "Other VDI", "2.0", "Another"), merged, "stranger")
    code, told = checked(proposed, merged)
    assert (code, "vendors/another/keys has no key" in told) == (1, True), told
    (file.parent / "keys").mkdir()
    shutil.copy(merged.parent / "stranger.pub", file.parent / "keys" / "a.pub")
    assert checked(proposed, merged) == (0, "")


def of(version: str) -> str:
    return PLACE.replace("1.0", version)


@pytest.fixture(scope="module")
def refused(merged: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All that a check says of a proposal in which nothing belongs: the sentences, by the files."""
    proposed = Path(shutil.copytree(merged, tmp_path_factory.mktemp("refused") / "proposed"))
    keys = proposed / "vendors" / "made-here" / "keys"
    shutil.copy(proposed / PLACE, proposed / of("again"))
    sign(made(proposed / PLACE, failing=True), merged, "release")
    (proposed / SPARE).unlink()
    shutil.copy(merged.parent / "stranger.pub", keys / "release.pub")
    shutil.copy(merged.parent / "stranger.pub", keys / "new.pub")
    sign(made(proposed / of("elsewhere"), version="1.2"), merged, "release")
    sign(made(proposed / of("1.3"), version="1.3", vendor="Somebody else"), merged, "release")
    made(proposed / of("1.4"), version="1.4")
    sign(made(proposed / of("1.5"), version="1.5"), merged, "stranger")
    damaged = sign(made(proposed / of("1.6"), version="1.6"), merged, "release")
    damaged.write_bytes(damaged.read_bytes().replace(b"conformant", b"conformist", 1))
    (proposed / of("1.7")).write_bytes(b"PK")
    (keys.parent / "page.html").write_text("hello", "utf-8")
    code, told = checked(proposed, merged)
    assert code == 1
    found = dict(line.split(": ", 1) for line in told.splitlines())
    assert len(found) == len(told.splitlines()) == len(REFUSED)
    return found


KEYS = "vendors/made-here/keys"
REFUSED = {
    "the same again": (of("again"), f"{PLACE} is there already"),
    "replaced": (PLACE, "it is merged, and never changed or removed"),
    "a key removed": (SPARE, "it is merged, and never changed or removed"),
    "a key replaced": (f"{KEYS}/release.pub", "it is merged, and never changed or removed"),
    "of another version": (of("elsewhere"), f"{of('1.2')} is where it belongs"),
    "of another vendor": (of("1.3"), "vendors/somebody-else/made-vdi_1.3_core-1_here.zip is where it belongs"),
    "not signed": (of("1.4"), "it is not accepted by any key"),
    "signed by a key that comes with it": (of("1.5"), "it is not accepted by any key"),
    "damaged": (of("1.6"), "it is not accepted by any key"),
    "no certificate": (of("1.7"), "it is not accepted by any key"),
    "something else": ("vendors/made-here/page.html", "only certificates (*.zip), and keys (keys/*.pub), belong here"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_belong_is_one_sentence(case: str, refused: dict[str, str]) -> None:
    file, sentence = REFUSED[case]
    assert sentence in refused[file]


def test_the_page_shows_versions_requirements_and_open_questions(merged: Path, proposed: Path, tmp_path: Path) -> None:
    made(proposed / of("1.1"), version="1.1", failing=True)
    made(proposed / "vendors" / "script" / "x.zip", name=NASTY, version="9")
    site = tmp_path / "site"
    assert results(merged, "page", str(proposed), "--output", str(site)) == (0, "")
    page = (site / "index.html").read_text("utf-8")
    failed = checks()[0].requirements[0]
    row = re.search(rf'<th scope="row">{failed} .*?</tr>', page, re.DOTALL)
    assert row is not None
    assert re.findall(r'class="mark (\w+)"', row[0]) == ["passed", "passed", "failed"]
    assert ">not conformant</td>" in page
    assert "GetBufferHandle of the last byte" in page
    assert "VD_E_INVALID" in page
    for told in ("Made VDI", "1.0", "1.1", PLACE):
        assert told in page
    assert (site / PLACE).read_bytes() == (proposed / PLACE).read_bytes()
    assert "<script" not in page
    assert "\x1b" not in page
    assert "http" not in re.sub(r"https?://[^\s<]*", "", page.replace("http-equiv", ""))


def test_a_repository_without_results_has_a_page(tmp_path: Path) -> None:
    root = Path(shutil.copytree(TEMPLATE, tmp_path / "new"))
    assert results(root, "check", str(root)) == (0, "")
    assert results(root, "page", str(root), "--output", str(tmp_path / "site")) == (0, "")
    assert "There is none yet." in (tmp_path / "site" / "index.html").read_text("utf-8")
