"""Sign models with a key in AWS KMS, whose private part never leaves KMS."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lambda_src.model_signature import (
    SignatureError,
    check_key,
    check_signature,
    signature_path,
    statement,
)
from lambda_src.tagger import BundleError, TagModel
from scripts.releasing.errors import ReleaseError


class ModelSigner:
    """Signs models with one key.

    Parameters
    ----------
    client
        A boto3 client for KMS.
    key : str
        The key's ID, ARN or alias. It must be for signing, RSA with 3072 bits.
    """

    def __init__(self, client: Any, key: str) -> None:
        self._client = client
        self._key = key

    def public_key(self) -> str:
        """Return the public key in base64, as the setting `signing_key` takes it.

        Raises
        ------
        ReleaseError
            If KMS does not return the key, or it is of another kind.
        """
        try:
            answer = self._client.get_public_key(KeyId=self._key)
        except ClientError as error:
            raise self._refused("kms:GetPublicKey", error) from error
        found = base64.b64encode(answer["PublicKey"]).decode()
        try:
            check_key(found)
        except SignatureError:
            raise ReleaseError(
                f"{self._key} is not a key of the kind RSA_3072, with which models are signed. "
                "Create one with infra_cdk/signing_key.py."
            ) from None
        return found

    def sign(self, model: Path) -> Path:
        """Sign a model, check the signature, and write it beside the model.

        Parameters
        ----------
        model : Path
            A bundle that this release can load.

        Returns
        -------
        Path
            The file with the signature, as bytes.

        Raises
        ------
        ReleaseError
            If the file is not a usable bundle, or KMS does not sign.
        """
        try:
            TagModel.load(model)
        except BundleError as error:
            raise ReleaseError(str(error)) from error
        key = self.public_key()
        sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
        try:
            signature = self._client.sign(
                KeyId=self._key,
                Message=statement(sha256),
                MessageType="RAW",
                SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
            )["Signature"]
        except ClientError as error:
            raise self._refused("kms:Sign", error) from error
        check_signature(sha256, base64.b64encode(signature).decode(), key)
        path = signature_path(model)
        path.write_bytes(signature)
        return path

    def _refused(self, action: str, error: ClientError) -> ReleaseError:
        return ReleaseError(
            f"KMS refused {action} for {self._key}: {error}. Check the key's name and region, and "
            "that the policy SignerPolicyArn of infra_cdk/signing_key.py is attached to you."
        )
