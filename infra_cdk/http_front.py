"""The HTTP front: an API Gateway HTTP API that sends requests to the alias `live`."""

import json
from collections.abc import Iterable
from typing import Final

from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_certificatemanager as certificates
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as route53_targets
from constructs import Construct, IConstruct

from infra_cdk.settings import Settings, Throttle

# Without the caller's address, user agent and query string: the log must not identify a person.
ACCESS_LOG_FORMAT: Final = json.dumps(
    {
        "requestId": "$context.requestId",
        "time": "$context.requestTime",
        "route": "$context.routeKey",
        "method": "$context.httpMethod",
        "path": "$context.path",
        "status": "$context.status",
        "responseLength": "$context.responseLength",
        "latencyMs": "$context.responseLatency",
        "functionLatencyMs": "$context.integrationLatency",
        "functionStatus": "$context.integrationStatus",
        "error": "$context.error.message",
        "functionError": "$context.integrationErrorMessage",
        "authorizerError": "$context.authorizer.error",
        "integrationRequestId": "$context.integration.requestId",
    }
)


_PREFLIGHTS: Final = ("/", "/{proxy+}")
_PAGES: Final = ("/", "/page.css", "/page.js", "/docs", "/openapi.json")


class HttpFront(Construct):
    """An HTTP API that sends every request to the function, which does the routing.

    API Gateway itself knows only the routes that it treats differently: those with a throttle of
    their own, and those that need no authorization where the others do.

    Attributes
    ----------
    http_api
        The API. Its metrics describe what callers experience.
    outputs
        The stack's outputs: the URL of the API and, with a domain name, where its DNS records
        point.
    access_log
        The log of requests and answers, without personal data.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, alias: lambda_.Alias
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._integration = integrations.HttpLambdaIntegration("Live", alias)
        self.http_api = apigateway.HttpApi(
            self,
            "Api",
            api_name=settings.stack_name,
            description="Tag suggestions for a question as it is being written",
            default_integration=self._integration,
            default_authorizer=_authorizer(settings),
            create_default_stage=False,
            disable_execute_api_endpoint=settings.disable_execute_api_endpoint,
        )
        throttled = {
            "/predict/batch": settings.batch_throttle,
            "/feedback": settings.feedback_throttle,
        }
        routes = [
            route for path in throttled for route in self._add(path, apigateway.HttpMethod.POST)
        ]
        if settings.auth == "none":
            default = self.http_api.node.find_child("DefaultRoute")
            _acknowledge_open([default, *routes], "The API needs no authorization (auth=none)")
        else:
            self._add_open_routes()
        stage = self._stage(throttled)
        stage.node.add_dependency(*routes)
        self.outputs = self._domain_outputs(stage)
        if not settings.disable_execute_api_endpoint:
            own = "ExecuteApiUrl" if settings.domain_name else "ApiUrl"
            self.outputs[own] = self.http_api.api_endpoint

    def _add(
        self,
        path: str,
        method: apigateway.HttpMethod,
        authorizer: apigateway.IHttpRouteAuthorizer | None = None,
    ) -> list[apigateway.HttpRoute]:
        return self.http_api.add_routes(
            path=path, methods=[method], integration=self._integration, authorizer=authorizer
        )

    def _add_open_routes(self) -> None:
        """Add the routes that need no authorization while the others do.

        Before a browser sends a token, it asks for permission with OPTIONS, which carries none.
        """
        no_authorization = apigateway.HttpNoneAuthorizer()
        if self._settings.cors_origins:
            for path in _PREFLIGHTS:
                _acknowledge_open(
                    self._add(path, apigateway.HttpMethod.OPTIONS, no_authorization),
                    "A preflight request carries no credentials; its answer is a list of headers",
                )
        if self._settings.open_pages:
            for path in _PAGES:
                get, head = apigateway.HttpMethod.GET, apigateway.HttpMethod.HEAD
                _acknowledge_open(
                    [
                        *self._add(path, get, no_authorization),
                        *self._add(path, head, no_authorization),
                    ],
                    "The web page and the documentation are open on purpose (open_pages): they "
                    "contain no data of anybody",
                )

    def _stage(self, throttled: dict[str, Throttle]) -> apigateway.HttpStage:
        settings = self._settings
        self.access_log = logs.LogGroup(
            self,
            "AccessLog",
            # The account's resource policy for log delivery has at most 5,120 characters. All log
            # groups with this prefix share one entry ("Logs sent to CloudWatch Logs",
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-CWL.html).
            log_group_name=f"/aws/vendedlogs/{settings.stack_name}-access",
            retention=settings.log_retention,
            removal_policy=settings.removal_policy,
        )
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.http_api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(
                rate_limit=settings.throttle.rate, burst_limit=settings.throttle.burst
            ),
        )
        cfn_stage = stage.node.default_child
        if not isinstance(cfn_stage, apigateway.CfnStage):
            raise TypeError(
                "HttpStage has no CfnStage as its default child: adapt infra_cdk/http_front.py to "
                "this version of aws-cdk-lib"
            )
        cfn_stage.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=self.access_log.log_group_arn, format=ACCESS_LOG_FORMAT
        )
        cfn_stage.route_settings = {
            f"POST {path}": {
                "ThrottlingRateLimit": throttle.rate,
                "ThrottlingBurstLimit": throttle.burst,
            }
            for path, throttle in throttled.items()
        }
        return stage

    def _domain_outputs(self, stage: apigateway.HttpStage) -> dict[str, str]:
        """Give the API its domain name, if there is one, and return the outputs about it.

        References
        ----------
        https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-custom-domain-names.html
        """
        settings = self._settings
        if settings.domain_name is None or settings.certificate_arn is None:
            return {}
        domain = apigateway.DomainName(
            self,
            "Domain",
            domain_name=settings.domain_name,
            certificate=certificates.Certificate.from_certificate_arn(
                self, "Certificate", settings.certificate_arn
            ),
            security_policy=apigateway.SecurityPolicy.TLS_1_2,
        )
        apigateway.ApiMapping(self, "Mapping", api=self.http_api, domain_name=domain, stage=stage)
        if settings.hosted_zone_id is not None:
            self._add_dns_records(domain, settings.hosted_zone_id)
        return {
            "ApiUrl": f"https://{settings.domain_name}",
            "DomainTarget": domain.regional_domain_name,
            "DomainTargetZoneId": domain.regional_hosted_zone_id,
        }

    def _add_dns_records(self, domain: apigateway.DomainName, hosted_zone_id: str) -> None:
        zone = route53.HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id=hosted_zone_id, zone_name=str(self._settings.domain_name)
        )
        target = route53.RecordTarget.from_alias(
            route53_targets.ApiGatewayv2DomainProperties(
                domain.regional_domain_name, domain.regional_hosted_zone_id
            )
        )
        # A record without a name of its own gets the name of the zone, which is the API's.
        for record in (route53.ARecord, route53.AaaaRecord):
            record(self, record.__name__, zone=zone, target=target)


def _authorizer(settings: Settings) -> apigateway.IHttpRouteAuthorizer | None:
    if settings.auth == "iam":
        return authorizers.HttpIamAuthorizer()
    if settings.auth == "jwt" and settings.jwt_issuer is not None:
        return authorizers.HttpJwtAuthorizer(
            "Jwt", settings.jwt_issuer, jwt_audience=list(settings.jwt_audiences)
        )
    return None


def _acknowledge_open(routes: Iterable[IConstruct], reason: str) -> None:
    for route in routes:
        Validations.of(route).acknowledge(
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-APIG4",
                reason=f"{reason}. The throttles limit all callers together.",
            )
        )
