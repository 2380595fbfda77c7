"""A comparison finds what got worse, hides nothing that vanished, and accuses nobody of what the suite added."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import get_args

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftest.evidence.samples import PARTY
from selftest.report.html_reading import require_closed
from selftest.report.made import check, run
from vdi_conformance.cli import main
from vdi_conformance.cli.schema import published
from vdi_conformance.evidence.files import Evidence, EvidenceWriter
from vdi_conformance.evidence.records import VERDICTS, CheckRecord, Verdict
from vdi_conformance.report.comparison import CheckChange, Comparison, NotComparable, State, compare
from vdi_conformance.report.comparison_views import as_html, as_json, as_markdown, as_text

OTHER = check("map/other", requirements=("GBH-01",))
KINDS = ("regressions", "fixed", "other_verdicts", "other_causes", "new", "removed")
BROKEN = ("failed", "known failure")
STATES: tuple[State, ...] = (*VERDICTS, "missing")


def of(state: State, cause: str = "NOERROR") -> tuple[CheckRecord, ...]:
    """The one check that matters, in this state."""
    return () if state == "missing" else (check("map/a", state, cause),)


def between(
    old: State, new: State, old_cause: str = "NOERROR", new_cause: str = "NOERROR", **new_header: str
) -> Comparison:
    return compare(run(*of(old, old_cause), OTHER), run(*of(new, new_cause), OTHER, **new_header))


def kinds(comparison: Comparison) -> list[str]:
    lists: dict[str, list[CheckChange]] = {kind: getattr(comparison, kind) for kind in KINDS}
    return [kind for kind, found in lists.items() if "map/a" in [one.id for one in found]]


@pytest.mark.parametrize("new", [state for state in STATES if state != "passed"])
def test_whatever_passed_and_does_not_now_regressed(new: State) -> None:
    comparison = between("passed", new)
    assert kinds(comparison) == ["regressions"]
    assert comparison.exit_code == 1
    (requirement,) = comparison.regressed_requirements
    assert (requirement.id, requirement.old, requirement.new) == ("MBH-04", "passed", new)


def test_what_broke_comes_before_what_only_warns() -> None:
    ends: list[Verdict] = ["warning", "not tested", "failed", "error", "failed"]
    requirements = ("MBH-01", "MBH-02", "MBH-03", "MBH-04", "CMP-01")
    before = run(*(check(f"map/{requirement}", requirements=(requirement,)) for requirement in requirements))
    after = run(
        *(
            check(f"map/{requirement}", end, requirements=(requirement,))
            for requirement, end in zip(requirements, ends, strict=True)
        )
    )
    found = compare(before, after)
    told = ["CMP-01 failed", "MBH-03 failed", "MBH-04 error", "MBH-02 not tested", "MBH-01 warning"]
    assert [f"{one.requirements[0]} {one.new.state}" for one in found.regressions] == told
    assert [f"{one.id} {one.new}" for one in found.regressed_requirements] == told


@pytest.mark.parametrize("new", BROKEN)
def test_a_warning_that_became_a_failure_regressed(new: State) -> None:
    assert kinds(between("warning", new)) == ["regressions"]


@pytest.mark.parametrize("old", [*BROKEN, "warning"])
def test_what_was_broken_and_passes_is_fixed(old: State) -> None:
    comparison = between(old, "passed")
    assert kinds(comparison) == ["fixed"]
    assert [requirement.id for requirement in comparison.fixed_requirements] == ["MBH-04"]
    assert comparison.exit_code == 0


@pytest.mark.parametrize("new", ["not tested", "error", "not applicable", "warning"])
def test_a_failure_out_of_sight_is_not_fixed_and_not_hidden(new: State) -> None:
    comparison = between("failed", new)
    assert kinds(comparison) == ["other_verdicts"]
    assert not comparison.fixed_requirements
    assert comparison.exit_code == 0


@pytest.mark.parametrize(("old", "new"), [("failed", "known failure"), ("known failure", "failed")])
def test_what_a_baseline_lists_is_no_change_of_the_adapter(old: State, new: State) -> None:
    comparison = between(old, new)
    assert (kinds(comparison), comparison.unchanged) == ([], 2)


@pytest.mark.parametrize(("old", "new"), [("failed", "failed"), ("failed", "known failure"), ("warning", "warning")])
def test_another_cause_is_told(old: State, new: State) -> None:
    comparison = between(old, new, new_cause="died")
    assert kinds(comparison) == ["other_causes"]
    assert comparison.other_causes[0].new.cause == "died"
    assert comparison.exit_code == 0


@pytest.mark.parametrize("new", VERDICTS)
def test_a_new_check_is_no_regression_nor_is_its_requirement(new: Verdict) -> None:
    again = check("map/b", requirements=("MBH-04",))
    comparison = compare(run(again), run(again, *of(new)))
    assert kinds(comparison) == ["new"]
    assert not comparison.regressed_requirements
    assert comparison.exit_code == 0


@pytest.mark.parametrize("changed", [{"suite_version": "2"}, {"catalogue_sha256": "1" * 64}])
def test_another_suite_may_drop_a_check(changed: dict[str, str]) -> None:
    comparison = between("passed", "missing", **changed)
    assert kinds(comparison) == ["removed"]
    assert comparison.removed_requirements == ["MBH-04"]
    assert comparison.exit_code == 0


def test_a_requirement_regresses_though_its_passing_checks_still_pass() -> None:
    passing = check("map/b", requirements=("MBH-04",))
    comparison = compare(run(passing, *of("not applicable")), run(passing, *of("failed")))
    assert kinds(comparison) == ["other_verdicts"]
    assert [requirement.id for requirement in comparison.regressed_requirements] == ["MBH-04"]
    assert comparison.exit_code == 1


def test_a_requirement_is_fixed_when_none_of_its_checks_fails() -> None:
    failing = check("map/b", "failed", requirements=("MBH-04",))
    comparison = compare(run(failing, *of("failed")), run(failing, *of("passed")))
    assert kinds(comparison) == ["fixed"]
    assert not comparison.fixed_requirements


@pytest.mark.parametrize(("old", "new"), [*product(STATES, STATES[:-1]), *product(STATES[:-1], ["missing"])])
def test_every_pair_of_ends_is_in_one_list(old: State, new: State) -> None:
    comparison = between(old, new, "NOERROR", "died")
    counted = comparison.unchanged - 1 + len(kinds(comparison))
    assert counted == 1


def test_a_requirement_is_not_fixed_where_a_new_check_breaks_it() -> None:
    comparison = compare(run(OTHER, *of("failed")), run(OTHER, *of("passed"), check("map/b", "failed")))
    assert kinds(comparison) == ["fixed"]
    assert not comparison.fixed_requirements


CHECKS = st.lists(
    st.builds(
        check,
        st.sampled_from([f"map/{letter}" for letter in "abcd"]),
        st.sampled_from(VERDICTS),
        st.sampled_from(["NOERROR", "died"]),
        st.lists(st.sampled_from(["MBH-01", "MBH-02", "GBH-01"]), min_size=1, unique=True).map(tuple),
        st.dictionaries(st.sampled_from(["one", "two"]), st.sampled_from(["yes", "no"])),
    ),
    unique_by=lambda one: one.id,
)


@given(checks=CHECKS, data=st.data())
def test_the_same_run_in_any_order_changed_nothing(checks: list[CheckRecord], data: st.DataObject) -> None:
    whole = [OTHER, *checks]
    comparison = compare(run(*whole), run(*data.draw(st.permutations(whole)), started="2027-01-01T00:00:00+00:00"))
    told = msgspec.to_builtins(comparison)
    assert told.pop("unchanged") == len(whole)
    assert {name for name, value in told.items() if value} == {"format", "old_run", "new_run"}


@given(old=CHECKS, new=CHECKS)
def test_json_tells_all_of_it(old: list[CheckRecord], new: list[CheckRecord]) -> None:
    comparison = compare(run(OTHER, *old), run(OTHER, *new, seed=3))
    assert msgspec.json.decode(as_json(comparison), type=Comparison) == comparison


@given(old=CHECKS, new=CHECKS)
def test_what_is_fixed_one_way_was_broken_the_other(old: list[CheckRecord], new: list[CheckRecord]) -> None:
    there, back = (compare(run(OTHER, *one), run(OTHER, *other)) for one, other in ((old, new), (new, old)))
    assert {one.id for one in there.fixed} <= {one.id for one in back.regressions}
    assert [(one.old, one.new) for one in there.observations] == [(one.new, one.old) for one in back.observations]


def test_observations_are_compared_where_both_runs_made_them() -> None:
    old = run(check("map/a", seen={"same": "x", "other": "NOERROR", "gone": "x"}))
    new = run(check("map/a", seen={"same": "x", "other": "VD_E_INVALID"}), check("map/b", seen={"new": "x"}))
    changes = [(one.subject, one.old, one.new) for one in compare(old, new).observations]
    assert changes == [("gone", ["x"], []), ("other", ["NOERROR"], ["VD_E_INVALID"])]


def test_what_else_differs_is_told() -> None:
    client = msgspec.structs.replace(PARTY, version="2", capabilities={"server": "none"})
    comparison = compare(run(OTHER), run(OTHER, client=client, seed=7, platform="there"))
    told = {one.name: (one.old, one.new) for one in comparison.settings}
    assert told == {
        "client.version": ("1", "2"),
        "client.capabilities.server": (None, "none"),
        "seed": (0, 7),
        "platform": ("here", "there"),
    }


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (run(OTHER), run(OTHER, selection=["topic GBH"]), "everything and topic GBH"),
        (run(OTHER, selection=["topic GBH"]), run(OTHER, selection=["topic MBH"]), "topic GBH and topic MBH"),
        (run(OTHER), run(check()), "no check in common"),
        (run(), run(), "no check in common"),
    ],
)
def test_runs_that_say_nothing_about_each_other_are_refused(old: Evidence, new: Evidence, told: str) -> None:
    with pytest.raises(NotComparable) as refused:
        compare(old, new)
    assert told in str(refused.value)


def test_the_order_of_a_selection_does_not_matter() -> None:
    topics = ["topic GBH", "topic MBH"]
    assert compare(run(OTHER, selection=topics), run(OTHER, selection=topics[::-1])).regressions == []


@pytest.mark.parametrize("view", [as_text, as_markdown, as_html])
def test_regressions_come_first_by_requirement(view: Callable[[Comparison], str]) -> None:
    old = run(
        check("map/a"),
        check("map/b", "failed", requirements=("GBH-01",)),
        check("map/c", "failed", requirements=("GBH-02",)),
    )
    new = run(
        check("map/a", "failed"),
        check("map/b", requirements=("GBH-01",)),
        check("map/c", "failed", "died", requirements=("GBH-02",)),
    )
    told = view(compare(old, new))
    places = [told.index(name) for name in ("MBH-04", "map/a", "map/b", "map/c")]
    assert places == sorted(places)
    assert "it gave NOERROR" in told


def test_the_page_is_closed_and_says_whether_anything_regressed() -> None:
    nasty = check("map/a<b>x</b>", "failed", "<script>alert(1)</script>")
    for other, told in ((nasty, "Regressed"), (check("map/a<b>x</b>"), "No regression")):
        page = require_closed(as_html(compare(run(OTHER, check("map/a<b>x</b>")), run(OTHER, other, seed=3))))
        assert told in page.text
        assert (page.tags["script"], page.tags["b"]) == (1, 0)


def test_json_is_as_published() -> None:
    document = msgspec.json.decode(as_json(compare(run(OTHER, check()), run(OTHER, check(verdict="failed"), seed=3))))
    jsonschema.validate(document, msgspec.json.decode(published()["comparison"]))


def test_markdown_is_not_led_astray_by_what_an_adapter_says() -> None:
    nasty = check("map/a`[``x]", "failed", "a|b`c")
    sentence = "line <b>one</b> | *two*\n# three"
    assert nasty.cause
    nasty = msgspec.structs.replace(nasty, cause=msgspec.structs.replace(nasty.cause, sentence=sentence))
    told = as_markdown(compare(run(OTHER, check("map/a`[``x]")), run(OTHER, nasty)))
    assert "- ```map/a`[``x]```" in told
    assert told.endswith("is ``a|b`c``: line \\<b\\>one\\</b\\> \\| \\*two\\*")
    assert "# three" not in told


def write(path: Path, whole: Evidence) -> str:
    writer = EvidenceWriter(path)
    for record in (whole.header, *whole.checks, whole.footer):
        writer.write(record)
    writer.close()
    return str(path)


@pytest.mark.parametrize(
    ("new", "options", "code"),
    [
        (run(check(), OTHER), [], 0),
        (run(check(verdict="failed"), OTHER), ["--format", "json"], 1),
        (run(check(verdict="failed"), OTHER), ["--format", "markdown"], 1),
    ],
)
def test_the_exit_code_of_the_command(
    new: Evidence, options: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = write(tmp_path / "old.jsonl", run(check(), OTHER)), write(tmp_path / "new.jsonl", new)
    assert main(["compare", *paths, *options]) == code
    assert capsys.readouterr().out.endswith("\n")


@pytest.mark.parametrize("new", [run(OTHER, selection=["-k x"]), run(OTHER, format=99)])
def test_what_cannot_be_compared_is_one_sentence(
    new: Evidence, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = write(tmp_path / "old.jsonl", run(OTHER)), write(tmp_path / "new.jsonl", new)
    assert main(["compare", *paths]) == 4
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)


def test_states_are_all_there_are() -> None:
    assert {*STATES} == {word for part in get_args(State) for word in (get_args(part) or [part])}
