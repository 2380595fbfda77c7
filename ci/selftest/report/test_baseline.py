"""A baseline says what it lists, hides nothing else, and survives its own program."""

from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftest.evidence.samples import FOOTER
from selftest.report.made import check, run
from vdi_conformance.cli import main
from vdi_conformance.evidence.files import Evidence, EvidenceWriter
from vdi_conformance.evidence.records import CheckRecord, Culprit, Verdict
from vdi_conformance.judgement.baseline import Entry, NotABaseline, load, parse, render
from vdi_conformance.judgement.known_failures import COVERABLE, Fresh, complaints, covering, known_failure, updated

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: not text.isspace())
CAUSES = st.sampled_from(["NOERROR", "VD_E_PROTOCOL", "died", "assertion"])
DAY = date(2026, 1, 1)
ROWS = ("MBH-01", "MBH-02", "MBH-04")
IDS = [f"map/{letter}" for letter in "abcde"]
CULPRITS: tuple[Culprit, ...] = ("implementation", "adapter", "platform")


def entry(
    requirement: str | None = None,
    check: str | None = None,
    cause: str | list[str] = "NOERROR",
    expires: date | None = None,
    reason: str = "known since the port",
) -> Entry:
    return Entry(
        requirement=requirement,
        check=check,
        cause=cause,
        reason=reason,
        issue="https://vendor.example/17",
        fault="implementation",
        expires=expires,
    )


def judged(entries: list[Entry], whole: Evidence) -> Evidence:
    """Do to the checks of a run what the plugin does when they end."""
    checks = []
    for one in whole.checks:
        before: Verdict = one.verdict
        if before == "known failure":
            before = "not tested" if one.cause and one.cause.kind == "not tested" else "failed"
        known = known_failure(entries, DAY, one.id, one.requirements, one.cause) if before in COVERABLE else None
        verdict: Verdict = "known failure" if known else before
        checks.append(msgspec.structs.replace(one, verdict=verdict, known=known))
    return Evidence(whole.header, tuple(checks), whole.footer)


def complained(entries: list[Entry], *checks: CheckRecord, selection: tuple[str, ...] = ()) -> list[str]:
    whole = judged(entries, run(*checks, selection=list(selection)))
    return complaints(entries, DAY, whole.header, whole.checks)


ENTRIES = st.lists(
    st.builds(
        Entry,
        requirement=st.none(),
        check=TEXT,
        cause=CAUSES | st.lists(CAUSES, min_size=1),
        reason=TEXT,
        issue=TEXT,
        fault=st.sampled_from(CULPRITS),
        expires=st.none() | st.dates(),
    )
    | st.builds(
        Entry,
        requirement=st.sampled_from(ROWS),
        check=st.none(),
        cause=CAUSES,
        reason=TEXT,
        issue=TEXT,
        fault=st.sampled_from(CULPRITS),
        expires=st.none() | st.dates(),
    )
)
SOME_ROWS = st.lists(st.sampled_from(ROWS), min_size=1, unique=True).map(tuple)
CHECKS = st.lists(
    st.builds(
        check,
        st.sampled_from(IDS),
        st.sampled_from(("passed", "failed", "warning", "not applicable")),
        CAUSES,
        SOME_ROWS,
    )
    | st.builds(check, st.sampled_from(IDS), st.just("not tested"), st.just("not tested"), SOME_ROWS),
    min_size=1,
    unique_by=lambda one: one.id,
)
OLD_ENTRIES = st.lists(
    st.builds(entry, requirement=st.sampled_from(ROWS), cause=CAUSES)
    | st.builds(entry, check=st.sampled_from(IDS), cause=CAUSES | st.just("not tested"))
)


def key(one: Entry) -> str:
    return repr(one)


@given(entries=ENTRIES, name=st.text())
def test_what_was_written_is_read_back(entries: list[Entry], name: str) -> None:
    requirements = {one.target: ["MBH-04", "GBH-01"] for one in entries}
    assert sorted(parse(render(entries, name, requirements), "b.toml"), key=key) == sorted(entries, key=key)


