"""The reference model: whatever is done before, by whomever, each call gives what the documents permit then."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import pytest

from vdi_conformance.harness.judging import vdi_requirement
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.walks.check import Recorder, take_walks
from vdi_conformance.walks.walk import WalkOptions

INTERFACE: Final = {
    "create": 4,
    "join": 4,
    "get_configuration": 4,
    "open_device": 6,
    "get_command": 6,
    "wait": 3,
    "complete_command": 6,
    "signal_abort": 1,
    "close": 1,
    "get_buffer_handle": 5,
    "map_buffer_handle": 5,
    "send": 4,
    "close_device": 2,
    "notice": 2,
    "server_configure": 1,
    "server_open_device": 1,
}
"""How often each act is chosen where it is possible; what usually comes next has `go_on`."""


class WalkKind(NamedTuple):
    """What the walks of a check are about, how many they are, and how long."""

    plan: WalkOptions
    walks: int
    steps: int
    weights: Mapping[str, int]


TRANSFERS: Final = {
    "go_on": 60,
    "create": 1,
    "join": 3,
    "get_configuration": 1,
    "open_device": 1,
    "get_command": 8,
    "wait": 2,
    "complete_command": 8,
    "close": 1,
    "get_buffer_handle": 3,
    "map_buffer_handle": 6,
    "send": 20,
    "close_device": 1,
}
KINDS: Final = {
    "one client": WalkKind(WalkOptions(clients=1), 20, 60, INTERFACE | {"go_on": 30, "send": 8, "server_close": 1}),
    "several clients": WalkKind(WalkOptions(), 18, 55, INTERFACE | {"go_on": 50, "server_open": 1}),
    "transfers": WalkKind(WalkOptions(clients=3, contents=True), 10, 110, TRANSFERS),
    "aborts": WalkKind(
        WalkOptions(clients=3),
        18,
        55,
        INTERFACE | {"go_on": 50, "signal_abort": 4, "server_abort": 2, "server_close": 1},
    ),
    "deaths": WalkKind(WalkOptions(), 14, 55, INTERFACE | {"go_on": 60, "kill": 2, "start": 4, "server_kill": 1}),
}


@pytest.mark.parametrize("kind", KINDS)
@vdi_requirement("ST-48")
def test_every_call_gives_what_the_model_permits(testbed: Testbed, recorder: Recorder, kind: str) -> None:
    """Each call gives what the documents permit in the state that all calls before it have led to."""
    plan, walks, steps, weights = KINDS[kind]
    take_walks(testbed, recorder, plan, weights, walks, steps)


@vdi_requirement("ST-49")
def test_every_call_gives_what_is_recommended(testbed: Testbed, recorder: Recorder) -> None:
    """Each call gives the code that the documents recommend in the state that all calls before it have led to."""
    weights = INTERFACE | {"go_on": 40}
    take_walks(testbed, recorder, WalkOptions(clients=3, strict=True), weights, walks=14, steps=55)
