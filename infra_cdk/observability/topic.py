"""The SNS topic that alarms notify, encrypted with a key of its own."""

from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra_cdk.settings import Settings

_CLOUDWATCH: Final = "cloudwatch.amazonaws.com"


class AlarmTopic(Construct):
    """The topic, and the mail subscription if there is an address.

    The topic needs a customer-managed key. The policy of AWS's own key for SNS cannot be changed
    and does not allow CloudWatch to use it, so that alarms would be lost without any error.
    CloudWatch may use the key and the topic only for alarms of this account and region
    ("Notifying users on alarm changes",
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html).

    Attributes
    ----------
    topic
        Subscribe to it to receive alarms.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        for_alarms = {
            "StringEquals": {"aws:SourceAccount": stack.account},
            "ArnLike": {
                "aws:SourceArn": stack.format_arn(service="cloudwatch", resource="alarm:*")
            },
        }
        key = kms.Key(
            self,
            "Key",
            description=f"Encrypts the alarms of {settings.stack_name}",
            enable_key_rotation=True,
            removal_policy=settings.removal_policy,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsUseKey",
                principals=[iam.ServicePrincipal(_CLOUDWATCH)],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],  # in the policy of a key, this means the key itself
                conditions=for_alarms,
            )
        )
        self.topic = sns.Topic(
            self,
            "Topic",
            display_name=f"Alarms of {settings.stack_name}",
            master_key=key,
            enforce_ssl=True,
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[iam.ServicePrincipal(_CLOUDWATCH)],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=for_alarms,
            )
        )
        if settings.alarm_email is not None:
            self.topic.add_subscription(subscriptions.EmailSubscription(settings.alarm_email))
