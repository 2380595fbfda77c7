"""A set under the conditions of one combination: set up, shared, disturbed, judged and ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.intervals import TooSlow, with_time_enough
from vdi_conformance.harness.judging import ConformanceFailure, needing
from vdi_conformance.harness.varied import null_pointers
from vdi_conformance.harness.varied.afterwards import complete_all, go_on, look_for_the_last_time
from vdi_conformance.harness.varied.around import ask_around, ask_for_the_configuration, require_what_was_asked
from vdi_conformance.harness.varied.before import call_often, created, go_before, refuse
from vdi_conformance.harness.varied.layout import MOST_HELD, Layout
from vdi_conformance.harness.varied.meanwhile import begin_to_wait, happen
from vdi_conformance.harness.varied.sharing import share
from vdi_conformance.vdi.hresult import VD_E_ABORT, name_of

if TYPE_CHECKING:
    from vdi_conformance.conditions import Combination
    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.harness.varied.sets import Held, VariedSet

PATIENCE: Final = 200
"""A serverTimeOut in milliseconds, before scaling: twice as long is enough for what goes before on an idle machine."""


def judge(testbed: Testbed, combination: Combination) -> None:
    """Hold a set under these conditions against the documents."""
    layout = Layout(combination.values)
    _require_what_it_needs(testbed, layout)
    if layout.meanwhile != "time limit":
        _judge(testbed, layout, 0)
        return

    def attempt(interval: int) -> None:
        began = time.monotonic()
        try:
            _judge(testbed, layout, interval)
        except ConformanceFailure as failure:
            if failure.observed == name_of(VD_E_ABORT) and (time.monotonic() - began) * 1000 >= 2 * interval:
                raise TooSlow from failure
            raise

    with_time_enough(testbed, PATIENCE, attempt)


def _require_what_it_needs(testbed: Testbed, layout: Layout) -> None:
    if layout.values["instance"] == "named":
        testbed.need("named_instances", "it needs named instances")
    if layout.values["creating"] == "Create" or layout.values["joining"] == "OpenInSecondary":
        testbed.need_default_instance()
    if layout.is_scripted:
        testbed.need_scripted()


def _judge(testbed: Testbed, layout: Layout, server_time_out: int) -> None:
    survives_null = layout.is_asked and null_pointers.are_survived(testbed)
    scenario = layout.scenario(server_time_out)
    clients = testbed.clients(scenario)
    varied = created(testbed, layout, scenario, clients)
    varied.survives_null = survives_null
    with needing("CFG-01"):
        varied.begin(clients)
    require_what_was_asked(varied)
    with needing("CMD-01"):
        go_before(varied)
        *rounds, last = layout.rounds
        for uses in rounds:
            held = varied.hold(uses)
            share(varied, held)
            complete_all(varied, held)
        varied.pass_in_order(may_fail=False)
        varied.last_round = True
        held = varied.hold(last)
        varied.require_room()
        _share_disturbed(varied, held)
    varied.recommended.tell()


def _share_disturbed(varied: VariedSet, held: list[Held]) -> None:
    """Share what is held, and let happen what happens meanwhile."""
    waiting = begin_to_wait(varied, held)
    aside = varied.send_aside()
    if varied.layout.before == "many calls":
        call_often(varied, held[0])
    share(varied, held[:MOST_HELD])
    if varied.layout.before == "refused call":
        refuse(varied, held)
    if varied.layout.aborts:
        ask = ask_around if varied.layout.is_asked else ask_for_the_configuration
        ask(varied, held)
    if varied.layout.aborts or varied.layout.may_end:
        for one in held:
            look_for_the_last_time(varied, one)
    happen(varied, held)
    go_on(varied, held, aside, waiting)
