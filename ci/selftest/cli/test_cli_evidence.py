"""`vdi-conformance evidence merge`: shards give what the whole run gives, verdicts, exit code and baseline included."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from selftest.report.made import check, run
from selftest.suite.runs import run_suite_in
from vdi_conformance import __version__
from vdi_conformance.cli import main
from vdi_conformance.evidence.files import Evidence, read, written
from vdi_conformance.evidence.records import CheckRecord, KnownFailure, Shard
from vdi_conformance.evidence.shards import belongs, whole
from vdi_conformance.judgement.baseline import digest, load
from vdi_conformance.judgement.footers import footer
from vdi_conformance.judgement.scoring import version_of
from vdi_conformance.requirements.profiles import Profile, profile

FAULT = ("--adapter", "vdi_fixtures.broken.sec.instances_are_ignored:Broken", "--requirement", "SEC-07")
OF = 2


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the evidence of both shards of a faulty implementation, and of the whole run."""
    directory = tmp_path_factory.mktemp("shards")
    run_suite_in(directory, *FAULT, "--shard=1/2", name="1.jsonl")
    run_suite_in(directory, *FAULT, "--shard=2/2", "-n", "2", name="2.jsonl")
    run_suite_in(directory, *FAULT, name="whole")
    return directory


def stable(run: Evidence) -> dict[str, object]:
    """What of each check is the same from run to run."""
    return {one.id: (one.node, one.verdict, one.broken, one.requirements, one.known) for one in run.checks}


def test_shards_give_check_by_check_what_the_whole_run_gives(
    shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    merged = tmp_path / "merged.jsonl"
    assert main(["evidence", "merge", str(shards), "-o", str(merged)]) == 1
    told = capsys.readouterr().out
    found, asked = read(merged), read(shards / "whole")
    assert all(read(shards / f"{number}.jsonl").checks for number in (1, 2))
    assert stable(found) == stable(asked)
    assert found.header.selection == asked.header.selection == ["requirement SEC-07"]
    assert found.header.shard is None
    assert found.footer.counts == asked.footer.counts
    assert found.footer.exit_code == asked.footer.exit_code == 1
    assert "SEC-07 MUST" in told
    assert "Exit code 1." in told
    assert main(["compare", str(shards / "whole"), str(merged)]) == 0


def test_a_shard_alone_is_a_selected_run(shards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read(shards / "2.jsonl").header.selection == ["requirement SEC-07", "shard 2/2"]
    assert main(["baseline", "update", str(shards / "2.jsonl")]) == 4
    assert "is of a selected run" in capsys.readouterr().err


def test_what_is_no_run_is_one_sentence_and_exit_code_4(
    shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (str(shards / f"{number}.jsonl") for number in (1, 2))
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(Path(first).read_bytes().rpartition(b'{"record":"footer"')[0])
    (tmp_path / "empty").mkdir()
    for given, named in (
        ([first], "shard 2/2 is missing"),
        ([first, second, first], "both of shard 1/2"),
        ([str(cut), second], "needs a header first and a footer last"),
        ([str(tmp_path / "empty")], "there is no evidence"),
        ([first, second, "--baseline", str(tmp_path / "none.toml")], "none.toml cannot be read"),
    ):
        assert main(["evidence", "merge", *given, "-o", str(tmp_path / "merged")]) == 4
        (sentence,) = capsys.readouterr().err.splitlines()
        assert named in sentence
    assert main(["evidence", "merge", first, second, "-o", first]) == 4
    assert not (tmp_path / "merged").exists()


BASELINE = """
[[known-failure]]
requirement = "MBH-04"
cause = "NOERROR"
reason = "handles of a closed set map"
issue = "none yet"
fault = "implementation"
"""
NAMES = tuple(f"MBH/made[{number}]" for number in range(20))


def split(
    directory: Path, checks: Iterable[CheckRecord], judged_by: Profile | None = None, **header: object
) -> Evidence:
    """Write the shards of a run that never happened, and give the last of them."""
    checks = list(checks)
    for number in range(1, OF + 1):
        shard = Shard(number=number, of=OF)
        selection = [*(["profile " + judged_by.label] if judged_by else ["requirement MBH-04"]), f"shard {shard.label}"]
        own = [one for one in checks if belongs(one.id, shard)]
        made = run(*own, shard=shard, selection=selection, suite_version=__version__, **header)
        last = footer(made.header, own, judged_by, duration=1, whole=whole(one.id for one in checks))
        made = Evidence(made.header, made.checks, last)
        (directory / f"{number}.jsonl").write_bytes(written(made))
    return made


def test_an_entry_that_matches_in_one_shard_alone_is_not_out_of_date(tmp_path: Path) -> None:
    """Nor is it where none of a shard's checks fails; it is where none of the whole run's does."""
    listed = tmp_path / "known.toml"
    listed.write_text(BASELINE, "utf-8")
    sha256 = digest(load(listed))
    known = KnownFailure(entry="MBH-04", reason="r", issue="i", fault="implementation")
    failing = msgspec.structs.replace(check(NAMES[0], "known failure"), known=known)
    merge = ["evidence", "merge", str(tmp_path), "-o", str(tmp_path / "merged"), "--baseline", str(listed)]
    split(tmp_path, [failing, *map(check, NAMES[1:])], baseline_sha256=sha256)
    assert main(merge) == 0
    assert read(tmp_path / "merged").footer.counts == {"known failure": 1, "passed": 19}
    split(tmp_path, map(check, NAMES), baseline_sha256=sha256)
    assert main(merge) == 1
    (complaint,) = read(tmp_path / "merged").footer.complaints
    assert "none of its checks failed so: remove the entry" in complaint


def test_the_baseline_must_be_that_of_the_shards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = tmp_path / "known.toml"
    listed.write_text(BASELINE, "utf-8")
    merge = ["evidence", "merge", str(tmp_path), "-o", str(tmp_path / "merged")]
    split(tmp_path, map(check, NAMES), baseline_sha256=digest(load(listed)))
    assert main(merge) == 4
    assert "were run with a baseline" in capsys.readouterr().err
    listed.write_text(BASELINE.replace("NOERROR", "died"), "utf-8")
    assert main([*merge, "--baseline", str(listed)]) == 4
    assert "is not the baseline" in capsys.readouterr().err


def test_requirements_of_a_profile_that_no_check_tried_are_a_matter_of_the_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    core = profile("core")
    checks = [check(f"made/{id_}", requirements=(id_,)) for id_ in sorted(core.scored)]
    merge = ["evidence", "merge", str(tmp_path), "-o", str(tmp_path / "merged")]
    assert split(tmp_path, checks, core, profile=version_of(core)).footer.exit_code == 0
    assert main(merge) == 0
    assert f"{len(core.scored)} requirements scored" in capsys.readouterr().out
    assert split(tmp_path, checks[1:], core, profile=version_of(core)).footer.exit_code == 0
    assert main(merge) == 6
    failing = check(checks[0].id, "failed", requirements=tuple(checks[0].requirements))
    split(tmp_path, [failing, *checks[1:]], core, profile=version_of(core))
    assert main(merge) == 1


def test_shards_of_another_version_are_merged_by_that_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split(tmp_path, map(check, NAMES))
    for file in tmp_path.glob("*.jsonl"):
        file.write_text(file.read_text("utf-8").replace('"suite_version":"', '"suite_version":"9.', 1), "utf-8")
    assert main(["evidence", "merge", str(tmp_path), "-o", str(tmp_path / "merged")]) == 4
    assert "merge them by that" in capsys.readouterr().err
