"""Is it healthy? The metrics of how the service runs."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra_cdk.observability.certificate import certificate_expiry
from infra_cdk.observability.sources import Sources
from infra_cdk.observability.watch import Band, Fixed, Graph, Severity, Watch
from lambda_src import metrics

_FIVE: Final = Duration.minutes(5)
_QUARTER: Final = Duration.minutes(15)
_HOUR: Final = Duration.hours(1)
_IS: Final = cloudwatch.ComparisonOperator
_STATS: Final = cloudwatch.Stats
_NEAR_CONCURRENCY_LIMIT: Final = 0.8
_MANY_FAILED: Final = 0.1


def watches(sources: Sources) -> list[Watch]:
    """Declare the alarms, without those that every function has.

    Parameters
    ----------
    sources
        The metrics of the deployment, with its limits.
    """
    has_heartbeat = sources.settings.limits.heartbeat_minutes is not None
    return [
        *([_heartbeat(sources)] if has_heartbeat else []),
        *_latencies(sources),
        *_errors(sources),
        *_capacity(sources),
        *_limits_of_the_account(sources),
        *_certificate(sources),
        *_retraining(sources),
    ]


def _heartbeat(sources: Sources) -> Watch:
    return Watch(
        name="Heartbeat",
        severity=Severity.PAGE,
        metric=cloudwatch.MathExpression(
            expression="FILL(invocations, 0) - FILL(errors, 0)",
            using_metrics={
                "invocations": sources.api_function.metric("Invocations", _STATS.SUM, _FIVE),
                "errors": sources.api_function.metric("Errors", _STATS.SUM, _FIVE),
            },
            label="invocations that succeeded",
            period=_FIVE,
        ),
        limit=Fixed(_IS.LESS_THAN_THRESHOLD, 1),
        # The newest period may have no data yet, and the schedule may be a little late.
        to_alarm=3,
        periods=4,
        missing=cloudwatch.TreatMissingData.BREACHING,
        meaning="The API function answered nothing in three of four periods of five minutes, not "
        "even the question that a schedule sends past API Gateway. A new stack starts with this "
        "alarm, which ends after two questions.",
        first_command='aws lambda get-function-concurrency --function-name "$FUNCTION"   '
        "# 0 is the kill switch\n"
        'aws lambda get-function-configuration --function-name "$FUNCTION" --qualifier live \\\n'
        "  --query '[Version, State, StateReason]'",
        advice=[
            "Concurrency 0: somebody used the kill switch. Ask before you undo it with "
            "`scripts/kill_switch start --environment prod`, which restores the setting, too.",
            "Throttles or errors of the API function at the same time: see those entries.",
            "State `Inactive`: the next request wakes the function. State `Failed`: run "
            "`scripts/rollback --environment prod`.",
            "Callers get answers all the same: the rule of the schedule may be off. `aws events "
            'list-rules --name-prefix "$STACK-Observability"` shows it, `aws events enable-rule '
            "--name NAME` turns it on; another deployment would not.",
        ],
    )


def _latencies(sources: Sources) -> list[Watch]:
    return [
        Watch(
            name="Model latency",
            metric=sources.with_volume(
                "p99",
                "slowest",
                "asked",
                slowest=sources.service(metrics.MODEL_LATENCY, _STATS.p(99), _FIVE),
                asked=sources.service(metrics.PREDICTIONS, _STATS.SUM, _FIVE),
            ),
            beside=[
                sources.service(metrics.MODEL_LATENCY, _STATS.p(each), _FIVE) for each in (50, 95)
            ],
            # In milliseconds. A usual question takes less than 1, the slowest texts about 10.
            limit=Fixed(_IS.GREATER_THAN_THRESHOLD, 100),
            to_alarm=3,
            periods=3,
            meaning="The model is too slow for one question in a hundred, three times in a row.",
            first_command="""log "$FUNCTION_LOG" """
            """'{ $.event_type = "prediction" && $.latency_ms > 100 }'""",
            advice=[
                "After a release: the model is larger, or the analyzer is another one. Roll back.",
                "A question near the limit of 64 KiB takes several milliseconds. Many `terms` in "
                "the log lines show that a caller sends very long texts.",
                "Was `memory_mb` lowered? Less memory means a smaller share of the processor.",
            ],
        ),
        Watch(
            name="API latency",
            metric=sources.with_volume(
                "p99",
                "slowest",
                "requests",
                slowest=sources.api("Latency", _STATS.p(99), _FIVE),
                requests=sources.api("Count", _STATS.SUM, _FIVE),
            ),
            beside=[sources.api("Latency", _STATS.p(each), _FIVE) for each in (50, 95)],
            # In milliseconds, as a caller measures it, cold starts included.
            limit=Fixed(_IS.GREATER_THAN_THRESHOLD, 3000),
            to_alarm=3,
            periods=3,
            meaning="One caller in a hundred waits too long. Each of these times contains the next "
            "one: API latency, integration latency, function duration, model latency. Compare them "
            "in this order on the resources dashboard.",
            first_command="""log "$ACCESS_LOG" "" | grep -E '"latencyMs": "[0-9]{4,}"'   """
            "# compare functionLatencyMs",
            advice=[
                "All are high except the model's: the difference is cold starts. See Cold starts.",
                "All are high: see Model latency.",
                "Only the API's is high: the cause is API Gateway itself. Look at AWS's health "
                "dashboard; you cannot fix it here.",
            ],
        ),
    ]


def _errors(sources: Sources) -> list[Watch]:
    limits = sources.settings.limits
    return [
        Watch(
            name="Failed requests",
            severity=Severity.PAGE,
            metric=sources.with_volume(
                "share of 5xx",
                "failed / requests",
                "requests",
                failed=sources.api("5xx", _STATS.SUM, _FIVE),
                requests=sources.api("Count", _STATS.SUM, _FIVE),
            ),
            limit=Fixed(_IS.GREATER_THAN_THRESHOLD, _MANY_FAILED),
            to_alarm=2,
            periods=3,
            meaning="More than a tenth of the requests were answered with 5xx in two of three "
            "periods of five minutes.",
            first_command="""log "$ACCESS_LOG" '{ $.status = "5*" }'""",
            advice=[
                "See Server errors: the causes are the same, but here many callers notice.",
                "If you cannot tell the cause within minutes and there was a release today, run "
                "`scripts/rollback --environment prod`.",
            ],
        ),
        Watch(
            name="Server errors",
            metric=sources.api("5xx", _STATS.SUM, _FIVE),
            limit=Fixed(_IS.GREATER_THAN_OR_EQUAL_TO_THRESHOLD, limits.maximum_server_errors),
            to_alarm=1,
            periods=1,
            meaning="Callers got 5xx answers.",
            first_command="""log "$ACCESS_LOG" '{ $.status = "5*" }'\n"""
            """log "$FUNCTION_LOG" '{ $.event_type = "failure" }'""",
            advice=[
                "After a release: run `scripts/rollback --environment prod`.",
                "`functionStatus` is 200 and `status` is 500 in the access log: our code raised an "
                "exception. The second command shows its type and place. Fix that.",
                "Otherwise the function was throttled, ran out of time or did not start: `error` "
                "and `functionError` say which. See the entries of the API function.",
            ],
        ),
        Watch(
            name="Client errors",
            metric=sources.with_volume(
                "share of 4xx",
                "refused / requests",
                "requests",
                refused=sources.api("4xx", _STATS.SUM, _QUARTER),
                requests=sources.api("Count", _STATS.SUM, _QUARTER),
            ),
            limit=Fixed(_IS.GREATER_THAN_THRESHOLD, 0.5),
            to_alarm=2,
            periods=3,
            meaning="Most requests were answered with 4xx in two of three quarters of an hour.",
            first_command="""log "$ACCESS_LOG" '{ $.status = "4*" }'   """
            "# which status, on which path?",
            advice=[
                "404 on many paths: somebody scans the API. Do nothing.",
                "415 or 422: a client sends something that the API does not accept. Tell its "
                "owner. After a release of ours, compare `docs/openapi.json`: a release must not "
                "break clients, and a test checks that.",
                "429: the throttle. There is one caller too many, or the limit is too low "
                "(`throttle`, `batch_throttle`).",
                "401 or 403: tokens have expired, or the issuer changed its keys.",
            ],
        ),
    ]


def _capacity(sources: Sources) -> list[Watch]:
    settings = sources.settings
    reserved = settings.reserved_concurrency
    copies = settings.account_concurrency if reserved is None else reserved
    return [
        Watch(
            name="Concurrency",
            metric=sources.concurrency(_FIVE),
            limit=Fixed(
                _IS.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                max(1, int(copies * _NEAR_CONCURRENCY_LIMIT)),
            ),
            to_alarm=2,
            periods=3,
            meaning="Nearly as many copies of the API function run as may run at once. If more are "
            "needed, Lambda throttles the function.",
            first_command="aws lambda get-account-settings "
            "--query AccountLimit.ConcurrentExecutions",
            advice=[
                "A new account may run 10 copies of all its functions together. Ask for more "
                "(Service Quotas, Lambda, Concurrent executions), then deploy with "
                "`-c account_concurrency=NUMBER`.",
                "Are there more requests, or slower ones? Concurrency is the requests per second "
                "times the seconds per request.",
                "Until then, lower `throttle`: a 429 answer is faster and cheaper than a 5xx.",
            ],
        ),
        Watch(
            name="Cold starts",
            metric=sources.with_volume(
                "share of invocations",
                "starts / invocations",
                "invocations",
                starts=sources.service(metrics.COLD_STARTS, _STATS.SUM, _QUARTER),
                invocations=sources.api_function.metric("Invocations", _STATS.SUM, _QUARTER),
            ),
            limit=Fixed(_IS.GREATER_THAN_THRESHOLD, 0.3),
            to_alarm=2,
            periods=3,
            meaning="Many invocations had to wait for a new copy of the API function, in two of "
            "three quarters of an hour.",
            first_command="""log "$FUNCTION_LOG" """
            """'?"cannot start" ?"Task timed out" ?"Runtime exited"'   # copies that stop""",
            advice=[
                "The API function has errors, too: its copies stop and are replaced. See API "
                "function errors.",
                "Concurrency goes up and down: callers come in bursts. SnapStart makes each start "
                "shorter; requests that are spread out need fewer starts.",
                "Just after a release this is normal, and ends within minutes.",
            ],
        ),
    ]


