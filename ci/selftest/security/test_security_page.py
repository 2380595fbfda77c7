"""Every line of the page on security is one statement, and names tests that there are and that run in the gate."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / ".github" / "SECURITY.md"
SELFTESTS = ROOT / "ci" / "selftest"
LINES = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.strip()]
FURNITURE = ("# ", "## ", "|---", "| what holds | held by |")
ROWS = [line for line in LINES if not line.startswith(FURNITURE)]
STATEMENT = re.compile(r"\| ([A-Z`][^|]*[^|.]\.) \| (`[^|]*`) \|")
TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def statement_of(row: str) -> str:
    """Shorten a row to what names it."""
    return row[2:60]


@pytest.mark.parametrize("row", ROWS, ids=statement_of)
def test_every_line_is_one_statement_and_names_tests_that_there_are(row: str) -> None:
    found = STATEMENT.fullmatch(row)
    assert found is not None, "it is no row with a sentence and the tests that hold it"
    assert not re.search(r"[.!?] [A-Z]", found[1]), "it has more than one sentence"
    tests = TEST.findall(found[2])
    assert found[2] == ", ".join(f"`{path}::{name}`" for path, name in tests)
    for path, name in tests:
        assert name in functions(SELFTESTS / path), f"there is no {name} in {path}"


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    """Give the tests of a file that nothing skips on every system."""
    tests = (node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef))
    return {
        test.name: test
        for test in tests
        if not any(
            ast.unparse(one).startswith(("pytest.mark.skip(", "pytest.mark.xfail")) for one in test.decorator_list
        )
    }


def test_it_has_all_that_belongs_to_it() -> None:
    assert [line for line in LINES if line.startswith("#")] == [
        "# Security",
        "## What is trusted",
        "## What is not trusted",
        "## Files, memory and sockets",
        "## What leaves the machine",
        "## Secrets",
        "## Reporting a weakness",
    ]
    assert len(ROWS) > 30


def test_a_weakness_is_reported_to_the_repository_in_private() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    home = settings["tool"]["hatch"]["metadata"]["hooks"]["custom"]["home"]
    links = re.findall(r"\]\(([^)]+)\)", "\n".join(LINES))
    assert f"{home}/security/advisories/new" in links
