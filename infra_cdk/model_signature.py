"""Check, before a deployment, that the owner of a key has signed its model.

The function checks the same at its start, with the standard library only
(lambda_src/model_signature.py). `tests/infra/test_signed_models.py` holds both to the same answers.
"""

import base64
import binascii
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

_KEY_BITS: Final = 3072
_EXPONENT: Final = 65537


class SignatureError(ValueError):
    """A model is not signed, or not by this key. The message says what to do."""


def check_key(key: str) -> RSAPublicKey:
    """Return the public key that a setting contains.

    Parameters
    ----------
    key
        The DER form (SubjectPublicKeyInfo) in base64.

    Raises
    ------
    SignatureError
        If it is not a key of RSA with 3072 bits and the exponent 65537.
    """
    try:
        found = load_der_public_key(base64.b64decode(key, validate=True))
    except (ValueError, binascii.Error):
        found = None
    if (
        not isinstance(found, RSAPublicKey)
        or found.key_size != _KEY_BITS
        or found.public_numbers().e != _EXPONENT
    ):
        raise SignatureError(
            f"the signing key is not the public key of RSA with {_KEY_BITS} bits, in base64. Print "
            "it with 'scripts/sign_model --public-key --key KEY'."
        )
    return found


def read_signature(model: Path, sha256: str, key: str) -> str:
    """Return the signature of a bundle in base64, after checking it.

    Parameters
    ----------
    model
        The bundle. Its signature lies beside it, in a file with the ending `.sig`.
    sha256
        The digest of the bundle.
    key
        As in `check_key`.

    Raises
    ------
    SignatureError
        If the bundle is not signed by this key.
    """
    public_key = check_key(key)
    file = model.with_name(f"{model.name}.sig")
    if not file.is_file():
        raise SignatureError(
            f"{model} is not signed, but this deployment requires a signature. Sign it with "
            f"'scripts/sign_model {model} --key KEY'."
        )
    signature = file.read_bytes()
    statement = f"etiquette model sha256:{sha256}".encode()
    try:
        public_key.verify(signature, statement, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise SignatureError(
            f"{file} is not the signature of {model} by this key: another key made it, it belongs "
            "to another model, or it is damaged. Sign the model with the deployment's key: "
            f"'scripts/sign_model {model} --key KEY'."
        ) from None
    return base64.b64encode(signature).decode()
