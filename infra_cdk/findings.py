"""Why a construct may break one of cdk-nag's rules."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Record why a construct breaks one of cdk-nag's rules.

    Parameters
    ----------
    construct
        What the rule finds.
    rule
        Without the prefix of the rules, for example `S1`.
    reason
        A sentence about this construct.
    """
    Validations.of(construct).acknowledge(
        Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
    )
