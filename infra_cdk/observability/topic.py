"""The SNS topics that alarms notify, encrypted with a key of their own."""

from typing import Final

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra_cdk.observability.watch import Severity

_CLOUDWATCH: Final = "cloudwatch.amazonaws.com"


class AlarmTopics(Construct):
    """Topics for alarms, all encrypted with one key.

    The topics need a customer-managed key. The policy of AWS's own key for SNS cannot be changed
    and does not allow CloudWatch to use it, so that alarms would be lost without any error.
    CloudWatch may use the key and the topics only for alarms of this account and region
    ("Notifying users on alarm changes",
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html).

    Parameters
    ----------
    name
        The name of the deployment.
    removal_policy
        What happens to the key when the stack is deleted.

    Attributes
    ----------
    key
        The key. Who publishes to a topic must be able to use it.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        stack = Stack.of(self)
        self._for_alarms = {
            "StringEquals": {"aws:SourceAccount": stack.account},
            "ArnLike": {
                "aws:SourceArn": stack.format_arn(service="cloudwatch", resource="alarm:*")
            },
        }
        self.key = kms.Key(
            self,
            "Key",
            description=f"Encrypts the alarms of {name}",
            enable_key_rotation=True,
            removal_policy=removal_policy,
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsUseKey",
                principals=[iam.ServicePrincipal(_CLOUDWATCH)],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],  # in the policy of a key, this means the key itself
                conditions=self._for_alarms,
            )
        )

    def add(self, severity: Severity, email: str | None) -> sns.Topic:
        """Add the topic of a severity.

        Parameters
        ----------
        severity
            What the topic is for.
        email
            The address that gets the topic's mails, if there is one. AWS asks it to confirm.
        """
        topic = sns.Topic(
            self,
            severity.title(),
            display_name=f"{severity.title()}s of {self._name}",
            master_key=self.key,
            enforce_ssl=True,
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[iam.ServicePrincipal(_CLOUDWATCH)],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions=self._for_alarms,
            )
        )
        if email is not None:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        return topic
