"""Is it useful? The metrics of what the service is worth to the people who use it."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra_cdk.observability.sources import Sources
from infra_cdk.observability.watch import Band, Fixed, Graph, Watch
from lambda_src import metrics

_QUARTER: Final = Duration.minutes(15)
_HOUR: Final = Duration.hours(1)
_IS: Final = cloudwatch.ComparisonOperator
_STATS: Final = cloudwatch.Stats


def watches(sources: Sources) -> list[Watch]:
    """Declare the alarms.

    Parameters
    ----------
    sources
        The metrics of the deployment, with its limits.
    """
    return [*_model_quality(sources), *_usage(sources)]


def _model_quality(sources: Sources) -> list[Watch]:
    """What the model answers. The limits are fixed: they follow from the model's evaluation."""
    limits = sources.settings.limits
    predictions = sources.service(metrics.PREDICTIONS, _STATS.SUM, _QUARTER)
    return [
        Watch(
            name="Prediction rate",
            metric=sources.with_volume(
                "share with a tag",
                "answered",
                "asked",
                answered=sources.service(metrics.PREDICTIONS_WITH_TAGS, _STATS.AVERAGE, _QUARTER),
                asked=predictions,
            ),
            limit=Fixed(_IS.LESS_THAN_THRESHOLD, limits.minimum_prediction_rate),
            to_alarm=2,
            periods=3,
            meaning="Too few questions got a tag in two of three quarters of an hour.",
            first_command=r"""log "$FUNCTION_LOG" """
            r"""'{ $.event_type = "prediction" && $.top_confidence < 0.3 }'   """
            "# which ones, and how confident",
            advice=[
                "Confidence fell and Unknown words rose, too: the questions have changed. Callers "
                "send questions of another site, another language, or something that is not a "
                "question. If the questions are genuine, train on newer ones. If one caller makes "
                "a mistake, tell the caller.",
                "Confidence and Unknown words did not change: the model did. Roll back.",
                "`quiet_reason` in an answer says why it has no tag: `too_few_known_words`, "
                "`no_topic` or `not_sure`. Ask some questions of your own with `curl`.",
            ],
        ),
        Watch(
            name="Confidence",
            metric=sources.with_volume(
                "median",
                "middle",
                "asked",
                middle=sources.service(metrics.TOP_CONFIDENCE, _STATS.p(50), _QUARTER),
                asked=predictions,
            ),
            beside=[
                sources.service(metrics.TOP_CONFIDENCE, _STATS.p(each), _QUARTER)
                for each in (10, 90)
            ],
            limit=Fixed(_IS.LESS_THAN_THRESHOLD, limits.minimum_confidence),
            to_alarm=2,
            periods=3,
            meaning="The median confidence of the best tag is below its limit. The best tag counts "
            "whether or not it was suggested.",
            first_command='curl "$API/model"   # the card of the model',
            advice=[
                "Unknown words rose, too: the questions have changed. See Prediction rate.",
                "Only the confidence fell: the model was replaced, or calibrated on other "
                "questions. Compare `corpus` and `floor` of its card with the release before. Roll "
                "back, or train again.",
            ],
        ),
        Watch(
            name="Unknown words",
            metric=sources.with_volume(
                "median",
                "middle",
                "asked",
                middle=sources.service(metrics.UNKNOWN_WORD_SHARE, _STATS.p(50), _QUARTER),
                asked=predictions,
            ),
            beside=[sources.service(metrics.UNKNOWN_WORD_SHARE, _STATS.p(90), _QUARTER)],
            limit=Fixed(_IS.GREATER_THAN_THRESHOLD, 0.2),
            to_alarm=2,
            periods=3,
            meaning="In the median question, the model does not know a fifth of the words.",
            first_command="""log "$ACCESS_LOG" '{ $.path = "/predict*" }'   # who calls when""",
            advice=[
                "A new client sends another language or another subject: the service is not at "
                "fault, and nothing is broken.",
                "The callers are the usual ones: they write about a new framework or product. "
                "Train on newer questions.",
            ],
        ),
    ]


