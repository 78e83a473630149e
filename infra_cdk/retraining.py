"""Retraining: a state machine that trains a candidate, judges it and tells the operator.

docs/decisions/0030-retraining-claims-a-week.md gives the reasons.
"""

from typing import Any, Final, cast

from aws_cdk import (
    Acknowledgment,
    ArnFormat,
    Duration,
    IgnoreMode,
    RemovalPolicy,
    Stack,
    Validations,
)
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct, IConstruct

from infra_cdk.model import Model
from infra_cdk.policies import allow, policy
from infra_cdk.settings import ROOT, Settings

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
_PLATFORMS: Final = {
    "arm64": (ecs.CpuArchitecture.ARM64, ecr_assets.Platform.LINUX_ARM64),
    "x86_64": (ecs.CpuArchitecture.X86_64, ecr_assets.Platform.LINUX_AMD64),
}
_CONTAINER: Final = "job"
_BUILD_CONTEXT: Final = (
    *("*", "!lambda_src/__init__.py", "!lambda_src/metrics.py", "!lambda_src/tagger"),
    *("!lambda_src/monitor", "!model_build", "model_build/starter"),
    *("**/__pycache__", "**/*.so", "**/.*", "model_build/requirements-*.txt"),
)
"""What the Dockerfile copies, as patterns of a .dockerignore file: a change elsewhere makes no new
image."""


