"""What may lie at the top of the repository, and what the lock must hold."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[3]
TOP = {"pyproject.toml", "README.md", "LICENSE", "CONTRIBUTING.md", "conformance", "fixtures", "reports", "ci"}


def test_the_top_level_holds_only_what_the_layout_names() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, encoding="utf-8").stdout  # noqa: S607
    top = {path.partition("/")[0] for path in listed.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= TOP


def lock(name: str = "requirements.lock") -> str:
    return (ROOT / "ci" / name).read_text(encoding="utf-8")


LOCKS = ("requirements.lock", "lowest/requirements.lock", "wine/requirements.lock")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index_and_no_machine(name: str) -> None:
    assert not re.search(r"://|--(extra-)?index|--find-links|/home|/tmp", lock(name))


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_is_pinned_with_hashes(name: str) -> None:
    entries = re.findall(r"^[a-z0-9].*(?:\n .*)*", lock(name), re.MULTILINE)
    assert len(entries) > 20
    assert all(re.match(r"[a-z0-9._-]+==\S+ \\\n +--hash=sha256:", entry) for entry in entries)


@pytest.mark.parametrize("name", ["colorama", "hatchling", "ruff", "mypy", "import-linter", "jsonschema", "build"])
def test_the_lock_holds_the_tools_and_what_only_windows_needs(name: str) -> None:
    assert re.search(rf"^{name}==", lock(), re.MULTILINE)


def test_compiled_packages_of_the_lock_have_hashes_for_every_platform() -> None:
    # One wheel a platform and Python: a lock that was made for one machine alone would hold one hash.
    found = re.search(r"^msgspec==(?:.*\\\n)+", lock(), re.MULTILINE)
    assert found is not None
    assert found.group().count("--hash=") > 10


def test_what_is_tried_as_lowest_is_what_the_project_allows_as_lowest() -> None:
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    locked = dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", lock("lowest/requirements.lock"), re.MULTILINE))
    for requirement in map(Requirement, stated):
        (bound,) = requirement.specifier
        assert bound.operator == ">="
        assert Requirement(f"{requirement.name}=={locked[requirement.name]}").specifier.contains(bound.version)
