"""Loading a model from S3: from moto's S3, and from a server with faults."""

import hashlib
import os
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import botocore.session
import pytest
from moto import mock_aws

from lambda_src.api import model_store
from lambda_src.api.model_store import load_model
from lambda_src.api.plain_s3_request import SPECIAL_VARIABLES
from lambda_src.tagger import BundleDigestError, BundleError
from tests.support.paths import STARTER

CONTENT = STARTER.read_bytes()
DIGEST = hashlib.sha256(CONTENT).hexdigest()
URL = "s3://models/assets/starter.safetensors"
MALFORMED = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-north-1</Region></Error>"


@pytest.fixture(autouse=True)
def _temporary_folder_and_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client: Any = botocore.session.get_session().create_client("s3")
        client.create_bucket(
            Bucket="models", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        client.put_object(Bucket="models", Key="assets/starter.safetensors", Body=CONTENT)
        yield client


def test_a_pinned_object_is_loaded(s3: Any, tmp_path: Path) -> None:
    del s3
    assert load_model(URL, DIGEST).sha256 == DIGEST
    assert [path.name for path in tmp_path.iterdir()] == [f"etiquette-{DIGEST}.safetensors"]


def test_a_second_start_on_the_same_machine_downloads_nothing(s3: Any) -> None:
    load_model(URL, DIGEST)
    s3.delete_object(Bucket="models", Key="assets/starter.safetensors")
    assert load_model(URL, DIGEST.upper()).sha256 == DIGEST


def test_a_damaged_copy_on_disk_is_refused(s3: Any, tmp_path: Path) -> None:
    del s3
    (tmp_path / f"etiquette-{DIGEST}.safetensors").write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(BundleDigestError):
        load_model(URL, DIGEST)


@pytest.mark.parametrize("location", ["s3://models/absent", "s3://absent/absent"])
def test_a_missing_object_is_reported(s3: Any, location: str) -> None:
    del s3
    with pytest.raises(BundleError, match=r"absent: the object does not exist.*deploy again"):
        load_model(location, DIGEST)


def test_an_object_with_another_digest_is_refused_and_not_stored(s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket="models", Key="assets/starter.safetensors", Body=CONTENT + b"x")
    with pytest.raises(BundleDigestError, match=r"The object was replaced. Deploy again"):
        load_model(URL, DIGEST)
    assert list(tmp_path.iterdir()) == []


def test_an_object_without_a_digest_is_refused() -> None:
    with pytest.raises(BundleError, match="Set ETIQUETTE_MODEL_SHA256"):
        load_model(URL, None)


class Misbehaving(BaseHTTPRequestHandler):
    """An S3 whose answers have the faults of `script`, one per request; then it answers well."""

    script: ClassVar[list[str]]
    requests: ClassVar[list[str]]
    agents: ClassVar[list[str | None]]
    released: ClassVar[threading.Event]

    def do_GET(self) -> None:
        self.requests.append(self.path)
        self.agents.append(self.headers["user-agent"])
        match self.script.pop(0) if self.script else "well":
            case "well":
                self._answer(200, CONTENT)
            case "denied":
                self._answer(403, b"<Error><Code>AccessDenied</Code></Error>")
            case "unavailable":
                self._answer(503, b"<Error><Code>SlowDown</Code></Error>")
            case "damaged":
                self._answer(200, CONTENT[:-1] + b"x")
            case "breaks off":
                self._answer(200, CONTENT[:1000], claimed=len(CONTENT))
            case "hangs":
                self.released.wait(10)
            case "drips":
                with suppress(ConnectionError):
                    self._answer(200, b"", claimed=len(CONTENT))
                    for start in range(0, len(CONTENT), 2**17):
                        self.wfile.write(CONTENT[start : start + 2**17])
                        self.released.wait(0.02)
            case "elsewhere":
                # As S3 does: it says where the bucket is, and answers requests for that region.
                if "/eu-north-1/s3/" in self.headers["authorization"]:
                    self._answer(200, CONTENT)
                else:
                    self.script.append("elsewhere")
                    self._answer(400, MALFORMED)
            case code:
                self._answer(403, f"<Error><Code>{code}</Code></Error>".encode())

    def _answer(self, status: int, body: bytes, claimed: int | None = None) -> None:
        self.send_response(status)
        self.send_header("content-length", str(claimed or len(body)))
        if status == 400:
            self.send_header("x-amz-bucket-region", "eu-north-1")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def misbehaving(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Misbehaving]]:
    class Handler(Misbehaving):
        script: ClassVar[list[str]] = []
        requests: ClassVar[list[str]] = []
        agents: ClassVar[list[str | None]] = []
        released = threading.Event()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(model_store, "_READ_SECONDS", 0.3)
    yield Handler
    Handler.released.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("fault", ["unavailable", "breaks off", "hangs"])
def test_a_request_is_repeated_after_a_fault(misbehaving: type[Misbehaving], fault: str) -> None:
    misbehaving.script = [fault, fault]
    assert load_model(URL, DIGEST).sha256 == DIGEST
    assert len(misbehaving.requests) == 3


