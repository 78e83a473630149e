"""The API function: its architecture, its start and its concurrency."""

from tests.infra.synthesis import Synthesize, Synthesized

LAMBDA = "AWS::Lambda::Function"


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
