"""A command of model_build that a state machine runs on Fargate."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from aws_cdk import Duration, IgnoreMode, Stack
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra_cdk.build_context import not_code
from infra_cdk.build_network import BuildNetwork
from infra_cdk.findings import acknowledge
from infra_cdk.policies import allow, policy
from infra_cdk.settings import ROOT, Settings

_PLATFORMS: Final = {
    "arm64": (ecs.CpuArchitecture.ARM64, ecr_assets.Platform.LINUX_ARM64),
    "x86_64": (ecs.CpuArchitecture.X86_64, ecr_assets.Platform.LINUX_AMD64),
}
_CONTAINER: Final = "job"
_BUILD_CONTEXT: Final = (
    *("*", "!lambda_src/__init__.py", "!lambda_src/metrics.py", "!lambda_src/tagger"),
    *("!lambda_src/monitor", "!model_build", "model_build/starter"),
    "model_build/requirements-*.txt",
)
"""What the Dockerfile copies, as patterns of a .dockerignore file: a change elsewhere makes no new
image. What is no code is left out besides."""


class BuildJob(Construct):
    """A container of the model_build image, with a role of its own, and its state in a machine.

    All jobs of a stack run the same image. Each has a cluster of its own, so that its state machine
    cannot stop the tasks of another one. A cluster costs nothing.

    Parameters
    ----------
    settings
        With the architecture, and how long logs are kept.
    network
        The network of the jobs.
    title
        Begins the descriptions of the roles, for example `Retraining of Etiquette`.
    cpu
        In 1024ths of a core, one of Fargate's sizes.
    memory_mb
        One of the sizes that Fargate has for that `cpu`.
    policies
        What the job may do, by the names of the inline policies.
    secrets
        Environment variables whose values ECS reads when the job starts.

    Attributes
    ----------
    role
        The role that the job runs with.
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
        title: str,
        cpu: int,
        memory_mb: int,
        policies: Mapping[str, iam.PolicyDocument],
        secrets: Mapping[str, ecs.Secret] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._network = network
        self._title = title
        self._cluster = ecs.Cluster(
            self,
            "Cluster",
            vpc=network.vpc,
            container_insights_v2=ecs.ContainerInsights.ENABLED,
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"),
            description=f"{title}: the job",
            inline_policies=dict(policies),
        )
        self.log_group = self._log_group(self, "Logs")
        self._task = self._task_definition(cpu, memory_mb, dict(secrets or {}))

    def state(self, command: Sequence[str] | str, timeout: Duration) -> dict[str, Any]:
        """Return the state that runs the job and waits for its end, without what follows it.

        Parameters
        ----------
        command
            The words after `python -m model_build`, or a JSONata expression that gives them.
        timeout
            After this time, Step Functions stops the job and the state fails. A limit of the whole
            execution would not count as a failed one.
        """
        return {
            "Type": "Task",
            "Resource": "arn:aws:states:::ecs:runTask.sync",
            "TimeoutSeconds": timeout.to_seconds(),
            "Arguments": {
                "LaunchType": "FARGATE",
                "Cluster": self._cluster.cluster_arn,
                "TaskDefinition": self._task.task_definition_arn,
                "NetworkConfiguration": {
                    "AwsvpcConfiguration": {
                        "Subnets": [each.subnet_id for each in self._network.vpc.public_subnets],
                        "SecurityGroups": [self._network.security_group.security_group_id],
                        "AssignPublicIp": "ENABLED",
                    }
                },
                "Overrides": {"ContainerOverrides": [{"Name": _CONTAINER, "Command": command}]},
            },
        }

    def state_machine(
        self,
        scope: Construct,
        *,
        name: str,
        definition: Mapping[str, Any],
        policies: Mapping[str, iam.PolicyDocument] | None = None,
    ) -> sfn.StateMachine:
        """Create the state machine that runs the job.

        Parameters
        ----------
        scope
            The construct that contains the machine, its role and its log.
        name
            The name of the state machine.
        definition
            The states, in the Amazon States Language.
        policies
            What the machine may do besides running the job.
        """
        role = iam.Role(
            scope,
            "MachineRole",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description=f"{self._title}: the state machine",
            inline_policies={**(policies or {}), "RunJob": self._run_job()},
        )
        machine = sfn.StateMachine(
            scope,
            "Machine",
            state_machine_name=name,
            definition_body=sfn.DefinitionBody.from_string(
                Stack.of(self).to_json_string(definition)
            ),
            role=role,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=self._log_group(scope, "MachineLogs"), level=sfn.LogLevel.ALL
            ),
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
            acknowledge(role, f"IAM5[{finding}]", reason)
        return machine

    def _task_definition(
        self, cpu: int, memory_mb: int, secrets: dict[str, ecs.Secret]
    ) -> ecs.FargateTaskDefinition:
        architecture, platform = _PLATFORMS[self._settings.architecture]
        definition = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=cpu,
            memory_limit_mib=memory_mb,
            task_role=self.role,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=architecture,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        image = ecr_assets.DockerImageAsset(
            self,
            "Image",
            directory=str(ROOT),
            file="model_build/Dockerfile",
            exclude=[*_BUILD_CONTEXT, *not_code(ROOT, "lambda_src", "model_build")],
            ignore_mode=IgnoreMode.DOCKER,
            platform=platform,
        )
        definition.add_container(
            _CONTAINER,
            container_name=_CONTAINER,
            image=ecs.ContainerImage.from_docker_image_asset(image),
            # The variable that boto3 reads.
            environment={"AWS_DEFAULT_REGION": Stack.of(self).region},
            secrets=secrets,
            logging=ecs.LogDrivers.aws_logs(stream_prefix="job", log_group=self.log_group),
        )
        acknowledge(definition, "ECS2", "The only variable is the region, which is not a secret.")
        acknowledge(
            definition.obtain_execution_role(),
            "IAM5[Resource::*]",
            "ecr:GetAuthorizationToken supports no narrower resource.",
        )
        return definition

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
        roles = [self.role.role_arn, self._task.obtain_execution_role().role_arn]
        return policy(
            allow(["ecs:RunTask"], [self._task.task_definition_arn]),
            allow(["ecs:StopTask", "ecs:DescribeTasks"], [tasks]),
            allow(["events:PutTargets", "events:PutRule", "events:DescribeRule"], [rule]),
            allow(["iam:PassRole"], roles),
        )

    def _log_group(self, scope: Construct, construct_id: str) -> logs.LogGroup:
        return logs.LogGroup(
            scope,
            construct_id,
            retention=self._settings.log_retention,
            removal_policy=self._settings.removal_policy,
        )
