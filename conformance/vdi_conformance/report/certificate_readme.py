"""What a certificate says of itself to whoever opens it."""

from collections.abc import Sequence

from vdi_conformance.evidence.records import Header
from vdi_conformance.report.certification import SEEDS
from vdi_conformance.report.wording import facts
from vdi_conformance.requirements.profiles import Profile
from vdi_conformance.untrusted.printable import TEXT as TEXT_LIMIT
from vdi_conformance.untrusted.printable import fence_around, in_markdown, shown

TEXT = """# {adapter}: {outcome}

Profile {label}: {about}.

{reasons}
{facts}

## What is in it
| file | what it is |
|---|---|
| `manifest.json` | who was judged by what, by which files, the outcome, and the SHA-256 digest of every other file |
| `signature.dsse.json` | where there is one: who vouches for the manifest, as a DSSE envelope of an in-toto statement |
| `report.html` | the first run as a page to read, which needs nothing beside it |
| `verdicts.json` | the verdicts of every requirement, one for each seed |
| `evidence/` | the whole records of the runs, from which all of the above follows |
| `canaries/` | runs with a fault put around the adapter, which must be found; none where that cannot be done |
| `profile.toml`, `catalogue/` | what was required |

## How to check it
```
pip install vdi-conformance=={version}
vdi-conformance verify FILE.zip --key THEIRS.pub --digest LIBRARY
```

It compares every digest and works out every verdict anew from the evidence. This shows that the parts belong together
and were not damaged. Who made them is shown by a signature alone, and only to whoever has got the public key from its
owner: `--key` checks it. `--digest` tells whether a library that you have is the one that was judged.

## How to make it again
{fence}
vdi-conformance certify --adapter {reference} --profile {label} --output FILE.zip
{fence}

It makes whole runs of the profile with the seeds {seeds}, one after the other, without a baseline or any selection.
Verdicts come out the same; durations and times differ, and with them the digests.
"""


def readme(outcome: str, reasons: Sequence[str], profile: Profile, header: Header) -> str:
    """Write it."""
    told = {name: value for name, value in facts(header).items() if name not in ("seed", "selection")}
    return TEXT.format(
        adapter=in_markdown(f"{header.client.name} {header.client.version}"),
        outcome=outcome,
        label=profile.label,
        about=profile.about,
        reasons="".join(f"- {in_markdown(reason, TEXT_LIMIT)}\n" for reason in reasons),
        facts="\n".join(f"- {name}: {in_markdown(value)}" for name, value in told.items()),
        version=header.suite_version,
        fence=fence_around(header.client.reference, 3),
        reference=shown(header.client.reference),
        seeds=" and ".join(map(str, SEEDS)),
    )
