"""Check that the owner of a key has approved a model: a signature of the bundle's digest.

The API's start and the commands of a release share this module; infra_cdk/model_signature.py checks
the same before a deployment. It verifies RSA signatures with the standard library: a package for it
would add 16 MB to the image (docs/decisions/0037-signed-models.md). It cannot sign: AWS KMS or
OpenSSL does that.

References
----------
RFC 8017, section 8.2.2: "RSASSA-PKCS1-v1_5, signature verification operation". AWS KMS calls it
RSASSA_PKCS1_V1_5_SHA_256.
"""

import base64
import binascii
import hashlib
from pathlib import Path
from typing import Final

SIGNATURE_BYTES: Final = 384
"""Of a key with 3072 bits, the only size that is accepted."""
_EXPONENT: Final = 65537
# The DER form of a public key (SubjectPublicKeyInfo) of this size and exponent is this beginning,
# the modulus, and this end.
_KEY_BEGINNING: Final = bytes.fromhex(
    "308201a2300d06092a864886f70d01010105000382018f003082018a0282018100"
)
_KEY_END: Final = bytes.fromhex("0203010001")
_SHA256_PREFIX: Final = bytes.fromhex("3031300d060960864801650304020105000420")
"""The DER form of a SHA-256 without the digest itself (RFC 8017, section 9.2, note 1)."""


class SignatureError(ValueError):
    """A model is not signed, or not by this key. The message says what to do."""


def signature_path(model: Path) -> Path:
    """Return where the signature of a bundle lies: beside it, with the ending `.sig`."""
    return model.with_name(f"{model.name}.sig")


def statement(sha256: str) -> bytes:
    """Return what is signed: one line that names the bundle by its digest.

    It is not the digest alone, so that no other signature of the same key approves a model.

    Examples
    --------
    >>> statement("AB12")
    b'etiquette model sha256:ab12'
    """
    return f"etiquette model sha256:{sha256.lower()}".encode()


def check_signature(sha256: str, signature: str | None, key: str) -> None:
    """Check the signature of a bundle. It reads nothing of the bundle and needs no network.

    Parameters
    ----------
    sha256 : str
        The bundle's digest, 64 hexadecimal digits.
    signature : str or None
        In base64; None if the bundle is not signed.
    key : str
        The public key: RSA with 3072 bits, its DER form in base64.

    Raises
    ------
    SignatureError
        There is no signature, it is not by this key or not of this bundle, or the key is not valid.
    """
    modulus = _modulus(key)
    if not signature:
        raise SignatureError(
            f"the model {sha256} is not signed, but this deployment requires a signature. "
            "Sign it with 'scripts/sign_model MODEL --key KEY'."
        )
    content = _decoded(signature)
    if content is None or len(content) != SIGNATURE_BYTES:
        raise SignatureError(
            f"the signature of the model {sha256} is damaged: it must be {SIGNATURE_BYTES} bytes "
            "in base64. Sign the model again with 'scripts/sign_model MODEL --key KEY'."
        )
    # The expected block is compared as a whole. Parsing the signed one instead is what forged
    # signatures exploit.
    number = int.from_bytes(content, "big")
    signed = pow(number, _EXPONENT, modulus).to_bytes(SIGNATURE_BYTES, "big")
    if number >= modulus or signed != _expected_block(sha256):
        raise SignatureError(
            f"the signature of the model {sha256} is not valid: another key made it, or it "
            "belongs to another model. Sign this model with the deployment's key: "
            "'scripts/sign_model MODEL --key KEY'."
        )


def _expected_block(sha256: str) -> bytes:
    end = b"\0" + _SHA256_PREFIX + hashlib.sha256(statement(sha256)).digest()
    return b"\0\1" + b"\xff" * (SIGNATURE_BYTES - 2 - len(end)) + end


def check_key(key: str) -> None:
    """Check that a text is a public key of the accepted kind.

    Raises
    ------
    SignatureError
        If it is not.
    """
    _modulus(key)


def _modulus(key: str) -> int:
    content = _decoded(key) or b""
    modulus = content[len(_KEY_BEGINNING) : -len(_KEY_END)]
    well_formed = (
        content == _KEY_BEGINNING + modulus + _KEY_END
        and len(modulus) == SIGNATURE_BYTES
        and modulus[0] >= 128
        and modulus[-1] % 2 == 1
    )
    if not well_formed:
        raise SignatureError(
            "the signing key is not the public key of RSA with 3072 bits, in base64. Print it "
            "with 'scripts/sign_model --public-key --key KEY'."
        )
    return int.from_bytes(modulus, "big")


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
