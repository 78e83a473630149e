"""The alarm on a certificate that nobody renews."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra_cdk.observability.watch import Fixed, Watch

_RENEWAL_LATE_DAYS: Final = 30
"""ACM renews a certificate of its own 45 days before it expires, or earlier."""


def certificate_expiry(arn: str) -> Watch:
    """Declare the alarm on a certificate of ACM, which must be in the region of the alarm.

    ACM publishes the metric twice a day ("Supported CloudWatch metrics",
    https://docs.aws.amazon.com/acm/latest/userguide/cloudwatch-metrics.html).
    """
    return Watch(
        name="Certificate expiry",
        metric=cloudwatch.Metric(
            namespace="AWS/CertificateManager",
            metric_name="DaysToExpiry",
            dimensions_map={"CertificateArn": arn},
            statistic=cloudwatch.Stats.MINIMUM,
            period=Duration.days(1),
            label="days to expiry",
        ),
        limit=Fixed(cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD, _RENEWAL_LATE_DAYS),
        to_alarm=1,
        periods=1,
        meaning="The certificate of the domain name expires within a month. ACM should have "
        "renewed it already.",
        first_command="aws acm list-certificates --query "
        "'CertificateSummaryList[].[DomainName, NotAfter, RenewalEligibility]'",
        advice=[
            "ACM renews by itself while the DNS record that proved the domain's ownership "
            "exists. Put it back: `aws acm describe-certificate` shows it.",
            "An imported certificate is never renewed: import a new one under the same ARN.",
            "A certificate of CloudFront is in us-east-1: add `--region us-east-1`.",
        ],
    )
