"""Retraining: a state machine that trains a candidate, judges it and tells the operator.

docs/decisions/0030-retraining-claims-a-week.md gives the reasons.
"""

from typing import Any, Final, cast

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra_cdk.build_job import BuildJob
from infra_cdk.build_network import BuildNetwork
from infra_cdk.findings import acknowledge
from infra_cdk.model import Model
from infra_cdk.policies import allow, policy
from infra_cdk.settings import Settings

EVENT_SOURCE: Final = "etiquette.monitor"
EVENT_TYPE: Final = "QualityFallen"
CORPUS: Final = "corpus"
CANDIDATES: Final = "candidates"
_CPU: Final = 4096
_MEMORY_MB: Final = 16_384
"""docs/train.md has what a training takes. A larger corpus needs more."""
_LONGEST: Final = Duration.hours(24)
_BETWEEN: Final = Duration.hours(7 * 24 - 1)
"""From the start of one run to that of the next. A schedule may be a little early or late: with a
whole week, a weekly one would skip every other week. The longest run is much shorter, so that the
claim also makes sure that no other run is going on."""


class Retraining(Construct):
    """A state machine that a schedule or an event starts, at most once a week.

    It claims the week, runs the job of `model_build.retraining` on Fargate, and publishes the
    result. A run without a result fails, which raises the alarm of
    `infra_cdk/observability/resources.py`. It releases nothing: an operator does.

    Parameters
    ----------
    settings
        With `retraining_schedule`, if there is one.
    network
        The network of the job.
    model
        The model that is live, which the candidate is compared with.
    topic
        The topic that gets the result.
    topic_key
        The key that encrypts the topic.

    Attributes
    ----------
    machine
        The state machine.
    bucket
        The bucket with the corpus and the candidates.
    table
        The table with the claim of the newest run, and its result.
    log_group
        The log of the job.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        network: BuildNetwork,
        model: Model,
        topic: sns.ITopic,
        topic_key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self.bucket = self._bucket()
        self.table = self._claims()
        self._job = self._build_job(network, model)
        self.log_group = self._job.log_group
        self.machine = self._job.state_machine(
            self,
            name=machine_name(settings.stack_name),
            definition=self._definition(model, topic),
            policies={
                "Claim": policy(
                    allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], [self.table.table_arn])
                ),
                "TellOperator": policy(
                    allow(["sns:Publish"], [topic.topic_arn]),
                    allow(["kms:Decrypt", "kms:GenerateDataKey"], [topic_key.key_arn]),
                ),
            },
        )
        self._triggers()

    def _bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(prefix=f"{CANDIDATES}/", expiration=Duration.days(180)),
                s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(7)),
            ],
            # The corpus belongs to the operator, and may exist nowhere else.
            removal_policy=RemovalPolicy.RETAIN,
        )
        acknowledge(
            bucket,
            "S1",
            "Only the job and the operators of the account use this bucket. CloudTrail can record "
            "its requests; a log bucket would need the same care as this one.",
        )
        return bucket

    def _claims(self) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "Claims",
            partition_key=dynamodb.Attribute(name="service", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(
            table,
            "DDB3",
            "The table holds one item, which the next run overwrites. Results are kept in S3.",
        )
        return table

    def _build_job(self, network: BuildNetwork, model: Model) -> BuildJob:
        corpus, candidates = (
            self.bucket.arn_for_objects(f"{folder}/*") for folder in (CORPUS, CANDIDATES)
        )
        list_corpus = allow(["s3:ListBucket"], [self.bucket.bucket_arn])
        list_corpus.add_condition("StringLike", {"s3:prefix": f"{CORPUS}/*"})
        job = BuildJob(
            self,
            "Job",
            settings=self._settings,
            network=network,
            title="Retraining of Etiquette",
            cpu=_CPU,
            memory_mb=_MEMORY_MB,
            policies={
                "ReadCorpus": policy(allow(["s3:GetObject"], [corpus]), list_corpus),
                "ReadModel": policy(model.read_statement()),
                "WriteCandidate": policy(allow(["s3:PutObject"], [candidates])),
                "RecordResult": policy(allow(["dynamodb:UpdateItem"], [self.table.table_arn])),
            },
        )
        bucket_id = Stack.of(self).get_logical_id(
            cast(s3.CfnBucket, self.bucket.node.default_child)
        )
        for folder in (CORPUS, CANDIDATES):
            acknowledge(
                job.role,
                f"IAM5[Resource::<{bucket_id}.Arn>/{folder}/*]",
                "The job reads all files of the corpus, whose names the operator chooses, and "
                "writes into a folder with the name of the run.",
            )
        return job

    def _definition(self, model: Model, topic: sns.ITopic) -> dict[str, Any]:
        """Return the state machine in the Amazon States Language, with JSONata."""
        started = "$toMillis($states.context.Execution.StartTime)"
        run = "{% $states.context.Execution.Name %}"
        item = {
            "TableName": self.table.table_name,
            "Key": {"service": {"S": self._settings.stack_name}},
        }
        bucket = f"s3://{self.bucket.bucket_name}"
        command = [
            *("retrain", "--corpus", f"{bucket}/{CORPUS}", "--champion", model.url),
            *("--out", f"{bucket}/{CANDIDATES}", "--run", run),
            *("--record", self.table.table_name, self._settings.stack_name),
        ]
        states = {
            "Claim the week": {
                "Type": "Task",
                "Resource": "arn:aws:states:::dynamodb:updateItem",
                "Arguments": {
                    **item,
                    "UpdateExpression": "SET #started = :now, #run = :run "
                    "REMOVE #outcome, #subject, #message",
                    "ConditionExpression": "attribute_not_exists(#started) OR #started < :before",
                    "ExpressionAttributeNames": {
                        f"#{name}": name
                        for name in ("started", "run", "outcome", "subject", "message")
                    },
                    "ExpressionAttributeValues": {
                        ":now": {"N": f"{{% $string({started}) %}}"},
                        ":before": {
                            "N": f"{{% $string({started} - {_BETWEEN.to_milliseconds()}) %}}"
                        },
                        ":run": {"S": run},
                    },
                },
                "Catch": [
                    {
                        "ErrorEquals": ["DynamoDB.ConditionalCheckFailedException"],
                        "Next": "Already this week",
                    }
                ],
                "Next": "Train and judge",
            },
            "Already this week": {"Type": "Succeed"},
            "Train and judge": {
                **self._job.state(command, _LONGEST),
                "Next": "Read the result",
            },
            "Read the result": {
                "Type": "Task",
                "Resource": "arn:aws:states:::dynamodb:getItem",
                "Arguments": {**item, "ConsistentRead": True},
                "Output": "{% $states.result.Item %}",
                "Next": "Is there a result?",
            },
            "Is there a result?": {
                "Type": "Choice",
                "Choices": [
                    {
                        "Condition": "{% $exists($states.input.outcome) %}",
                        "Next": "Tell the operator",
                    }
                ],
                "Default": "No result",
            },
            "Tell the operator": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sns:publish",
                "Arguments": {
                    "TopicArn": topic.topic_arn,
                    "Subject": "{% $states.input.subject.S %}",
                    "Message": "{% $states.input.message.S %}",
                },
                "End": True,
            },
            "No result": {
                "Type": "Fail",
                "Error": "NoResult",
                "Cause": "The job ended without a result. Its log says why.",
            },
        }
        return {
            "QueryLanguage": "JSONata",
            "StartAt": "Claim the week",
            "States": states,
        }

    def _triggers(self) -> None:
        target = targets.SfnStateMachine(self.machine)
        events.Rule(
            self,
            "QualityFallen",
            description="Retrain when the monitor finds that quality has fallen",
            event_pattern=events.EventPattern(
                source=[EVENT_SOURCE],
                detail_type=[EVENT_TYPE],
                detail={"service": [self._settings.stack_name]},
            ),
            targets=[target],
        )
        if self._settings.retraining_schedule is not None:
            events.Rule(
                self,
                "Schedule",
                description="Retrain regularly",
                schedule=events.Schedule.expression(self._settings.retraining_schedule),
                targets=[target],
            )


def machine_name(stack_name: str) -> str:
    """Return the name of the state machine of a deployment."""
    return f"{stack_name}-retraining"


def machine_arn(stack: Stack, stack_name: str) -> str:
    """Return the ARN of the state machine of a deployment, which its metrics have as dimension."""
    return stack.format_arn(
        service="states",
        resource="stateMachine",
        resource_name=machine_name(stack_name),
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
