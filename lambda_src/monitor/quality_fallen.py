"""Tells EventBridge that the quality has fallen, which starts the training of a new model.

Only a confirmed fall counts: concept drift, or an audit that is worse than the release promised.
Drift of the questions alone is no reason, because the model may answer them as well as before.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from lambda_src.monitor.daily import day_file
from lambda_src.monitor.run import Outcome
from lambda_src.monitor.store import EventStore

SOURCE: Final = "etiquette.monitor"
DETAIL_TYPE: Final = "QualityFallen"


class Fall(NamedTuple):
    """A confirmed fall of the quality."""

    model_version: str
    reason: str
    """`concept_drift` or `audit`."""
    figures: Mapping[str, float | None]


class AnnouncementError(Exception):
    """EventBridge did not accept the event. The next run sends it again."""


def falls(outcome: Outcome, min_audit_jaccard: float) -> Iterator[Fall]:
    """Yield the confirmed falls of the live version.

    Parameters
    ----------
    outcome : Outcome
        What the run found.
    min_audit_jaccard : float
        The audit confirms a fall if the mean Jaccard index of its week is lower.
    """
    version = outcome.live_version
    if version is None:
        return
    figures = {name: figure.value for name, figure in outcome.figures.items()}
    if any(each.kind == "concept_drift" and each.pages for each in outcome.findings):
        yield Fall(version, "concept_drift", figures)
    audited = figures.get("audit_sample_jaccard")
    if audited is not None and audited < min_audit_jaccard:
        yield Fall(version, "audit", figures)


def announce(client: Any, store: EventStore, fall: Fall, service: str) -> None:
    """Send the event of a fall, unless it was sent before.

    It is sent before it is noted: a run that is stopped in between sends it twice, and never not
    at all.

    Parameters
    ----------
    client
        A boto3 client for EventBridge.
    store : EventStore
        Where it is noted what was sent.
    fall : Fall
    service : str
        The name of the deployment.

    Raises
    ------
    AnnouncementError
        EventBridge did not accept the event.
    """
    key = f"state/quality_fallen/{fall.model_version}/{fall.reason}.json"
    if store.read(key) is not None:
        return
    detail = {"service": service, **fall._asdict()}
    answer = client.put_events(
        Entries=[{"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(detail)}]
    )
    if answer["FailedEntryCount"]:
        error = answer["Entries"][0]
        raise AnnouncementError(
            f"EventBridge did not accept {DETAIL_TYPE} of {fall.model_version}: "
            f"{error.get('ErrorCode')}: {error.get('ErrorMessage')}. The next run sends it again."
        )
    store.write(key, day_file(detail))
