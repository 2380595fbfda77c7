"""The pipelines to copy: each fits its system's schema, and every command in them is one that there is."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from selftest.packaging.commands import unknown_options

CI = Path(__file__).resolve().parents[2]
SCHEMAS = {
    "pipelines/github-actions.yml": "vendor.github-workflows",
    "pipelines/gitlab-ci.yml": "vendor.gitlab-ci",
    "pipelines/azure-pipelines.yml": "vendor.azure-pipelines",
    "results-repository/.github/workflows/results.yml": "vendor.github-workflows",
    "sqlserver/workflow.yml": "vendor.github-workflows",
    "sqlserver/compose.yaml": "vendor.compose-spec",
}


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from texts(one)
        case list():
            for one in value:
                yield from texts(one)


def commands(name: str) -> list[str]:
    """The lines of a pipeline that start the suite, without what a shell does with them."""
    loaded = YAML(typ="safe").load((CI / name).read_text("utf-8"))
    lines = [line.strip() for text in texts(loaded) for line in text.splitlines()]
    return [line.partition("||")[0].partition(">>")[0] for line in lines if line.startswith("vdi-conformance ")]


def test_every_pipeline_is_held_against_a_schema() -> None:
    assert {path.relative_to(CI).as_posix() for path in (CI / "pipelines").iterdir()} < SCHEMAS.keys()


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_pipeline_fits_the_schema_of_its_system(name: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[name], str(CI / name)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("name", [name for name in SCHEMAS if name.startswith("pipelines/")])
def test_a_pipeline_runs_shards_merges_and_reports_with_options_that_there_are(name: str) -> None:
    found = commands(name)
    verbs = [" ".join(line.split()[1:3]) for line in found]
    assert verbs[:2] == ["run --adapter", "evidence merge"]
    assert {"report html", "report junit"} <= {*verbs}
    for line in found:
        assert unknown_options(line) == set()
    assert "--shard" in found[0]
    assert all("--baseline known-failures.toml" in line for line in found[:2])


def test_the_matrix_has_as_many_shards_as_the_command_says() -> None:
    loaded = YAML(typ="safe").load((CI / "pipelines" / "github-actions.yml").read_text("utf-8"))
    numbers = loaded["jobs"]["shard"]["strategy"]["matrix"]["shard"]
    assert numbers == [*range(1, len(numbers) + 1)]
    assert f"/{len(numbers)} " in commands("pipelines/github-actions.yml")[0]
