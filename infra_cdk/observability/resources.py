"""Is it healthy? What the service does and what it costs to do it."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra_cdk.observability.sources import Sources
from infra_cdk.observability.watch import Fixed, Graph, Watch
from lambda_src import metrics

_FIVE = Duration.minutes(5)
_QUARTER = Duration.minutes(15)
_IS = cloudwatch.ComparisonOperator
_STATS = cloudwatch.Stats


def watches(sources: Sources) -> list[Watch]:
    """Everything of health that raises an alarm.

    Parameters
    ----------
    sources
        Whose metrics are watched, and with which limits.
    """
    beating = sources.settings.limits.heartbeat_minutes is not None
    return [
        *([_heartbeat(sources)] if beating else []),
        *_latencies(sources),
        *_errors(sources),
        *_capacity(sources),
    ]


def _heartbeat(sources: Sources) -> Watch:
    return Watch(
        name="Heartbeat",
        metric=cloudwatch.MathExpression(
            expression="FILL(invocations, 0) - FILL(errors, 0)",
            using_metrics={
                "invocations": sources.function("Invocations", _STATS.SUM, _FIVE),
                "errors": sources.function("Errors", _STATS.SUM, _FIVE),
            },
            label="invocations that succeeded",
            period=_FIVE,
        ),
        limit=Fixed(_IS.LESS_THAN_THRESHOLD, 1),
        # The newest period may not have its data yet, and a beat may come a little late.
        to_alarm=3,
        periods=4,
        missing=cloudwatch.TreatMissingData.BREACHING,
        meaning="Nothing was answered for a quarter of an hour, not even the question that a "
        "schedule asks.",
        look="throttles and failed invocations; whether reserved concurrency is 0 (the kill "
        "switch), whether the heartbeat's rule is on, the alias live and its version's state.",
        act="mend what those say; go back to the version before if this one does not start.",
    )


def _latencies(sources: Sources) -> list[Watch]:
    limits = sources.settings.limits
    timeout_ms = sources.settings.timeout_seconds * 1000
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
            limit=Fixed(_IS.GREATER_THAN_THRESHOLD, limits.maximum_model_p99_ms),
            to_alarm=3,
            periods=3,
            meaning="The model itself is slow for one question in a hundred.",
            look="the last release (a larger model?), the length of questions, memory_mb: less "
            "memory is less processor.",
            act="after a release go back to the version before; otherwise give the function more "
            "memory.",
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
            limit=Fixed(_IS.GREATER_THAN_THRESHOLD, limits.maximum_api_p99_ms),
            to_alarm=3,
            periods=3,
            meaning="One caller in a hundred waits too long.",
            look="integration latency, function duration, model latency and cold starts, in this "
            "order: the first that is low clears all that it contains.",
            act="cold starts: see that entry; model: see that entry; neither: API Gateway, see "
            "AWS's health dashboard.",
        ),
        Watch(
            name="Near timeout",
            metric=sources.function("Duration", _STATS.MAXIMUM, _FIVE),
            beside=[sources.function("Duration", _STATS.p(each), _FIVE) for each in (50, 95, 99)],
            limit=Fixed(
                _IS.GREATER_THAN_THRESHOLD, round(timeout_ms * limits.maximum_duration_share)
            ),
            to_alarm=1,
            periods=1,
            meaning="A request nearly ran out of the function's time; the next may fail.",
            look="the function's log at that minute: a long batch, a start with a large model?",
            act="raise memory_mb (more processor) before timeout_seconds, which API Gateway caps "
            "at 30.",
        ),
    ]


def _errors(sources: Sources) -> list[Watch]:
    limits = sources.settings.limits
    return [
        Watch(
            name="Server errors",
            metric=sources.api("5xx", _STATS.SUM, _FIVE),
            limit=Fixed(_IS.GREATER_THAN_OR_EQUAL_TO_THRESHOLD, limits.maximum_server_errors),
            to_alarm=1,
            periods=1,
            meaning="Callers got errors of ours.",
            look="error and functionError in the access log, then the function's log at that time "
            '(event_type "failure" names kind and place).',
            act="after a release go back to the version before; otherwise mend what the log names.",
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
            limit=Fixed(_IS.GREATER_THAN_THRESHOLD, limits.maximum_client_error_share),
            to_alarm=2,
            periods=3,
            meaning="Most requests are refused as the caller's fault.",
            look="path and status in the access log: 404 is somebody trying doors, 422 a client "
            "that sends something else than we take, 429 our throttle, 401 or 403 the tokens.",
            act="tell the client's owner; after a release of ours, compare docs/openapi.json.",
        ),
        Watch(
            name="Function errors",
            metric=sources.function("Errors", _STATS.SUM, _FIVE),
            beside=[sources.function("Invocations", _STATS.SUM, _FIVE)],
            limit=Fixed(_IS.GREATER_THAN_OR_EQUAL_TO_THRESHOLD, limits.maximum_function_errors),
            to_alarm=1,
            periods=1,
            meaning="The function raised, ran out of time or did not start.",
            look="the function's log: a start that fails says why in one line, which begins with "
            "'etiquette cannot start'.",
            act="a model that is absent or has another digest: go back to the version before. Out "
            "of time: see near timeout.",
        ),
    ]


def _capacity(sources: Sources) -> list[Watch]:
    settings, limits = sources.settings, sources.settings.limits
    reserved = settings.reserved_concurrency
    at_once = settings.account_concurrency if reserved is None else reserved
    return [
        Watch(
            name="Throttles",
            metric=sources.function("Throttles", _STATS.SUM, _FIVE),
            limit=Fixed(_IS.GREATER_THAN_OR_EQUAL_TO_THRESHOLD, limits.maximum_throttles),
            to_alarm=1,
            periods=1,
            meaning="Lambda refused requests: no copy of the function was left, and callers got "
            "5xx.",
            look="concurrency against its limit; reserved concurrency (0 is the kill switch); "
            "other functions of the account.",
            act="ask AWS for a higher quota, or reserve concurrency; lower the API's throttle "
            "until then.",
        ),
        Watch(
            name="Concurrency",
            metric=sources.concurrency(_FIVE),
            limit=Fixed(
                _IS.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                max(1, int(at_once * limits.maximum_concurrency_share)),
            ),
            to_alarm=2,
            periods=3,
            meaning=f"Nearly all of the {at_once} copies that may run at once are running.",
            look="requests and duration: more callers, or the same ones slower?",
            act="as for throttles, before they come.",
        ),
        Watch(
            name="Cold starts",
            metric=sources.with_volume(
                "share of invocations",
                "starts / invocations",
                "invocations",
                starts=sources.service(metrics.COLD_STARTS, _STATS.SUM, _QUARTER),
                invocations=sources.function("Invocations", _STATS.SUM, _QUARTER),
            ),
            limit=Fixed(_IS.GREATER_THAN_THRESHOLD, limits.maximum_cold_start_share),
            to_alarm=2,
            periods=3,
            meaning="Many requests wait for a new copy of the function.",
            look="concurrency (bursts need new copies), failed invocations (copies that die), the "
            "time of the last release.",
            act="copies that die: see function errors. Bursts: SnapStart shortens starts; spread "
            "the callers.",
        ),
    ]


def graphs(sources: Sources) -> list[Graph]:
    """What explains the above."""
    percentiles = (50, 95, 99)
    return [
        Graph(
            name="Integration latency: the function as API Gateway feels it",
            metrics=[
                sources.api("IntegrationLatency", _STATS.p(each), _FIVE) for each in percentiles
            ],
        ),
        Graph(
            name="Requests",
            metrics=[sources.api(name, _STATS.SUM, _FIVE) for name in ("Count", "4xx", "5xx")],
        ),
        Graph(
            name="Cold starts and invocations",
            metrics=[
                sources.service(metrics.COLD_STARTS, _STATS.SUM, _FIVE),
                sources.function("Invocations", _STATS.SUM, _FIVE),
            ],
        ),
    ]
