"""Short forms for the IAM policies that the constructs write inline."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam


def allow(actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    """Allow actions on resources.

    Parameters
    ----------
    actions
        For example `s3:GetObject`.
    resources
        The ARNs that the actions are allowed on.
    """
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))


def policy(*statements: iam.PolicyStatement) -> iam.PolicyDocument:
    """Put statements into one policy document."""
    return iam.PolicyDocument(statements=list(statements))
