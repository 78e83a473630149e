"""The first attempt to read a model: one request to S3 without botocore."""

import calendar
import datetime
import hashlib
import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import example, given
from hypothesis import strategies as st

from lambda_src.api.plain_s3_request import SPECIAL_VARIABLES, opened_object, signed_headers
from tests.support.paths import ROOT, STARTER

CREDENTIALS = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
}


class Bucket(BaseHTTPRequestHandler):
    """An S3 that has one answer."""

    status: ClassVar[int] = 200
    body: ClassVar[bytes] = b"content"
    paths: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self.send_response(self.status)
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        """Do not log requests."""


@pytest.fixture
def answers() -> type[Bucket]:
    return type("Answers", (Bucket,), {"paths": []})


@pytest.fixture
def server(answers: type[Bucket]) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), answers) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def in_lambda(server: ThreadingHTTPServer) -> dict[str, str]:
    """The environment of a function whose S3 is the server."""
    endpoint = f"http://127.0.0.1:{server.server_port}"
    return {**CREDENTIALS, "AWS_LAMBDA_FUNCTION_NAME": "predict", "AWS_ENDPOINT_URL": endpoint}


def read(environment: dict[str, str], key: str = "model") -> bytes | None:
    """Read an object; None where botocore must be asked."""
    try:
        with opened_object("models", key, environment, seconds=5) as response:
            return response.read()
    except (OSError, HTTPException, ValueError):
        return None


def test_an_object_is_read(in_lambda: dict[str, str], answers: type[Bucket]) -> None:
    assert read(in_lambda, "a/b ?#%é+.safetensors") == b"content"
    assert answers.paths == ["/models/a/b%20%3F%23%25%C3%A9%2B.safetensors"]


@given(
    key=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
    token=st.sampled_from(["", "token+/="]),
)
@example(key="a//b/../c ?#%é+~", token="")
def test_the_signature_is_that_of_botocore(key: str, token: str) -> None:
    path = quote(f"/models/{key}", safe="/~")
    request = AWSRequest("GET", f"http://localhost:4566{path}")
    credentials = Credentials("key", "secret", token or None)
    S3SigV4Auth(credentials, "s3", "eu-west-1").add_auth(request)
    # botocore reads the clock itself.
    signed_at = time.strptime(request.context["timestamp"], "%Y%m%dT%H%M%SZ")
    headers = signed_headers(
        "localhost:4566",
        path,
        {**CREDENTIALS, "AWS_SESSION_TOKEN": token},
        calendar.timegm(signed_at),
    )
    assert headers["authorization"] == request.headers["authorization"]


@pytest.mark.parametrize("status", [301, 307, 403, 404, 503])
def test_every_other_answer_is_left_to_botocore(
    in_lambda: dict[str, str], answers: type[Bucket], status: int
) -> None:
    answers.status = status
    assert read(in_lambda) is None
    assert len(answers.paths) == 1


@pytest.mark.parametrize(
    "missing",
    ["AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
)
def test_an_environment_without_credentials_is_left_to_botocore(
    in_lambda: dict[str, str], answers: type[Bucket], missing: str
) -> None:
    # Where a function starts from a snapshot, Lambda gives credentials in another way.
    del in_lambda[missing]
    assert read(in_lambda) is None
    assert not answers.paths


@pytest.mark.parametrize("special", [*sorted(SPECIAL_VARIABLES), "HTTPS_PROXY", "Http_Proxy"])
def test_special_settings_are_left_to_botocore(
    in_lambda: dict[str, str], answers: type[Bucket], special: str
) -> None:
    assert read({**in_lambda, special: "true"}) is None
    assert not answers.paths


@pytest.mark.parametrize("endpoint", ["htps://{}", "//{}", "{}", "http://{}/prefix"])
def test_special_endpoints_are_left_to_botocore(
    in_lambda: dict[str, str], answers: type[Bucket], endpoint: str
) -> None:
    host = in_lambda["AWS_ENDPOINT_URL"].removeprefix("http://")
    assert read({**in_lambda, "AWS_ENDPOINT_URL_S3": endpoint.format(host)}) is None
    assert not answers.paths


@pytest.mark.parametrize(
    "endpoint",
    ["http://127.0.0.1:1", "http://s3.invalid", "http://a..b", "http://[::1", "http://a:b"],
)
def test_a_server_that_cannot_be_reached_is_left_to_botocore(
    in_lambda: dict[str, str], endpoint: str
) -> None:
    assert read({**in_lambda, "AWS_ENDPOINT_URL": endpoint}) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_REGION", "eu-west-1 "),
        ("AWS_SESSION_TOKEN", "token\n"),
        ("AWS_ACCESS_KEY_ID", "key\u2013"),
        ("AWS_SECRET_ACCESS_KEY", "\ud800"),
    ],
)
def test_credentials_that_make_no_request_are_left_to_botocore(
    in_lambda: dict[str, str], name: str, value: str
) -> None:
    assert read({**in_lambda, name: value, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}) is None


def test_a_bucket_is_not_listed(in_lambda: dict[str, str], answers: type[Bucket]) -> None:
    assert read(in_lambda, "") is None
    assert not answers.paths


def test_the_certificate_of_the_server_is_checked(
    in_lambda: dict[str, str],
    server: ThreadingHTTPServer,
    answers: type[Bucket],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certificate = _self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    environment = {**in_lambda, "AWS_ENDPOINT_URL": f"https://localhost:{server.server_port}"}
    assert read(environment) is None
    assert not answers.paths
    # OpenSSL's variable for the certificates that it trusts.
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert read(environment) == b"content"


def test_a_start_in_lambda_needs_no_botocore(
    in_lambda: dict[str, str], answers: type[Bucket], tmp_path: Path
) -> None:
    answers.body = STARTER.read_bytes()
    program = (
        "import sys\n"
        "import lambda_src.api.handler\n"
        "print('botocore.session' in sys.modules, 'urllib3' in sys.modules)"
    )
    environment = {
        "PATH": os.environ["PATH"],
        **in_lambda,
        "TMPDIR": str(tmp_path),
        "ETIQUETTE_MODEL": "s3://models/starter.safetensors",
        "ETIQUETTE_MODEL_SHA256": hashlib.sha256(answers.body).hexdigest(),
    }
    command = [sys.executable, "-c", program]
    output = subprocess.check_output(command, cwd=ROOT, env=environment, text=True)
    assert output.split() == ["False", "False"]


def _self_signed(folder: Path) -> Path:
    """Write a certificate for localhost that nobody has signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path
