"""The stack: it composes the constructs and outputs what people and scripts need to know."""

from dataclasses import replace

from aws_cdk import CfnOutput, Stack, Tags
from constructs import Construct

from infra_cdk.api_function import ApiFunction, PrincipalKey
from infra_cdk.archive_scoring import ArchiveScoring
from infra_cdk.audit import Audit
from infra_cdk.budget import MonthlyBudget
from infra_cdk.build_network import BuildNetwork
from infra_cdk.cloudfront_front import CloudFrontFront, OriginSecret
from infra_cdk.emulator import give_tasks_credentials, switch_off_unsupported
from infra_cdk.event_store import EventStore
from infra_cdk.function import FolderFunction
from infra_cdk.http_front import HttpFront
from infra_cdk.model import Model
from infra_cdk.monitor import Monitor, report_url
from infra_cdk.observability import Observability
from infra_cdk.recorded_settings import settings_outputs
from infra_cdk.retraining import Retraining
from infra_cdk.rollout import Rollout
from infra_cdk.settings import Settings


class EtiquetteStack(Stack):
    """Everything that one deployment of Etiquette consists of.

    Attributes
    ----------
    watch_groups
        Everything that raises an alarm, in the order of the runbook.
    """

    def __init__(self, scope: Construct, *, settings: Settings) -> None:
        super().__init__(
            scope,
            settings.stack_name,
            description="Etiquette: tag suggestions for a question as it is being written",
            termination_protection=settings.protected,
        )
        model = Model(
            self,
            "Model",
            path=settings.model,
            report=settings.report,
            signing_key=settings.signing_key,
        )
        secret = OriginSecret(self, "OriginSecret") if settings.web_acl_arn else None
        event_store = EventStore(self, "EventStore", settings=settings)
        principal_key = PrincipalKey(self, "PrincipalKey") if settings.limits_principals else None
        function = ApiFunction(
            self,
            "Function",
            settings=settings,
            model=model,
            event_store=event_store,
            origin_secret=secret.reference if secret else None,
            principal_key=principal_key.reference if principal_key else None,
        )
        front_settings = settings
        if secret is not None:
            # With CloudFront in front, the domain name is CloudFront's and not the API's.
            front_settings = replace(
                settings, domain_name=None, certificate_arn=None, hosted_zone_id=None
            )
        front = HttpFront(self, "Http", settings=front_settings, alias=function.alias)
        event_store.collect(function.log_group)
        Monitor(self, "Monitor", settings=settings, bucket=event_store.bucket, model=model)
        rollout = Rollout(self, "Rollout", settings=settings, alias=function.alias)
        observability = Observability(
            self,
            "Observability",
            settings=settings,
            http_api=front.http_api,
            api_function=function,
            access_log=front.access_log,
            held_out=model.identity.held_out,
            report_url=report_url(self, event_store.bucket),
        )
        self.watch_groups = (*observability.groups, rollout.watches)
        job_outputs = self._jobs(settings, model, function, event_store, observability)
        archive_outputs = {}
        if settings.archive_scoring:
            archive = ArchiveScoring(self, "ArchiveScoring", settings=settings, model=model)
            archive_outputs = {
                "ArchiveMachine": archive.machine.state_machine_arn,
                "ArchiveBucket": archive.bucket.bucket_name,
            }
        if settings.alarm_email is not None and settings.monthly_budget_usd:
            MonthlyBudget(
                self,
                "Budget",
                usd=settings.monthly_budget_usd,
                email=settings.alarm_email,
            )
        cloudfront_outputs = {}
        if secret is not None:
            cloudfront = CloudFrontFront(
                self, "CloudFront", settings=settings, http_api=front.http_api, secret=secret
            )
            cloudfront_outputs["ApiUrl"] = cloudfront.url
        Tags.of(self).add("service", settings.service)
        Tags.of(self).add("environment", settings.environment)
        log_groups = {
            each.log_group_output: each.log_group.log_group_name
            for each in self.node.find_all()
            if isinstance(each, FolderFunction)
        }
        outputs = {
            **front.outputs,
            **cloudfront_outputs,
            **job_outputs,
            **archive_outputs,
            "BusinessDashboardUrl": observability.dashboard_urls["Business"],
            "QualityDashboardUrl": observability.dashboard_urls["Quality"],
            "ResourcesDashboardUrl": observability.dashboard_urls["Resources"],
            "Auth": settings.auth,
            **settings_outputs(settings),
            "ModelVersion": model.identity.version,
            "ModelSha256": model.identity.sha256,
            "FunctionAlias": function.alias.function_arn,
            "EventStoreBucket": event_store.bucket.bucket_name,
            "AccessLogGroup": front.access_log.log_group_name,
            "PageTopic": observability.page_topic.topic_arn,
            "TicketTopic": observability.ticket_topic.topic_arn,
            **log_groups,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
        if settings.emulated:
            switch_off_unsupported(self)
            give_tasks_credentials(self)

    def _jobs(
        self,
        settings: Settings,
        model: Model,
        function: ApiFunction,
        event_store: EventStore,
        observability: Observability,
    ) -> dict[str, str]:
        """Add what runs the model_build image; return the outputs of it."""
        if not settings.retraining and settings.audit_site is None:
            return {}
        network = BuildNetwork(self, "BuildNetwork")
        outputs: dict[str, str] = {}
        candidates = None
        if settings.retraining:
            retraining = Retraining(
                self,
                "Retraining",
                settings=settings,
                network=network,
                model=model,
                topic=observability.ticket_topic,
                topic_key=observability.topic_key,
            )
            candidates = retraining.bucket
            outputs |= {
                "RetrainingMachine": retraining.machine.state_machine_arn,
                "RetrainingBucket": retraining.bucket.bucket_name,
                "RetrainingTable": retraining.table.table_name,
                "RetrainingLogGroup": retraining.log_group.log_group_name,
            }
        if settings.audit_site is not None:
            audit = Audit(
                self,
                "Audit",
                settings=settings,
                site=settings.audit_site,
                network=network,
                alias=function.alias,
                model=model,
                event_store=event_store.bucket,
                candidates=candidates,
            )
            outputs |= {
                "AuditMachine": audit.machine.state_machine_arn,
                "AuditLogGroup": audit.log_group.log_group_name,
            }
        return outputs
