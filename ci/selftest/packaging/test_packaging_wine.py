"""The locks of the Windows leg: all pinned by hashes, and the same versions as elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CI = Path(__file__).resolve().parents[2]
PINNED = re.compile(r"^([a-z0-9._-]+)==(\S+) \\\n +--hash=sha256:[0-9a-f]{64}", re.MULTILINE)
NAMED = re.compile(r"^[a-z0-9].*", re.MULTILINE)


def text_of(lock: str) -> str:
    return (CI / lock).read_text(encoding="utf-8")


@pytest.mark.parametrize("lock", ["wine/requirements.lock", "wine/interpreter.lock"])
def test_every_package_is_pinned_with_hashes_and_nothing_names_an_index(lock: str) -> None:
    assert len(PINNED.findall(text_of(lock))) == len(NAMED.findall(text_of(lock))) > 0
    assert not re.search(r"://|--(extra-)?index|--find-links", text_of(lock))


def test_the_versions_are_those_of_the_checkout() -> None:
    assert set(PINNED.findall(text_of("wine/requirements.lock"))) <= set(PINNED.findall(text_of("requirements.lock")))