@given(entries=ENTRIES, data=st.data())
def test_the_order_of_entries_does_not_matter(entries: list[Entry], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(entries))
    assert render(shuffled, "x", {}) == render(entries, "x", {})


def test_a_written_baseline_tells_what_is_required() -> None:
    text = render([entry(requirement="MBH-04"), entry(check="map/a")], "mine\n[[x]]", {"map/a": ["MBH-02", "MBH-04"]})
    comments = [line for line in text.splitlines() if line.startswith("# MBH")]
    assert [line.split(":")[0] for line in comments] == ["# MBH-04 MUST", "# MBH-02 MUST", "# MBH-04 MUST"]
    assert len(comments[0]) > 40


LISTED = '[[known-failure]]\ncause = "died"\nreason = "r"\nissue = "i"\nfault = "platform"\n'


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("known-failure = ", "not TOML"),
        ("[[knownfailure]]\n", "knownfailure"),
        ('known-failure = "MBH-04"', "no list"),
        (LISTED, "either a requirement or a check"),
        (f'{LISTED}requirement = "MBH-04"\ncheck = "map/a"\n', "either a requirement or a check"),
        (f'{LISTED}requirement = "MBH-04"\nreson = "r"\n', "reson"),
        (f'{LISTED}requirement = "MBH-04"\nexpires = "soon"\n', "expires"),
        (f'{LISTED}check = "x"\n{LISTED}check = "x"\n'.replace('"r"', '" "', 1), "entry 1"),
        (f'{LISTED}check = "x"\n{LISTED}check = " "\n', "entry 2"),
        (f'{LISTED}check = "x"\n'.replace("platform", "server"), "fault cannot be 'server'"),
        (f'{LISTED}check = "x"\n'.replace('"died"', "[]"), "cause"),
        (f'{LISTED}requirement = "MBH-04"\n'.replace('"died"', '"not tested"'), "check by check"),
        (f'{LISTED}requirement = "MBH-04"\n'.replace('"died"', '["died", "not tested"]'), "check by check"),
        (f'{LISTED}check = "x"\n'.replace('issue = "i"', ""), "issue"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(text: str, named: str) -> None:
    with pytest.raises(NotABaseline, match=r"^b\.toml") as refused:
        parse(text, "b.toml")
    assert named in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotABaseline, match="cannot be read"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "entries",
    [
        [entry(check="map/a")],
        [entry(requirement="MBH-04")],
        [entry(requirement="MBH-04", cause=["died", "NOERROR"])],
        [entry(check="map/a", expires=date(2026, 1, 1))],
        [entry(requirement="MBH-04"), entry(requirement="MBH-02", cause="died")],
    ],
)
def test_a_failure_that_is_listed_is_known(entries: list[Entry]) -> None:
    checks = [check("map/a", "failed"), check("map/b", "failed", "died", ("MBH-02",)), check("map/c")]
    whole = judged(entries, run(*checks))
    assert whole.checks[0].verdict == "known failure"
    assert whole.checks[0].known == entries[0].known()
    assert whole.checks[2].verdict == "passed"
    assert complaints(entries, DAY, whole.header, whole.checks) == []


