"""The emulator's template is the real one, without the resources that it does not support."""

import json
import re
from typing import Any

from infra_cdk.emulator import CONDITION, UNSUPPORTED
from scripts.verifying.checks import TICKET_ALARM
from tests.infra.synthesis import WITH_ADDRESS, Synthesize


def unsupported(resource: dict[str, Any]) -> bool:
    computes = resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
    return computes or resource["Type"] in UNSUPPORTED


def template(synthesize: Synthesize, environment: str) -> Any:
    """The template with the name of the environment, and what depends on it, replaced."""
    text = json.dumps(
        synthesize(environment, **WITH_ADDRESS, monthly_budget_usd=20).template.to_json(),
        sort_keys=True,
    )
    text = re.sub(rf"(?<=etiquette-){environment}|(?<=\"){environment}(?=\")", "NAME", text)
    # The name of a schedule's permission contains the stack's name and digests of it.
    text = re.sub(rf"(AllowEventRuleetiquette){environment}(\w+?)[0-9A-F]{{16}}", r"\1\2", text)
    # The name of a version ends with a digest of what the version consists of.
    return json.loads(re.sub(r"(?<=CurrentVersion)[0-9A-Fa-f]{40}", "DIGEST", text))


def test_the_emulator_has_the_alarms_on_one_metric(synthesize: Synthesize) -> None:
    """scripts/verify sets one of them."""
    alarms = synthesize("emulator").resources("AWS::CloudWatch::Alarm")
    deployed = {
        each["Properties"]["AlarmName"] for each in alarms.values() if "Condition" not in each
    }
    assert {
        f"etiquette-emulator-{each}" for each in (TICKET_ALARM, "api-function-errors")
    } <= deployed


def test_only_unsupported_resources_are_switched_off(synthesize: Synthesize) -> None:
    real = template(synthesize, "dev")
    emulated = template(synthesize, "emulator")
    assert emulated.pop("Conditions") == {CONDITION: {"Fn::Equals": ["here", "AWS"]}}
    assert "Conditions" not in real
    for name, resource in emulated["Resources"].items():
        assert (resource.pop("Condition", None) == CONDITION) == unsupported(resource), name
    for resource in real["Resources"].values():
        # No resource waits for a switched-off one.
        awaited = [
            name
            for name in resource.pop("DependsOn", [])
            if not unsupported(real["Resources"][name])
        ]
        if awaited:
            resource["DependsOn"] = awaited
    assert emulated == real
