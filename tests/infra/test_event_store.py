"""The event store: who may read it, how long it keeps events, and what fills it."""

import pytest

from infra_cdk.settings import ENVIRONMENTS, SettingsError
from scripts.event_store.replaying import EVENT_LINES
from tests.infra.synthesis import Synthesize


def test_settings_decide_what_is_kept_and_for_how_long(synthesize: Synthesize) -> None:
    stack = synthesize("dev", event_text=True, event_retention_days=45)
    (bucket,) = stack.properties("AWS::S3::Bucket", "EventStore")
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert {rule["ExpirationInDays"] for rule in rules} == {45}
    prefixes = {rule["Prefix"] for rule in rules}
    assert {"events/", "set_aside/", "compact/"} <= prefixes
    assert not prefixes & {"days/", "reports/", "state/"}
    assert "VersioningConfiguration" not in bucket
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    function = stack.only("AWS::Lambda::Function", "Function")["Properties"]
    assert function["Environment"]["Variables"]["ETIQUETTE_EVENT_TEXT"] == "true"
    (subscription,) = stack.properties("AWS::Logs::SubscriptionFilter")
    assert subscription["FilterPattern"] == EVENT_LINES
    ((log_group, _),) = stack.resources("AWS::Logs::LogGroup", "Function").items()
    assert subscription["LogGroupName"] == {"Ref": log_group}


def test_events_are_kept_as_long_as_feedback_may_come() -> None:
    with pytest.raises(SettingsError, match="event_retention_days is 30"):
        ENVIRONMENTS["dev"](event_retention_days=30)