@pytest.mark.parametrize(
    ("entries", "checks", "told"),
    [
        ([entry(check="map/a")], [check("map/a")], "ended as passed"),
        ([entry(check="map/a")], [check("map/a", "warning")], "ended as warning"),
        ([entry(check="map/a")], [check("map/a", "not applicable")], "ended as not applicable"),
        ([entry(requirement="MBH-04")], [check("map/a"), check("map/b")], "none of its checks failed so"),
        ([entry(check="map/a")], [check("map/a", "failed", "died")], "failed with died"),
        ([entry(requirement="MBH-04")], [check("map/a", "failed", "died")], "map/a failed with died"),
        (
            [entry(requirement="MBH-04")],
            [check("map/a", "failed"), check("map/b", "failed", "died")],
            "map/b failed with died",
        ),
        ([entry(check="map/z")], [check("map/a")], "no check of that id"),
        ([entry(requirement="MBH-99")], [check("map/a")], "no requirement"),
        ([entry(requirement="GBH-01")], [check("map/a")], "no executed check judges it"),
        (
            [entry(check="map/a", expires=date(2025, 12, 31))],
            [check("map/a", "failed")],
            "expired on 2025-12-31",
        ),
        (
            [entry(check="map/a"), entry(requirement="MBH-04")],
            [check("map/a", "failed"), check("map/b", "failed")],
            "map/a by more than one entry (map/a and MBH-04)",
        ),
    ],
)
def test_what_differs_from_the_list_is_complained_about(
    entries: list[Entry], checks: list[CheckRecord], told: str
) -> None:
    (sentence,) = complained(entries, *checks)
    assert told in sentence


def test_an_expired_or_ambiguous_entry_covers_nothing() -> None:
    failed = check("map/a", "failed")
    for entries in (
        [entry(check="map/a", expires=date(2025, 12, 31))],
        [entry(check="map/a"), entry(requirement="MBH-04")],
    ):
        assert judged(entries, run(failed)).checks[0].verdict == "failed"


@pytest.mark.parametrize(("verdict", "cause"), [("not tested", "not tested"), ("error", "suite")])
@pytest.mark.parametrize("listed", [entry(check="map/a"), entry(requirement="MBH-04")])
def test_what_came_to_no_verdict_stays_what_it_is(verdict: Verdict, cause: str, listed: Entry) -> None:
    whole = judged([listed], run(check("map/a", verdict, cause)))
    assert whole.checks[0].verdict == verdict
    assert complaints([listed], DAY, whole.header, whole.checks) == []
    assert updated([listed], whole, Fresh()) == [listed]


@pytest.mark.parametrize(
    ("listed", "selection", "told"),
    [
        (entry(check="map/z"), ("-k some",), ""),
        (entry(check="map/a"), ("-k some",), "ended as passed"),
        (entry(requirement="MBH-04"), ("check map/a",), ""),
        (entry(requirement="MBH-04"), ("topic mbh", "-k some"), ""),
        (entry(requirement="MBH-04"), ("topic gbh", "topic mbh"), "none of its checks"),
        (entry(requirement="CMP-01"), ("topic MBH",), ""),
        (entry(requirement="MBH-04"), ("requirement mbh-04", "topic MBH"), "none of its checks"),
        (entry(requirement="MBH-04"), ("requirement MBH-04", "topic GBH"), ""),
        (entry(requirement="MBH-04"), ("requirement MBH-01",), ""),
        (entry(requirement="MBH-99"), ("topic GBH",), "no requirement"),
    ],
)
def test_a_selected_run_says_nothing_of_what_it_left_out(listed: Entry, selection: tuple[str, ...], told: str) -> None:
    sentences = complained([listed], check("map/a"), selection=selection)
    assert [told in sentence for sentence in sentences] == [True] * bool(told)


FAILS = check("map/f", "failed")
UNTESTED = check("map/u", "not tested", "not tested", ("GBH-01",))
LISTS_F, LISTS_U = entry(check="map/f"), entry(check="map/u", cause="not tested")


@pytest.mark.parametrize("fails", [LISTS_F, entry(requirement="MBH-04")])
def test_what_was_not_tested_beside_a_listed_failure_is_known(fails: Entry) -> None:
    whole = judged([fails, LISTS_U], run(FAILS, UNTESTED))
    assert [one.verdict for one in whole.checks] == ["known failure", "known failure"]
    assert whole.checks[1].known == LISTS_U.known()
    assert complaints([fails, LISTS_U], DAY, whole.header, whole.checks) == []


