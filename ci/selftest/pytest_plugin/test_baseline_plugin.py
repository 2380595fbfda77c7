"""The checks that a baseline speaks of are marked before they run."""

from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace
from typing import cast

import pytest

from vdi_conformance.harness.judging import vdi_requirement
from vdi_conformance.harness.testbed import KNOWN_TO_FAIL
from vdi_conformance.judgement.baseline import Entry
from vdi_conformance.pytest_plugin.baseline import BASELINE, Baseline, pytest_collection_modifyitems


class Item:
    """A test item, as far as the plugin looks."""

    def __init__(self, name: str, *requirements: str) -> None:
        self.name = f"test_{name}"
        self.stash = pytest.Stash()
        self._mark = vdi_requirement(*requirements).mark

    def iter_markers(self, name: str) -> Iterator[pytest.Mark]:
        """Give the one mark."""
        assert name == "vdi_requirement"
        yield self._mark


def test_what_is_known_to_fail_is_marked() -> None:
    entries = (
        Entry(requirement="MBH-04", cause="died", reason="r", issue="i", fault="adapter"),
        Entry(check="MBH/b[1]", cause="died", reason="r", issue="i", fault="adapter"),
    )
    stash = pytest.Stash()
    stash[BASELINE] = Baseline(entries, date(2026, 1, 1))
    items = [Item("a", "MBH-01", "MBH-04"), Item("b[1]", "MBH-01"), Item("b[2]", "MBH-01")]
    config = cast("pytest.Config", SimpleNamespace(stash=stash))
    pytest_collection_modifyitems(config, cast("list[pytest.Item]", items))
    assert [item.stash[KNOWN_TO_FAIL] for item in items] == [True, True, False]
