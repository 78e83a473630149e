"""Do all events arrive in the event store? The monitor measures nothing without them."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra_cdk.observability.sources import Sources
from infra_cdk.observability.watch import Fixed, Watch
from lambda_src import metrics

_HOUR: Final = Duration.hours(1)
_IS: Final = cloudwatch.ComparisonOperator
_STATS: Final = cloudwatch.Stats
_LEAST_SHARE: Final = 0.95
"""A batch around the end of an hour counts for the next hour, so an hour may miss a few."""


def watches(sources: Sources) -> list[Watch]:
    """Declare the alarms, without those that every function has.

    Parameters
    ----------
    sources
        The metrics of the deployment, with its limits.
    """
    predictions = sources.service(metrics.PREDICTIONS, _STATS.SUM, _HOUR)
    return [
        Watch(
            name="Archived predictions",
            metric=sources.with_volume(
                "archived share",
                "archived / asked",
                "asked",
                archived=sources.service(metrics.ARCHIVED_PREDICTIONS, _STATS.SUM, _HOUR),
                asked=predictions,
            ),
            limit=Fixed(_IS.LESS_THAN_THRESHOLD, _LEAST_SHARE),
            to_alarm=2,
            periods=3,
            meaning="In two of three hours, one prediction in twenty or more did not arrive in the "
            "event store. Callers notice nothing, but the monitor does not see these predictions.",
            first_command="""log "$(output EventArchiveLogGroup)" Error   # why it fails""",
            advice=[
                "Errors or throttles of the Event archive at the same time: see those entries. "
                "Lambda repeats a failed batch twice, and a throttled one for six hours.",
                "No invocation at all: `aws logs describe-subscription-filters --log-group-name "
                '"$FUNCTION_LOG"` must show the filter. If it is gone, deploy the stack again.',
                "Nothing is lost as long as the log has the lines. When the cause is fixed, run "
                "`scripts/replay_events --environment prod --since DAY`, with the day on which the "
                "alarm began.",
            ],
        ),
        Watch(
            name="Lines set aside",
            metric=sources.service(metrics.LINES_SET_ASIDE, _STATS.SUM, _HOUR),
            limit=Fixed(_IS.GREATER_THAN_OR_EQUAL_TO_THRESHOLD, 1),
            to_alarm=1,
            periods=1,
            meaning="The log contained event lines that the Event archive does not understand. "
            "They are in the folder `set_aside/` of the event store, and no figure counts them.",
            first_command='aws s3 cp --recursive "s3://$(output EventStoreBucket)/set_aside/" '
            "set_aside   # each with its reason",
            advice=[
                "`unknown event_version`: a release of the API function writes events that the "
                "deployed archive does not know. Deploy the whole stack, then run "
                "`scripts/replay_events --environment prod --since DAY`.",
                "`not JSON in UTF-8`: something other than the service's logger wrote the line, or "
                "the line was cut. The line itself says what it is.",
            ],
        ),
    ]
