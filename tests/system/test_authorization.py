"""Bearer tokens at the deployed API, with an issuer, published keys and signatures of our own.

The emulator refuses preflights by itself, where AWS hands them to the route that is open for them
(tests/infra/test_http_front.py): here the deployed function is asked directly.
"""

import base64
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from scripts.emulator.account import client
from scripts.emulator.deployment import Deployment, deploy_assembly, synthesize
from scripts.emulator.local_aws import LocalAws
from scripts.emulator.logs import function_lines
from tests.support.api_gateway import gateway_event
from tests.support.paths import ROOT, STARTER

AUDIENCE = "etiquette"
PAGE = "https://example.org"
QUESTION = {"text": "How do I merge two dictionaries in Python?"}


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer(NamedTuple):
    """A token issuer with its signing key."""

    url: str
    key: rsa.RSAPrivateKey

    def token(self, *, key: rsa.RSAPrivateKey | None = None, **claims: Any) -> str:
        """A token that is valid for a minute, unless claims or key make it invalid."""
        now = int(time.time())
        default = {"iss": self.url, "aud": AUDIENCE, "iat": now - 5, "exp": now + 60}
        header = {"alg": "RS256", "typ": "JWT", "kid": "one"}
        parts = [encoded(json.dumps(part).encode()) for part in (header, default | claims)]
        signed = ".".join(parts).encode()
        signature = (key or self.key).sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return f"{signed.decode()}.{encoded(signature)}"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def guarded_aws(aws: LocalAws) -> Iterator[LocalAws]:
    """A second local AWS, for a stack with other settings."""
    started = LocalAws.start("authorization-test", engine=aws.engine.name)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def issuer(guarded_aws: LocalAws) -> Iterator[Issuer]:
    """A server with the configuration and the keys of an issuer."""
    key = new_key()
    numbers = key.public_key().public_numbers()
    published = {
        "kid": "one",
        "kty": "RSA",
        "alg": "RS256",
        "use": "sig",
        "n": encoded(numbers.n.to_bytes(256, "big")),
        "e": encoded(numbers.e.to_bytes(3, "big")),
    }

    class Published(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers = {
                "/.well-known/openid-configuration": {"issuer": url, "jwks_uri": f"{url}/keys"},
                "/keys": {"keys": [published]},
            }
            self.send_response(200 if self.path in answers else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answers.get(self.path)).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer((guarded_aws.state.host, 0), Published)
    url = f"http://{guarded_aws.state.host}:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Issuer(url, key)
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def guarded(guarded_aws: LocalAws, issuer: Issuer) -> Deployment:
    """The stack with `auth=jwt`."""
    settings = {
        "auth": "jwt",
        "jwt_issuer": issuer.url,
        "jwt_audiences": AUDIENCE,
        "cors_origins": PAGE,
    }
    return deploy_assembly(guarded_aws, synthesize(guarded_aws, settings))


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/openapi.json", "/page.js", "/tags", "/model", "/health"]
)
def test_no_route_is_public(guarded: Deployment, path: str) -> None:
    assert guarded.call(path).status == 401


@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/feedback"])
def test_requests_without_a_token_are_rejected(guarded: Deployment, path: str) -> None:
    assert guarded.call(path, body=QUESTION).status == 401


def test_a_valid_token_is_accepted(guarded: Deployment, issuer: Issuer) -> None:
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    answer = guarded.call("/predict", body=QUESTION, headers=headers)
    assert answer.status == 200
    assert json.loads(answer.body)["predicted_tags"][0] == "python"
    batch = guarded.call("/predict/batch", body={"questions": [QUESTION]}, headers=headers)
    assert batch.status == 200


def test_an_event_names_its_caller_by_a_pseudonym(guarded: Deployment, issuer: Issuer) -> None:
    principals = []
    for subject in ("ada@example.org", "ada@example.org", "bob@example.org"):
        headers = {"Authorization": f"Bearer {issuer.token(sub=subject)}"}
        answer = guarded.call("/predict", body=QUESTION, headers=headers)
        identifier = json.loads(answer.body)["prediction_id"]
        principals.append(json.loads(logged_line(guarded, identifier))["principal"])
    first, again, other = principals
    # The two requests of one caller may be on both sides of midnight.
    assert first != other
    assert len({len(each) for each in (first, again, other)} | {16}) == 1
    assert "example.org" not in "".join(function_lines(guarded))


def logged_line(guarded: Deployment, part: str) -> str:
    """The line of the function's log that contains a text, as soon as it is there."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for line in function_lines(guarded):
            if part in line:
                return line
        time.sleep(0.5)
    raise AssertionError(f"no line of the log contains {part}")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"iss": "https://id.example.org"},
        {"exp": 1_700_000_000},
        {"key": new_key()},
    ],
    ids=["audience", "issuer", "expired", "signature"],
)
def test_an_invalid_token_is_rejected(
    guarded: Deployment, issuer: Issuer, claims: dict[str, Any]
) -> None:
    headers = {"Authorization": f"Bearer {issuer.token(**claims)}"}
    assert guarded.call("/predict", body=QUESTION, headers=headers).status == 401


def test_a_page_of_an_allowed_origin_can_send_a_token(guarded: Deployment, issuer: Issuer) -> None:
    ask = {
        "origin": PAGE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    event = gateway_event("OPTIONS", "/predict")
    event["headers"] |= ask
    invoked = client(guarded.aws, "lambda").invoke(
        FunctionName=guarded.outputs["FunctionAlias"], Payload=json.dumps(event).encode()
    )
    preflight = json.loads(invoked["Payload"].read())
    assert preflight["statusCode"] == 200
    assert preflight["headers"]["access-control-allow-origin"] == PAGE
    assert "authorization" in preflight["headers"]["access-control-allow-headers"]
    headers = {"Authorization": f"Bearer {issuer.token()}", "Origin": PAGE}
    answer = guarded.call("/predict", body=QUESTION, headers=headers)
    assert answer.headers["access-control-allow-origin"] == PAGE


def test_a_release_without_auth_does_not_make_the_api_public(guarded: Deployment) -> None:
    where = ["--environment", "emulator", "--emulator", "authorization-test"]
    refused = subprocess.run(
        [ROOT / "scripts" / "release", *where, "--model", STARTER, "--yes"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "would lose what is live" in refused.stderr
    assert "  auth: jwt -> " in refused.stderr
    assert guarded.call("/health").status == 401
