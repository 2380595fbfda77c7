"""A call reads like its documents: names of codes, hexadecimal handles and addresses, untouched out values."""

from typing import Any

import pytest

from vdi_conformance.evidence.records import Call
from vdi_conformance.report.calls import call_line, naming_untouched

UNTOUCHED = 0xCCCCCCCC
UNTOUCHED_CONFIG = dict.fromkeys(("device_count", "features", "buffer_area_size"), UNTOUCHED)


def _line(method: str, params: dict[str, Any], answer: dict[str, Any] | str | None) -> str:
    return call_line(Call(number=7, process="primary", method=method, params=params, answer=answer))


@pytest.mark.parametrize(
    ("method", "params", "answer", "line"),
    [
        ("set.close", {"set": "s"}, {"code": 0}, "set.close(set=s) -> code=NOERROR"),
        ("set.close", {}, {"code": 0x80004001}, "set.close() -> code=0x80004001"),
        ("set.close", {}, {"code": 1}, "set.close() -> code=0x00000001"),
        ("set.close", {}, None, "set.close() -> no answer"),
        ("set.close", {}, {}, "set.close() -> done"),
        ("g", {"address": "0x7f00"}, {"code": 0, "handle": 0}, "g(address=0x7f00) -> code=NOERROR, handle=0x0"),
        ("g", {}, {"code": 0, "handle": 4294967295}, "g() -> code=NOERROR, handle=0xffffffff"),
        ("g", {}, {"code": 0x80770006, "handle": UNTOUCHED}, "g() -> code=VD_E_INVALID, handle=untouched"),
        ("g", {}, {"code": 0x80770006, "handle": None}, "g() -> code=VD_E_INVALID, handle=null"),
        ("m", {"handle": 305419896}, {"code": 0, "address": "0x7f00"},
         "m(handle=0x12345678) -> code=NOERROR, address=0x7f00"),
        ("m", {"handle": UNTOUCHED}, {"code": 0x80770006, "address": "0xcccccccccccccccc"},
         "m(handle=untouched) -> code=VD_E_INVALID, address=untouched"),
        ("m", {"address": "0xcccccccccccccccc"}, "no 9 bytes at 0xcccccccccccccccc",
         "m(address=untouched) -> no 9 bytes at untouched"),
        ("m", {}, {"code": 0x80770006, "address": hex(UNTOUCHED)}, "m() -> code=VD_E_INVALID, address=untouched"),
        ("c", {}, {"code": 0x80770003, "config": UNTOUCHED_CONFIG}, "c() -> code=VD_E_TIMEOUT, config=untouched"),
        ("c", {}, {"code": 0, "config": {"device_count": 1, "features": 65536}},
         "c() -> code=NOERROR, config=(device_count=1 features=0x10000)"),
        ("n", {}, {"completion": {"tag": 3, "code": 995}}, "n() -> completion=(tag=3 code=ERROR_OPERATION_ABORTED)"),
        ("s", {"code": 2, "buffer": "0x1000"}, {"code": 0}, "s(code=VDC_WRITE, buffer=0x1000) -> code=NOERROR"),
        ("f", {}, {"code": 0, "command": {"code": 1, "buffer": "0x10"}},
         "f() -> code=NOERROR, command=(code=VDC_READ buffer=0x10)"),
        ("r", {}, {"code": 0, "answers": [[0, 0x80770006]]}, "r() -> code=NOERROR, answers=[[NOERROR, VD_E_INVALID]]"),
        ("set.close", {}, "it broke\nTraceback", "set.close() -> it broke"),
    ],
)  # fmt: skip
def test_a_call_is_told_as_its_documents_tell_it(
    method: str, params: dict[str, Any], answer: dict[str, Any] | str | None, line: str
) -> None:
    assert _line(method, params, answer) == f"      7 primary      {line}"


def test_a_call_is_one_line_of_bounded_length_whatever_it_holds() -> None:
    deep: Any = "x"
    for _ in range(100):
        deep = [deep, {"a": deep}][:1]
    params = {f"k\n{number}": value for number, value in enumerate(["\x1b[2J" * 999, 10**5000, deep, {"\n": "\r"}])}
    line = _line("m\n", params, {"code": -(10**5000), "handle": True, "config": {"features": []}})
    assert line.isprintable()
    assert len(line) < 2100


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("assert 3435973836 == 0", "assert untouched == 0"),
        ("at 0xCCCCCCCCCCCCCCCC, at 0xcccccccc", "at untouched, at untouched"),
        ("found 14757395258967641292", "found untouched"),
        ("13435973836 and 0xccccccccc and 0xcccccccd", "13435973836 and 0xccccccccc and 0xcccccccd"),
    ],
)
def test_an_untouched_out_value_has_a_name_in_sentences_too(sentence: str, told: str) -> None:
    assert naming_untouched(sentence) == told
