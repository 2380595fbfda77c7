"""Programs made of records: what others wrote stays in literals and comments, and what cannot be one says why."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from selftest.report.made import check, run
from vdi_conformance.cli import main
from vdi_conformance.evidence.files import written
from vdi_conformance.evidence.records import Call, CheckRecord, Unexpected
from vdi_conformance.vdi.hresult import NOERROR, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from pathlib import Path

ID: Final = "MBH/a"
HOSTILE: Final = (
    "'\"\\ */ /* // \n\r\t\0 {{ config }} {% raw %} {# #} ${x} %s ??/ \u202e\u2028 \N{GRINNING FACE} \"\"\" ''' \\",
    "\\\nimport os; os.abort()\n#",
    '"); std::abort(); /*\nstatic int x = R"(',
)
ADDRESS: Final = "0x7ea805710000"


def call(
    number: int, method: str, answer: dict[str, Any] | str | None, process: str = "primary", **params: Any
) -> Call:
    """Make a call that begins when the one before it has ended."""
    return Call(
        number=number,
        process=process,
        thread="set",
        method=method,
        params=params,
        answer=answer,
        begin=10.0 * number,
        end=10.0 * number + 1,
    )


def mapped(handle: int = 7, process: str = "primary", name: str = "s", set_: str = "s1") -> list[Call]:
    """Give the calls of a check in which a handle is mapped that another call gave, and that fails."""
    config = dict.fromkeys(VDConfig._fields, 0)
    return [
        call(1, "set.new", {}, process, set=set_),
        call(2, "set.create", {"code": NOERROR}, process, set=set_, name=name, config=config),
        call(3, "set.get_buffer_handle", {"code": NOERROR, "handle": 7}, process, set=set_, address=ADDRESS),
        call(4, "set.map_buffer_handle", {"code": VD_E_PROTOCOL}, process, set=set_, handle=handle),
    ]


def failing(calls: list[Call], id_: str = ID, **changed: Any) -> CheckRecord:
    """Make a check that failed at the last of these calls."""
    found = Unexpected(call=calls[-1].number, judge="model", permitted=["NOERROR"])
    return msgspec.structs.replace(check(id_, "failed", "VD_E_PROTOCOL"), calls=calls, unexpected=found, **changed)


def reproduced(directory: Path, record: CheckRecord, lang: str, *options: str) -> tuple[int, str]:
    """Make the program of a check by the command; give the exit code and the text."""
    made = directory / "made"
    shutil.rmtree(made, ignore_errors=True)
    directory.mkdir(exist_ok=True)
    evidence = directory / "evidence.jsonl"
    evidence.write_bytes(written(run(record)))
    code = main(["reproduce", str(evidence), "--lang", lang, "-o", str(made), *options])
    return code, "".join(path.read_text("utf-8") for path in sorted(made.glob("*"))) if made.exists() else ""


def literals(text: str) -> set[str]:
    """Give the texts of all literals of a program in C++, by the escapes that it has."""
    found = re.findall(r'"((?:[^"\\\n]|\\(?:[0-7]{3}|["\\n]))*)"', text)
    named = {b"n": b"\n", b'"': b'"', b"\\": b"\\"}

    def meant(escape: re.Match[bytes]) -> bytes:
        return named[escape[1]] if escape[1] in named else bytes([int(escape[1], 8)])

    read = (re.sub(rb'\\([0-7]{3}|["\\n])', meant, one.encode()) for one in found)
    return {one.decode("utf-8", "replace") for one in read}


def hostile(text: str) -> CheckRecord:
    """Make a failed check in which everything that others name has a text."""
    record = failing(mapped(process=text, name=text, set_=text), text, about=text)
    assert record.cause is not None
    cause = msgspec.structs.replace(record.cause, sentence=text)
    return msgspec.structs.replace(record, cause=cause, broken=[text])


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_nothing_but_a_literal_in_python(text: str, tmp_path: Path) -> None:
    code, program = reproduced(tmp_path, hostile(text), "python")
    assert code == 0
    tree, plain = ast.parse(program), ast.parse(reproduced(tmp_path, failing(mapped()), "python")[1])
    assert text in {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert [type(node) for node in tree.body] == [type(node) for node in plain.body]


def test_hostile_texts_are_nothing_but_literals_in_cpp(tmp_path: Path) -> None:
    compiler = shutil.which("g++")
    for number, text in enumerate(HOSTILE):
        code, program = reproduced(tmp_path / str(number), hostile(text), "cpp")
        assert code == 0
        assert text.partition("\0")[0] in {one.partition("\0")[0] for one in literals(program)}
        without_comments = re.sub(r"//[^\n]*", "", re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', program))
        assert "abort(" not in without_comments
        assert not re.search(r"\\\s*$", program, re.MULTILINE)
    if compiler is None:
        pytest.skip("there is no g++")
    checked = [compiler, "-std=c++17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-xc++", "-"]
    done = subprocess.run(checked, input=program, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_numbers_of_the_run_become_names(tmp_path: Path) -> None:
    _, program = reproduced(tmp_path, failing(mapped()), "python")
    assert "vdi_set('s1').MapBufferHandle(v('handle_3'), True)" in program
    assert "GBH-04" not in program
    _, near = reproduced(tmp_path, failing(mapped(handle=9)), "python")
    assert "MapBufferHandle(v('handle_3') + 0x2, True)" in near
    _, far = reproduced(tmp_path, failing(mapped(handle=7 ^ 1 << 31)), "cpp")
    assert 'MapBufferHandle(v("handle_3") ^ 0x80000000, true)' in far


MISSING: Final = mapped()[1:]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (msgspec.structs.replace(check(ID), verdict="error"), "ended as error"),
        (msgspec.structs.replace(failing(mapped()), unexpected=None), "names no call"),
        (failing(MISSING), "keeps 3 of the 4 calls"),
        (failing(mapped(), accounts=["primary"]), "primary ran under an account of its own"),
        (
            failing([*mapped()[:3], call(4, "device.complete_concurrently", {})]),
            "which only a host of the suite can do",
        ),
        (
            failing([*mapped()[:3], call(4, "device.serve", {}, device="d", features=0x100)]),
            "positions on tape or disk",
        ),
        (failing([*mapped()[:3], call(4, "memory.load", {}, address=ADDRESS, path="/x")]), "before the check"),
        (
            failing([*mapped()[:3], call(4, "memory.write", {}, address=ADDRESS, data="cc... (9 more)")]),
            "only the first",
        ),
        (
            failing([*mapped()[:3], call(4, "set.map_buffer_handle", {"code": 1}, set="s1", handle="x")]),
            "has no handle",
        ),
        (failing([*mapped()[:3], call(4, "set.release", {}, set="s1")]), "shows in no answer of a call"),
    ],
)
def test_what_cannot_be_a_program_says_why(
    record: CheckRecord, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, program = reproduced(tmp_path, record, "python", "--check", ID)
    assert (code, program) == (1, "")
    told = capsys.readouterr().err
    assert told.startswith(f"no program for {ID}: ")
    assert reason in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--check", "MBH/b"], "nearest: MBH/a"),
        (["--lang", "pyhton"], "nearest: python"),
        ([], "name one with -o"),
    ],
)
def test_wrong_usage_is_one_sentence(
    options: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = tmp_path / "evidence.jsonl"
    evidence.write_bytes(written(run(failing(mapped()))))
    assert main(["reproduce", str(evidence), *options]) == 4
    told = capsys.readouterr().err
    assert named in told
    assert told.count("\n") == 1
