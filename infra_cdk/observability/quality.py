"""Are the tags still right? The figures of the monitor over the last week.

The monitor publishes each figure once an hour, so the minimum, the maximum and the average of an
hour are the same. A figure without enough data has no datapoint, and its alarm then says
`INSUFFICIENT_DATA`: too little data must not look as if all were well.
"""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra_cdk.model import HeldOut
from infra_cdk.observability.sources import Sources
from infra_cdk.observability.watch import Fixed, Graph, Watch
from lambda_src import metrics

TOLERANCE: Final = 0.1
"""How far a figure may be below that of the release's held-out questions, or below what the model
expects.

The Jaccard index of a single answer has a standard deviation of about 0.35. So the mean of 100
answers, which a figure needs at least, is off by 0.1 once in 400 weeks. People's questions are not
the held-out ones, either: on sites that the model knew, expected and real Jaccard index differed by
up to 0.04, on sites that it did not know by about 0.1.
"""
AUDIT_TOLERANCE: Final = 0.25
"""How far the figure of feedback may be above that of the audit. Whoever gives feedback has seen
the suggestions and may follow them, so a gap of 0.1 is usual."""
_HOUR: Final = Duration.hours(1)
_IS: Final = cloudwatch.ComparisonOperator
_STATS: Final = cloudwatch.Stats
_MISSING: Final = cloudwatch.TreatMissingData.MISSING
_MONITOR_LOG: Final = 'log "$(output MonitorLogGroup)"'
_REPORT: Final = (
    'aws s3 cp "s3://$(output EventStoreBucket)/reports/latest.html" report.html   '
    "# then open it in a browser"
)


def watches(sources: Sources, held_out: HeldOut | None) -> list[Watch]:
    """Declare the alarms.

    Parameters
    ----------
    sources
        The metrics of the deployment.
    held_out
        What the release states about held-out questions. Without it, no figure is compared with it.
    """
    compared = [] if held_out is None else _against_held_out(sources, held_out)
    silences = [_silence(sources), *_audit_silence(sources)]
    return [*compared, *_gaps(sources), *_drifts(sources), *silences]


def least_audit_jaccard(held_out: HeldOut) -> float:
    """Return the Jaccard index of the audit below which the quality has fallen.

    Parameters
    ----------
    held_out
        What the release states about held-out questions.
    """
    return _tolerated(held_out.sample_jaccard)


def _tolerated(value: float) -> float:
    return round(max(0.0, value - TOLERANCE), 3)


def _figure(sources: Sources, name: str, statistic: str) -> cloudwatch.Metric:
    return sources.service(metrics.WINDOW_METRICS[name], statistic, _HOUR)


def _low(sources: Sources, name: str) -> cloudwatch.Metric:
    return _figure(sources, name, _STATS.MINIMUM)


def _high(sources: Sources, name: str) -> cloudwatch.Metric:
    return _figure(sources, name, _STATS.MAXIMUM)


def _against_held_out(sources: Sources, held_out: HeldOut) -> list[Watch]:
    """Compare the week with the release's held-out figures, less the tolerance."""

    def below(value: float) -> Fixed:
        return Fixed(_IS.LESS_THAN_THRESHOLD, _tolerated(value))

    fallen = [
        "Suggested and chosen tags is raised, too: the model is wrong more often than it expects. "
        "See Concept drift.",
        "It is not raised: the model knows that these questions are harder for it. Look at the "
        "drift per figure in the report, and train on questions like these.",
        "The figure fell on the day of a release: roll back.",
    ]
    return [
        Watch(
            name="Weekly Jaccard",
            metric=_low(sources, "sample_jaccard"),
            beside=[
                _figure(sources, name, _STATS.AVERAGE)
                for name in ("micro_jaccard", "expected_jaccard", "audit_sample_jaccard")
            ],
            limit=below(held_out.sample_jaccard),
            to_alarm=2,
            periods=3,
            missing=_MISSING,
            meaning="Over the last week, the suggested and the chosen tags agree less than they "
            "did for the release's held-out questions, by more than the tolerance.",
            first_command=_REPORT,
            advice=fallen,
        ),
        Watch(
            name="Weekly F score",
            metric=_low(sources, "sample_f1"),
            beside=[
                _figure(sources, name, _STATS.AVERAGE) for name in ("micro_f1", "audit_sample_f1")
            ],
            limit=below(held_out.sample_f1),
            to_alarm=2,
            periods=3,
            missing=_MISSING,
            meaning="Over the last week, the mean F1 of the suggestions is below that of the "
            "release's held-out questions, by more than the tolerance.",
            first_command=_REPORT,
            advice=fallen,
        ),
        Watch(
            name="Weekly prediction rate",
            metric=_low(sources, "prediction_rate"),
            limit=below(held_out.prediction_rate),
            to_alarm=2,
            periods=3,
            missing=_MISSING,
            meaning="Over the last week, fewer questions got a tag than among the release's "
            "held-out questions, by more than the tolerance. Answers that a caller's options cut "
            "short do not count.",
            first_command=_REPORT,
            advice=[
                "Prediction rate is raised, too: it happens now. Begin with that entry.",
                "`quiet_reasons` in the newest file of `days/` say why: `too_few_known_words` and "
                "`no_topic` mean other questions, `not_sure` means that the model is less sure.",
            ],
        ),
        Watch(
            name="Audit Jaccard",
            metric=_low(sources, "audit_sample_jaccard"),
            limit=Fixed(_IS.LESS_THAN_THRESHOLD, least_audit_jaccard(held_out)),
            to_alarm=2,
            periods=3,
            missing=_MISSING,
            meaning="For the site's newest questions, whose askers saw no suggestion, the model is "
            "worse than for the release's held-out questions, by more than the tolerance. The "
            "monitor has asked for a new model.",
            first_command=_REPORT,
            advice=[
                "Look at whether retraining has started, and compare its candidate before you "
                "release it (docs/train.md).",
                "Many tags were renamed or merged: the audit maps synonyms, but a tag that was "
                "split looks like a wrong one. See the worst tags in the report.",
            ],
        ),
    ]


