r"""A probe of the API from outside AWS's region: a health check of Route 53 and its alarm.

It is a separate stack in us-east-1, where Route 53 publishes its metrics whatever it probes
("Monitoring health checks using CloudWatch",
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html):

    scripts/cdk deploy --app ".venv/bin/python -m infra_cdk.probe" \\
      -c environment=prod -c host=tags.example.org -c alarm_email=you@example.org
"""

import re
import sys
from typing import Any, Final

from aws_cdk import App, CfnOutput, Duration, Environment, RemovalPolicy, Stack, Tags, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_sns as sns
from cdk_nag import AwsSolutionsChecks
from constructs import Construct

from infra_cdk.observability.certificate import certificate_expiry
from infra_cdk.observability.topic import AlarmTopics
from infra_cdk.observability.watch import Fixed, Severity, Watch, WatchGroup
from infra_cdk.recorded_settings import given_outputs
from infra_cdk.settings import SettingsError

REGION: Final = "us-east-1"
_SECONDS: Final = 30
_REGIONS: Final = ("us-east-1", "eu-west-1", "ap-southeast-1")
"""Where the health checkers are: the fewest regions that Route 53 accepts."""
_HOST: Final = r"([a-z0-9-]{1,63}\.)+[a-z]{2,63}"


def reachability(metric: cloudwatch.Metric) -> WatchGroup:
    """Declare the alarm.

    Parameters
    ----------
    metric
        1 while Route 53 considers the API healthy, 0 otherwise.
    """
    return WatchGroup(
        question="Can it be reached?",
        introduction="""\
This alarm belongs to the optional stack of `infra_cdk/probe.py`, which is in us-east-1 and has a
page topic of its own.""",
        watches=[
            Watch(
                name="Public probe",
                severity=Severity.PAGE,
                metric=metric,
                limit=Fixed(cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD, 1),
                to_alarm=3,
                periods=3,
                missing=cloudwatch.TreatMissingData.BREACHING,
                meaning="From outside of AWS, the public address has not answered with status 200 "
                "for three minutes. The heartbeat, which asks the function directly, cannot see "
                "this.",
                first_command='curl -iv "$API/health"   # which step fails: name, TLS, HTTP?',
                advice=[
                    "Service down is raised, too: begin there.",
                    "The name does not resolve, or to another address: see the outputs of the "
                    "stack for the target, and the DNS records of the domain.",
                    "TLS fails: see Certificate expiry.",
                    "401 or 403: the path that is probed needs a token. Deploy the probe with "
                    "`-c path=/` and the service with `open_pages`.",
                    "429: callers use up the throttle, and the probe counts as one of them.",
                ],
            )
        ],
    )


class Probe(Stack):
    """A health check of the public address, and an alarm that pages.

    Attributes
    ----------
    watches
        The alarm, as a section of the runbook.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        host: str,
        alarm_email: str,
        environment: str = "prod",
        service: str = "etiquette",
        path: str = "/health",
        certificate_arn: str | None = None,
    ) -> None:
        """Create the health check.

        Parameters
        ----------
        scope
            The app.
        host
            The host name of the public address, which is the stack's output `ApiUrl` without
            `https://`.
        alarm_email
            The address that receives the pages.
        environment, service
            Name the deployment that is probed.
        path
            The path that must answer with a status from 200 to 399, without a token.
        certificate_arn
            The certificate of CloudFront, which this stack then watches. A health check accepts an
            expired one ("How Route 53 determines whether a health check is healthy",
            https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html).

        Raises
        ------
        SettingsError
            If the host is not a host name, the path does not begin with a slash, or the certificate
            is in another region.
        """
        deployment = f"{service}-{environment}"
        super().__init__(
            scope,
            f"{deployment}-probe",
            env=Environment(region=REGION),
            description=f"Etiquette: probes {host} from outside",
        )
        if not re.fullmatch(_HOST, host):
            raise SettingsError(
                f"host is {host!r}: pass a host name, for example -c host=tags.example.org"
            )
        if not path.startswith("/"):
            raise SettingsError(f"path is {path!r}, but it must begin with a slash")
        if certificate_arn and not certificate_arn.startswith(f"arn:aws:acm:{REGION}:"):
            raise SettingsError(
                f"certificate_arn is {certificate_arn!r}, which is not in {REGION}. The stack of "
                "the service watches a certificate of API Gateway itself"
            )
        check = route53.CfnHealthCheck(
            self,
            "Check",
            health_check_config=route53.CfnHealthCheck.HealthCheckConfigProperty(
                type="HTTPS",
                fully_qualified_domain_name=host,
                port=443,
                resource_path=path,
                enable_sni=True,
                request_interval=_SECONDS,
                failure_threshold=3,
                regions=list(_REGIONS),
            ),
        )
        self.watches = reachability(
            cloudwatch.Metric(
                namespace="AWS/Route53",
                metric_name="HealthCheckStatus",
                dimensions_map={"HealthCheckId": check.attr_health_check_id},
                statistic=cloudwatch.Stats.MINIMUM,
                period=Duration.minutes(1),
                label="healthy",
            )
        )
        topics = AlarmTopics(self, "Topics", name=deployment, removal_policy=RemovalPolicy.DESTROY)
        topic = topics.add(Severity.PAGE, alarm_email)
        for watch in self.watches.watches:
            if isinstance(watch, Watch):
                self._notify(watch.alarm(self, deployment), topic)
        if certificate_arn is not None:
            tickets = topics.add(Severity.TICKET, alarm_email)
            self._notify(certificate_expiry(certificate_arn).alarm(self, deployment), tickets)
            CfnOutput(self, "TicketTopic", value=tickets.topic_arn)
        Tags.of(self).add("service", service)
        Tags.of(self).add("environment", environment)
        CfnOutput(self, "PageTopic", value=topic.topic_arn)

    def _notify(self, alarm: cloudwatch.Alarm, topic: sns.ITopic) -> None:
        alarm.add_alarm_action(actions.SnsAction(topic))
        alarm.add_ok_action(actions.SnsAction(topic))


def main() -> None:
    """Synthesize the stack for the settings in the CDK context."""
    app = App()
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    names = ("host", "alarm_email", "environment", "service", "path", "certificate_arn")
    found, outputs = given_outputs(app.node, names)
    given: dict[str, Any] = dict(found)
    missing = [name for name in ("host", "alarm_email") if name not in given]
    if missing:
        sys.exit(f"etiquette: pass -c {missing[0]}=..., which the probe needs")
    try:
        probe = Probe(app, **given)
    except SettingsError as error:
        sys.exit(f"etiquette: {error}")
    for name, value in outputs.items():
        CfnOutput(probe, name, value=value)
    app.synth()


if __name__ == "__main__":
    main()
