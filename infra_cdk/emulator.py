"""What the emulator's template has differently: the emulator does not support everything."""

from typing import Final

from aws_cdk import Acknowledgment, CfnCondition, CfnResource, Fn, Stack, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs

CONDITION: Final = "OnAws"
"""False in the emulator's template. Other templates do not have this condition."""
UNSUPPORTED: Final = frozenset(
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
        # The emulator speaks plain HTTP, which the policies of buckets and topics refuse.
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
    }
)


def switch_off_unsupported(stack: Stack) -> None:
    """Give unsupported resources a condition that is false.

    The constructs do not depend on the emulator, whose template is the real one except for this
    condition. A reference to a switched-off resource resolves to its name or to nothing, and no
    resource waits for it.

    Parameters
    ----------
    stack
        The stack, with all its resources.
    """
    on_aws = CfnCondition(stack, CONDITION, expression=Fn.condition_equals("here", "AWS"))
    Validations.of(stack).acknowledge(
        Acknowledgment(
            id="CloudFormation-Validate::W8003",
            reason="The condition is always false on purpose, in the emulator's template only.",
        ),
        Acknowledgment(
            id="CloudFormation-Validate::W1001",
            reason="In the emulator's template, references to switched-off resources resolve to "
            "their names or to nothing.",
        ),
    )
    resources = [node for node in stack.node.find_all() if isinstance(node, CfnResource)]
    for unsupported in filter(_is_unsupported, resources):
        unsupported.cfn_options.condition = on_aws
        for resource in resources:
            resource.remove_resource_dependency(unsupported)


def give_tasks_credentials(stack: Stack) -> None:
    """Give the tasks of ECS the emulator's credentials.

    On AWS, a task gets those of its role. The emulator offers them at an address that boto3 does
    not accept.

    Parameters
    ----------
    stack
        The stack, with all its resources.
    """
    values = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": stack.region,
    }
    variables = [{"Name": name, "Value": value} for name, value in values.items()]
    for node in stack.node.find_all():
        if isinstance(node, ecs.CfnTaskDefinition):
            node.add_property_override("ContainerDefinitions.0.Environment", variables)


def _is_unsupported(resource: CfnResource) -> bool:
    # Alarms on expressions have the same type as alarms on metrics, which are supported.
    has_expression = isinstance(resource, cloudwatch.CfnAlarm) and resource.metrics is not None
    return has_expression or resource.cfn_resource_type in UNSUPPORTED
