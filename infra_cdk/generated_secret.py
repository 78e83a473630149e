"""A secret that Secrets Manager generates, for a variable of a function or a header."""

import string

from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct


class GeneratedSecret(Construct):
    """A generated secret of 48 letters and digits.

    Templates contain a reference to it, which CloudFormation resolves when it creates or changes
    what uses it. It is never rotated on its own: CloudFormation does not notice a new value.

    Attributes
    ----------
    reference
        The dynamic reference, for properties of resources.

    References
    ----------
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, description: str, why_not_rotated: str
    ) -> None:
        super().__init__(scope, construct_id)
        secret = secretsmanager.Secret(
            self,
            "Secret",
            description=description,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=48,
                # Not `exclude_punctuation`, which the emulator does not know.
                exclude_characters=string.punctuation,
            ),
        )
        Validations.of(secret).acknowledge(
            Acknowledgment(id="AwsSolutions::AwsSolutions-SMG4", reason=why_not_rotated)
        )
        self.reference = secret.secret_value.unsafe_unwrap()
