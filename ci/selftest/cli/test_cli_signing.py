"""`vdi-conformance keys`, `sign` and `verify` with what is asked for: what they do, say, and end with."""

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from selftest.report import certificates
from selftest.report.made import check
from vdi_conformance.cli import main
from vdi_conformance.cli.sign import sign
from vdi_conformance.cli.verify import verify
from vdi_conformance.report.certificate_archive import MANIFEST, SIGNATURE, unpack
from vdi_conformance.signing import PASSWORD

CHALLENGE = "chosen-by-who-asked"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a certificate, and a suite that has no other checks than that."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(PASSWORD, raising=False)
    for verb in (sign, verify):
        monkeypatch.setitem(verb.__globals__, "shipped", certificates.shipped)
    (tmp_path / "made.zip").write_bytes(certificates.certified(challenge=CHALLENGE))
    return tmp_path


def made(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Make a key and give its id."""
    assert main(["keys", "new", name]) == 0
    capsys.readouterr()
    assert main(["keys", "id", f"{name}.pub"]) == 0
    return capsys.readouterr().out.strip()


def pem(path: Path, format_: PrivateFormat = PrivateFormat.PKCS8) -> Ed25519PrivateKey:
    """Write a key as other programs do."""
    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, format_, NoEncryption()))
    return key


def test_a_key_is_its_owners_alone_and_is_never_overwritten(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    id_ = made("ours", capsys)
    private, public = place / "ours", place / "ours.pub"
    if os.name == "posix":
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
    before = private.read_bytes(), public.read_bytes()
    assert before[0].startswith(b"-----BEGIN PRIVATE KEY-----")
    assert main(["keys", "new", "ours"]) == 4
    assert "never overwritten" in capsys.readouterr().err
    assert (private.read_bytes(), public.read_bytes()) == before
    assert len(id_) == 64


def test_the_id_of_a_key_is_the_digest_of_its_spki(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = Ed25519PrivateKey.generate().public_key()
    (place / "their.pub").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert main(["keys", "id", "their.pub"]) == 0
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert capsys.readouterr().out.strip() == hashlib.sha256(spki).hexdigest()


def test_what_was_signed_is_told_with_whom_what_and_when(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = made("ours", capsys), made("theirs", capsys)
    assert main(["sign", "made.zip", "--key", "ours"]) == 0
    assert main(["sign", "made.zip", "--key", "theirs", "-o", "both.zip"]) == 0
    capsys.readouterr()
    asked = ["--key", "ours.pub", "--key", "theirs.pub", "--challenge", CHALLENGE, "--max-age", "36500"]
    assert main(["verify", "both.zip", *asked, "--digest", "b" * 64]) == 0
    said = capsys.readouterr().out
    for told in (ours, theirs, CHALLENGE, f"judged: {certificates.LIBRARY}, SHA-256 {'b' * 64}", "2026-01-01T00:00:00"):
        assert told in said
    assert "NOT" not in said
    envelope = json.loads(unpack((place / "both.zip").read_bytes())[SIGNATURE])
    assert {one["keyid"] for one in envelope["signatures"]} == {ours, theirs}


def test_what_is_not_signed_or_not_checked_is_told_loudly(capsys: pytest.CaptureFixture[str]) -> None:
    ours = made("ours", capsys)
    made("theirs", capsys)
    assert main(["verify", "made.zip"]) == 0
    assert "NOT SIGNED: nothing shows who made this certificate" in capsys.readouterr().out
    assert main(["sign", "made.zip", "--key", "ours"]) == 0
    assert main(["verify", "made.zip"]) == 0
    said = capsys.readouterr().out
    assert f"NOT CHECKED: the signature by the name of the key {ours}" in said
    assert "nothing shows who made this certificate" in said


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["--key", "ours.pub", "--key", "theirs.pub"], "has not signed it"),
        (["--key", "theirs.pub"], "has not signed it"),
        (["--challenge", "another-challenge-of-mine"], "it answers another challenge"),
        (["--max-age", "1"], "more than 1 d ago"),
        (["--digest", "foreign.so"], "foreign.so was not judged"),
        (["--digest", "c" * 64], "was not judged"),
    ],
)
def test_a_certificate_that_is_not_what_was_asked_for_is_refused(
    asked: list[str], sentence: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made("ours", capsys)
    made("theirs", capsys)
    (place / "foreign.so").write_bytes(b"another library")
    assert main(["sign", "made.zip", "--key", "ours"]) == 0
    capsys.readouterr()
    assert main(["verify", "made.zip", *asked]) == 7
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("vdi-conformance: made.zip is refused: ")
    assert sentence in said


def test_only_what_verifies_is_signed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made("ours", capsys)
    (place / "made.zip").write_bytes(b"PK no certificate")
    assert main(["sign", "made.zip", "--key", "ours"]) == 7
    assert (place / "made.zip").read_bytes() == b"PK no certificate"


def test_a_password_protects_a_key(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PASSWORD, "correct horse")
    made("ours", capsys)
    assert (place / "ours").read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert main(["sign", "made.zip", "--key", "ours"]) == 0
    for password, sentence in (("wrong", "is not opened by the password"), ("", f"is encrypted: set {PASSWORD}")):
        monkeypatch.setenv(PASSWORD, password)
        assert main(["sign", "made.zip", "--key", "ours"]) == 4
        assert sentence in capsys.readouterr().err


def test_keys_of_other_programs_will_do(place: Path) -> None:
    key = pem(place / "their")
    (place / "their.pub").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert main(["sign", "made.zip", "--key", "their"]) == 0
    assert main(["verify", "made.zip", "--key", "their.pub"]) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sign", "made.zip", "--key", "missing"], "correct its path"),
        (["sign", "made.zip", "--key", "text"], "holds no private key in PEM and PKCS #8"),
        (["sign", "made.zip", "--key", "openssh"], "holds no private key in PEM and PKCS #8"),
        (["sign", "made.zip", "--key", "curve"], "is not one of Ed25519"),
        (["sign", "made.zip", "--key", "made.zip"], "name the same file"),
        (["sign", "missing.zip", "--key", "key"], "missing.zip cannot be read"),
        (["verify", "made.zip", "--key", "text"], "holds no public key in PEM"),
        (["verify", "made.zip", "--key", "key"], "name its public half"),
        (["verify", "made.zip", "--key", "curve.pub"], "is not one of Ed25519"),
        (["verify", "made.zip", "--digest", "missing.so"], "missing.so is no SHA-256"),
        (["verify", "made.zip", "--max-age", "0"], "is not a whole number from 1"),
        (["verify", "made.zip", "--challenge", "short"], "is no challenge"),
        (["verify", "made.zip", "--statement", "made.zip"], "name the same file"),
        (["keys", "new", "missing/key"], "cannot be written"),
        (["run", "--adapter", "emulator", "--challenge", "with spaces in between"], "is no challenge"),
        (["certify", "--adapter", "emulator", "--profile", "core", "--output", "a.zip", "--key", "text"], "PKCS #8"),
        (["certify", "--adapter", "emulator", "--profile", "core", "--output", "key", "--key", "key"], "the same file"),
    ],
)
def test_wrong_usage_is_one_sentence(
    arguments: list[str], sentence: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pem(place / "key")
    pem(place / "openssh", PrivateFormat.OpenSSH)
    (place / "text").write_text("no key", encoding="utf-8")
    curve = generate_private_key(SECP256R1())
    (place / "curve").write_bytes(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    spki = curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (place / "curve.pub").write_bytes(spki)
    assert main(arguments) == 4
    (said,) = capsys.readouterr().err.splitlines()
    assert sentence in said
    assert not (place / "a.zip").exists()


def test_the_statement_is_a_test_result_of_in_toto_about_the_manifest_and_what_was_judged(place: Path) -> None:
    recommended = next(one for one in certificates.checks() if one.level == "SHOULD")
    warned = msgspec.structs.replace(
        certificates.called(check(recommended.id, "warning", requirements=tuple(recommended.requirements))),
        level="SHOULD",
    )
    failed = certificates.called(check("made/CMP-03", "failed", requirements=("CMP-03",)))
    for records, code, result in (([], 0, "PASSED"), ([warned], 0, "WARNED"), ([warned, failed], 1, "FAILED")):
        (place / "made.zip").write_bytes(certificates.certified(*records, challenge=CHALLENGE))
        assert main(["verify", "made.zip", "--statement", "statement.json"]) == code
        statement = json.loads((place / "statement.json").read_bytes())
        assert statement["_type"] == "https://in-toto.io/Statement/v1"
        assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
        manifest, *files = statement["subject"]
        data = unpack((place / "made.zip").read_bytes())[MANIFEST]
        assert manifest["digest"] == {"sha256": hashlib.sha256(data).hexdigest()}
        assert manifest["annotations"]["challenge"] == CHALLENGE
        assert {one["name"]: one["digest"]["sha256"] for one in files} == {
            path: pin.sha256 for path, pin in certificates.PINS.items()
        }
        predicate = statement["predicate"]
        assert predicate["result"] == result
        assert predicate["warnedTests"] == [id_ for one in records if one is warned for id_ in one.requirements]
        assert predicate["failedTests"] == [id_ for one in records if one is failed for id_ in one.requirements]
        assert all(one.get("digest") or one.get("uri") for one in predicate["configuration"])


def test_recommendations_that_were_not_met_are_told_in_their_words(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recommended = next(one for one in certificates.checks() if one.level == "SHOULD")
    (id_,) = recommended.requirements
    warned = certificates.called(check(recommended.id, "warning", requirements=(id_,)))
    (place / "made.zip").write_bytes(certificates.certified(msgspec.structs.replace(warned, level="SHOULD")))
    assert main(["verify", "made.zip"]) == 0
    assert f"SHOULD, not met: {id_} " in capsys.readouterr().out
    readme = unpack((place / "made.zip").read_bytes())["README.md"].decode()
    assert f"not met, though they should be: {id_}" in readme


def test_without_the_packages_of_the_extra_one_sentence_says_how_to_get_them(place: Path) -> None:
    without = "import sys; sys.modules['securesystemslib'] = None"
    program = f"{without}; from vdi_conformance.cli import main; sys.exit(main())"
    ended = subprocess.run(
        [sys.executable, "-c", program, "keys", "new", "ours"], cwd=place, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 4
    (said,) = ended.stderr.splitlines()
    assert said.endswith("python -m pip install vdi-conformance[signing].")
    assert not (place / "ours").exists()
