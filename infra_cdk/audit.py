"""The audit: a state machine that measures the live model on a site's newest questions every day.

docs/decisions/0043-audit-on-fargate.md gives the reasons.
"""

import json
from typing import Any, Final

from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra_cdk.build_job import BuildJob
from infra_cdk.build_network import BuildNetwork
from infra_cdk.event_store import explain_wildcards
from infra_cdk.model import Model
from infra_cdk.policies import allow, policy
from infra_cdk.retraining import CANDIDATES
from infra_cdk.settings import Settings

FOLDER: Final = "audits"
"""The folder of the event store that the audit writes and the monitor reads."""
_CPU: Final = 512
_MEMORY_MB: Final = 2048
_LONGEST: Final = Duration.hours(2)
"""Of one attempt. 2,500 questions take some minutes, and waiting for the API may take an hour."""
_ATTEMPTS: Final = 4
_BETWEEN: Final = Duration.hours(3)
"""Between two attempts. A ban of the API's client ends within minutes or on the next day, and each
attempt has another address. All attempts together take less than a day, so that the next run does
not begin before this one has ended."""


class Audit(Construct):
    """A state machine that a schedule starts every day.

    It runs `python -m model_build audit` on Fargate, and repeats it if it fails. The job invokes
    the alias and not the API: it needs no token, and the permission to invoke is the whole
    authorization. The alarm of `infra_cdk/observability/quality.py` is about what the monitor finds
    in the event store, so it notices an audit that does not start, too.

    Parameters
    ----------
    settings
        With `audit_key_parameter`, if there is one.
    site
        The Stack Exchange site whose questions are asked.
    network
        The network of the job.
    alias
        The alias of the function that answers.
    model
        The model that is live.
    event_store
        The bucket that gets the audit's lines.
    candidates
        The bucket of the retraining, if there is one. The job may read its candidates, so that an
        operator can compare one with the live model.

    Attributes
    ----------
    machine
        The state machine. Its input may have `options`, a list of more words for the command.
    log_group
        The log of the job.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        site: str,
        network: BuildNetwork,
        alias: lambda_.Alias,
        model: Model,
        event_store: s3.IBucket,
        candidates: s3.IBucket | None,
    ) -> None:
        super().__init__(scope, construct_id)
        job = BuildJob(
            self,
            "Job",
            settings=settings,
            network=network,
            title="Audit of Etiquette",
            cpu=_CPU,
            memory_mb=_MEMORY_MB,
            policies={
                "AskLive": policy(allow(["lambda:InvokeFunction"], [alias.function_arn])),
                "ReadModel": policy(model.read_statement()),
                "WriteAudit": policy(
                    allow(["s3:PutObject"], [event_store.arn_for_objects(f"{FOLDER}/*")])
                ),
                **_read_candidates(candidates),
            },
            secrets=self._secrets(settings.audit_key_parameter),
        )
        explain_wildcards(job.role, event_store, (FOLDER,))
        if candidates is not None:
            explain_wildcards(job.role, candidates, (CANDIDATES,))
        command = [
            *("audit", "--site", site, "--fetch-synonyms"),
            *("--function", alias.function_arn, "--model", model.url),
            *("--store", f"s3://{event_store.bucket_name}"),
        ]
        self.log_group = job.log_group
        self.machine = job.state_machine(
            self,
            name=f"{settings.stack_name}-audit",
            definition=_definition(job, command),
        )
        events.Rule(
            self,
            "Schedule",
            description="Audits the live model",
            schedule=events.Schedule.cron(hour="4", minute="30"),
            targets=[
                targets.SfnStateMachine(
                    self.machine, input=events.RuleTargetInput.from_object({"options": []})
                )
            ],
        )

    def _secrets(self, key_parameter: str | None) -> dict[str, ecs.Secret]:
        """Return the key of the Stack Exchange API as the variable that the command reads."""
        if key_parameter is None:
            return {}
        parameter = ssm.StringParameter.from_secure_string_parameter_attributes(
            self, "Key", parameter_name=key_parameter
        )
        return {"STACK_EXCHANGE_KEY": ecs.Secret.from_ssm_parameter(parameter)}


def _read_candidates(bucket: s3.IBucket | None) -> dict[str, iam.PolicyDocument]:
    if bucket is None:
        return {}
    read = allow(["s3:GetObject"], [bucket.arn_for_objects(f"{CANDIDATES}/*")])
    return {"ReadCandidates": policy(read)}


def _definition(job: BuildJob, command: list[str]) -> dict[str, Any]:
    """Return the state machine in the Amazon States Language, with JSONata."""
    options = "$exists($states.input.options) ? $states.input.options : []"
    words = f"{{% $append({json.dumps(command)}, {options}) %}}"
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Audit",
        "States": {
            "Audit": {
                **job.state(words, _LONGEST),
                "Retry": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        "IntervalSeconds": _BETWEEN.to_seconds(),
                        "BackoffRate": 1,
                        "MaxAttempts": _ATTEMPTS - 1,
                    }
                ],
                # What Step Functions says about the task may be longer than an output may be.
                "Output": {},
                "End": True,
            }
        },
    }