@pytest.mark.parametrize(
    ("entries", "checks", "selection", "told"),
    [
        ([LISTS_U], [UNTESTED], (), ["map/u with the cause not tested, but no failure that it lists"]),
        ([LISTS_U], [UNTESTED, FAILS], (), ["no failure that it lists"]),
        ([LISTS_U, LISTS_F], [UNTESTED, check("map/f")], (), ["no failure that it lists", "ended as passed"]),
        ([LISTS_U, LISTS_F], [UNTESTED, check("map/f", "failed", "died")], (), ["no failure that", "failed with died"]),
        ([LISTS_U, LISTS_F], [check("map/u"), FAILS], (), ["map/u with the cause not tested, but it ended as passed"]),
        ([LISTS_U, LISTS_F], [check("map/u", "failed"), FAILS], (), ["map/u failed with NOERROR"]),
        ([LISTS_U, LISTS_F], [check("map/u", "not applicable", "assertion"), FAILS], (), ["ended as not applicable"]),
        ([LISTS_U, LISTS_U, LISTS_F], [UNTESTED, FAILS], (), ["map/u by more than one entry"]),
        ([LISTS_U, LISTS_F], [check("map/u", "error", "suite"), FAILS], (), []),
        ([LISTS_U, LISTS_F], [UNTESTED], ("check map/u",), []),
        ([LISTS_U], [UNTESTED], ("check map/u",), ["no failure that it lists"]),
        ([LISTS_U, entry("MBH-04")], [UNTESTED, check("map/g")], ("shard 1/2",), []),
        ([LISTS_U, entry("MBH-04")], [UNTESTED, check("map/g")], (), ["no failure that it lists", "failed so"]),
        (
            [entry(check="map/u", cause="not tested", expires=date(2025, 1, 1)), LISTS_F],
            [UNTESTED, FAILS],
            (),
            ["expired on 2025-01-01"],
        ),
    ],
)
def test_a_listed_not_tested_is_held_to_what_it_follows_from(
    entries: list[Entry], checks: list[CheckRecord], selection: tuple[str, ...], told: list[str]
) -> None:
    found = complained(entries, *checks, selection=selection)
    assert len(found) == len(told)
    assert all(any(part in sentence for sentence in found) for part in told)


@pytest.mark.parametrize(
    "listed", [entry(check="map/u"), entry(requirement="GBH-01"), entry(check="map/u", cause="assertion")]
)
def test_entries_of_failures_cover_nothing_that_was_not_tested(listed: Entry) -> None:
    assert judged([listed, LISTS_F], run(FAILS, UNTESTED)).checks[1].verdict == "not tested"


def test_an_update_lists_what_was_not_tested_only_beside_a_failure() -> None:
    fresh = Fresh()
    listed = [one for one in updated([], run(FAILS, UNTESTED), fresh) if one.check == "map/u"]
    assert [one.cause for one in listed] == ["not tested"]
    assert updated([], run(UNTESTED, check("map/e", "error", "suite")), fresh) == []
    both = judged([LISTS_F, LISTS_U], run(FAILS, UNTESTED))
    assert updated([LISTS_F, LISTS_U], both, fresh) == [LISTS_F, LISTS_U]
    alone = judged([LISTS_F, LISTS_U], run(check("map/f"), UNTESTED))
    assert updated([LISTS_F, LISTS_U], alone, fresh) == []


@given(old=OLD_ENTRIES, checks=CHECKS)
def test_after_an_update_the_same_run_is_green(old: list[Entry], checks: list[CheckRecord]) -> None:
    whole = run(*checks)
    try:
        entries = updated(old, whole, Fresh())
    except NotABaseline:
        assert any(len(covering(old, date.min, one.id, one.requirements, one.cause)) > 1 for one in checks)
        return
    again = judged(entries, whole)
    assert complaints(entries, DAY, again.header, again.checks) == []
    ends = {one.verdict for one in again.checks}
    assert "failed" not in ends
    assert "not tested" not in ends or "known failure" not in ends
    assert updated(entries, again, Fresh(reason="other")) == entries
    assert all(one in old for one in entries if one.reason != Fresh().reason)


