"""The web ACL for CloudFront: limits for each client. A stack of its own, in us-east-1.

AWS requires that region for CloudFront, wherever the API is. Deploy it once per account, and give
the ARN that it outputs to the service's own stack:

    scripts/cdk deploy --app ".venv/bin/python -m infra_cdk.web_acl"
    scripts/release ... -c web_acl_arn=ARN
"""

import json
from typing import Any, Final

from aws_cdk import App, CfnOutput, Environment, Stack, Tags, Validations
from aws_cdk import aws_wafv2 as wafv2
from cdk_nag import AwsSolutionsChecks
from constructs import Construct

REGION: Final = "us-east-1"
"""https://docs.aws.amazon.com/waf/latest/developerguide/how-aws-waf-works-resources.html"""
WINDOW_SECONDS: Final = 300
REQUESTS_PER_ADDRESS: Final = 1000
"""In `WINDOW_SECONDS`. The page sends at most one or two requests a second while a person types,
and several people may share an address."""
COSTLY_REQUESTS_PER_ADDRESS: Final = 50
"""The same for `COSTLY_PATHS`, where one request is a hundred questions, or feedback that models
are judged by."""
COSTLY_PATHS: Final = ("/predict/batch", "/feedback")
_TOO_MANY: Final = "TooManyRequests"


class WebAcl(Stack):
    """Blocks addresses with a bad reputation, and too many requests from one address.

    It does not inspect content. AWS's common rules look for HTML, SQL and shell commands, which is
    what people ask questions about.
    """

    def __init__(self, scope: Construct, *, service: str = "etiquette") -> None:
        super().__init__(
            scope,
            f"{service}-web-acl",
            env=Environment(region=REGION),
            description="Etiquette: limits for each client, for CloudFront",
        )
        costly = wafv2.CfnWebACL.StatementProperty(
            or_statement=wafv2.CfnWebACL.OrStatementProperty(
                statements=[_path_is(path) for path in COSTLY_PATHS]
            )
        )
        acl = wafv2.CfnWebACL(
            self,
            "WebAcl",
            scope="CLOUDFRONT",
            description="Limits for each client",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visibility(f"{service}-web-acl"),
            custom_response_bodies={
                _TOO_MANY: wafv2.CfnWebACL.CustomResponseBodyProperty(
                    content_type="APPLICATION_JSON", content=_too_many_requests()
                )
            },
            rules=[
                wafv2.CfnWebACL.RuleProperty(
                    name="BadReputation",
                    priority=0,
                    statement=wafv2.CfnWebACL.StatementProperty(
                        managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                            vendor_name="AWS", name="AWSManagedRulesAmazonIpReputationList"
                        )
                    ),
                    override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
                    visibility_config=_visibility("BadReputation"),
                ),
                _limit("CostlyRequests", 1, COSTLY_REQUESTS_PER_ADDRESS, costly),
                _limit("AllRequests", 2, REQUESTS_PER_ADDRESS, None),
            ],
        )
        Tags.of(self).add("service", service)
        CfnOutput(self, "WebAclArn", value=acl.attr_arn)


_HEADERS: Final = {
    "retry-after": str(WINDOW_SECONDS),
    # Code of a web page can read the answer. The web ACL does not know the origins that the service
    # allows (cors_origins), but the answer is the same for everybody.
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "retry-after",
}
"""Of the answer to a client that sends too many requests ("Sending custom responses for Block
actions", https://docs.aws.amazon.com/waf/latest/developerguide/customizing-the-response-for-blocked-requests.html)."""


def _limit(
    name: str,
    priority: int,
    requests: int,
    statement: wafv2.CfnWebACL.StatementProperty | None,
) -> wafv2.CfnWebACL.RuleProperty:
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=wafv2.CfnWebACL.StatementProperty(
            rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP",
                limit=requests,
                evaluation_window_sec=WINDOW_SECONDS,
                scope_down_statement=statement,
            )
        ),
        action=wafv2.CfnWebACL.RuleActionProperty(
            block=wafv2.CfnWebACL.BlockActionProperty(
                custom_response=wafv2.CfnWebACL.CustomResponseProperty(
                    response_code=429,
                    custom_response_body_key=_TOO_MANY,
                    response_headers=[
                        wafv2.CfnWebACL.CustomHTTPHeaderProperty(name=header, value=value)
                        for header, value in _HEADERS.items()
                    ],
                )
            )
        ),
        visibility_config=_visibility(name),
    )


def _path_is(path: str) -> wafv2.CfnWebACL.StatementProperty:
    return wafv2.CfnWebACL.StatementProperty(
        byte_match_statement=wafv2.CfnWebACL.ByteMatchStatementProperty(
            field_to_match=wafv2.CfnWebACL.FieldToMatchProperty(uri_path={}),
            positional_constraint="EXACTLY",
            search_string=path,
            text_transformations=[
                wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="URL_DECODE")
            ],
        )
    )


def _visibility(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )


def _too_many_requests() -> str:
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "Your address has sent too many requests in the last five minutes. Wait for "
        "some minutes, and send fewer requests.",
    }
    return json.dumps(problem)


def compose(app: App, service: str = "etiquette") -> WebAcl:
    """Add the stack to an app that checks it against the AwsSolutions rules of cdk-nag."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return WebAcl(app, service=service)


def main() -> None:
    """Synthesize the stack for the service in the CDK context (`-c service=NAME`)."""
    app = App()
    compose(app, str(app.node.try_get_context("service") or "etiquette"))
    app.synth()


if __name__ == "__main__":
    main()