def _gaps(sources: Sources) -> list[Watch]:
    """Compare figures with each other. A change of the questions alone does not open a gap."""
    return [
        Watch(
            name="Suggested and chosen tags",
            metric=_high(sources, "chosen_gap"),
            beside=[
                _figure(sources, name, _STATS.AVERAGE)
                for name in ("hits_of_expected", "calibration_error")
            ],
            limit=Fixed(_IS.GREATER_THAN_THRESHOLD, TOLERANCE),
            to_alarm=2,
            periods=3,
            missing=_MISSING,
            meaning="People choose other tags than the model expects: the Jaccard index that it "
            "expected of its answers is above the real one by more than the tolerance.",
            first_command=_REPORT,
            advice=[
                "A few tags cause it (worst tags in the report): they were renamed, or a new tag "
                "replaced them. Add the synonym, or train on newer questions.",
                "All tags cause it: a client sends wrong `final_tags`, for example another "
                "prediction's. Look at the share of authenticated feedback in the report.",
            ],
        ),
        Watch(
            name="Feedback and audit",
            metric=_high(sources, "audit_gap"),
            limit=Fixed(_IS.GREATER_THAN_THRESHOLD, AUDIT_TOLERANCE),
            to_alarm=2,
            periods=3,
            missing=_MISSING,
            meaning="Feedback says that the model is far better than it is for new questions whose "
            "askers never saw a suggestion. Do not trust the figures of feedback.",
            first_command="""log "$ACCESS_LOG" '{ $.path = "/feedback" }'   # who sends it""",
            advice=[
                "One client sends most of the feedback, and its final tags are always our "
                "suggestions: it reports them unseen, or forges them. Ask for tokens (`auth`), or "
                "tell the client's owner.",
                "Only people who were content give feedback: read the audit's figures instead.",
            ],
        ),
    ]


def _drifts(sources: Sources) -> list[Watch]:
    """Declare an alarm for each kind of drift. The tests behind them have limits of their own."""

    def drift(kind: str, name: str, meaning: str, advice: list[str]) -> Watch:
        return Watch(
            name=name,
            metric=sources.service(metrics.DRIFT_METRICS[kind], _STATS.MAXIMUM, _HOUR),
            limit=Fixed(_IS.GREATER_THAN_OR_EQUAL_TO_THRESHOLD, 1),
            to_alarm=1,
            # The monitor takes a different time each hour, so an hour may be without a datapoint.
            periods=2,
            missing=_MISSING,
            meaning=meaning,
            first_command=_REPORT,
            advice=advice,
        )

    return [
        drift(
            "data_drift",
            "Data drift",
            "The questions changed suddenly: a figure of the predictions has another distribution "
            "than before. This says nothing about the quality of the tags.",
            [
                "Weekly Jaccard and Concept drift are quiet: the model can cope. Do nothing.",
                "A new client, site or language began on that day (`since` in the report): decide "
                "whether it is welcome, and train on its questions if it stays.",
            ],
        ),
        drift(
            "slow_drift",
            "Slow drift",
            "The questions changed little by little: a figure's distribution differs from the "
            "weeks before.",
            ["As for Data drift. Train on newer questions with the next release."],
        ),
        drift(
            "label_shift",
            "Label shift",
            "The shares of the suggested tags changed: some subjects became more common than "
            "others.",
            [
                "Weekly Jaccard is quiet: the model follows. Do nothing.",
                "One tag grew much: look at whether people choose it, too (worst tags in the "
                "report). If they do not, the model prefers it wrongly: roll back or train again.",
            ],
        ),
        drift(
            "concept_drift",
            "Concept drift",
            "People choose the suggested tags less often than their confidences say: the same "
            "questions now have other tags. The monitor has asked for a new model.",
            [
                "Look at whether retraining has started, and compare its candidate before you "
                "release it (docs/train.md).",
                "Feedback and audit is raised, too: the feedback may be at fault, and not the "
                "model. Begin with that entry.",
                "It began with a release: roll back.",
            ],
        ),
        drift(
            "model_drift",
            "Model drift",
            "The mean Jaccard index of a whole week's feedback is below the release's held-out "
            "figure, by more than a tolerance that a test makes sure of.",
            [
                "Weekly Jaccard compares the same figures more simply. See its advice.",
                "The figure fell at a release: roll back.",
            ],
        ),
        drift(
            "new_tag",
            "New tags",
            "People choose tags that the model does not know, more often than in its corpus.",
            [
                "The report has their names. A tag that is only a new spelling: add a synonym.",
                "A new subject: train on newer questions, which contain it.",
            ],
        ),
    ]


