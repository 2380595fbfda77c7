"""`vdi-conformance adapter init`: what it writes, and that it never overwrites."""

import _ctypes
import ctypes
import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from selftest.commands import run_command
from vdi_conformance.adapters import resolve
from vdi_conformance.cli import main
from vdi_conformance.cli.skeletons import languages
from vdi_conformance.contract import OUT_UNTOUCHED, Environment
from vdi_conformance.vdi.hresult import NOERROR, VD_E_INVALID, VD_E_NOTSUPPORTED, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import INFINITE, VDC_COMMAND_64, VDConfig

POINTER = ctypes.c_void_p
LIBRARY = "/opt/mssql/lib/libsqlvdi.so"
LINKED = {"cpp": "CMakeLists.txt"}
"""What names the library where a host is linked to it."""
SET = "_ZN22ClientVirtualDeviceSet"
DEVICE = "_ZN19ClientVirtualDevice"


def test_it_writes_an_adapter_and_says_what_to_do_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = tmp_path / "acme"
    assert main(["adapter", "init", str(directory), "--name", "Acme VDI 2"]) == 0
    assert sorted(path.name for path in directory.iterdir()) == ["README.md", "adapter.py"]
    command = f"vdi-conformance run --adapter {(directory / 'adapter.py').as_posix()}:AcmeVdi2Adapter"
    assert command in capsys.readouterr().out
    assert command in (directory / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", languages())
def test_a_skeleton_in_each_language_is_whole_and_has_nothing_left_to_fill_in(
    language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "my adapter"
    assert main(["adapter", "init", str(directory), "--lang", language, "--name", 'A "quoted" name']) == 0
    said = capsys.readouterr().out.splitlines()
    made = {path: path.read_text(encoding="utf-8") for path in directory.rglob("*") if path.is_file()}
    wrote = [line.removeprefix("wrote ") for line in said if line.startswith("wrote ")]
    assert (sorted(wrote), wrote[-1]) == (sorted(map(str, made)), str(directory / "README.md"))
    commands = [line.strip() for line in said if line.startswith("  ")]
    if commands[0] == f'cd "{directory.as_posix()}"':
        assert commands[-1] == "vdi-conformance run --adapter manifest.toml"
    else:
        assert commands[-1].startswith(f'vdi-conformance run --adapter "{directory.as_posix()}/')
    assert all(command in made[directory / "README.md"] for command in commands)
    texts = "".join(made.values())
    assert r'"A \"quoted\" name"' in texts
    assert not re.search(r"""\{\{(directory|build|command)|"skeleton"|SkeletonAdapter""", texts)


@pytest.mark.parametrize("language", [language for language in languages() if language != "python"])
def test_the_manifest_of_a_host_can_be_read_and_names_the_library_last_unless_that_is_linked(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["adapter", "init", str(tmp_path), "--lang", language]) == 0
    monkeypatch.setattr("shutil.which", lambda program: program)
    spec = resolve(str(tmp_path / "manifest.toml"))
    assert spec.argv is not None
    if language in LINKED:
        assert f" {LIBRARY})" in (tmp_path / LINKED[language]).read_text(encoding="utf-8")
    else:
        assert spec.argv[-1] == LIBRARY


def test_names_become_what_the_adapter_says_of_itself(tmp_path: Path) -> None:
    module = skeleton(tmp_path, name='A "quoted" name')
    adapter = module.AQuotedNameAdapter(Environment(directory=str(tmp_path)))
    assert adapter.identity().name == 'A "quoted" name'
    assert adapter.capabilities().server == "none"


@pytest.mark.parametrize(
    ("language", "existing"), [("python", "adapter.py"), ("python", "README.md"), ("rust", "src/main.rs")]
)
def test_existing_files_are_kept_and_nothing_is_written_beside_them(
    language: str, existing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / existing
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("mine", encoding="utf-8")
    assert main(["adapter", "init", str(tmp_path), "--lang", language]) == 4
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]
    assert kept.read_text(encoding="utf-8") == "mine"
    assert kept.name in capsys.readouterr().err


def test_a_directory_that_cannot_be_made_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["adapter", "init", str(tmp_path / "file" / "below")]) == 4
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights there")
def test_a_file_that_cannot_be_written_leaves_none_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "README.md").symlink_to(tmp_path / "nowhere")
    assert main(["adapter", "init", str(tmp_path)]) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


@pytest.mark.parametrize(
    ("library", "named"),
    [
        ("/nowhere/libmyvdi.so", "cannot be loaded"),
        (_ctypes.__file__, "has no function _ZN22ClientVirtualDeviceSetC1Ev"),
    ],
)
def test_a_library_that_is_not_there_is_one_sentence_and_exit_code_4(library: str, named: str, tmp_path: Path) -> None:
    assert main(["adapter", "init", str(tmp_path)]) == 0
    adapter = tmp_path / "adapter.py"
    text = adapter.read_text(encoding="utf-8")
    adapter.write_text(re.sub(r"(?m)^LIBRARY = .*$", lambda _: f"LIBRARY = {library!r}", text), encoding="utf-8")
    ended = run_command(tmp_path, "run", "--adapter", f"{adapter}:MyVdiAdapter")
    assert ended.returncode == 4, ended.stdout + ended.stderr
    (sentence,) = [line for line in ended.stderr.splitlines() if line.strip()]
    assert named in sentence
    assert str(adapter) in sentence


