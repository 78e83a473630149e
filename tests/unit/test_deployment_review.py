"""What a deployment refuses to lose, and what people see before they agree."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from infra_cdk.accounts import ACCOUNTS
from scripts.releasing import account, kill_switch, release, review
from scripts.releasing.assembly import Assembly
from scripts.releasing.deployed_settings import Change, Settings, kept, lost
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function
from scripts.releasing.question import agree
from scripts.releasing.removals import Removal
from scripts.releasing.rollback import roll_back
from tests.unit.fake_deployment import (
    ALIAS,
    DESCRIPTION,
    FakeAws,
    FakeTarget,
    live,
    settings_outputs,
)


@pytest.fixture(autouse=True)
def _nothing_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """`cdk diff` needs Node.js: tests/system runs it."""
    monkeypatch.setattr(review, "removals", lambda target, assembly: [])


def reviewed(tmp_path: Path, aws: FakeAws, new: dict[str, str]) -> list[Removal]:
    """Review a deployment with these outputs."""
    outputs = {name: {"Value": value} for name, value in new.items()}
    template = {"Description": DESCRIPTION, "Outputs": outputs}
    (tmp_path / "etiquette-prod.template.json").write_text(json.dumps(template))
    return review.review(FakeTarget(aws=aws), Assembly(tmp_path, "etiquette-prod"))


def test_a_lost_setting_is_named_with_both_values_and_what_to_do(tmp_path: Path) -> None:
    aws = live({"domain_name": "tags.example.org"}, "domain_name")
    new = settings_outputs({"auth": "iam"}, "auth") | {"ModelSha256": aws.model_sha256}
    with pytest.raises(ReleaseError) as refused:
        reviewed(tmp_path, aws, new)
    said = str(refused.value)
    assert "domain_name: tags.example.org -> default" in said
    assert "auth" not in said
    for advice in ("--keep-settings", "-c NAME=VALUE", "-c NAME=default", "etiquette-prod"):
        assert advice in said


@pytest.mark.parametrize(
    "new",
    [
        settings_outputs({"cors_origins": "https://a.org"}, "cors_origins"),  # given again
        settings_outputs({"cors_origins": "https://a.org"}),  # settings.py has it now
        settings_outputs({"cors_origins": "https://b.org"}, "cors_origins"),  # given anew
        settings_outputs({}, "cors_origins"),  # dropped with -c cors_origins=default
    ],
)
def test_a_setting_that_somebody_decided_about_is_not_lost(
    tmp_path: Path, new: dict[str, str]
) -> None:
    aws = live({"cors_origins": "https://a.org"}, "cors_origins")
    assert reviewed(tmp_path, aws, new | {"ModelSha256": aws.model_sha256}) == []


def test_a_stack_beside_the_service_loses_no_setting_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"host": "a.example", "path": "/"}
    aws = FakeAws(outputs=settings_outputs(values, *values))
    with pytest.raises(ReleaseError, match=r"path: / -> default\nGive each again with -c NAME"):
        reviewed(tmp_path, aws, settings_outputs({"host": "a.example"}, "host"))
    reviewed(tmp_path, aws, settings_outputs({"host": "b.example"}, "host", "path"))
    assert "host: a.example -> b.example" in capsys.readouterr().err


def test_a_stack_beside_the_service_belongs_to_the_account_of_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review, "ACCOUNTS", {"prod": "999999999999"})
    reviewed(tmp_path, FakeAws(), settings_outputs({"environment": "dev"}, "environment"))
    with pytest.raises(ReleaseError, match=r"belongs to account 9{12}"):
        reviewed(tmp_path, FakeAws(), settings_outputs({"environment": "prod"}, "environment"))


def test_a_reviewed_change_of_the_file_is_shown_but_not_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = live({"memory_mb": "2048"})
    new = settings_outputs({"memory_mb": "3008"}) | {"ModelSha256": aws.model_sha256}
    reviewed(tmp_path, aws, new)
    assert "memory_mb: 2048 -> 3008" in capsys.readouterr().err


def test_a_setting_that_is_absent_from_the_file_is_lost(tmp_path: Path) -> None:
    """This happens when somebody deploys from an old checkout."""
    aws = live({"memory_mb": "2048"})
    with pytest.raises(ReleaseError, match="cannot keep memory_mb") as refused:
        reviewed(tmp_path, aws, settings_outputs({}) | {"ModelSha256": aws.model_sha256})
    assert "memory_mb: 2048 -> default" in str(refused.value)


def test_a_value_of_the_command_is_not_replaced_by_that_of_the_file() -> None:
    given = Settings({"rollout": "canary_5_minutes"}, frozenset({"rollout"}))
    of_file = Settings({"rollout": "canary_15_minutes"}, frozenset())
    assert lost(given, of_file) == [Change("rollout", "canary_5_minutes", "canary_15_minutes")]
    assert lost(of_file, given) == []


def test_the_starter_does_not_replace_the_live_model_by_itself(tmp_path: Path) -> None:
    new = settings_outputs({}) | {"ModelSha256": "2" * 64}
    with pytest.raises(ReleaseError, match=r"model: m1 \(111111111111\) -> the starter \(22222"):
        reviewed(tmp_path, live({}), new)
    reviewed(tmp_path, live({}), settings_outputs({}, "model") | {"ModelSha256": "2" * 64})


def test_the_first_deployment_needs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reviewed(tmp_path, FakeAws(), settings_outputs({}) | {"ModelSha256": "2" * 64})
    shown = "account 123456789012 (example-prod), region eu-west-1, stack etiquette-prod"
    assert shown in capsys.readouterr().err
    # The stack of a first deployment that failed has no outputs.
    reviewed(tmp_path, FakeAws(outputs={}), settings_outputs({}) | {"ModelSha256": "2" * 64})
    assert kept(FakeTarget(aws=FakeAws()), {}) == {}


def test_a_forgotten_service_does_not_create_a_second_deployment(tmp_path: Path) -> None:
    def stack(name: str, **changes: str) -> dict[str, str]:
        usual = {"StackStatus": "CREATE_COMPLETE", "TemplateDescription": DESCRIPTION}
        return {"StackName": name, **usual, **changes}

    others = [
        stack("tags-dev"),
        stack("gone-prod", StackStatus="DELETE_COMPLETE"),
        stack("shop-prod", TemplateDescription="A shop"),
    ]
    new = {"ModelSha256": "2" * 64}
    reviewed(tmp_path, FakeAws(stacks=others), settings_outputs({}) | new)
    aws = FakeAws(stacks=[*others, stack("tags-prod")])
    with pytest.raises(ReleaseError, match=r"give -c service=tags\. .* -c service=etiquette"):
        reviewed(tmp_path, aws, settings_outputs({}) | new)
    reviewed(tmp_path, aws, settings_outputs({}, "service") | new)


def test_another_account_is_refused(tmp_path: Path) -> None:
    new = {"ModelSha256": "2" * 64}
    reviewed(tmp_path, FakeAws(), settings_outputs({"account": "123456789012"}) | new)
    with pytest.raises(ReleaseError, match=r"belongs to account 9{12} .* AWS_PROFILE"):
        reviewed(tmp_path, FakeAws(), settings_outputs({"account": "999999999999"}) | new)


@pytest.mark.parametrize("change", [kill_switch.stop, kill_switch.start, roll_back])
def test_what_moves_the_live_service_refuses_another_account(
    change: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    function = Function(FakeTarget(aws=live({})), ALIAS)
    given = Function(FakeTarget(aws=live({}), context={"account": "999999999999"}), ALIAS)
    with pytest.raises(ReleaseError, match=r"belongs to account 9{12}"):
        change(given, yes=True)
    monkeypatch.setattr(account, "ACCOUNTS", {"prod": "888888888888"})
    with pytest.raises(ReleaseError, match=r"belongs to account 8{12}"):
        change(function, yes=True)


def test_the_accounts_of_the_environments_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(len(number) == 12 and number.isdecimal() for number in ACCOUNTS.values())
    target = FakeTarget(aws=live({}), context={"account": "default"})
    monkeypatch.setattr(account, "ACCOUNTS", {"prod": "123456789012"})
    assert account.Account.expected(target).number == "123456789012"


def test_an_alias_that_may_not_be_read_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reviewed(tmp_path, FakeAws(may_read_alias=False), {})
    assert "account 123456789012, region eu-west-1" in capsys.readouterr().err


def test_kept_settings_are_those_of_the_command_with_model_and_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.releasing.deployed_settings._KEPT_MODELS", tmp_path)
    aws = live(
        {"auth": "iam", "cors_origins": "https://a.org", "memory_mb": "2048"},
        *("auth", "cors_origins", "hosted_zone_id"),
        description="model=m1 tags=7 questions=9 sample_jaccard=0.250",
    )
    found = kept(FakeTarget(aws=aws), {"auth": "none"})
    model, report = Path(found.pop("model")), Path(found.pop("report"))
    assert found == {"cors_origins": "https://a.org"}
    assert model.read_bytes() == b"bundle"
    assert json.loads(report.read_text()) == {"model_sha256": "1" * 64, "sample_jaccard": 0.25}
    given = {"model": "new.safetensors"}
    assert "model" not in kept(FakeTarget(aws=aws), given)


def test_removed_and_replaced_resources_are_found_and_the_important_ones_come_first() -> None:
    difference = """Stack etiquette-prod
