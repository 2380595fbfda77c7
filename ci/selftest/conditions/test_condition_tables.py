"""The tables of conditions: they are read with a sentence for what is wrong, and the combinations cover what can be."""

from types import MappingProxyType

import pytest

from vdi_conformance.conditions import Axis, Combination, Constraint, Value, axes, combinations, constraints, triples
from vdi_conformance.conditions.coverage import coverage, coverage_of, why_not
from vdi_conformance.conditions.reading import read_axes, read_combinations, read_constraints
from vdi_conformance.harness.varied.judged import musts, recommendations
from vdi_conformance.harness.varied.layout import ABORTS, Layout
from vdi_conformance.requirements import catalogue


def made(name: str, *values: str) -> Axis:
    return Axis(name, tuple(Value(name, value, f"{name} is {value}", "a reason") for value in values))


SERVER, COLOUR, SHAPE, SIZE = (
    made("server", "scripted"),
    made("colour", "red", "blue"),
    made("shape", "round", "square"),
    made("size", "small", "large"),
)
SMALL = (SERVER, COLOUR, SHAPE, SIZE)
NO_RED_AND_ROUND = Constraint(
    MappingProxyType({"colour": frozenset({"red"}), "shape": frozenset({"round"})}), "red is not round"
)


def combined(colour: str, shape: str, size: str) -> Combination:
    return Combination("x", MappingProxyType({"server": "scripted", "colour": colour, "shape": shape, "size": size}))


def test_every_pair_that_can_be_is_covered() -> None:
    counted = coverage(2, axes(), constraints(), combinations())
    assert not counted.missing
    assert len(counted.possible) > 5000


def test_every_triple_of_what_is_about_sharing_is_covered() -> None:
    counted = coverage_of(3, triples(), axes(), constraints(), combinations())
    assert not counted.missing


def test_no_combination_has_what_cannot_be() -> None:
    forbidden = [(one.id, each.reason) for one in combinations() for each in constraints() if each.forbids(one.values)]
    assert not forbidden


def test_what_is_missing_is_counted() -> None:
    two = [combined("red", "square", "small"), combined("blue", "round", "small")]
    counted = coverage(2, SMALL, [NO_RED_AND_ROUND], two)
    assert {tuple(value.name for value in values[1:]) for values in counted.missing} == {
        ("red", "large"),
        ("blue", "square"),
        ("blue", "large"),
        ("round", "large"),
        ("square", "large"),
    }
    assert [reason for _, reason in counted.excluded] == ["red is not round"]


def test_what_nothing_can_be_chosen_beside_cannot_be() -> None:
    large_has_no_shape = [
        Constraint(MappingProxyType({"size": frozenset({"large"}), "shape": frozenset({shape})}), "none")
        for shape in ("round", "square")
    ]
    assert why_not({"server": "scripted", "size": "large"}, SMALL, large_has_no_shape) is not None
    assert why_not({"server": "scripted", "size": "small"}, SMALL, large_has_no_shape) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("axis\tvalue\nx\ty\n", "has the columns axis, value"),
        ("axis\tvalue\twhere\tsource\nx\ty\tz\n", "line 2 of axes.tsv"),
        ("axis\tvalue\twhere\tsource\nx\ty\tz\tw\nx\ty\tz\tw\n", "more than once"),
    ],
)
def test_axes_that_are_none_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_axes(text)


@pytest.mark.parametrize(
    ("never", "sentence"), [("form=round", "which is no axis"), ("shape=oval", "has no value 'oval'")]
)
def test_constraints_on_what_there_is_not_are_refused(never: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_constraints(f"never\treason\n{never}\twhy\n", SMALL)


def test_a_combination_has_known_values_only() -> None:
    head = "\t".join(["id", *(axis.name for axis in SMALL)])
    with pytest.raises(ValueError, match="has no value 'green'"):
        read_combinations(f"{head}\nx\tscripted\tgreen\tround\tsmall\n", SMALL)


@pytest.mark.parametrize("combination", combinations(), ids=lambda one: one.id)
def test_a_layout_is_what_its_combination_says(combination: Combination) -> None:
    layout = Layout(combination.values)
    assert layout.serving >= 1
    assert layout.size % layout.block == 0
    assert layout.block <= layout.size <= layout.transfer
    assert {use.area for use in layout.uses} == set(range(layout.areas))
    *rounds, last = layout.rounds
    once = rounds if layout.aborts else [*rounds, last]
    assert len(set(layout.uses)) == len(layout.uses) == sum(map(len, once))
    assert not layout.aborts or rounds[-1] == last
    assert len(layout.rounds[-1]) == layout.at_once
    assert max(layout.owners) < layout.processes
    assert layout.bystander not in layout.owners
    if layout.meanwhile == "holder killed":
        carrying = [layout.owners[device % len(layout.owners)] for device in range(layout.at_once)]
        assert any(carrying)


@pytest.mark.parametrize("combination", combinations(), ids=lambda one: one.id)
def test_what_a_combination_judges_is_of_the_severity_that_it_is_listed_under(combination: Combination) -> None:
    levels = {requirement.id: requirement.level for requirement in catalogue().requirements}
    assert {levels[id] for id in musts(combination)} == {"MUST"}
    assert {levels[id] for id in recommendations(combination)} <= {"SHOULD"}
    assert ("MBH-21" in recommendations(combination)) == (combination.values["meanwhile"] in ABORTS)
