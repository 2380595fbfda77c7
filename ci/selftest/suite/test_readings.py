"""Readings of the documents other than the emulator's, which `prove` tries: what they show, the emulator does not."""

from collections.abc import Collection
from importlib import import_module
from types import ModuleType

import vdi_fixtures.readings
from vdi_conformance.requirements import catalogue
from vdi_fixtures.shipped import module_names

READINGS = [import_module(name) for name in module_names(vdi_fixtures.readings).values()]
AFTER_ANOTHER = {"CompleteCommand after a refused count", "a set of an account outside our group"}
"""What is only asked after another answer."""


def _shown(reading: ModuleType) -> tuple[tuple[str, str, str], ...]:
    shown: tuple[tuple[str, str, str], ...] = getattr(reading, "SHOWS", ())
    return shown


def none_is_shown(seen: Collection[tuple[str, str, str]]) -> None:
    """Fail unless these answers, as question, subject and answer, are those of no reading, to all that they answer."""
    shown = {one for reading in READINGS for one in _shown(reading)}
    assert shown & set(seen) == set()
    asked = {(question, subject) for question, subject, _ in seen}
    assert {(question, subject) for question, subject, _ in shown if subject not in AFTER_ANOTHER} <= asked


def test_what_several_answers_are_permitted_for_is_answered_in_several_ways() -> None:
    several = {one.id for one in catalogue().questions.values() if any(len(it.permitted) > 1 for it in one.readings)}
    assert sorted(several - {question for one in READINGS for question, _, _ in _shown(one)}) == []