@pytest.mark.parametrize(
    "fault", ["unavailable", "breaks off", "hangs", "denied", "elsewhere", "damaged"]
)
def test_in_lambda_botocore_asks_again_after_a_fault(
    misbehaving: type[Misbehaving], monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    for name in [name for name in os.environ if name.lower() in SPECIAL_VARIABLES]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "predict")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setattr(model_store, "_FIRST_SECONDS", 0.3)
    misbehaving.script = [fault]
    assert load_model(URL, DIGEST).sha256 == DIGEST
    # botocore first asks in the wrong region, too.
    assert len(misbehaving.requests) == (3 if fault == "elsewhere" else 2)
    first, *others = misbehaving.agents
    assert first is None
    assert all(other is not None and "Botocore" in other for other in others)


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        ("unavailable", "S3 answered with the error SlowDown"),
        ("breaks off", "cannot read the object from S3"),
        ("hangs", "cannot read the object from S3.*Check the credentials, the region"),
    ],
)
def test_a_lasting_fault_is_reported_after_three_attempts(
    misbehaving: type[Misbehaving], fault: str, advice: str
) -> None:
    misbehaving.script = [fault] * 10
    with pytest.raises(BundleError, match=advice):
        load_model(URL, DIGEST)
    assert len(misbehaving.requests) == 3


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("ExpiredToken", "does not accept the session token.*renew the credentials"),
        ("RequestTimeTooSkewed", "the clock of this machine differs.*Set the clock"),
        ("PermanentRedirect", "the bucket is in another region.*Set AWS_REGION"),
    ],
)
def test_an_answer_of_s3_says_what_to_do(
    misbehaving: type[Misbehaving], code: str, advice: str
) -> None:
    misbehaving.script = [code] * 10
    with pytest.raises(BundleError, match=advice):
        load_model(URL, DIGEST)


def test_a_bucket_in_another_region_is_found(misbehaving: type[Misbehaving]) -> None:
    misbehaving.script = ["elsewhere"]
    assert load_model(URL, DIGEST).sha256 == DIGEST
    assert len(misbehaving.requests) == 2


def test_a_slow_download_is_reported_and_ends(
    misbehaving: type[Misbehaving],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(model_store, "_SLOW_SECONDS", 0.1)
    misbehaving.script = ["drips"]
    assert load_model(URL, DIGEST).sha256 == DIGEST
    assert capsys.readouterr().err.count(f"etiquette starts slowly: {URL}: S3 has sent ") == 1
    next(tmp_path.iterdir()).unlink()
    monkeypatch.setattr(model_store, "_DOWNLOAD_SECONDS", 0.5)
    misbehaving.script = ["drips"]
    with pytest.raises(BundleError, match=r"S3 has sent .* MB in .* s, which is too slow\. Check"):
        load_model(URL, DIGEST)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the time that a start waits for its permission."""
    monkeypatch.setattr(model_store, "_PERMISSION_SECONDS", {"on-demand": 0.0, "snap-start": 300.0})
    monkeypatch.setattr(model_store, "_PERMISSION_PAUSE_SECONDS", 0.01)


@pytest.mark.usefixtures("short_waits")
def test_a_missing_permission_is_reported(misbehaving: type[Misbehaving], tmp_path: Path) -> None:
    misbehaving.script = ["denied"] * 100
    with pytest.raises(BundleError, match=r"denies access.*allow s3:GetObject on this object"):
        load_model(URL, DIGEST)
    assert len(misbehaving.requests) <= 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("short_waits")
def test_a_snapshot_waits_until_aws_knows_a_new_role(
    misbehaving: type[Misbehaving], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    misbehaving.script = ["denied"] * 20
    assert load_model(URL, DIGEST).sha256 == DIGEST
    assert len(misbehaving.requests) == 21


def test_a_server_that_does_not_listen_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as closed:
        port = closed.server_address[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(BundleError, match="the region, the network"):
        load_model(URL, DIGEST)


def test_the_client_has_time_limits(monkeypatch: pytest.MonkeyPatch, s3: Any) -> None:
    del s3
    seen = []
    create = botocore.session.Session.create_client

    def remember(self: Any, *arguments: Any, **options: Any) -> Any:
        seen.append(options["config"])
        return create(self, *arguments, **options)

    monkeypatch.setattr(botocore.session.Session, "create_client", remember)
    load_model(URL, DIGEST)
    assert (seen[0].connect_timeout, seen[0].read_timeout) == (2.0, 5.0)


def test_missing_credentials_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "absent")
    with pytest.raises(BundleError, match="credentials"):
        load_model(URL, DIGEST)


def test_credentials_may_come_from_a_role(
    s3: Any, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    del s3
    config = tmp_path_factory.mktemp("aws") / "config"
    config.write_text(
        "[default]\nrole_arn = arn:aws:iam::123456789012:role/reader\nsource_profile = base\n"
        "[profile base]\naws_access_key_id = test\naws_secret_access_key = test\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert load_model(URL, DIGEST).sha256 == DIGEST
