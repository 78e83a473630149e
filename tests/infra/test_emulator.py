"""The emulator gets the real stack, minus exactly what its CloudFormation refuses."""

import json
import re
from typing import Any

from infra_cdk.emulator import CONDITION, REFUSED
from tests.infra.synthesis import TOLD, Synthesize


def refused(resource: dict[str, Any]) -> bool:
    computes = resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
    return computes or resource["Type"] in REFUSED


def template(synthesize: Synthesize, environment: str) -> Any:
    """A template without the environment's name and what follows from it."""
    text = json.dumps(synthesize(environment, **TOLD).template.to_json(), sort_keys=True)
    text = re.sub(rf"(?<=etiquette-){environment}|(?<=\"){environment}(?=\")", "NAME", text)
    # A version's name ends with a digest of all that it is made of.
    return json.loads(re.sub(r"(?<=CurrentVersion)[0-9A-Fa-f]{40}", "DIGEST", text))


def test_exactly_what_it_refuses_is_switched_off_there(synthesize: Synthesize) -> None:
    real = template(synthesize, "dev")
    emulated = template(synthesize, "emulator")
    assert emulated.pop("Conditions") == {CONDITION: {"Fn::Equals": ["here", "AWS"]}}
    assert "Conditions" not in real
    for name, resource in emulated["Resources"].items():
        assert (resource.pop("Condition", None) == CONDITION) == refused(resource), name
    for resource in real["Resources"].values():
        # Nothing waits for what is not there.
        awaited = [
            name for name in resource.pop("DependsOn", []) if not refused(real["Resources"][name])
        ]
        if awaited:
            resource["DependsOn"] = awaited
    assert emulated == real
