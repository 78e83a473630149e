"""Saved queries of CloudWatch Logs Insights: the questions that an operator asks first."""

from typing import Final

from aws_cdk import aws_logs as logs
from constructs import Construct

SLOWEST: Final = """\
fields time, method, path, status, latencyMs, functionLatencyMs, requestId
| sort latencyMs desc
| limit 50"""
FAILURES: Final = """\
filter event_type = "failure" or @message like /cannot start|Task timed out|Traceback/
| fields @timestamp, kind, place.0, correlation_id, function_request_id, @message
| sort @timestamp desc
| limit 100"""
BY_VERSION: Final = """\
filter event_type = "prediction"
| parse @logStream /\\[(?<version>[^\\]]+)\\]/
| stats count(*) as predictions, avg(top_confidence) as confidence, pct(latency_ms, 99) as p99_ms
  by version, model_version"""
BY_ROUTE_AND_STATUS: Final = """\
stats count(*) as requests, pct(latencyMs, 50) as p50_ms, pct(latencyMs, 99) as p99_ms
  by route, path, status
| sort requests desc"""
BY_REQUEST_ID: Final = """\
fields coalesce(integrationRequestId, function_request_id, @requestId) as id
| filter ispresent(id)
| stats min(@timestamp) as at, max(path) as asked, max(status) as answered,
  max(functionLatencyMs) as function_ms, max(@billedDuration) as billed_ms,
  max(correlation_id) as correlation, max(kind) as exception by id
| sort at desc
| limit 200"""
"""Joins both logs: API Gateway writes the request id of Lambda, which Lambda writes, too."""


class SavedQueries(Construct):
    """The queries, in a folder of Logs Insights that is named after the stack.

    The syntax is that of "CloudWatch Logs Insights language query syntax"
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        function_log: logs.ILogGroup,
        access_log: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        queries = {
            "slowest": (SLOWEST, [access_log]),
            "failures": (FAILURES, [function_log]),
            "by-version": (BY_VERSION, [function_log]),
            "by-route-and-status": (BY_ROUTE_AND_STATUS, [access_log]),
            "by-request-id": (BY_REQUEST_ID, [access_log, function_log]),
        }
        for name, (text, groups) in queries.items():
            logs.CfnQueryDefinition(
                self,
                name.title().replace("-", ""),
                name=f"{prefix}/{name}",
                query_string=text,
                log_group_names=[each.log_group_name for each in groups],
            )
