"""What the pages say can be followed: their links lead somewhere, and the command knows what they tell it."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from selftest.packaging.commands import unknown_options
from vdi_conformance.contract import CONTRACT_VERSION
from vdi_conformance.evidence.records import FORMAT
from vdi_conformance.host.codes import PROTOCOL_VERSION
from vdi_conformance.host.connection import read_answer, read_reply
from vdi_conformance.host.errors import MemoryFault
from vdi_conformance.host.messages.schemas import requests

ROOT = Path(__file__).resolve().parents[3]
GLOSSARY = ROOT / "conformance" / "GLOSSARY.md"
PAGES = sorted(
    {
        *ROOT.glob("*.md"),
        *ROOT.glob(".github/*.md"),
        *(ROOT / "conformance").glob("*.md"),
        *ROOT.glob("[cfr]*/README.md"),
        *ROOT.glob("ci/results*/README.md"),
        *ROOT.glob("ci/sqlserver/README.md"),
    }
)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    return re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def blocks(page: Path) -> str:
    found = re.findall(r"^ *```\w*$(.*?)^ *```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return "\n".join(found)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files_and_headings_that_there_are(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", prose(page)):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


COMMANDS = {line for page in PAGES for line in blocks(page).splitlines() if line.strip().startswith("vdi-conformance ")}


@pytest.mark.parametrize("line", sorted(COMMANDS))
def test_the_command_knows_the_verbs_and_options_of_the_pages(line: str) -> None:
    assert unknown_options(line) == set()


def test_the_conversations_that_a_page_shows_fit_the_protocol() -> None:
    page = (ROOT / "conformance" / "HOSTS.md").read_text(encoding="utf-8")
    lines = "".join(re.findall(r"^```json$\n(.*?)^```", page, re.DOTALL | re.MULTILINE)).splitlines()
    assert len(lines) == 12
    for asked, line in zip(map(json.loads, lines[::2]), map(str.encode, lines[1::2]), strict=True):
        request = msgspec.convert(asked["params"], requests()[asked["method"]])
        reply = read_reply("shown", request, read_answer("shown", line), line)
        assert isinstance(reply, (request.reply, MemoryFault)), reply


def test_the_readme_is_read_in_two_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_the_glossary_defines_each_word_once() -> None:
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    assert words == sorted(set(words))
    assert len(words) > 20


def test_the_changelog_names_the_versions_that_there_are() -> None:
    newest = (ROOT / "conformance" / "CHANGELOG.md").read_text(encoding="utf-8").split("## ")[1]
    for named in (f"Contract {CONTRACT_VERSION}", f"host protocol {PROTOCOL_VERSION}", f"evidence format {FORMAT}"):
        assert named in newest
