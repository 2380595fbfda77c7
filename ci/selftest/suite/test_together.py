"""Readings put together: none keeps what another one replaces from being asked."""

from importlib import import_module
from pathlib import Path

import pytest

from vdi_conformance.contract import LONGEST_LABEL, Environment
from vdi_conformance.proof.fairness import ADAPTER
from vdi_fixtures.compatible import drawn, names, pairs, why_not
from vdi_fixtures.emulated import Emulated
from vdi_fixtures.hiding import hidden
from vdi_fixtures.together import TOGETHER, module_of


def test_what_excludes_each_other_says_why() -> None:
    reasons = {pair: why_not(*pair) for pair in pairs(names())}
    assert "what number a handle is" in reasons["handles_are_offsets", "handles_count_from_0"]
    assert not reasons["completion_out_of_order_is_refused", "handles_are_offsets"]
    assert len([reason for reason in reasons.values() if reason]) < len(reasons) / 20


@pytest.mark.parametrize("seed", range(8))
def test_nothing_that_was_drawn_keeps_another_part_from_being_asked(seed: int) -> None:
    group = drawn(names(), seed)
    assert all(not why_not(*pair) for pair in pairs(sorted(group)))
    kinds = [kind for name in group if issubclass(kind := module_of(name).Reading, Emulated)]
    for place in {place for kind in kinds for place in kind.parts}:
        parts = [kind.parts[place] for kind in kinds if place in kind.parts]
        classes = [part for part in parts if isinstance(part, type)]
        assert hidden(classes) == set(), (place, group)
        assert classes or len(set(map(id, parts))) == 1, (place, group)


@pytest.mark.parametrize("seed", range(4))
def test_readings_put_together_are_an_adapter_with_a_name_that_a_host_may_have(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOGETHER, ",".join(sorted(drawn(names(), seed))))
    module, _, name = ADAPTER.partition(":")
    adapter = getattr(import_module(module), name)(Environment(str(tmp_path)))
    assert 0 < len(adapter.identity().name) <= LONGEST_LABEL
