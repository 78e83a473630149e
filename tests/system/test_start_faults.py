"""Servers that start while S3, the network or the temporary folder has a fault."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambda_src.api.plain_s3_request import SPECIAL_VARIABLES
from scripts.emulator.account import client
from scripts.emulator.local_aws import LocalAws
from tests.support.faulty_link import FaultyLink, faulty_link
from tests.support.paths import ROOT, STARTER
from tests.support.small_disks import small_disk
from tests.system.faults import ALL_FAULTS

pytestmark = pytest.mark.faults

CONTENT = STARTER.read_bytes()
BUCKET = "bundles-for-faults"
URL = f"s3://{BUCKET}/assets/starter.safetensors"
START = "from lambda_src.api.app import app; print(app.title)"
SECONDS = 6
"""How long a slow download takes; after five, the log says so."""
PLACES = ["in a function", "elsewhere"]
LOCATIONS = [f"s3://{BUCKET}/absent", "s3://no-such-bucket/absent"]
READ_ONE_OBJECT = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/other/*"}
    ],
}


@pytest.fixture(scope="module")
def s3(aws: LocalAws) -> Any:
    """The emulator's S3, which holds the starter bundle."""
    s3 = client(aws, "s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="assets/starter.safetensors", Body=CONTENT)
    return s3


@pytest.fixture(scope="module")
def other_credentials(aws: LocalAws) -> dict[str, str]:
    """Credentials that may not read the bundle."""
    iam = client(aws, "iam")
    iam.create_user(UserName="reader")
    iam.put_user_policy(
        UserName="reader", PolicyName="other", PolicyDocument=json.dumps(READ_ONE_OBJECT)
    )
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


@pytest.fixture
def link(aws: LocalAws, s3: Any) -> Iterator[FaultyLink]:
    """The network between the server and S3."""
    with faulty_link(aws.state.host, aws.state.port) as link:
        yield link


@pytest.fixture(autouse=True, params=PLACES if ALL_FAULTS else PLACES[:1])
def _place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the process seems to run: in a function, the first attempt is without botocore."""
    for name in [name for name in os.environ if name.lower() in SPECIAL_VARIABLES]:
        monkeypatch.delenv(name)
    if request.param == "in a function":
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "predict")
        monkeypatch.setenv("AWS_REGION", "us-east-1")


def start(
    aws: LocalAws, link: FaultyLink, temporary: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Start the API's process and end it when it could serve."""
    environment = os.environ | aws.environment
    environment |= {
        "AWS_ENDPOINT_URL": f"http://{link.address}",
        "NO_PROXY": "127.0.0.1",
        "ETIQUETTE_MODEL": URL,
        "ETIQUETTE_MODEL_SHA256": hashlib.sha256(CONTENT).hexdigest(),
        "TMPDIR": str(temporary),
        **variables,
    }
    del environment["AWS_PROFILE"], environment["AWS_SESSION_TOKEN"]
    return subprocess.run(
        [sys.executable, "-c", START],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The only line of a start that failed."""
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("etiquette cannot start: ")
    return line


def test_a_connection_that_breaks_twice_costs_only_time(
    aws: LocalAws, link: FaultyLink, tmp_path: Path
) -> None:
    link.cuts = [0, 100_000]
    done = start(aws, link, tmp_path)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "Etiquette\n")
    assert link.connections == 3


def test_s3_that_is_away_is_reported(aws: LocalAws, link: FaultyLink, tmp_path: Path) -> None:
    link.close()
    line = complaint(start(aws, link, tmp_path))
    assert f"{URL}: cannot read the object from S3: Could not connect" in line
    assert "the network and the S3 endpoint, then start again" in line


def test_s3_that_is_slow_is_reported_and_the_start_goes_on(
    aws: LocalAws, link: FaultyLink, tmp_path: Path
) -> None:
    link.bytes_per_second = len(CONTENT) // SECONDS
    done = start(aws, link, tmp_path)
    assert (done.returncode, done.stdout) == (0, "Etiquette\n")
    slowly = f"etiquette starts slowly: {URL}: S3 has sent "
    assert done.stderr.count(slowly) == 1
    assert len(done.stderr.splitlines()) == 1


def test_a_role_without_the_permission_is_reported(
    aws: LocalAws, link: FaultyLink, tmp_path: Path, other_credentials: dict[str, str]
) -> None:
    line = complaint(start(aws, link, tmp_path, **other_credentials))
    assert f"{URL}: S3 denies access to the object (AccessDenied)" in line
    assert "allow s3:GetObject on this object for the role" in line


@pytest.mark.parametrize("location", LOCATIONS if ALL_FAULTS else LOCATIONS[:1])
def test_an_object_that_is_missing_is_reported(
    aws: LocalAws, link: FaultyLink, tmp_path: Path, location: str
) -> None:
    line = complaint(start(aws, link, tmp_path, ETIQUETTE_MODEL=location))
    assert f"{location}: the object does not exist" in line
    assert "Correct ETIQUETTE_MODEL, or deploy again" in line


def test_a_full_temporary_folder_is_reported_and_left_empty(
    aws: LocalAws, link: FaultyLink, tmp_path: Path
) -> None:
    with small_disk(tmp_path, 1024):
        line = complaint(start(aws, link, tmp_path))
        assert "cannot write the bundle of 8 MB to the temporary folder: No space left" in line
        assert "name another one with TMPDIR" in line
        assert list(tmp_path.iterdir()) == []