def _limits_of_the_account(sources: Sources) -> list[Watch]:
    function_log = sources.log_bytes(sources.api_function.log_group, _HOUR)
    access_log = sources.log_bytes(sources.access_log, _HOUR)
    return [
        Watch(
            name="Account concurrency",
            metric=sources.account_concurrency(_FIVE),
            limit=Fixed(
                _IS.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                max(1, int(sources.settings.account_concurrency * _NEAR_CONCURRENCY_LIMIT)),
            ),
            to_alarm=2,
            periods=3,
            meaning="All functions of the account and region together have claimed nearly all of "
            "its concurrency. If they need more, Lambda throttles each of them, this one, too.",
            first_command="aws lambda get-account-settings "
            "--query AccountLimit.ConcurrentExecutions",
            advice=[
                "Concurrency is raised, too: this service needs it. See that entry.",
                "Otherwise another function of the account does. Reserve a part for this one "
                "(`-c reserved_concurrency=NUMBER`), or move it to an account of its own.",
            ],
        ),
        Watch(
            name="Log volume",
            metric=cloudwatch.MathExpression(
                expression="FILL(function_log, 0) + FILL(access_log, 0)",
                using_metrics={"function_log": function_log, "access_log": access_log},
                label="bytes per hour",
                period=_HOUR,
            ),
            limit=Band(_IS.GREATER_THAN_UPPER_THRESHOLD, width=4),
            to_alarm=2,
            periods=3,
            meaning="The logs grow much faster than at this hour of other weeks. At much traffic, "
            "logs are the largest part of the bill.",
            first_command="""log "$FUNCTION_LOG" "" | cut -c 1-80 | sort | uniq -c | """
            "sort -rn | head   # which lines",
            advice=[
                "Volume is raised, too: there are more requests. See that entry.",
                "The requests are as many as usual: a release writes more lines, or longer ones. "
                "Roll back, or fix it with the next release. See What it costs in docs/operate.md.",
            ],
        ),
    ]