class FakeLibrary:
    """Native functions with the names of libsqlvdi.so, which remember how they were called."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self._kept: dict[str, Any] = {}
        self.record = ctypes.create_string_buffer(VDC_COMMAND_64.pack(2, 65536, -1, 0x1000), VDC_COMMAND_64.size)

    def __getitem__(self, symbol: str) -> Any:
        return self._kept[symbol]

    def add(self, symbol: str, behaviour: Callable[..., int], *arguments: Any) -> None:
        """Define one function; its first argument is the object, the others are recorded."""

        def called(_this: int, *values: Any) -> int:
            self.calls.append((symbol, *values))
            return behaviour(*values)

        self._kept[symbol] = ctypes.CFUNCTYPE(ctypes.c_uint32, POINTER, *arguments)(called)


def stored(type_: Any, value: int, code: int = NOERROR) -> Callable[..., int]:
    """Behave like a method that stores a value through its last argument."""

    def store(*arguments: Any) -> int:
        if arguments[-1]:
            type_.from_address(arguments[-1]).value = value
        return code

    return store


@pytest.fixture
def library() -> FakeLibrary:
    fake = FakeLibrary()
    fake.add(f"{SET}C1Ev", lambda: 0)
    fake.add(f"{SET}D1Ev", lambda: 0)
    fake.add(f"{SET}6CreateEPcP8VDConfig", lambda *_: NOERROR, ctypes.c_char_p, POINTER)
    fake.add(f"{SET}16GetConfigurationElP8VDConfig", lambda *_: VD_E_TIMEOUT, ctypes.c_long, POINTER)
    fake.add(f"{SET}10OpenDeviceEPcPP19ClientVirtualDevice", stored(POINTER, 64), ctypes.c_char_p, POINTER)
    fake.add(f"{SET}15GetBufferHandleEPhPj", stored(ctypes.c_uint32, 0xFFFFFFFF), POINTER, POINTER)
    fake.add(f"{SET}15MapBufferHandleEiPPh", lambda *_: VD_E_INVALID, ctypes.c_uint32, POINTER)
    fake.add(
        f"{DEVICE}10GetCommandElPP11VDC_Command",
        stored(POINTER, ctypes.addressof(fake.record)),
        ctypes.c_long,
        POINTER,
    )
    fake.add(
        f"{DEVICE}15CompleteCommandEP11VDC_Commandiml",
        lambda *_: NOERROR,
        POINTER,
        ctypes.c_uint32,
        ctypes.c_ulong,
        ctypes.c_uint64,
    )
    return fake


@pytest.fixture
def client(library: FakeLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    module = skeleton(tmp_path)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    return module.MyVdiAdapter(Environment(directory=str(tmp_path))).virtual_device_set()


def test_the_skeleton_passes_arguments_on_unchanged(client: Any, library: FakeLibrary) -> None:
    assert client.create_ex(None, "név", None) == NOERROR
    assert client.create_ex("INSTANCE", "name", None) == VD_E_NOTSUPPORTED
    assert library.calls[1:] == [(f"{SET}6CreateEPcP8VDConfig", "név".encode(), None)]


def test_the_skeleton_reports_out_variables_that_were_not_touched(client: Any) -> None:
    untouched = OUT_UNTOUCHED & 0xFFFFFFFF
    assert client.get_configuration(5) == (VD_E_TIMEOUT, VDConfig(*[untouched] * 11))
    assert client.map_buffer_handle(0xFFFFFFFF) == (VD_E_INVALID, OUT_UNTOUCHED)


def test_the_skeleton_passes_null_out_pointers(client: Any, library: FakeLibrary) -> None:
    assert client.get_buffer_handle(0x1000, null_out=True) == (NOERROR, None)
    assert client.open_device("name", null_out=True) == (NOERROR, None)
    assert [call[-1] for call in library.calls[1:]] == [None, None]


def test_the_skeleton_serves_a_command(client: Any, library: FakeLibrary) -> None:
    device = client.open_device("name").value
    command = device.get_command(INFINITE).value
    assert command == (ctypes.addressof(library.record), 2, 65536, 0xFFFFFFFFFFFFFFFF, 0x1000)
    assert client.get_buffer_handle(command.buffer) == (NOERROR, 0xFFFFFFFF)
    assert device.complete_command(command.address, 1117, 65536, 0xFFFFFFFFFFFFFFFF) == NOERROR
    assert library.calls[-1] == (
        f"{DEVICE}15CompleteCommandEP11VDC_Commandiml",
        command.address,
        1117,
        65536,
        0xFFFFFFFFFFFFFFFF,
    )
    assert (f"{DEVICE}10GetCommandElPP11VDC_Command", -1) == library.calls[2][:2]


def skeleton(directory: Path, name: str = "My VDI") -> ModuleType:
    """Write a skeleton and load it as a module."""
    assert main(["adapter", "init", str(directory / "made"), "--name", name]) == 0
    spec = importlib.util.spec_from_file_location("made_adapter", directory / "made" / "adapter.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
