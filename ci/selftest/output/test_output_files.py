"""Output files: links are followed, what is no regular file is left where it is, one file has one writer."""

import os
import sys
import threading
from pathlib import Path

import pytest

from vdi_conformance.output.files import NotWritable, discard, open_stream, require_distinct, require_writable, write

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="it is about files of POSIX")


def _link(path: Path, target: Path) -> Path:
    try:
        path.symlink_to(target)
    except OSError:
        pytest.skip("this account may make no links")
    return path


def test_a_file_is_made_with_its_directories(tmp_path: Path) -> None:
    path = tmp_path / "new" / "er" / "out"
    require_writable(path)
    assert list(path.parent.iterdir()) == []
    write(path, b"1")
    assert [*path.parent.iterdir()] == [path]
    assert path.read_bytes() == b"1"


@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to nothing yet"])
def test_a_link_is_followed_and_stays(tmp_path: Path, there: bool) -> None:
    target = tmp_path / "elsewhere" / "target"
    target.parent.mkdir()
    if there:
        target.write_bytes(b"old")
    link = _link(tmp_path / "link", target)
    require_writable(link)
    discard(link)
    assert not target.exists()
    write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    with open_stream(link) as stream:
        stream.write(b"newer")
    assert link.is_symlink()
    assert target.read_bytes() == b"newer"


@POSIX
def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    if sys.platform != "win32":
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        require_writable(pipe)
        discard(pipe)
        got: list[bytes] = []
        reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
        reader.start()
        write(pipe, b"through")
        reader.join()
        assert got == [b"through"]
        assert pipe.is_fifo()


@pytest.mark.parametrize("linked", [False, True])
def test_a_directory_is_refused_and_kept(tmp_path: Path, linked: bool) -> None:
    directory = tmp_path / "directory"
    directory.mkdir()
    path = _link(tmp_path / "link", directory) if linked else directory
    with pytest.raises(NotWritable, match="cannot be written"):
        require_writable(path)
    discard(path)
    with pytest.raises(NotWritable, match="cannot be written"):
        write(path, b"")
    assert directory.is_dir()


@POSIX
def test_where_there_is_no_room_the_earlier_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(NotWritable, match="No space left on device"):
        write(path, b"new")
    assert path.read_bytes() == b"old"
    assert [*tmp_path.iterdir()] == [path]


def test_the_mode_of_a_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    path.chmod(0o640)
    mode = path.stat().st_mode
    write(path, b"new")
    assert path.stat().st_mode == mode


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("spelling", ["out", "./out", "below/../out", "link", "linked/out"])
def test_two_names_of_one_file_are_refused(
    tmp_path: Path, spelling: str, exists: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("below").mkdir()
    if spelling == "link":
        _link(Path("link"), Path("out"))
    elif spelling == "linked/out":
        _link(Path("linked"), Path())
    if exists:
        Path("out").write_bytes(b"")
    one, other = tmp_path / "out", Path(spelling)
    with pytest.raises(NotWritable, match="--one and --other name the same file"):
        require_distinct([("--one", one), ("--other", other)])
    with pytest.raises(NotWritable, match="--read and --other name the same file"):
        require_distinct([("--other", other)], [("--read", one)])


def test_different_files_are_nobody_s_business(tmp_path: Path) -> None:
    require_distinct([("--one", tmp_path / "a"), ("--other", tmp_path / "b")], [("--read", tmp_path / "c")])


def test_what_is_a_directory_is_told_as_that_and_no_room_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(NotWritable, match=r"cannot be written \(Is a directory\): choose another file$"):
        require_writable(tmp_path)