def _certificate(sources: Sources) -> list[Watch]:
    """Watch the certificate of the API's own domain name, if it has one.

    A certificate of CloudFront is always in us-east-1, and so is its metric, which an alarm of
    another region cannot see: infra_cdk/probe.py watches it.
    """
    settings = sources.settings
    if settings.certificate_arn is None or settings.web_acl_arn is not None:
        return []
    return [certificate_expiry(settings.certificate_arn)]


def _retraining(sources: Sources) -> list[Watch]:
    """Watch the runs of infra_cdk/retraining.py, if there are any."""
    if not sources.settings.retraining:
        return []
    return [
        Watch(
            name="Retraining failed",
            metric=sources.retraining("ExecutionsFailed", _STATS.SUM, _HOUR),
            beside=[sources.retraining("ExecutionsSucceeded", _STATS.SUM, _HOUR)],
            limit=Fixed(_IS.GREATER_THAN_OR_EQUAL_TO_THRESHOLD, 1),
            to_alarm=1,
            periods=1,
            meaning="A retraining ended without a result. The model that is live stays.",
            first_command="""log "$(output RetrainingLogGroup)" '?error ?Traceback ?Killed'""",
            advice=[
                "`error:` names the step that failed and its last lines. Correct the corpus in the "
                "bucket, or run the step on your machine (docs/train.md).",
                "No line, or `Killed`: the job had too little memory, or ran for a day. Raise the "
                "sizes in infra_cdk/retraining.py.",
                "The job did not start: `aws stepfunctions list-executions --state-machine-arn "
                '"$(output RetrainingMachine)"` has the runs, and the console the reason.',
                "The next run may start a week after this one. docs/train.md has the command that "
                "allows one earlier.",
            ],
        )
    ]


