"""Where alarms go: a topic that is encrypted with a key of its own."""

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
    """Tells people of alarms.

    The key is the customer's own: the policy of AWS's own key for SNS can't be changed, and does
    not let CloudWatch in, so that alarms would be lost without a word. CloudWatch may use key and
    topic for alarms of this account and region only ("Notifying users on alarm changes",
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html).

    Attributes
    ----------
    topic
        Subscribe to it to hear of alarms.
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
            description=f"Alarms of {settings.stack_name}",
            enable_key_rotation=True,
            removal_policy=settings.removal_policy,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsEncryptWhatTheySay",
                principals=[iam.ServicePrincipal(_CLOUDWATCH)],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],  # in a key's policy: this key
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
                sid="AlarmsSpeak",
                principals=[iam.ServicePrincipal(_CLOUDWATCH)],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=for_alarms,
            )
        )
        if settings.alarm_email is not None:
            self.topic.add_subscription(subscriptions.EmailSubscription(settings.alarm_email))