def test_an_update_keeps_drops_and_adds() -> None:
    stays, fixed = entry(requirement="MBH-04", reason="slow"), entry(check="map/c")
    whole = run(check("map/a", "known failure"), check("map/b", "failed", "died"), check("map/c"))
    kept, new = updated([stays, fixed], whole, Fresh(reason="new", issue="#2", fault="platform"))
    assert kept == stays
    assert new == Entry(check="map/b", cause="died", reason="new", issue="#2", fault="platform")


def test_an_update_does_not_renew_what_expired() -> None:
    expired = entry(check="map/a", expires=date(2025, 1, 1))
    assert updated([expired], run(check("map/a", "failed")), Fresh()) == [expired]


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    return write(tmp_path, run(check("map/a", "failed"), check("map/b")))


def write(directory: Path, whole: Evidence, ended: bool = True) -> Path:
    writer = EvidenceWriter(directory / "e.jsonl")
    for record in (whole.header, *whole.checks, *([FOOTER] if ended else [])):
        writer.write(record)
    writer.close()
    return directory / "e.jsonl"


def test_the_command_writes_where_it_is_told(
    evidence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, other = tmp_path / "new" / "b.toml", tmp_path / "o.toml"
    assert main(["baseline", "update", str(evidence), "--baseline", str(kept), "--reason", "slow"]) == 0
    assert capsys.readouterr().out == ""
    assert [one.reason for one in load(kept)] == ["slow"]
    before = kept.read_bytes()
    assert main(["baseline", "update", str(evidence), "--baseline", str(kept), "-o", str(other)]) == 0
    assert main(["baseline", "update", str(evidence), "--baseline", str(kept), "--fault", "adapter"]) == 0
    assert kept.read_bytes() == other.read_bytes() == before
    assert main(["baseline", "update", str(evidence)]) == 0
    assert [one.reason for one in parse(capsys.readouterr().out, "stdout")] == [Fresh().reason]


def test_the_command_names_what_it_cannot_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, run(FAILS, UNTESTED, check("map/e", "error", "suite"), check("map/g", "error", "hung")))
    assert main(["baseline", "update", str(path)]) == 0
    captured = capsys.readouterr()
    assert {one.check for one in parse(captured.out, "stdout")} == {"map/f", "map/u"}
    (sentence,) = captured.err.splitlines()
    assert "not listed: map/e and 1 more, error" in sentence
    assert "exit code 6" in sentence


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--fault", "mine"], "fault"),
        (["--reason", ""], "reason must not be blank"),
        (["--baseline", "none.toml", "-o", "x.toml"], "none.toml cannot be read"),
        (["-o", "."], "cannot be written"),
    ],
)
def test_wrong_usage_is_one_sentence_and_writes_nothing(
    arguments: list[str],
    named: str,
    evidence: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(evidence.parent)
    assert main(["baseline", "update", str(evidence), *arguments]) == 4
    (sentence,) = capsys.readouterr().err.splitlines()
    assert named in sentence
    assert [path.name for path in evidence.parent.iterdir()] == ["e.jsonl"]


@pytest.mark.parametrize(
    ("whole", "ended", "named"),
    [
        (run(check(), selection=["topic MBH"]), True, "selected run (topic MBH)"),
        (run(check()), False, "not a whole result"),
        (run(), True, "executed nothing"),
    ],
)
def test_what_is_not_a_whole_run_is_refused(
    whole: Evidence, ended: bool, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, whole, ended)
    assert main(["baseline", "update", str(path), "-o", str(tmp_path / "b.toml")]) == 4
    (sentence,) = capsys.readouterr().err.splitlines()
    assert named in sentence
    assert not (tmp_path / "b.toml").exists()