def graphs(sources: Sources) -> list[Graph]:
    """Declare the graphs that help to explain these alarms."""
    percentiles = (50, 95, 99)
    return [
        Graph(
            name="Integration latency: the function's time as API Gateway measures it",
            metrics=[
                sources.api("IntegrationLatency", _STATS.p(each), _FIVE) for each in percentiles
            ],
        ),
        Graph(
            name="Requests",
            metrics=[sources.api(name, _STATS.SUM, _FIVE) for name in ("Count", "4xx", "5xx")],
        ),
        Graph(
            name="Failed answers by version",
            metrics=[
                cloudwatch.MathExpression(
                    expression=f"SEARCH('{{{metrics.NAMESPACE},{metrics.SERVICE_DIMENSION},"
                    f"{metrics.VERSION_DIMENSION}}} "
                    f'MetricName="{metrics.FAILED_ANSWERS.name}" '
                    f'{metrics.SERVICE_DIMENSION}="{sources.settings.stack_name}"\', '
                    "'Sum', 300)",
                    label="",
                    period=_FIVE,
                )
            ],
        ),
        Graph(
            name="Cold starts and invocations",
            metrics=[
                sources.service(metrics.COLD_STARTS, _STATS.SUM, _FIVE),
                sources.api_function.metric("Invocations", _STATS.SUM, _FIVE),
            ],
        ),
    ]
