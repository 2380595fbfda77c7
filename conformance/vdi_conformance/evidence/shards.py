"""Which checks belong to which shard of a run: known by their ids alone, whatever else is selected; pure."""

import hashlib
from collections.abc import Iterable

from vdi_conformance.evidence.records import Shard, Whole
from vdi_conformance.untrusted import bounds


def shard(word: str) -> Shard:
    """Read which shard is asked for, such as 3/8; what is none is a ValueError."""
    number, of = bounds.shard(word)
    return Shard(number=number, of=of)


def belongs(check: str, shard: Shard) -> bool:
    """Whether the check of this id is one of the shard: each is one of exactly one."""
    return int.from_bytes(hashlib.sha256(check.encode()).digest()) % shard.of == shard.number - 1


def whole(checks: Iterable[str], left_out: Iterable[str] = ()) -> Whole:
    """Say which checks all shards of a run hold together."""
    ids = sorted(set(checks))
    digest = hashlib.sha256("".join(f"{id_}\n" for id_ in ids).encode())
    return Whole(checks=len(ids), sha256=digest.hexdigest(), left_out=sorted(set(left_out)))
