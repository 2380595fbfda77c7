"""Evidence for others: names of people, machines and places go, and the same name becomes the same word."""

import msgspec
import pytest

from selftest.evidence.samples import KNOWN
from selftest.report.made import check, run
from vdi_conformance.evidence.records import Call, Cause, Party, Pin
from vdi_conformance.evidence.redaction import Redactor, redacted


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/home/alice/lib/libsqlvdi.so", "<path 1>/libsqlvdi.so"),
        ("in /srv/build 7/x.so", "in <path 1>/build 7/x.so"),
        ('File "/opt/vendor/vdi.py", line 3', 'File "<path 1>/vdi.py", line 3'),
        (r"C:\Users\alice\My VDI\sqlvdi.dll:Class", "<path 1>/sqlvdi.dll:Class"),
        (r"repr 'C:\\Users\\alice\\sqlvdi.dll'", "repr '<path 1>/sqlvdi.dll'"),
        (r"\\FILES\backup\full.bak", "<path 1>/full.bak"),
        ("file:///home/alice/x.bak", "file://<path 1>/x.bak"),
        ("https://learn.microsoft.com/sql/x/y", "https://learn.microsoft.com/sql/x/y"),
        ("GBH/a_check[primary-heap], and/or", "GBH/a_check[primary-heap], and/or"),
        ("Login failed for user 'CORP\\bob'.", "Login failed for user '<user 1>'."),
        ("Server=tcp:db01,1433;UID=sa;PWD=geheim;", "Server=<secret 1>;UID=<secret 2>;PWD=<secret 3>;"),
        ("ask bob@vendor.example at 10.1.2.3", "ask <address 1> at <address 2>"),
        ("fe80:0:0:0:1:2:3:4 answered", "<address 1> answered"),
        ("db01.corp.internal answered", "<machine 1> answered"),
        ("on BUILD-7, on build-7.", "on <machine 1>, on <machine 1>."),
        ("rebuild-7x stays", "rebuild-7x stays"),
        ("project Falcon", "project <hidden 1>"),
        ("root has 0x7f00 at 1.5 s", "root has 0x7f00 at 1.5 s"),
    ],
)
def test_names_are_replaced_and_nothing_else(text: str, left: str) -> None:
    assert Redactor({"machine": ["build-7"], "user": ["root", "x"], "hidden": ["Falcon"]}).text(text) == left


@pytest.mark.parametrize("part", ["A", "a.", "a-", "1.", "/a", "a:", " ", "C:\\", "a@", "user 'a"])
def test_a_text_without_end_takes_no_longer_than_it_is_long(part: str) -> None:
    assert Redactor({}).text(part * 25_000)


def test_what_is_redacted_stays_as_it_is() -> None:
    redactor = Redactor({"machine": ["path"]})
    once = redactor.text("/home/alice/x /home/alice/y /home/bob/x")
    assert once == "<path 1>/x <path 1>/y <path 2>/x"
    assert redactor.text(once) == once
    assert redactor.replaced == {"path": 2}


def test_no_field_of_a_record_keeps_a_name() -> None:
    """Whoever has a home directory anywhere is unnamed everywhere; versions are no addresses."""
    path = "/home/alice/lib/x.so"
    pins = {path: Pin(kind="library", sha256="a" * 64)}
    party = Party(reference=f"{path}:Class", name="VDI", version="16.0.100.6", library=path, vendor="Vendor", pins=pins)
    failing = msgspec.structs.replace(
        check(),
        verdict="failed",
        cause=Cause(kind="assertion", sentence="alice held it"),
        calls=[Call(number=1, process="primary", method="m", params={"a": [path]}, answer={"b": {"c": "ALICE"}})],
        detail=f"{path}:3: alice",
    )
    made = redacted(run(failing, client=party, selection=[f"--ignore {path}"]), Redactor({}))
    text = str(msgspec.to_builtins([made.header, *made.checks, made.footer])).lower()
    assert "alice" not in text
    assert made.header.client.version == "16.0.100.6"
    assert made.checks[0].cause is not None
    assert made.checks[0].cause.sentence == "<user 1> held it"
    assert made.checks[0].id == failing.id


def test_what_a_baseline_says_is_left_out() -> None:
    untested = msgspec.structs.replace(KNOWN, id="a/d", cause=Cause(kind="not tested", sentence="no server"))
    made = run(KNOWN, untested, baseline_sha256="0" * 64)
    footer = msgspec.structs.replace(made.footer, complaints=["the baseline lists a/c"])
    found = redacted(type(made)(made.header, made.checks, footer), Redactor({}))
    assert [(one.verdict, one.known) for one in found.checks] == [("failed", None), ("not tested", None)]
    assert found.header.baseline_sha256 is None
    assert found.footer.complaints == []
