"""The setting `signing_key`, and the stack of the key."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra_cdk.model import ModelFileError
from infra_cdk.model_signature import read_signature
from infra_cdk.settings import ENVIRONMENTS, SettingsError
from infra_cdk.signing_key import compose
from lambda_src.model_signature import check_signature
from tests.infra.synthesis import Synthesize, Synthesized, bundle_bytes
from tests.support.signing import private_key, public_text, sign_file, signature_text

OWNER = private_key("owner")
KEY = public_text(OWNER)


@pytest.fixture(scope="module")
def signed_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("signed") / "model.safetensors"
    path.write_bytes(bundle_bytes("2026.01.01-signed"))
    sign_file(path, OWNER)
    return path


def check_both(sha256: str, signature: bytes, key: str, model: Path) -> list[bool]:
    """Say whether the infrastructure and the function's start accept a signature."""
    model.with_name(f"{model.name}.sig").write_bytes(signature)

    def start() -> None:
        check_signature(sha256, base64.b64encode(signature).decode(), key)

    def deployment() -> None:
        read_signature(model, sha256, key)

    accepted = []
    for check in (deployment, start):
        try:
            check()
        except ValueError:
            accepted.append(False)
        else:
            accepted.append(True)
    return accepted


def test_deployment_and_start_accept_the_same_signatures(tmp_path: Path) -> None:
    sha256, model = "ab" * 32, tmp_path / "model.safetensors"
    right = base64.b64decode(signature_text(sha256, OWNER))
    assert check_both(sha256, right, KEY, model) == [True, True]
    stranger = private_key("stranger")
    wrong = [
        (sha256, b"", KEY),
        (sha256, right[:-1], KEY),
        (sha256, right + b"\0", KEY),
        (sha256, bytes([right[0] ^ 1]) + right[1:], KEY),
        ("cd" * 32, right, KEY),
        (sha256, right, public_text(stranger)),
        (sha256, base64.b64decode(signature_text(sha256, stranger)), KEY),
        (sha256, right, ""),
        (sha256, right, KEY[:-4]),
    ]
    for digest, signature, key in wrong:
        assert check_both(digest, signature, key, model) == [False, False]


@pytest.fixture(scope="module")
def signed(synthesize: Synthesize, signed_model: Path) -> Synthesized:
    return synthesize(
        model=signed_model, signing_key=KEY, archive_scoring=1, given=frozenset({"signing_key"})
    )


def variables(stack: Synthesized, construct: str) -> dict[str, str]:
    function = stack.only("AWS::Lambda::Function", construct)["Properties"]
    return dict(function["Environment"]["Variables"])


@pytest.mark.parametrize("construct", ["Function", "ArchiveScoring"])
def test_the_functions_that_answer_get_the_signature_and_the_key(
    signed: Synthesized, signed_model: Path, construct: str
) -> None:
    found = variables(signed, construct)
    sha256 = hashlib.sha256(signed_model.read_bytes()).hexdigest()
    assert found["ETIQUETTE_MODEL_SIGNING_KEY"] == KEY
    assert found["ETIQUETTE_MODEL_SIGNATURE"] == signature_text(sha256, OWNER)
    # Lambda accepts 4 KB of variables.
    assert len(json.dumps(found)) < 3000


def test_signatures_are_off_by_default(synthesized: Synthesized) -> None:
    assert not {each for each in variables(synthesized, "Function") if "SIGN" in each}


def test_the_key_is_kept_by_the_next_release(signed: Synthesized) -> None:
    assert json.loads(signed.outputs()["Settings"])["signing_key"] == KEY
    assert "signing_key" in json.loads(signed.outputs()["CommandSettings"])


def test_an_unsigned_model_is_not_synthesized(synthesize: Synthesize, other_model: Path) -> None:
    with pytest.raises(ModelFileError, match=r"other\.safetensors is not signed.*sign_model"):
        synthesize(model=other_model, signing_key=KEY)


def test_a_model_of_another_signer_is_not_synthesized(
    synthesize: Synthesize, other_model: Path
) -> None:
    sign_file(other_model, private_key("stranger"))
    with pytest.raises(ModelFileError, match="another key made it"):
        synthesize(model=other_model, signing_key=KEY)


def test_a_wrong_key_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"not the public key.*sign_model --public-key"):
        ENVIRONMENTS["dev"](signing_key="alias/etiquette-models")


def test_the_key_is_for_signing_only_and_outlives_its_stack(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path), analytics_reporting=False)
    stack = compose(app)
    app.synth()  # fails if cdk-nag has a finding
    assert stack.termination_protection
    template = Template.from_stack(stack)
    template.has_resource(
        "AWS::KMS::Key",
        {
            "Properties": {"KeySpec": "RSA_3072", "KeyUsage": "SIGN_VERIFY"},
            "DeletionPolicy": "Retain",
        },
    )
    template.has_resource_properties("AWS::KMS::Alias", {"AliasName": "alias/etiquette-models"})
    (policy,) = template.find_resources("AWS::IAM::ManagedPolicy").values()
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    assert [each["Action"] for each in statements] == ["kms:Sign", "kms:GetPublicKey"]
    assert "*" not in {json.dumps(each["Resource"]) for each in statements}
    assert set(template.find_outputs("*")) == {"SigningKeyArn", "SignerPolicyArn"}