def _silence(sources: Sources) -> Watch:
    return Watch(
        name="Monitor silent",
        metric=sources.service(metrics.MONITOR_RUNS, _STATS.SUM, _HOUR),
        limit=Fixed(_IS.LESS_THAN_THRESHOLD, 1),
        to_alarm=3,
        periods=3,
        missing=cloudwatch.TreatMissingData.BREACHING,
        meaning="The monitor has not completed a run for three hours. No other alarm about the "
        "quality of the tags means anything meanwhile. A new stack starts with this alarm, which "
        "ends after the first run.",
        first_command=f"""{_MONITOR_LOG} '?"Traceback" ?"Task timed out" ?"Error"'""",
        advice=[
            "Monitor errors or Monitor time limit is raised, too: see those entries. The next run "
            "repeats what is missing: nothing is lost.",
            "Out of memory: raise `monitor_memory_mb` in `infra_cdk/settings.py`.",
            "No run at all: the rule of the schedule may be off. `aws events list-rules "
            '--name-prefix "$STACK-Monitor"` shows it, `aws events enable-rule --name NAME` turns '
            "it on.",
        ],
    )


def _audit_silence(sources: Sources) -> list[Watch]:
    """Watch the audits of infra_cdk/audit.py, if there are any.

    The monitor counts what it finds in the event store. So the alarm notices every cause: a
    schedule that is off, a job that fails, and lines that cannot be read.
    """
    if sources.settings.audit_site is None:
        return []
    return [
        Watch(
            name="Audit silent",
            metric=sources.service(metrics.AUDITED_QUESTIONS, _STATS.MAXIMUM, _HOUR),
            limit=Fixed(_IS.LESS_THAN_THRESHOLD, 1),
            to_alarm=2,
            periods=3,
            missing=_MISSING,
            hours_of_datapoint=72,
            meaning="No audit of the last three days has written anything. Figures of the audit "
            "end within a week. A new stack starts with this alarm, which ends after the first "
            "audit.",
            first_command="""log "$(output AuditLogGroup)" '?error ?Traceback'\n"""
            'aws stepfunctions list-executions --state-machine-arn "$(output AuditMachine)"',
            advice=[
                "`The service runs the model`: after a rollback, the job still has the bundle of "
                "the newer release. The next deployment corrects it.",
                "`The API answers again in`, or no connection: the API refuses this client. Get a "
                "key (`audit_key_parameter`).",
                "`there is no question`: if that is usual for the site, switch the audit off "
                "(`-c audit_site=default`).",
                'No execution: `aws events list-rules --name-prefix "$STACK-Audit"` shows whether '
                "the schedule is on. An execution without a log: the console has the reason, such "
                "as an SSM parameter that does not exist.",
                "Afterwards, start one: `aws stepfunctions start-execution --state-machine-arn "
                '"$(output AuditMachine)"`.',
            ],
        )
    ]


def graphs(sources: Sources) -> list[Graph]:
    """Declare the graphs that help to explain these alarms."""
    return [
        Graph(
            name="Accepted suggestions and first tags, over a week",
            metrics=[
                _figure(sources, name, _STATS.AVERAGE)
                for name in ("acceptance_rate", "precision_at_1")
            ],
        ),
        Graph(
            name="Share of chosen tags that the model does not know",
            metrics=[_figure(sources, "unknown_tag_share", _STATS.AVERAGE)],
        ),
        Graph(
            name="Questions of the audits of the last three days",
            metrics=[sources.service(metrics.AUDITED_QUESTIONS, _STATS.MAXIMUM, _HOUR)],
        ),
        Graph(
            name="Lines and feedback that the monitor could not use, today",
            metrics=[
                sources.service(each, _STATS.MAXIMUM, _HOUR)
                for each in (metrics.EVENTS_SET_ASIDE, metrics.FEEDBACK_WITHOUT_PREDICTION)
            ],
        ),
    ]
