"""Swim-lane pictures: what stands in which lane, what has one colour, what is marked, and that nothing is markup."""

import re
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given

from selftest.report.generated import checks
from selftest.report.made import check
from vdi_conformance.evidence.records import Call, CheckRecord, Unexpected
from vdi_conformance.report.lanes import lanes_image, lanes_mermaid, lanes_svg, lanes_text
from vdi_conformance.report.lanes.buffers import Place, buffers_of
from vdi_conformance.report.lanes.picture import Picture, letter, picture_of
from vdi_conformance.report.lanes.shortening import AFTER, MOST

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "</svg><script>alert(1)</script>\x1b[2J\n%%{init: x}%%; end #quot;"


def _call(number: int, process: str, method: str, answer: Any = None, **params: Any) -> Call:
    begin = float(number * 10)
    return Call(number=number, process=process, method=method, params=params, answer=answer, begin=begin, end=begin + 1)


SHARED = (
    _call(1, "server", "server.allocate_buffer", {"code": 0, "address": "0x500"}, size=16),
    _call(
        2, "server", "server.send_command", {"code": 0}, device="set", code=2, size=16, position="0x0", buffer="0x500"
    ),
    _call(3, "primary", "set.open_device", {"code": 0}, name="set", device="d"),
    _call(
        4,
        "primary",
        "device.get_command",
        {"code": 0, "command": {"address": "0x9", "code": 2, "size": 16, "position": "0x0", "buffer": "0x100"}},
        device="d",
    ),
    _call(5, "primary", "set.get_buffer_handle", {"code": 0, "handle": 7}, address="0x100"),
    _call(6, "secondary 1", "set.map_buffer_handle", {"code": 0, "address": "0x700"}, handle=7),
    _call(7, "secondary 1", "memory.read", {"data": "00"}, address="0x70f", size=1),
    _call(8, "secondary 1", "memory.read", {"data": "00"}, address="0x710", size=1),
    _call(9, "primary", "device.complete_command", {"code": 0}, device="d", command="0x9"),
)


def _check(*calls: Call, unexpected: Unexpected | None = None) -> CheckRecord:
    return msgspec.structs.replace(check("MBH/one", verdict="failed"), calls=list(calls), unexpected=unexpected)


def _parsed(drawn: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawn)  # noqa: S314 - it was drawn here, and has no entities


def _picture(record: CheckRecord) -> Picture:
    picture = picture_of(record)
    assert picture is not None
    return picture


def test_one_buffer_is_one_in_all_processes() -> None:
    found = buffers_of(SHARED)
    assert [sorted(place.key for place, buffer in found[number].items() if buffer == 0) for number in range(1, 10)] == [
        ["address"],
        ["buffer"],
        [],
        ["address", "buffer"],
        ["address", "handle"],
        ["address", "handle"],
        ["address"],
        [],
        ["command"],
    ]


def test_what_is_known_stays_what_it_was_known_as() -> None:
    other = _call(10, "primary", "set.get_buffer_handle", {"code": 0, "handle": 7}, address="0x200")
    second = {"address": "0x8", "code": 2, "size": 16, "position": "0x0", "buffer": "0x200"}
    fetched = _call(9, "primary", "device.get_command", {"code": 0, "command": second}, device="d")
    found = buffers_of((*SHARED[:8], fetched, other))[10]
    assert found == {Place("params", "address"): 1, Place("answer", "handle"): 0}


def test_a_failed_call_names_no_buffer() -> None:
    refused = _call(1, "primary", "set.map_buffer_handle", {"code": 0x80770006, "address": "0x700"}, handle=7)
    assert buffers_of([refused]) == {1: {}}


def test_lanes_begin_with_the_server_and_have_their_threads() -> None:
    calls = [
        _call(1, "secondary 10", "set.close"),
        _call(2, "secondary 2", "set.close"),
        _call(3, "primary", "set.close"),
        Call(number=4, process="primary", thread="abort", method="set.signal_abort", params={}, answer=None),
        _call(5, "server", "server.close"),
    ]
    lanes = _picture(_check(*calls)).lanes
    assert [lane.process for lane in lanes] == ["server", "primary", "secondary 2", "secondary 10"]
    assert lanes[1].threads == ("", "abort")


def test_a_call_reaches_to_the_last_one_that_began_before_it_ended() -> None:
    spans = ((1, 0, 25), (2, 10, 12), (3, 20, None), (4, 30, 31))
    calls = [
        Call(number=number, process="one", method="set.close", params={}, answer=None, begin=begin, end=end)
        for number, begin, end in spans
    ]
    boxes = _picture(_check(*calls)).boxes
    assert [(box.first, box.last, box.open) for box in boxes] == [
        (0, 2, False),
        (1, 1, False),
        (2, 3, True),
        (3, 3, False),
    ]