class Retraining(Construct):
    """A state machine that a schedule or an event starts, at most once a week.

    It claims the week, runs the job of `model_build.retraining` on Fargate, and publishes the
    result. A run without a result fails, which raises the alarm of
    `infra_cdk/observability/resources.py`. It releases nothing: an operator does.

    Parameters
    ----------
    settings
        With `retraining_schedule`, if there is one.
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
        model: Model,
        topic: sns.ITopic,
        topic_key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self.bucket = self._bucket()
        self.table = self._claims()
        self._network = self._vpc()
        self._cluster = ecs.Cluster(
            self,
            "Cluster",
            vpc=self._network,
            container_insights_v2=ecs.ContainerInsights.ENABLED,
        )
        self._task = self._task_definition(model)
        self._security_group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=self._network,
            description="The job that retrains: it only opens connections",
        )
        self.machine = self._state_machine(model, topic, topic_key)
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
        _acknowledge(
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
        _acknowledge(
            table,
            "DDB3",
            "The table holds one item, which the next run overwrites. Results are kept in S3.",
        )
        return table

    def _vpc(self) -> ec2.Vpc:
        """Create a network whose only use is that a job on Fargate needs one.

        Its subnets are public, because a NAT gateway would cost 32 dollars a month for some minutes
        of downloads.
        """
        vpc = ec2.Vpc(
            self,
            "Network",
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)
            ],
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDb": ec2.GatewayVpcEndpointOptions(
                    service=ec2.GatewayVpcEndpointAwsService.DYNAMODB
                ),
            },
            # This would need a function of the CDK's own. The job has its own security group.
            restrict_default_security_group=False,
        )
        _acknowledge(
            vpc,
            "VPC7",
            "Nothing listens in this network, and its only traffic is that of one job to AWS.",
        )
        return vpc

    def _task_definition(self, model: Model) -> ecs.FargateTaskDefinition:
        cpu, platform = _PLATFORMS[self._settings.architecture]
        corpus, candidates = (
            self.bucket.arn_for_objects(f"{folder}/*") for folder in (CORPUS, CANDIDATES)
        )
        list_corpus = allow(["s3:ListBucket"], [self.bucket.bucket_arn])
        list_corpus.add_condition("StringLike", {"s3:prefix": f"{CORPUS}/*"})
        role = iam.Role(
            self,
            "JobRole",
            assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"),
            description="Retraining of Etiquette: the job",
            inline_policies={
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
            _acknowledge(
                role,
                f"IAM5[Resource::<{bucket_id}.Arn>/{folder}/*]",
                "The job reads all files of the corpus, whose names the operator chooses, and "
                "writes into a folder with the name of the run.",
            )
        definition = ecs.FargateTaskDefinition(
            self,
            "Job",
            cpu=_CPU,
            memory_limit_mib=_MEMORY_MB,
            task_role=role,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=cpu, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
        )
        image = ecr_assets.DockerImageAsset(
            self,
            "Image",
            directory=str(ROOT),
            file="model_build/Dockerfile",
            exclude=list(_BUILD_CONTEXT),
            ignore_mode=IgnoreMode.DOCKER,
            platform=platform,
        )
        self.log_group = self._log_group("JobLogs")
        definition.add_container(
            _CONTAINER,
            container_name=_CONTAINER,
            image=ecs.ContainerImage.from_docker_image_asset(image),
            # The variable that boto3 reads.
            environment={"AWS_DEFAULT_REGION": Stack.of(self).region},
            logging=ecs.LogDrivers.aws_logs(stream_prefix="retraining", log_group=self.log_group),
        )
        _acknowledge(definition, "ECS2", "The only variable is the region, which is not a secret.")
        _acknowledge(
            definition.obtain_execution_role(),
            "IAM5[Resource::*]",
            "ecr:GetAuthorizationToken supports no narrower resource.",
        )
        return definition

    def _state_machine(self, model: Model, topic: sns.ITopic, key: kms.IKey) -> sfn.StateMachine:
        role = iam.Role(
            self,
            "MachineRole",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description="Retraining of Etiquette: the state machine",
            inline_policies={
                "Claim": policy(
                    allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], [self.table.table_arn])
                ),
                "RunJob": self._run_job(),
                "TellOperator": policy(
                    allow(["sns:Publish"], [topic.topic_arn]),
                    allow(["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn]),
                ),
            },
        )
        machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=machine_name(self._settings.stack_name),
            definition_body=sfn.DefinitionBody.from_string(
                Stack.of(self).to_json_string(self._definition(model, topic))
            ),
            role=role,
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=self._log_group("MachineLogs"), level=sfn.LogLevel.ALL),
        )
        cluster_id = Stack.of(self).get_logical_id(
            cast(ecs.CfnCluster, self._cluster.node.default_child)
        )
        tasks = f"arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task/<{cluster_id}>/*"
        for finding, reason in {
            f"Resource::{tasks}": "AWS chooses the name of a task, so the permission is for the "
            "tasks of this cluster, which runs nothing else.",
            "Resource::*": "The delivery of logs and X-Ray's actions support no narrower resource.",
        }.items():
            _acknowledge(role, f"IAM5[{finding}]", reason)
        return machine

    def _run_job(self) -> iam.PolicyDocument:
        stack = Stack.of(self)
        tasks = stack.format_arn(
            service="ecs", resource="task", resource_name=f"{self._cluster.cluster_name}/*"
        )
        # Step Functions uses this rule of its own to wait for a task.
        rule = stack.format_arn(
            service="events",
            resource="rule",
            resource_name="StepFunctionsGetEventsForECSTaskRule",
        )
        roles = [self._task.task_role.role_arn, self._task.obtain_execution_role().role_arn]
        return policy(
            allow(["ecs:RunTask"], [self._task.task_definition_arn]),
            allow(["ecs:StopTask", "ecs:DescribeTasks"], [tasks]),
            allow(["events:PutTargets", "events:PutRule", "events:DescribeRule"], [rule]),
            allow(["iam:PassRole"], roles),
        )

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
                "Type": "Task",
                "Resource": "arn:aws:states:::ecs:runTask.sync",
                # A limit of the whole execution would not count as a failed one.
                "TimeoutSeconds": _LONGEST.to_seconds(),
                "Arguments": {
                    "LaunchType": "FARGATE",
                    "Cluster": self._cluster.cluster_arn,
                    "TaskDefinition": self._task.task_definition_arn,
                    "NetworkConfiguration": {
                        "AwsvpcConfiguration": {
                            "Subnets": [each.subnet_id for each in self._network.public_subnets],
                            "SecurityGroups": [self._security_group.security_group_id],
                            "AssignPublicIp": "ENABLED",
                        }
                    },
                    "Overrides": {"ContainerOverrides": [{"Name": _CONTAINER, "Command": command}]},
                },
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

    def _log_group(self, construct_id: str) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            construct_id,
            retention=self._settings.log_retention,
            removal_policy=self._settings.removal_policy,
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


def _acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    Validations.of(construct).acknowledge(
        Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
    )
