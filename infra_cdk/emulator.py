"""The emulator's CloudFormation refuses some kinds of resources: they are switched off there."""

from typing import Final

from aws_cdk import Acknowledgment, CfnCondition, CfnResource, Fn, Stack, Validations
from aws_cdk import aws_cloudwatch as cloudwatch

CONDITION: Final = "OnAws"
"""False in the emulator's template; the others have no condition at all."""
REFUSED: Final = frozenset(
    {
        "AWS::Athena::NamedQuery",
        "AWS::Budgets::Budget",
        "AWS::CloudWatch::AnomalyDetector",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CodeDeploy::Application",
        "AWS::CodeDeploy::DeploymentConfig",
        "AWS::CodeDeploy::DeploymentGroup",
        "AWS::IAM::OIDCProvider",
        "AWS::Logs::QueryDefinition",
    }
)


def switch_off_refused(stack: Stack) -> None:
    """Put what the emulator refuses under a condition that is false.

    Constructs know nothing of the emulator, and its template is the real one but for this
    condition. What refers to a resource that is switched off gets its name, or nothing, and
    nothing waits for it.

    Parameters
    ----------
    stack
        With all of its resources in it.
    """
    on_aws = CfnCondition(stack, CONDITION, expression=Fn.condition_equals("here", "AWS"))
    Validations.of(stack).acknowledge(
        Acknowledgment(
            id="CloudFormation-Validate::W8003",
            reason="False on purpose, and in the emulator's template only.",
        ),
        Acknowledgment(
            id="CloudFormation-Validate::W1001",
            reason="What refers to a resource that is switched off gets its name or nothing there.",
        ),
    )
    resources = [node for node in stack.node.find_all() if isinstance(node, CfnResource)]
    for refused in filter(_is_refused, resources):
        refused.cfn_options.condition = on_aws
        for resource in resources:
            resource.remove_resource_dependency(refused)


def _is_refused(resource: CfnResource) -> bool:
    # An alarm that computes with metrics is not told by its type.
    computes = isinstance(resource, cloudwatch.CfnAlarm) and resource.metrics is not None
    return computes or resource.cfn_resource_type in REFUSED
