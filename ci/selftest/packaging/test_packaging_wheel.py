"""The wheel: what it holds, and that it works outside a checkout."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

from interpreters import VERSIONS, find
from vdi_conformance import __version__

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as a release does."""
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (built,) = directory.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel in an environment of its own; its dependencies are those that run this test."""
    directory = tmp_path_factory.mktemp("installed")
    venv.create(directory, with_pip=False)
    python = directory / SCRIPTS / Path(sys.executable).name
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, str(wheel)], check=True, env=variables())
    scheme = {"base": str(directory), "platbase": str(directory)}
    site = Path(sysconfig.get_path("purelib", "venv", scheme))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return directory / SCRIPTS


def variables() -> dict[str, str]:
    """Keep everything that could lead back to the checkout out of the environment."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTEST_ADDOPTS")}


def test_it_holds_both_packages_and_every_file_of_theirs(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        path.relative_to(package.parent).as_posix()
        for package in (ROOT / "conformance" / "vdi_conformance", ROOT / "fixtures" / "vdi_fixtures")
        for path in package.rglob("*")
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(package).parts)
    }
    assert expected <= held
    assert {
        "vdi_conformance/py.typed",
        "vdi_conformance/requirements/data/requirements.tsv",
        "vdi_conformance/cli/pytest.ini",
        "vdi_conformance/cli/templates/python/adapter.py",
        "vdi_conformance/standins/native/core/link.cpp",
        "vdi_conformance/standins/native/tools/relay.cpp",
    } <= held


def test_it_holds_nothing_else_but_its_metadata(wheel: Path) -> None:
    top = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"vdi_conformance", "vdi_fixtures"}


def test_its_metadata_name_the_licence_and_the_entry_points(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    text = archive.read(metadata).decode()
    told = message_from_string(text)
    assert told["License-Expression"] == "Apache-2.0"
    assert told["Version"] == __version__
    home = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["metadata"]["hooks"]["custom"]
    assert f"Repository, {home['home']}" in told.get_all("Project-URL", [])
    links = re.findall(r"\]\(([^)]+)\)", str(told.get_payload()))
    assert f"{home['home']}/blob/main/conformance/README.md" in links
    assert all(link.startswith("https://") for link in links), links
    assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())
    points = archive.read(metadata.replace("METADATA", "entry_points.txt")).decode()
    assert "vdi-conformance = vdi_conformance.cli:main" in points
    assert "vdi_conformance = vdi_conformance.pytest_plugin" in points


def run(installed: Path, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the installed command in a directory that is not the checkout."""
    return subprocess.run(
        [installed / "vdi-conformance", *arguments],
        cwd=directory,
        env=variables() | {"PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_what_is_installed_is_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    program = "import vdi_conformance, vdi_fixtures; print(vdi_conformance.__file__, vdi_fixtures.__file__)"
    python = str(installed / Path(sys.executable).name)
    command = [python, "-c", program]
    places = subprocess.run(command, cwd=tmp_path, env=variables(), check=True, capture_output=True, text=True).stdout
    assert places.count(str(installed.parent)) == 2


def test_the_installed_command_shows_a_requirement_with_its_checks(installed: Path, tmp_path: Path) -> None:
    shown = run(installed, tmp_path, "requirements", "GBH-01")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("GBH-01 ")
    assert "\nGBH/" in shown.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_installed_command_prints_the_schema_of_the_host_protocol(installed: Path, tmp_path: Path) -> None:
    shown = run(installed, tmp_path, "schema", "host-protocol")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout == (ROOT / "reports" / "schemas" / "host-protocol.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(("language", "file"), [("python", "adapter.py"), ("rust", "src/main.rs")])
def test_the_installed_command_makes_an_adapter(language: str, file: str, installed: Path, tmp_path: Path) -> None:
    assert run(installed, tmp_path, "adapter", "init", "--lang", language).returncode == 0
    assert (tmp_path / "vdi_adapter" / file).is_file()


def test_the_installed_command_runs_the_suite(installed: Path, tmp_path: Path) -> None:
    check = "GBH/every_data_command_has_a_handle[backup-primary]"
    ended = run(installed, tmp_path, "run", "--adapter", "emulator", "--check", check, "-n", "1")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert list(tmp_path.iterdir()) == []


BACKUP = """
import compileall, sys
from pathlib import Path
import vdi_conformance
from selftest.emulator.applications import Site, backup
wheel, directory = map(Path, sys.argv[1:])
assert wheel in Path(vdi_conformance.__file__).parents
assert compileall.compile_dir(wheel, quiet=1)
site = Site(directory)
site.emulator().start_broker()
print(len(site.back_up(backup("a", "b"))))
site.threads.shutdown()
"""


@pytest.fixture(scope="session")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel in a directory that any Python can take it from."""
    directory = tmp_path_factory.mktemp("unpacked")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    subprocess.run([*command, "--target", str(directory), str(wheel)], check=True, env=variables())
    return directory


@pytest.mark.parametrize("version", VERSIONS)
def test_every_module_compiles_and_the_emulator_backs_up_on(unpacked: Path, tmp_path: Path, version: str) -> None:
    # With its dependencies the wheel is tried by `ci/wheel.py`; this much needs none of them.
    python = find(version)
    if python is None:
        pytest.skip(f"this machine has no CPython {version}")
    done = subprocess.run(
        [python, "-W", "error", "-c", BACKUP, str(unpacked), str(tmp_path)],
        env=variables() | {"PYTHONPATH": os.pathsep.join((str(unpacked), str(ROOT / "ci")))},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")
