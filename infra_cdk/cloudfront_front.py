"""CloudFront in front of the HTTP API, with a web ACL that limits each client. By setting.

The web ACL is a stack of its own (infra_cdk/web_acl.py): for CloudFront, it must be in us-east-1.
See docs/decisions/0022-cloudfront-with-origin-secret.md.
"""

from typing import Final

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_certificatemanager as certificates
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as route53_targets
from constructs import Construct

from infra_cdk.generated_secret import GeneratedSecret
from infra_cdk.settings import Settings

ORIGIN_HEADER: Final = "x-origin-secret"
"""The header that lambda_src/api/middleware.py checks."""


class OriginSecret(GeneratedSecret):
    """The secret that CloudFront sends and the function requires."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Etiquette: what CloudFront sends to the API, so that it refuses others",
            why_not_rotated="CloudFormation would not notice a rotated value, so that CloudFront "
            "and the function would keep the old one. docs/operate.md describes how to replace it.",
        )


class CloudFrontFront(Construct):
    """A distribution that sends every request to the HTTP API and caches nothing.

    Attributes
    ----------
    url
        The public URL of the service.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        http_api: apigateway.HttpApi,
        secret: OriginSecret,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self._settings = settings
        certificate = (
            certificates.Certificate.from_certificate_arn(
                self, "Certificate", settings.certificate_arn
            )
            if settings.certificate_arn is not None
            else None
        )
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"{settings.stack_name}: limits each client in front of the HTTP API",
            web_acl_id=settings.web_acl_arn,
            certificate=certificate,
            domain_names=[settings.domain_name] if settings.domain_name else None,
            # Without a certificate of our own, CloudFront fixes the oldest TLS version itself.
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021
            if certificate
            else None,
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.HttpOrigin(
                    f"{http_api.api_id}.execute-api.{stack.region}.{stack.url_suffix}",
                    protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
                    origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
                    custom_headers={ORIGIN_HEADER: secret.reference},
                ),
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
                # Answers depend on the caller's token, so that none may be shared.
                cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                # API Gateway finds the API by the host's name, which must be its own.
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            ),
        )
        _acknowledge(distribution, has_certificate=certificate is not None)
        if settings.hosted_zone_id is not None:
            self._add_dns_records(distribution, settings.hosted_zone_id)
        self.url = f"https://{settings.domain_name or distribution.distribution_domain_name}"

    def _add_dns_records(self, distribution: cloudfront.Distribution, hosted_zone_id: str) -> None:
        zone = route53.HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id=hosted_zone_id, zone_name=str(self._settings.domain_name)
        )
        target = route53.RecordTarget.from_alias(route53_targets.CloudFrontTarget(distribution))
        # A record without a name of its own gets the name of the zone, which is the service's.
        for record in (route53.ARecord, route53.AaaaRecord):
            record(self, record.__name__, zone=zone, target=target)


def _acknowledge(distribution: cloudfront.Distribution, *, has_certificate: bool) -> None:
    Validations.of(distribution).acknowledge(
        Acknowledgment(
            id="AwsSolutions::AwsSolutions-CFR1",
            reason="The service is for callers of every country.",
        ),
        Acknowledgment(
            id="AwsSolutions::AwsSolutions-CFR3",
            reason="API Gateway logs every request that is let through, without personal data. "
            "CloudFront's log would add the callers' addresses; the web ACL has metrics and keeps "
            "samples of what it blocks.",
        ),
    )
    if not has_certificate:
        Validations.of(distribution).acknowledge(
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-CFR4",
                reason="CloudFront's own certificate, for *.cloudfront.net, fixes the oldest TLS "
                "version. With a domain name and its certificate, the oldest is TLS 1.2.",
            )
        )