def _usage(sources: Sources) -> list[Watch]:
    """What people do. No fixed limit is right for every service, hour and weekday."""
    limits = sources.settings.limits
    feedbacks = sources.service(metrics.FEEDBACKS, _STATS.SUM, _HOUR)
    predictions = sources.service(metrics.PREDICTIONS, _STATS.SUM, _HOUR)
    return [
        Watch(
            name="Feedback rate",
            metric=sources.with_volume(
                "feedbacks per prediction",
                "feedbacks / asked",
                "asked",
                feedbacks=feedbacks,
                asked=predictions,
            ),
            limit=Band(_IS.LESS_THAN_LOWER_THRESHOLD, width=3),
            to_alarm=3,
            periods=3,
            meaning="There is less feedback per prediction than at this hour of other weeks. "
            "CloudWatch learns what is usual from up to two weeks: expect false alarms in the "
            "first week and after an intended change.",
            first_command="""log "$ACCESS_LOG" '{ $.path = "/feedback" }'   # none, or refused?""",
            advice=[
                "4xx answers: a client sends something that the API does not accept, or is "
                "throttled (429; see `feedback_throttle`).",
                "No requests: the page or a client does not send feedback any more. Send one by "
                "hand: `POST /feedback` with the `prediction_id` of an answer must return 202.",
                "Without feedback nobody can measure how good the model is. Fix it within days; it "
                "need not be at night.",
            ],
        ),
        *(
            []
            if limits.feedback_hours is None
            else [_feedback_silence(sources, feedbacks, predictions, limits.feedback_hours)]
        ),
        Watch(
            name="Volume",
            metric=cloudwatch.MathExpression(
                expression="FILL(asked, 0)",
                using_metrics={"asked": predictions},
                label="predictions per hour",
                period=_HOUR,
            ),
            limit=Band(_IS.LESS_THAN_LOWER_OR_GREATER_THAN_UPPER_THRESHOLD, width=4),
            to_alarm=2,
            periods=3,
            meaning="There are far more or far fewer predictions than at this hour of other weeks.",
            first_command="""log "$ACCESS_LOG" '{ $.path = "/predict*" }'   """
            "# since when, and how evenly?",
            advice=[
                "More: if it is one script, lower `throttle`. If it is everybody, see Concurrency.",
                "Fewer: check that the page is reachable, and whether a client's new release calls "
                "another address. If the Heartbeat alarm is raised, too, begin there.",
                "Expected, for example a campaign or a holiday: do nothing. CloudWatch learns it.",
            ],
        ),
    ]


def _feedback_silence(
    sources: Sources, feedbacks: cloudwatch.Metric, predictions: cloudwatch.Metric, hours: int
) -> Watch:
    return Watch(
        name="Feedback silence",
        metric=sources.with_volume(
            "feedbacks",
            "feedbacks",
            "asked",
            feedbacks=feedbacks,
            asked=predictions,
        ),
        limit=Fixed(_IS.LESS_THAN_THRESHOLD, 1),
        to_alarm=hours,
        periods=hours,
        meaning="There are predictions, but there was no feedback at all for some hours.",
        first_command="""log "$ACCESS_LOG" '{ $.path = "/feedback" }'   # none, or refused?""",
        advice=[
            "See Feedback rate for the causes. That alarm learns what is usual, and so it accepts "
            "silence after two weeks; this one does not.",
            "No client of this deployment sends feedback: set `feedback_hours` of `limits` to None "
            "in `infra_cdk/settings.py`.",
        ],
    )


def graphs(sources: Sources) -> list[Graph]:
    """Declare the graphs that help to explain these alarms."""
    return [
        Graph(
            name="Tags per prediction",
            metrics=[sources.service(metrics.TAGS_PER_PREDICTION, _STATS.AVERAGE, _HOUR)],
        ),
        Graph(
            name="Predictions and feedbacks",
            metrics=[
                sources.service(metrics.PREDICTIONS, _STATS.SUM, _HOUR),
                sources.service(metrics.FEEDBACKS, _STATS.SUM, _HOUR),
            ],
        ),
    ]
