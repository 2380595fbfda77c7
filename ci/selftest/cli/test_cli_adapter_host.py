"""`vdi-conformance adapter host`: one process of an adapter, for whoever speaks the host protocol to it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from vdi_conformance.cli import main
from vdi_conformance.host.codes import PROTOCOL_VERSION
from vdi_fixtures.hosts import manifest

if TYPE_CHECKING:
    from pathlib import Path


def initialized(reference: str, directory: Path) -> dict[str, Any]:
    """Start a host, send the first request, and give the answer; the end of its input is its end."""
    environment = {"directory": str(directory), "seed": 0, "time_scale": 1.0}
    parameters = {"thread": None, "protocol": str(PROTOCOL_VERSION), "role": "client", "environment": environment}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": parameters}
    command = [sys.executable, "-m", "vdi_conformance.cli", "adapter", "host", reference]
    done = subprocess.run(
        command, input=json.dumps(asked) + "\n", capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_an_adapter_in_python_and_a_host_program_answer_as_in_a_run(tmp_path: Path) -> None:
    built_in = initialized("emulator", tmp_path)["result"]
    assert (built_in["identity"]["name"], built_in["capabilities"]["broker"]) == ("emulator", True)
    program = initialized(manifest("makes_single_calls_only", tmp_path), tmp_path)["result"]
    assert "device.serve" not in program["methods"]


@pytest.mark.parametrize(
    ("reference", "named"),
    [("nonsense", "is no reference to an adapter"), ("sqlserver:none.so", "there is no library")],
)
def test_an_adapter_that_is_not_there_is_one_sentence(
    reference: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adapter", "host", reference]) == 4
    told = capsys.readouterr().err
    assert named in told
    assert told.count("\n") == 1
