"""A signing key of the tests, which plays the part of the key in KMS."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lambda_src.model_signature import signature_path, statement


@cache
def private_key(name: str = "", bits: int = 3072, exponent: int = 65537) -> rsa.RSAPrivateKey:
    """A new key; the same one for the same name."""
    del name
    return rsa.generate_private_key(exponent, bits)


def public_text(key: rsa.RSAPrivateKey) -> str:
    """The public key as the setting takes it."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def sign(message: bytes, key: rsa.RSAPrivateKey) -> bytes:
    """Sign as KMS does with RSASSA_PKCS1_V1_5_SHA_256 and a raw message."""
    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def signature_text(sha256: str, key: rsa.RSAPrivateKey) -> str:
    """The signature of a model, as the setting takes it."""
    return base64.b64encode(sign(statement(sha256), key)).decode()


def sign_file(model: Path, key: rsa.RSAPrivateKey) -> Path:
    """Write the signature of a model beside it, as `scripts/sign_model` does."""
    path = signature_path(model)
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    path.write_bytes(sign(statement(sha256), key))
    return path
