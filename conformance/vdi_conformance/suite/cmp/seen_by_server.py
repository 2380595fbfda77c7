"""What the server must see of a completion, each part charged to the requirement that it is about."""

from vdi_conformance.harness.judging import judging
from vdi_conformance.harness.scripted_set import ScriptedSet


def require_seen(scripted: ScriptedSet, tag: int, code: int, count: int) -> None:
    """Fail the check unless the server's next completion is of this command, with this code and byte count."""
    seen = scripted.completion()
    with judging("CMP-01"):
        assert seen is not None, f"the completion of command {tag} did not reach the server"
        assert seen.tag == tag, f"the server saw command {seen.tag} end instead of command {tag}"
    with judging("CMP-02"):
        assert seen.code == code, f"the server saw completion code {seen.code} instead of {code}"
    with judging("CMP-01"):
        found = seen.bytes_transferred
        assert found == count, f"the server saw {found} bytes of command {tag} instead of {count}"
