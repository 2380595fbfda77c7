"""The command that runs a check again names the server only where another one would be taken without it."""

import msgspec
import pytest

from selftest.evidence.samples import CHECK, HEADER, PARTY
from vdi_conformance.contract import Capabilities, ServerLevel
from vdi_conformance.report.wording import rerun


@pytest.mark.parametrize(
    ("own", "server", "named"),
    [
        ("none", "emulator", ""),
        ("none", "other", " --server other"),
        ("statement", "mine", ""),
        ("statement", "emulator", " --server emulator"),
    ],
)
def test_the_server_is_named_where_the_choice_was_not_the_usual_one(own: ServerLevel, server: str, named: str) -> None:
    client = msgspec.structs.replace(PARTY, reference="mine", capabilities=Capabilities(server=own).to_mapping())
    played_by = msgspec.structs.replace(PARTY, reference=server)
    header = msgspec.structs.replace(HEADER, client=client, server=played_by)
    assert rerun(header, CHECK) == f"vdi-conformance run --adapter mine{named} --check a/b"
