"""What two adapters are tried with, and what is said of what is seen: all of it names what there is."""

from __future__ import annotations

import pytest

import differences
import vdi_fixtures.readings
from vdi_conformance.differences.acts import ACTS
from vdi_conformance.differences.classing import class_of
from vdi_conformance.differences.limits import Limits
from vdi_conformance.differences.rules import BY_MODEL, rules
from vdi_conformance.differences.search import Difference
from vdi_conformance.differences.seen import Seen, first_difference
from vdi_conformance.differences.sequences import directed, read
from vdi_conformance.differences.steps import NotAStep, step, steps
from vdi_conformance.differences.trying import tried
from vdi_conformance.differences.wording import CALLED
from vdi_conformance.requirements import catalogue
from vdi_fixtures.shipped import module_names


def test_every_step_can_be_taken_written_and_told() -> None:
    assert {*CALLED} == {*ACTS}
    for sequence in tried(Limits(), 0, 20, 40):
        assert sequence.steps, sequence.name
        for one in sequence.steps:
            assert step(one.line) == one
            assert "{}" not in one.words


def test_a_line_that_is_no_step_is_refused_by_a_sentence() -> None:
    for line in ("", "1", "1 fly", "nobody close"):
        with pytest.raises(NotAStep, match="is no step"):
            step(line)


def test_parts_stand_for_their_steps() -> None:
    (found,) = read("[.begun]\n1 create\n# more\n[all]\n@begun\n1 close\n")
    assert (found.name, [one.line for one in found.steps]) == ("all", ["1 create", "1 close"])


def test_a_seed_decides_what_is_drawn() -> None:
    one, again, other = ([*tried(Limits(), seed, 5, 30)] for seed in (1, 1, 2))
    assert one == again
    assert one[: len(directed())] == other[: len(directed())]
    assert one != other


def test_a_server_of_statements_is_asked_for_nothing_else() -> None:
    servers = {one.act for sequence in tried(Limits(scripted=False), 0, 5, 30) for one in sequence.steps if not one.by}
    assert servers == set()
    nulls = [one for sequence in tried(Limits(null_pointers=False), 0, 0, 1) for one in sequence.steps]
    assert not any(one.argument("null") for one in nulls)


def test_rules_speak_of_what_there_is() -> None:
    known = catalogue()
    for rule in rules():
        assert rule.act in ACTS
        assert known.get(rule.requirement) is not None, rule
        assert {*rule.questions} <= {*known.questions}, rule


def test_no_rule_hides_behind_an_earlier_one() -> None:
    for place, rule in enumerate(rules()):
        for earlier in rules()[:place]:
            same = (earlier.act, earlier.thing) == (rule.act, rule.thing)
            wider = {*earlier.arguments} <= {*rule.arguments} and earlier.circumstances <= rule.circumstances
            assert not (same and wider), (earlier, rule)


def test_readings_that_look_alike_are_readings() -> None:
    assert {*differences.alike()} <= {*module_names(vdi_fixtures.readings)}
    assert all(reason.endswith(".") for reason in differences.alike().values())


def test_numbers_that_mean_nothing_are_looked_at_by_themselves() -> None:
    one: list[Seen] = [{"code": "NOERROR", "number": "small"}, {"code": "NOERROR"}]
    other: list[Seen] = [{"code": "NOERROR", "number": "0"}, {"code": "VD_E_OPEN"}]
    assert first_difference(one, other, numbers=False) == 1
    assert first_difference(one, other, numbers=True) == 0


def _difference(lines: list[str], one: Seen, other: Seen) -> Difference:
    before = tuple({"code": "NOERROR"} for _ in lines[:-1])
    names = tuple(name for name in one if one.get(name) != other.get(name))
    return Difference(tuple(steps(lines)), (*before, one), (*before, other), names, "a test", 0.0)


USED = ["1 create", "server configure", "1 get_configuration", "1 open_device"]


@pytest.mark.parametrize(
    ("lines", "codes", "unexpected", "kind", "requirements"),
    [
        ([*USED, "1 close"], ("VD_E_OPEN", "NOERROR"), (None, None), "permitted on both sides", set()),
        ([*USED, "1 close"], ("VD_E_OPEN", "VD_E_ABORT"), (None, None), "broken requirement", {"B CLS-03"}),
        (["1 signal_abort"], ("VD_E_ABORT", "VD_E_PROTOCOL"), (None, None), "broken requirement", {"A ABT-02"}),
        (["1 signal_abort"], ("VD_E_ABORT", "NOERROR"), (None, None), "broken requirement", {"A ABT-02", "B ABT-02"}),
        (["1 join name=null"], ("VD_E_INVALID", "NOERROR"), (None, None), "recommendation not followed", {"B SEC-06"}),
        ([*USED, "server completion"], ("none", "x"), (None, ("none",)), "broken requirement", {"B CMP-20"}),
        (["1 beside client=2"], ("is made", "x"), (None, None), "not spoken of", set()),
    ],
)
def test_a_difference_is_classed_by_the_documents(
    lines: list[str],
    codes: tuple[str, str],
    unexpected: tuple[tuple[str, ...] | None, tuple[str, ...] | None],
    kind: str,
    requirements: set[str],
) -> None:
    found = class_of(_difference(lines, {"code": codes[0]}, {"code": codes[1]}), unexpected)
    assert found.kind == kind
    assert {f"{one.side} {one.requirement.id}" for one in found.faults} == requirements


def test_a_field_is_what_the_sequence_asked_for() -> None:
    lines = ["1 create prefix=512", "server configure", "1 get_configuration"]
    seen = ({"code": "NOERROR", "prefix zone": "512"}, {"code": "NOERROR", "prefix zone": "0"})
    found = class_of(_difference(lines, *seen), (None, None))
    assert [(one.side, one.requirement.id, one.permitted) for one in found.faults] == [("B", "CFG-21", ("512",))]


def test_the_model_decides_where_a_rule_says_so() -> None:
    assert any(rule.permitted == (BY_MODEL,) for rule in rules())
