"""`vdi-conformance questions`: what the documents leave open, which answers they permit, and what observes them."""

import json

import pytest

from vdi_conformance.cli import main
from vdi_conformance.requirements import catalogue


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["questions", *arguments]) == 0
    return capsys.readouterr().out


def test_every_question_is_shown_with_what_is_tried_and_permitted(capsys: pytest.CaptureFixture[str]) -> None:
    entries = json.loads(shown(capsys, "--format", "json"))
    assert [one["id"] for one in entries] == list(catalogue().questions)
    (second,) = [one for one in entries if one["id"] == "Q2"]
    tried = [one for one in second["readings"] if "another process" in one["subject"]]
    assert [one["permitted"] for one in tried] == [["VD_E_OPEN", "VD_E_PROTOCOL"]]
    assert "SEC/a_device_is_open_in_one_process_alone" in tried[0]["checks"]


def test_one_question_is_shown_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    output = shown(capsys, "q2")
    assert output.startswith("Q2 All devices open, then OpenDevice again")
    assert "OpenDevice in another process, all devices open: VD_E_OPEN or VD_E_PROTOCOL" in output
    assert "Q3 " not in output


def test_a_question_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["questions", "Q64"]) == 4
    assert "there is no question 'Q64'; nearest: Q" in capsys.readouterr().err
