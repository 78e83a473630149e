"""Is it useful? What the service is worth to those who ask it."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra_cdk.observability.sources import Sources
from infra_cdk.observability.watch import Band, Fixed, Graph, Watch
from lambda_src import metrics

_QUARTER = Duration.minutes(15)
_HOUR = Duration.hours(1)
_IS = cloudwatch.ComparisonOperator
_STATS = cloudwatch.Stats


def watches(sources: Sources) -> list[Watch]:
    """Everything of use that raises an alarm.

    Parameters
    ----------
    sources
        Whose metrics are watched, and with which limits.
    """
    return [*_answers(sources), *_habits(sources)]


def _answers(sources: Sources) -> list[Watch]:
    """What the model says; fixed limits, as they follow from how good it was in evaluation."""
    limits = sources.settings.limits
    answered = sources.service(metrics.PREDICTIONS_WITH_TAGS, _STATS.AVERAGE, _QUARTER)
    asked = sources.service(metrics.PREDICTIONS, _STATS.SUM, _QUARTER)
    return [
        Watch(
            name="Prediction rate",
            metric=sources.with_volume(
                "share with a tag", "answered", "asked", answered=answered, asked=asked
            ),
            limit=Fixed(_IS.LESS_THAN_THRESHOLD, limits.minimum_prediction_rate),
            to_alarm=2,
            periods=3,
            meaning="Too few questions get a tag: they have moved away from the model, or what is "
            "sent is no question.",
            look="confidence and unknown words on the business dashboard, quiet_reason in answers, "
            "the last release.",
            act="after a release go back to the version before; if the questions are genuine, "
            "train on newer ones.",
        ),
        Watch(
            name="Confidence",
            metric=sources.with_volume(
                "median",
                "middle",
                "asked",
                middle=sources.service(metrics.TOP_CONFIDENCE, _STATS.p(50), _QUARTER),
                asked=asked,
            ),
            beside=[
                sources.service(metrics.TOP_CONFIDENCE, _STATS.p(each), _QUARTER)
                for each in (10, 90)
            ],
            limit=Fixed(_IS.LESS_THAN_THRESHOLD, limits.minimum_confidence),
            to_alarm=2,
            periods=3,
            meaning="The model is less sure of its best tag than it should be.",
            look="prediction rate and unknown words beside it: all three move when the questions "
            "change, this one alone when the model did.",
            act="compare the model's card (GET /model) with the release before; go back, or train "
            "again.",
        ),
        Watch(
            name="Unknown words",
            metric=sources.with_volume(
                "median",
                "middle",
                "asked",
                middle=sources.service(metrics.UNKNOWN_WORD_SHARE, _STATS.p(50), _QUARTER),
                asked=asked,
            ),
            beside=[sources.service(metrics.UNKNOWN_WORD_SHARE, _STATS.p(90), _QUARTER)],
            limit=Fixed(_IS.GREATER_THAN_THRESHOLD, limits.maximum_unknown_word_share),
            to_alarm=2,
            periods=3,
            meaning="Half of the questions hold many words that the model has never seen: another "
            "language, another subject, or no text at all.",
            look="who calls (the access log's paths and times), confidence and prediction rate.",
            act="if the callers are the usual ones, train on newer questions; if not, nothing is "
            "broken.",
        ),
    ]


def _habits(sources: Sources) -> list[Watch]:
    """What people do; no fixed limit would be right for every service, hour and weekday."""
    limits = sources.settings.limits
    feedbacks = sources.service(metrics.FEEDBACKS, _STATS.SUM, _HOUR)
    asked = sources.service(metrics.PREDICTIONS, _STATS.SUM, _HOUR)
    return [
        Watch(
            name="Feedback rate",
            metric=sources.with_volume(
                "feedbacks per prediction",
                "feedbacks / asked",
                "asked",
                feedbacks=feedbacks,
                asked=asked,
            ),
            limit=Band(_IS.LESS_THAN_LOWER_THRESHOLD, limits.feedback_band),
            to_alarm=3,
            periods=3,
            meaning="Fewer questions than usual come back with their final tags: how good the "
            "model is can't be told without them.",
            look="4xx answers of POST /feedback in the access log; the page's or the client's last "
            "release.",
            act="send a feedback by hand (README, Use); mend the client.",
        ),
        Watch(
            name="Volume",
            metric=cloudwatch.MathExpression(
                expression="FILL(asked, 0)",
                using_metrics={"asked": asked},
                label="predictions per hour",
                period=_HOUR,
            ),
            limit=Band(_IS.LESS_THAN_LOWER_OR_GREATER_THAN_UPPER_THRESHOLD, limits.volume_band),
            to_alarm=2,
            periods=3,
            meaning="Far more or far fewer questions than usual at this hour of the week.",
            look="requests and 4xx on the resources dashboard; the access log by path.",
            act="more: is it one caller? Lower the throttle. Fewer: is a client broken? Ask its "
            "owner.",
        ),
    ]


def graphs(sources: Sources) -> list[Graph]:
    """What explains the above."""
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
