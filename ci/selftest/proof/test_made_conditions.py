"""What made faults ask of a moment: each condition holds in a small story of its own, and few in a plain one."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from selftest.proof.stories import CONFIG, FURTHER, GUEST, MIB, Story
from vdi_conformance.conditions.shipped import axes
from vdi_conformance.vdi.commands import VDC_READ, VDF_LIKE_TAPE, VDF_READ_MEDIA, VDF_WRITE_MEDIA
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE, VD_E_INVALID
from vdi_fixtures.made.conditions import CONDITIONS
from vdi_fixtures.made.facts import Situation

Place = tuple[str, str]


def _plain() -> Story:
    return Story().told("area", length=MIB, buffers=1).joined().fetched()


def _configured(**fields: int) -> Situation:
    return Story(CONFIG._replace(**fields)).fetched().now()


def _crowd(number: int) -> Situation:
    story = Story().fetched()
    for place in range(number - 1):
        story.joined(f"guest {place}", process=2 + place)
    return story.now()


def _areas(number: int, length: int = MIB, buffers: int = 1) -> Situation:
    story = Story()
    for _ in range(number):
        story.told("area", length=length, buffers=buffers)
    return story.fetched().now()


def _meanwhile(kind: str, by: str = GUEST, **fields: Any) -> Situation:
    return _plain().told(kind, by, **fields).now()


def _at_once() -> Situation:
    story = _plain().joined(FURTHER, 3)
    began = story.facts.now
    return story.mapped(FURTHER).now("map_buffer_handle", GUEST, began=began)


def _many_calls() -> Situation:
    story = _plain()
    for _ in range(1000):
        story.told("no_device", code=VD_E_INVALID)
    return story.now()


def _two_fetched(method: str, number: int) -> Situation:
    return _plain().fetched(number=1).now(method, number=number)


STORIES: dict[Place, Callable[[], Situation]] = {
    ("server", "statement"): lambda: _plain().told("statement").now(),
    ("direction", "read"): lambda: Story().fetched(command=VDC_READ).now(),
    ("media", "tape"): lambda: _configured(features=VDF_LIKE_TAPE | VDF_WRITE_MEDIA),
    ("instance", "named"): lambda: Story(instance="NAMED").now(),
    ("creating", "Create"): lambda: Story(form="Create").now(),
    ("joining", "OpenInSecondary"): lambda: Story().joined(form="OpenInSecondary").now(by=GUEST),
    **{("devices", str(number)): partial(_configured, device_count=number) for number in (2, 3, 20, 64)},
    **{("processes", str(number)): partial(_crowd, number) for number in (1, 3, 9)},
    ("objects", "2"): lambda: Story().joined(process=1).now(),
    ("transfer", "192 KiB"): lambda: _configured(max_transfer_size=196608),
    ("transfer", "1 MiB"): lambda: _configured(max_transfer_size=MIB),
    ("transfer", "4 MiB"): lambda: _configured(max_transfer_size=4 * MIB),
    ("size", "half"): lambda: Story().fetched(size=32768).now(),
    ("size", "one block"): lambda: Story().fetched(size=512).now(),
    ("size", "odd"): lambda: Story().fetched(size=1536).now(),
    ("alignment", "none"): lambda: Story(alignment=0).now(),
    ("alignment", "4096"): lambda: _configured(alignment=4096),
    ("alignment", "65536"): lambda: _configured(alignment=65536),
    ("block", "4096"): lambda: _configured(block_size=4096),
    ("block", "65536"): lambda: _configured(block_size=65536),
    **{("zone", str(size)): partial(_configured, prefix_zone_size=size) for size in (512, 4096, 4097, 16384, 65536)},
    ("buffers", "2"): lambda: _areas(1, buffers=2),
    ("buffers", "17"): lambda: _areas(1, buffers=17),
    **{("areas", str(number)): partial(_areas, number) for number in (2, 9, 17)},
    ("pool", "16 MiB"): lambda: _areas(2, 9 * MIB),
    ("pool", "64 MiB"): lambda: _areas(2, 33 * MIB),
    ("pool", "256 MiB"): lambda: _areas(2, 129 * MIB),
    ("use", "again"): lambda: _plain().told("reused").now(),
    ("fetching", "secondary"): lambda: Story().joined().fetched(GUEST).now(),
    ("fetching", "in turn"): lambda: _plain().fetched(GUEST, number=1).now(number=1),
    ("threads", "own"): lambda: _plain().now(thread=2),
    ("threads", "ended"): lambda: _plain().now(thread=2, alive=(2,)),
    ("mapping", "one other"): lambda: _plain().mapped().now(),
    ("mapping", "all others"): lambda: _plain().joined(FURTHER, 3).mapped().mapped(FURTHER).now(),
    ("mapping", "at once"): _at_once,
    ("mapping", "again"): lambda: _plain().mapped().now("map_buffer_handle", GUEST),
    ("mapping", "itself"): lambda: _plain().now("map_buffer_handle"),
    ("completing", "as fetched"): lambda: _two_fetched("complete_command", 0),
    ("completing", "reverse"): lambda: _two_fetched("complete_command", 1),
    ("completing", "held over"): lambda: _plain().fetched(number=1).completed(number=1).now(),
    ("before", "aborted set"): lambda: Story(after_aborted=True).now(),
    ("before", "many calls"): _many_calls,
    ("before", "ended thread"): lambda: _plain().now(callers=(1, 9)),
    ("before", "closed device"): lambda: _plain().told("waits").told("fetched", device="d", code=VD_E_CLOSE).now(),
    ("before", "refused call"): lambda: _plain().told("no_device", code=VD_E_INVALID).now(),
    ("meanwhile", "wait"): lambda: _meanwhile("waits", device="d"),
    ("meanwhile", "close"): lambda: _meanwhile("closed", code=NOERROR),
    ("meanwhile", "exit"): lambda: _meanwhile("died", role="secondary", holding=False),
    ("meanwhile", "kill"): lambda: _meanwhile("died", role="secondary", holding=False),
    ("meanwhile", "holder killed"): lambda: _meanwhile("died", role="secondary", holding=True),
    ("meanwhile", "second object closes"): lambda: (
        _plain().joined(FURTHER, process=1).told("closed", FURTHER, code=NOERROR).now()
    ),
    ("meanwhile", "primary aborts"): lambda: _meanwhile("abort_called", "primary", code=NOERROR),
    ("meanwhile", "secondary aborts"): lambda: _meanwhile("abort_called", code=NOERROR),
    ("meanwhile", "server aborts"): lambda: _meanwhile("server_abort", cause="server"),
    ("meanwhile", "time limit"): lambda: _meanwhile("server_abort", cause="time limit"),
    ("meanwhile", "server dies"): lambda: _meanwhile("server_abort", cause="death of the server"),
    ("meanwhile", "primary dies"): lambda: _meanwhile("died", role="primary", holding=False),
}

PLAIN = {
    ("server", "scripted"),
    ("direction", "write"),
    ("media", "pipe"),
    ("instance", "default"),
    ("creating", "CreateEx"),
    ("joining", "OpenInSecondaryEx"),
    ("devices", "1"),
    ("processes", "2"),
    ("objects", "1"),
    ("transfer", "64 KiB"),
    ("size", "whole"),
    ("block", "512"),
    ("zone", "0"),
    ("buffers", "1"),
    ("areas", "1"),
    ("pool", "as it comes"),
    ("use", "fresh"),
    ("fetching", "primary"),
    ("threads", "usual"),
    ("completing", "as fetched"),
    ("before", "nothing"),
    ("meanwhile", "nothing"),
}


def test_every_value_of_an_axis_is_a_condition() -> None:
    assert set(CONDITIONS) == {(axis.name, value.name) for axis in axes() for value in axis.values}


def test_every_condition_has_a_story() -> None:
    assert set(CONDITIONS) == PLAIN | set(STORIES)


def test_in_a_plain_story_nothing_unusual_holds() -> None:
    situation = _plain().now()
    assert {place for place, condition in CONDITIONS.items() if condition.holds(situation)} == PLAIN


@pytest.mark.parametrize("place", STORIES, ids=": ".join)
def test_a_condition_holds_in_its_story(place: Place) -> None:
    assert CONDITIONS[place].holds(STORIES[place]())


def test_a_restore_is_known_before_its_first_command() -> None:
    situation = Story(CONFIG._replace(features=VDF_READ_MEDIA)).now()
    assert CONDITIONS["direction", "read"].holds(situation)


def test_who_left_is_counted_no_more() -> None:
    story = _plain().told("closed", GUEST, code=NOERROR)
    assert CONDITIONS["processes", "1"].holds(story.now())