def test_a_long_check_is_shortened_around_its_mark() -> None:
    calls = [*SHARED[:6], *(_call(number, "primary", "set.get_configuration") for number in range(7, 300))]
    calls += [_call(300, "secondary 1", "set.map_buffer_handle", {"code": 0x80770006}, handle=7)]
    calls += [_call(number, "primary", "set.close") for number in range(301, 400)]
    record = _check(*calls, unexpected=Unexpected(call=300, judge="model", permitted=["NOERROR"]))
    picture = _picture(record)
    numbers = [box.number for box in picture.boxes]
    assert len(numbers) <= MOST
    assert numbers[-AFTER - 1 :] == [*range(300, 301 + AFTER)]
    assert {4, 5, 6} <= {*numbers}
    assert picture.mark is not None
    assert picture.boxes[picture.mark.row].number == 300
    assert sum(gap.calls for gap in picture.gaps) == numbers[-1] - len(numbers)
    assert f"{picture.gaps[-1].calls} calls left out" in lanes_svg(record)


@pytest.mark.parametrize(
    ("judge", "words"),
    [("model", "the first call whose answer the documents do not permit"), ("check", "what the check did not accept")],
)
def test_a_mark_says_who_marks_and_what_was_permitted(judge: Any, words: str) -> None:
    record = _check(*SHARED, unexpected=Unexpected(call=7, judge=judge, permitted=["the bytes that call 5 stored"]))
    sentence = f"{words}; permitted: the bytes that call 5 stored"
    assert f"^ {sentence}" in lanes_text(record)
    assert sentence.replace(";", "#59;") in lanes_mermaid(record)
    titles = [one.text for one in _parsed(lanes_svg(record)).iter(f"{SVG}title")]
    assert titles[0] == f"9 calls of 3 processes; call 7, look at bytes in secondary 1: {sentence}"


def test_a_check_without_calls_has_no_picture() -> None:
    assert [draw(_check()) for draw in (lanes_svg, lanes_image, lanes_mermaid, lanes_text)] == [""] * 4


def test_a_picture_in_a_page_brings_nothing_that_a_strict_policy_forbids() -> None:
    drawn = _parsed(lanes_svg(_check(*SHARED)))
    for one in drawn.iter():
        assert one.tag.removeprefix(SVG) in ("svg", "title", "g", "rect", "line", "text")
        assert not any(name == "style" or name.startswith("on") or "href" in name for name in one.attrib)
    assert drawn.get("role") == "img"
    assert drawn.get("aria-labelledby") == drawn[0].get("id")
    alone = _parsed(lanes_image(_check(*SHARED)))
    assert {one.tag for one in alone.iter()} - {one.tag for one in drawn.iter()} == {f"{SVG}style"}


def test_one_buffer_has_one_colour_in_every_lane() -> None:
    drawn = _parsed(lanes_svg(_check(*SHARED)))
    hues = {one.get("stroke") for one in drawn.iter(f"{SVG}rect") if (one.get("stroke") or "").startswith("#")}
    assert len(hues) == 1
    assert lanes_mermaid(_check(*SHARED)).count("🟦A") == 10


def test_buffers_are_named_as_columns_of_a_sheet_are() -> None:
    assert [letter(number) for number in (0, 25, 26, 27, 701, 702)] == ["A", "Z", "AA", "AB", "ZZ", "AAA"]


def test_names_full_of_markup_are_text() -> None:
    call = Call(number=1, process=NASTY, thread=NASTY, method=NASTY, params={NASTY: NASTY}, answer=NASTY)
    record = msgspec.structs.replace(check(NASTY, verdict="failed"), calls=[call])
    _parsed(lanes_svg(record))
    assert "<script" not in lanes_svg(record)
    lines = lanes_mermaid(record).splitlines()
    assert all(
        re.fullmatch(r"sequenceDiagram|    (participant p0 as .*|p0(-\)|--\)|->>)p0: .*)", line) for line in lines
    )
    assert not re.search(r"[<>{}\"`%\x1b]", "\n".join(lines).replace("->>", ""))
    assert lanes_text(record).replace("\n", "").isprintable()


@given(checks())
def test_every_check_can_be_drawn(record: CheckRecord) -> None:
    picture = picture_of(record)
    assert (picture is None) == (not record.calls)
    if picture is not None:
        _parsed(lanes_svg(record))
        _parsed(lanes_image(record))
        assert len(lanes_text(record).splitlines()) > len(picture.boxes)
        assert lanes_mermaid(record).startswith("sequenceDiagram\n")
