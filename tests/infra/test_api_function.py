"""The API function: its architecture, its start and its concurrency."""

import json
import string
from typing import Any

from lambda_src.api.settings import Settings
from tests.infra.synthesis import WITH_TOKENS, Synthesize, Synthesized

LAMBDA = "AWS::Lambda::Function"
SECRET = "AWS::SecretsManager::Secret"


def test_x86_64_is_a_setting(synthesize: Synthesize) -> None:
    synthesized = synthesize(architecture="x86_64")
    assert synthesized.only(LAMBDA, "Function")["Properties"]["Architectures"] == ["x86_64"]
    assert synthesized.image("api")["platform"] == "linux/amd64"


def test_published_versions_start_from_a_snapshot_and_are_traced(synthesized: Synthesized) -> None:
    function = synthesized.only(LAMBDA, "Function")["Properties"]
    assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert function["TracingConfig"] == {"Mode": "Active"}
    # AWS does not support these together with snapshots.
    assert "EphemeralStorage" not in function
    assert "FileSystemConfigs" not in function


def test_concurrency_is_reserved_only_by_a_setting(
    synthesized: Synthesized, synthesize: Synthesize
) -> None:
    """In a new account, all functions share ten copies, and none of them can be reserved."""
    assert "ReservedConcurrentExecutions" not in synthesized.only(LAMBDA, "Function")["Properties"]
    switched_off = synthesize(reserved_concurrency=0).only(LAMBDA, "Function")["Properties"]
    assert switched_off["ReservedConcurrentExecutions"] == 0


def test_a_start_and_a_request_take_less_than_api_gateways_limit(combination: Synthesized) -> None:
    start_seconds = 10
    for function in combination.properties(LAMBDA, "Function"):
        assert function["Timeout"] + start_seconds < 30


def variables(synthesized: Synthesized, name: str) -> dict[str, Any]:
    function = synthesized.only(LAMBDA, name)
    return dict(function["Properties"]["Environment"]["Variables"])


def test_identified_callers_get_pseudonyms_with_a_generated_key(synthesize: Synthesize) -> None:
    synthesized = synthesize(**WITH_TOKENS)
    generated = synthesized.only(SECRET)["Properties"]["GenerateSecretString"]
    assert generated == {"PasswordLength": 48, "ExcludeCharacters": string.punctuation}
    key = variables(synthesized, "Function")["ETIQUETTE_PRINCIPAL_KEY"]
    assert "{{resolve:secretsmanager:" in json.dumps(key)
    assert variables(synthesized, "Monitor")["ETIQUETTE_PRINCIPAL_SHARE"] == "0.1"
    environment = {"ETIQUETTE_MODEL": "m", "ETIQUETTE_PRINCIPAL_KEY": "aZ0" * 16}
    assert Settings.from_environment(environment).principal_key == "aZ0" * 16


def test_without_a_limit_or_without_identities_there_are_no_pseudonyms(
    synthesized: Synthesized, synthesize: Synthesize
) -> None:
    for each in (synthesized, synthesize(principal_share=100, **WITH_TOKENS)):
        each.template.resource_count_is(SECRET, 0)
        assert "ETIQUETTE_PRINCIPAL_KEY" not in variables(each, "Function")
        assert "ETIQUETTE_PRINCIPAL_SHARE" not in variables(each, "Monitor")
