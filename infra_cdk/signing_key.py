r"""The key that signs models: a stack of its own, so that deployments cannot change it.

Who may sign is not who may deploy. Attach the policy of the output `SignerPolicyArn` to the people
or roles that approve models:

    scripts/cdk deploy --app ".venv/bin/python -m infra_cdk.signing_key"
    scripts/sign_model MODEL.safetensors --key alias/etiquette-models
    scripts/release --keep-settings --model MODEL.safetensors \\
      -c signing_key=$(scripts/sign_model --public-key --key alias/etiquette-models)
"""

from aws_cdk import App, CfnOutput, RemovalPolicy, Stack, Tags, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from cdk_nag import AwsSolutionsChecks
from constructs import Construct


class SigningKey(Stack):
    """An RSA key in KMS, and the permission to sign models with it.

    RSA with 3072 bits, because the function verifies it without a library
    (docs/decisions/0037-signed-models.md). The key survives the stack: without it, nobody could
    sign a model for the deployments that trust it.
    """

    def __init__(self, scope: Construct, *, service: str = "etiquette") -> None:
        super().__init__(
            scope,
            f"{service}-signing-key",
            description="Etiquette: the key that signs models",
            termination_protection=True,
        )
        key = kms.Key(
            self,
            "Key",
            alias=f"alias/{service}-models",
            description="Signs the models that deployments of Etiquette accept",
            key_spec=kms.KeySpec.RSA_3072,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            removal_policy=RemovalPolicy.RETAIN,
        )
        signer = iam.ManagedPolicy(
            self,
            "Signer",
            description="May sign models of Etiquette",
            statements=[
                iam.PolicyStatement(
                    actions=["kms:Sign"],
                    resources=[key.key_arn],
                    conditions={
                        "StringEquals": {
                            "kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256",
                            "kms:MessageType": "RAW",
                        }
                    },
                ),
                iam.PolicyStatement(actions=["kms:GetPublicKey"], resources=[key.key_arn]),
            ],
        )
        Tags.of(self).add("service", service)
        CfnOutput(self, "SigningKeyArn", value=key.key_arn)
        CfnOutput(self, "SignerPolicyArn", value=signer.managed_policy_arn)


def compose(app: App, service: str = "etiquette") -> SigningKey:
    """Add the stack to an app that checks it against the AwsSolutions rules of cdk-nag."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return SigningKey(app, service=service)


def main() -> None:
    """Synthesize the stack for the service in the CDK context (`-c service=NAME`)."""
    app = App()
    compose(app, str(app.node.try_get_context("service") or "etiquette"))
    app.synth()


if __name__ == "__main__":
    main()