Resources
[-] AWS::IAM::Role Function/Role1a2b FunctionRole1a2b orphan
[~] AWS::Lambda::Permission Http/Api/Permission HttpApiPermission1 may be replaced
[-] AWS::ApiGatewayV2::DomainName Http/Domain HttpDomain1 destroy
[+] AWS::SNS::Topic Observability/Topic Topic1
[~] AWS::Logs::LogGroup Http/AccessLog HttpAccessLog1 replace
 └─ [~] LogGroupName (requires replacement)
[~] AWS::ApiGatewayV2::Api Http/Api HttpApi1
"""
    assert [str(each) for each in Removal.found_in(difference)] == [
        "!! removes AWS::ApiGatewayV2::DomainName Http/Domain",
        "!! replaces AWS::Logs::LogGroup Http/AccessLog",
        "   leaves behind AWS::IAM::Role Function/Role1a2b",
        "   may replace AWS::Lambda::Permission Http/Api/Permission",
    ]


def test_a_question_is_answered_at_a_terminal_or_beforehand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agree("Deploy this?", yes=True, otherwise="Nothing was deployed.")
    with pytest.raises(ReleaseError, match="pass --yes"):
        agree("Deploy this?", yes=False, otherwise="Nothing was deployed.")
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda question: "y")
    agree("Deploy this?", yes=False, otherwise="Nothing was deployed.")
    monkeypatch.setattr("builtins.input", lambda question: "")
    with pytest.raises(ReleaseError, match="Nothing was deployed"):
        agree("Deploy this?", yes=False, otherwise="Nothing was deployed.")


@pytest.mark.parametrize(
    ("values", "restored"),
    [({}, None), ({"reserved_concurrency": "20"}, 20), ({"reserved_concurrency": "0"}, None)],
)
def test_the_kill_switch_stops_the_function_and_restores_its_setting(
    values: dict[str, str], restored: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = live(values)
    function = Function(FakeTarget(aws=aws), ALIAS)
    with pytest.raises(ReleaseError, match="Not a terminal"):
        kill_switch.stop(function, yes=False)
    assert "account 123456789012 (example-prod)" in capsys.readouterr().err
    assert aws.concurrency == []
    kill_switch.stop(function, yes=True)
    kill_switch.start(function, yes=True)
    assert aws.concurrency == [0, restored]


def test_old_versions_that_cannot_be_removed_do_not_fail_the_release(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(function: Function) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "DeleteFunction")

    monkeypatch.setattr(release, "prune_versions", refused)
    release.remove_old_versions(Function(FakeTarget(aws=live({})), ALIAS))
    assert "Warning: old versions were not removed" in capsys.readouterr().err
