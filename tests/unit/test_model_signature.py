"""Signatures of models: what is accepted, and every way in which one can be wrong."""

import base64
import doctest
import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from lambda_src import model_signature
from lambda_src.api.model_store import load_model
from lambda_src.model_signature import (
    SIGNATURE_BYTES,
    SignatureError,
    check_signature,
    signature_path,
    statement,
)
from lambda_src.tagger import BundleDigestError, BundleError
from scripts.releasing.errors import ReleaseError
from scripts.releasing.signing import ModelSigner
from tests.support.paths import STARTER
from tests.support.signing import private_key, public_text, sign, signature_text

SHA256 = hashlib.sha256(STARTER.read_bytes()).hexdigest()
OWNER = private_key("owner")
KEY = public_text(OWNER)
SIGNATURE = signature_text(SHA256, OWNER)
MODULUS = OWNER.public_key().public_numbers().n


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def block_signature(block: bytes) -> str:
    """The owner's signature of any block: only the owner of the private key can make one."""
    private = OWNER.private_numbers()
    number = pow(int.from_bytes(block, "big"), private.d, MODULUS)
    return text(number.to_bytes(SIGNATURE_BYTES, "big"))


def padded(length: int, end: bytes) -> bytes:
    """A block with `length` bytes of padding before `end`, filled with zeros behind it."""
    block = b"\0\1" + b"\xff" * length + b"\0" + end
    return block.ljust(SIGNATURE_BYTES, b"\0")


def accepts(sha256: str, signature: str, key: str) -> bool:
    """Whether a signature is accepted: `check_signature` raises an error for any other."""
    try:
        check_signature(sha256, signature, key)
    except SignatureError:
        return False
    return True


def test_the_examples_of_the_docstrings_are_true() -> None:
    assert doctest.testmod(model_signature).failed == 0


@pytest.mark.parametrize("sha256", [SHA256, SHA256.upper()])
def test_the_owner_s_signature_is_accepted(sha256: str) -> None:
    assert accepts(sha256, SIGNATURE, KEY)


@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=64))
def test_every_digest_can_be_signed(content: bytes) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    assert accepts(sha256, signature_text(sha256, OWNER), KEY)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, SIGNATURE_BYTES - 1), st.integers(1, 255))
def test_a_changed_byte_of_the_signature_is_refused(position: int, change: int) -> None:
    content = bytearray(base64.b64decode(SIGNATURE))
    content[position] ^= change
    with pytest.raises(SignatureError, match="scripts/sign_model"):
        check_signature(SHA256, text(bytes(content)), KEY)


@settings(max_examples=100, deadline=None)
@given(signature=st.text(max_size=600))
def test_any_text_is_refused_as_a_signature(signature: str) -> None:
    with pytest.raises(SignatureError):
        check_signature(SHA256, signature, KEY)


@settings(max_examples=100, deadline=None)
@given(key=st.text(max_size=600) | st.binary(max_size=500).map(text))
def test_any_text_is_refused_as_a_key(key: str) -> None:
    with pytest.raises(SignatureError, match="public key of RSA with 3072 bits"):
        check_signature(SHA256, SIGNATURE, key)


def wrong_signatures() -> dict[str, tuple[str | None, str]]:
    """Signatures that must be refused, with a word of the message."""
    number = int.from_bytes(base64.b64decode(SIGNATURE), "big")
    digest = hashlib.sha256(statement(SHA256)).digest()
    prefix = bytes.fromhex("3031300d060960864801650304020105000420")
    without_null = bytes.fromhex("302f300b0609608648016503040201") + b"\x04\x20"
    length = SIGNATURE_BYTES - 3 - len(prefix) - len(digest)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
    return {
        "none": (None, "is not signed"),
        "empty": ("", "is not signed"),
        "of another key": (signature_text(SHA256, private_key("stranger")), "another key"),
        "of another model": (signature_text("0" * 64, OWNER), "another model"),
        "of the digest's text": (text(sign(SHA256.encode(), OWNER)), "is not valid"),
        "of the digest itself": (text(sign(bytes.fromhex(SHA256), OWNER)), "is not valid"),
        "of the whole file": (text(sign(STARTER.read_bytes(), OWNER)), "is not valid"),
        "with SHA-512": (
            text(OWNER.sign(statement(SHA256), padding.PKCS1v15(), hashes.SHA512())),
            "is not valid",
        ),
        "of the PSS scheme": (
            text(OWNER.sign(statement(SHA256), pss, hashes.SHA256())),
            "is not valid",
        ),
        "one byte less": (text(base64.b64decode(SIGNATURE)[:-1]), "damaged"),
        "one byte more": (text(base64.b64decode(SIGNATURE) + b"\0"), "damaged"),
        "zero in front": (text(b"\0" + base64.b64decode(SIGNATURE)), "damaged"),
        "plus the modulus": (
            text((number + MODULUS).to_bytes(SIGNATURE_BYTES + 1, "big")),
            "damaged",
        ),
        "all zeros": (text(bytes(SIGNATURE_BYTES)), "is not valid"),
        "one": (text((1).to_bytes(SIGNATURE_BYTES, "big")), "is not valid"),
        "the modulus": (text(MODULUS.to_bytes(SIGNATURE_BYTES, "big")), "is not valid"),
        "with a line break": (SIGNATURE[:76] + "\n" + SIGNATURE[76:], "damaged"),
        "in hexadecimal": (base64.b64decode(SIGNATURE).hex(), "damaged"),
        # Blocks that careless verifiers accept, really signed by the owner.
        "with short padding and a rest": (block_signature(padded(8, prefix + digest)), "not valid"),
        "with no padding": (block_signature(padded(0, prefix + digest)), "not valid"),
        "without the name of the hash": (
            block_signature(padded(SIGNATURE_BYTES - 3 - 32, digest)),
            "not valid",
        ),
        "with a hash without parameters": (
            block_signature(padded(length + 2, without_null + digest)),
            "not valid",
        ),
        "for encryption": (
            block_signature(b"\0\2" + b"\xff" * length + b"\0" + prefix + digest),
            "not valid",
        ),
    }


