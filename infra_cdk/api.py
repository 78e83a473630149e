"""The HTTP front: API Gateway's HTTP API before the alias `live`."""

import json
from typing import Final

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra_cdk.settings import Settings

# No caller's address, agent or query string: nothing in the access log points to a person.
ACCESS_LOG_FORMAT: Final = json.dumps(
    {
        "requestId": "$context.requestId",
        "time": "$context.requestTime",
        "method": "$context.httpMethod",
        "path": "$context.path",
        "status": "$context.status",
        "responseLength": "$context.responseLength",
        "latencyMs": "$context.responseLatency",
        "functionLatencyMs": "$context.integrationLatency",
        "functionStatus": "$context.integrationStatus",
        "error": "$context.error.message",
        "functionError": "$context.integrationErrorMessage",
    }
)


class HttpFront(Construct):
    """One HTTP API that hands every route to the function, which knows them.

    Attributes
    ----------
    http_api
        The API: its endpoint is what clients call, its metrics are what they feel.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, alias: lambda_.Alias
    ) -> None:
        super().__init__(scope, construct_id)
        self.http_api = apigateway.HttpApi(
            self,
            "Api",
            description="Tag suggestions for a question as it is being written",
            default_integration=integrations.HttpLambdaIntegration("Live", alias),
            create_default_stage=False,
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
        access_log = logs.LogGroup(
            self,
            "AccessLog",
            retention=settings.log_retention,
            removal_policy=settings.removal_policy,
        )
        cfn_stage = stage.node.default_child
        if not isinstance(cfn_stage, apigateway.CfnStage):
            raise TypeError("an HttpStage has no CfnStage inside: aws-cdk-lib has changed")
        cfn_stage.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=access_log.log_group_arn, format=ACCESS_LOG_FORMAT
        )
