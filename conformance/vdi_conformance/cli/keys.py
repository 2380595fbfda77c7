"""`vdi-conformance keys`: makes keys for signatures, and the keys that other verbs are given."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vdi_conformance.cli.refusal import UsageRefusal, refusing
from vdi_conformance.cli.verb import Verb
from vdi_conformance.signing import PASSWORD
from vdi_conformance.untrusted.printable import shown

if TYPE_CHECKING:
    from vdi_conformance.signing.keys import PrivateKey, PublicKey

INSTALL: Final = "python -m pip install vdi-conformance[signing]"
keys = typer.Typer(name="keys", help="Make keys for signatures.", rich_markup_mode=None)


@keys.callback()
def group() -> None:
    """Make keys for signatures, and tell the ids of keys."""


@keys.command(cls=Verb)
def new(path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the private key.")]) -> None:
    """Make a key of Ed25519: FILE for its owner alone, FILE.pub for everybody.

    It is encrypted where the variable VDI_SIGNING_PASSWORD has a password. Files that exist are never overwritten.
    """
    with _usable() as files:
        public = files.make(path, _password())
    typer.echo(shown(f"wrote {path}, which is to be kept secret, and {path}.pub"))
    typer.echo(f"its id is {public.id}")


@keys.command(name="id", cls=Verb)
def id_(path: Annotated[Path, typer.Argument(metavar="FILE.pub", help="A public key.")]) -> None:
    """Tell the id of a public key: the SHA-256 of its SubjectPublicKeyInfo."""
    typer.echo(public_key(path).id)


def private_key(path: Path) -> "PrivateKey":
    """Read a key to sign with."""
    with _usable() as files:
        found: PrivateKey = files.read_private(path, _password())
    return found


def public_key(path: Path) -> "PublicKey":
    """Read a key to check signatures with."""
    with _usable() as files:
        found: PublicKey = files.read_public(path)
    return found


@contextmanager
def _usable() -> Iterator[Any]:
    """Give the module of keys, which needs an extra; what is wrong with a key is a usage error."""
    try:
        from vdi_conformance.signing import keys as files
    except ImportError as error:
        raise UsageRefusal(f"signatures need packages that are missing here ({error}): {INSTALL}.") from error
    with refusing(files.UnusableKey):
        yield files


def _password() -> str | None:
    return os.environ.get(PASSWORD) or None