@pytest.mark.parametrize("name", wrong_signatures())
def test_a_wrong_signature_is_refused(name: str) -> None:
    signature, reason = wrong_signatures()[name]
    with pytest.raises(SignatureError, match=reason):
        check_signature(SHA256, signature, KEY)


def wrong_keys() -> dict[str, str]:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = base64.b64decode(KEY)
    even = der[:-6] + bytes([der[-6] & 0xFE]) + der[-5:]
    return {
        "of 2048 bits": public_text(private_key("small", 2048)),
        "with the exponent 3": public_text(private_key("careless", 3072, 3)),
        "of an elliptic curve": text(
            curve.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ),
        "as PEM": f"-----BEGIN PUBLIC KEY-----\n{KEY}\n-----END PUBLIC KEY-----",
        "cut off": text(der[:-1]),
        "with a rest": text(der + b"\0"),
        "even": text(even),
        "small number": text(der[:33] + bytes(383) + b"\1" + der[-5:]),
    }


@pytest.mark.parametrize("name", wrong_keys())
def test_another_kind_of_key_is_refused(name: str) -> None:
    with pytest.raises(SignatureError, match="public key of RSA with 3072 bits"):
        check_signature(SHA256, SIGNATURE, wrong_keys()[name])


def test_openssl_can_sign_and_verify(tmp_path: Path) -> None:
    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "statement").write_bytes(statement(SHA256))
    openssl("genrsa", "-out", "key.pem", "3072")
    openssl("rsa", "-in", "key.pem", "-pubout", "-outform", "DER", "-out", "key.der")
    openssl("dgst", "-sha256", "-sign", "key.pem", "-out", "signature", "statement")
    openssl("rsa", "-in", "key.pem", "-pubout", "-out", "public.pem")
    openssl("dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "statement")
    key, signature = ((tmp_path / name).read_bytes() for name in ("key.der", "signature"))
    assert accepts(SHA256, text(signature), text(key))


def test_a_signed_model_is_loaded() -> None:
    model = load_model(str(STARTER), SHA256, signature=SIGNATURE, signing_key=KEY)
    assert model.sha256 == SHA256


def test_without_a_key_no_signature_is_needed() -> None:
    assert load_model(str(STARTER), SHA256).sha256 == SHA256


@pytest.mark.parametrize(
    ("sha256", "signature", "reason"),
    [
        (None, SIGNATURE, "SIGNING_KEY is set, so the bundle needs its SHA-256"),
        (SHA256, None, "is not signed, but this deployment requires a signature"),
        ("0" * 64, SIGNATURE, "is not valid"),
    ],
)
def test_an_unsigned_model_is_refused_before_it_is_read(
    tmp_path: Path, sha256: str | None, signature: str | None, reason: str
) -> None:
    absent = tmp_path / "absent.safetensors"
    with pytest.raises(BundleError, match=rf"absent\.safetensors: .*{reason}"):
        load_model(str(absent), sha256, signature=signature, signing_key=KEY)


def test_a_signature_does_not_replace_the_digest(tmp_path: Path) -> None:
    swapped = tmp_path / "swapped.safetensors"
    swapped.write_bytes(STARTER.read_bytes() + b"\0")
    with pytest.raises(BundleDigestError):
        load_model(str(swapped), SHA256, signature=SIGNATURE, signing_key=KEY)


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield boto3.client("kms", region_name="eu-west-1")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(STARTER.read_bytes())
    return path


def test_kms_signs_a_model_and_its_public_key_verifies_it(kms: Any, model: Path) -> None:
    created = kms.create_key(KeySpec="RSA_3072", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    kms.create_alias(AliasName="alias/models", TargetKeyId=created["KeyId"])
    signer = ModelSigner(kms, "alias/models")
    path = signer.sign(model)
    assert path == signature_path(model)
    signature = text(path.read_bytes())
    loaded = load_model(str(model), SHA256, signature=signature, signing_key=signer.public_key())
    assert loaded.sha256 == SHA256
    with pytest.raises(BundleError, match="another key"):
        load_model(str(model), SHA256, signature=signature, signing_key=KEY)


def test_a_key_of_another_kind_is_refused(kms: Any, model: Path) -> None:
    created = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    with pytest.raises(ReleaseError, match="not a key of the kind RSA_3072"):
        ModelSigner(kms, created["KeyId"]).sign(model)


def test_a_missing_key_is_reported(kms: Any, model: Path) -> None:
    with pytest.raises(ReleaseError, match=r"kms:GetPublicKey for alias/absent.*name and region"):
        ModelSigner(kms, "alias/absent").sign(model)


def test_only_a_usable_bundle_is_signed(kms: Any, model: Path) -> None:
    model.write_bytes(model.read_bytes()[:-1])
    with pytest.raises(ReleaseError, match=r"model\.safetensors"):
        ModelSigner(kms, "alias/models").sign(model)
    assert not signature_path(model).exists()
