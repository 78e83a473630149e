"""Archive scoring: a state machine that suggests tags for all questions of a bucket."""

from typing import Any, Final, cast

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra_cdk.findings import acknowledge
from infra_cdk.function import FolderFunction
from infra_cdk.model import Model
from infra_cdk.policies import allow, policy
from infra_cdk.settings import Settings

QUESTIONS: Final = "questions/"
_RESULTS: Final = ("results/", "rejects/")
_WHOLE_CORE_MB: Final = 1769
_TIMEOUT: Final = Duration.minutes(15)
"""Lambda's longest. A part of 100,000 questions takes a minute or two."""
_TOLERATED_PERCENT: Final = 5
"""More failed parts than this are no accident, and end the run early."""


class ArchiveScoring(Construct):
    """A Distributed Map over the parts of an archive, with the image that serves.

    An operator starts it, and gets a report. A part that has a result of the same model is skipped,
    so that a run that is started again does only what is missing.

    Parameters
    ----------
    settings
        With `archive_scoring`, the number of parts that are scored at once.
    model
        The model of this release.

    Attributes
    ----------
    machine
        The state machine.
    bucket
        The bucket with the parts and the results.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, model: Model
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        acknowledge(
            self.bucket,
            "S1",
            "Only the function and the operators of the account use this bucket. CloudTrail can "
            "record its requests.",
        )
        self._function = self._score_function(settings, model)
        self.machine = self._state_machine(settings)

    def _score_function(self, settings: Settings, model: Model) -> FolderFunction:
        """Create the function. It needs no alarms: the report names the parts that failed."""
        list_bucket = allow(["s3:ListBucket"], [self.bucket.bucket_arn])
        read = [self.bucket.arn_for_objects(f"{each}*") for each in (QUESTIONS, _RESULTS[0])]
        written = [self.bucket.arn_for_objects(f"{each}*") for each in _RESULTS]
        function = FolderFunction(
            self,
            "Function",
            settings=settings,
            folder="api",
            module="archive",
            shared=("environment_settings.py", "metrics.py", "model_signature.py", "tagger"),
            title="Archive function",
            description="Suggests tags for one part of an archive",
            memory_mb=_WHOLE_CORE_MB,
            timeout=_TIMEOUT,
            policies={
                "ReadModel": policy(model.read_statement()),
                # Without ListBucket, S3 denies access to an object that does not exist.
                "ReadArchive": policy(allow(["s3:GetObject"], read), list_bucket),
                "WriteResults": policy(
                    allow(["s3:PutObject"], [*written, self.bucket.arn_for_objects("report.json")])
                ),
            },
            environment={
                "ETIQUETTE_MODEL": model.url,
                "ETIQUETTE_MODEL_SHA256": model.identity.sha256,
                **model.signature_variables,
                "ETIQUETTE_ARCHIVE_BUCKET": self.bucket.bucket_name,
            },
            has_alarms=False,
        )
        bucket_id = Stack.of(self).get_logical_id(
            cast(s3.CfnBucket, self.bucket.node.default_child)
        )
        for folder in (QUESTIONS, *_RESULTS):
            acknowledge(
                function.role,
                f"IAM5[Resource::<{bucket_id}.Arn>/{folder}*]",
                "The operator chooses the names of the parts.",
            )
        return function

    def _state_machine(self, settings: Settings) -> sfn.StateMachine:
        invoke = allow(["lambda:InvokeFunction"], [self._function.function.function_arn])
        list_parts = allow(["s3:ListBucket"], [self.bucket.bucket_arn])
        stack = Stack.of(self)
        name = f"{settings.stack_name}-archive-scoring"
        role = iam.Role(
            self,
            "MachineRole",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description="Archive scoring of Etiquette: the state machine",
            inline_policies={
                "Score": policy(invoke, list_parts),
                "RunMap": _run_map(stack, name),
            },
        )
        machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=name,
            definition_body=sfn.DefinitionBody.from_string(
                stack.to_json_string(self._definition(settings.archive_scoring))
            ),
            role=role,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=logs.LogGroup(
                    self,
                    "MachineLogs",
                    retention=settings.log_retention,
                    removal_policy=settings.removal_policy,
                ),
                level=sfn.LogLevel.ALL,
            ),
        )
        children = f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:{name}"
        for finding, reason in {
            "*": "The delivery of logs and X-Ray's actions support no narrower resource.",
            f"{children}:*": "AWS chooses the names of the executions of this state machine.",
            f"{children}/*": "AWS chooses the names of the executions of this map.",
        }.items():
            acknowledge(role, f"IAM5[Resource::{finding}]", reason)
        return machine

    def _definition(self, at_once: int) -> dict[str, Any]:
        """Return the state machine in the Amazon States Language."""
        arn = self._function.function.function_arn

        def invoke(payload: dict[str, Any], **more: Any) -> dict[str, Any]:
            return {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": arn, "Payload": payload},
                "Retry": [
                    {
                        "ErrorEquals": [
                            "Lambda.TooManyRequestsException",
                            "Lambda.ServiceException",
                            "Lambda.SdkClientException",
                        ],
                        "IntervalSeconds": 5,
                        "BackoffRate": 2,
                        "MaxAttempts": 6,
                        "JitterStrategy": "FULL",
                    }
                ],
                **more,
            }

        states = {
            "Score the parts": {
                "Type": "Map",
                "ItemReader": {
                    "Resource": "arn:aws:states:::s3:listObjectsV2",
                    "Parameters": {"Bucket": self.bucket.bucket_name, "Prefix": QUESTIONS},
                },
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "Score a part",
                    "States": {
                        # The output of a map is limited: its items return nothing.
                        "Score a part": invoke({"part.$": "$.Key"}, ResultSelector={}, End=True),
                    },
                },
                "MaxConcurrency": at_once,
                "ToleratedFailurePercentage": _TOLERATED_PERCENT,
                "ResultPath": None,
                "Catch": [
                    {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Report"}
                ],
                "Next": "Report",
            },
            "Report": invoke(
                {"report": True},
                ResultSelector={"report.$": "$.Payload"},
                ResultPath="$.scored",
                Next="Are parts missing?",
            ),
            "Are parts missing?": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.failure", "IsPresent": True, "Next": "Too many failed"}
                ],
                "Default": "Scored",
            },
            "Too many failed": {
                "Type": "Fail",
                "Error": "TooManyPartsFailed",
                "Cause": "The file report.json of the bucket names the parts without a result. "
                "Start again when the reason is gone.",
            },
            "Scored": {"Type": "Pass", "OutputPath": "$.scored.report", "End": True},
        }
        return {"StartAt": "Score the parts", "States": states}


def _run_map(stack: Stack, name: str) -> iam.PolicyDocument:
    """Allow a state machine to run its Distributed Map, whose items are executions of its own.

    References
    ----------
    https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    """

    def arn(resource: str, name: str) -> str:
        return stack.format_arn(
            service="states",
            resource=resource,
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    children = [arn("execution", f"{name}:*"), arn("execution", f"{name}/*")]
    return policy(
        allow(["states:StartExecution"], [arn("stateMachine", name)]),
        allow(["states:DescribeExecution", "states:StopExecution"], children),
    )
