"""Tampering with the starter bundle, its digest and its manifest, in every section of the file.

With a digest, every change is refused before anything is parsed. Without one, as on a laptop, a
header that lies is refused by the checks of the layout. The mutations are generated:

    TAMPERED_BUNDLES=500 scripts/unit tests/unit/test_tampering.py

tests that many of each kind instead of the few of an ordinary run.
"""

import hashlib
import json
import os
import pickle
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import joblib
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from lambda_src.api.model_store import load_model
from lambda_src.api.settings import Settings
from lambda_src.environment_settings import SettingsError
from lambda_src.tagger import (
    BundleDigestError,
    BundleError,
    BundleFormatError,
    TagModel,
    bundle,
)
from tests.support.paths import STARTER
from tests.support.signing import private_key, public_text, signature_text

CONTENT = STARTER.read_bytes()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
HEADER_BYTES = int.from_bytes(CONTENT[:8], "little")
HEADER = json.loads(CONTENT[8 : 8 + HEADER_BYTES])
DATA = CONTENT[8 + HEADER_BYTES :]
ARRAYS = {name: entry for name, entry in HEADER.items() if name != "__metadata__"}
SECTIONS = {
    "length of the header": (0, 8),
    "header": (8, 8 + HEADER_BYTES),
    **{
        f"array {name}": tuple(8 + HEADER_BYTES + each for each in entry["data_offsets"])
        for name, entry in ARRAYS.items()
        if entry["data_offsets"][0] < entry["data_offsets"][1]
    },
}
"""The first byte of each section of the file, and the byte behind it."""
GENERATED = settings(
    max_examples=int(os.environ.get("TAMPERED_BUNDLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def nothing_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test when the bundle's reader begins to parse."""

    def refuse(content: memoryview) -> None:
        pytest.fail(f"{len(content)} bytes were parsed although the digest is wrong")

    monkeypatch.setattr(bundle, "_parse", refuse)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tampered") / "model.safetensors"


OTHER_DIGEST = r"SHA-256 is .* Download the bundle again"


def load_as_the_starter(path: Path, content: bytes) -> None:
    """Load a bundle that claims to have the digest of the starter."""
    path.write_bytes(content)
    load_model(str(path), SHA256)


@pytest.mark.usefixtures("nothing_is_parsed")
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_covered_by_the_digest(scratch: Path, section: str) -> None:
    start, end = SECTIONS[section]
    for position in {start, (start + end) // 2, end - 1}:
        flipped = bytes([CONTENT[position] ^ 1])
        with pytest.raises(BundleDigestError, match=OTHER_DIGEST):
            load_as_the_starter(scratch, CONTENT[:position] + flipped + CONTENT[position + 1 :])
    if end < len(CONTENT):
        with pytest.raises(BundleDigestError, match=OTHER_DIGEST):
            load_as_the_starter(scratch, CONTENT[:end])


Change = Callable[[bytes], bytes]


def _flip(where: float, bit: int) -> Change:
    def change(content: bytes) -> bytes:
        position = int(where * len(content))
        return content[:position] + bytes([content[position] ^ 1 << bit]) + content[position + 1 :]

    return change


def _insert(where: float, more: bytes) -> Change:
    def change(content: bytes) -> bytes:
        position = int(where * len(content))
        return content[:position] + more + content[position:]

    return change


def _delete(where: float, length: int) -> Change:
    def change(content: bytes) -> bytes:
        position = int(where * len(content))
        return content[:position] + content[position + length :]

    return change


PLACES = st.floats(0, 1, exclude_max=True)
CHANGES = st.one_of(
    st.builds(_flip, PLACES, st.integers(0, 7)),
    st.builds(_insert, PLACES, st.binary(min_size=1, max_size=64)),
    st.builds(_delete, PLACES, st.integers(1, 4096)),
)


@pytest.mark.usefixtures("nothing_is_parsed")
@GENERATED
@given(section=st.sampled_from(sorted(SECTIONS)), change=CHANGES)
def test_any_change_of_a_section_is_refused(scratch: Path, section: str, change: Change) -> None:
    start, end = SECTIONS[section]
    content = CONTENT[:start] + change(CONTENT[start:end]) + CONTENT[end:]
    with pytest.raises(BundleDigestError, match=OTHER_DIGEST):
        load_as_the_starter(scratch, content)


@pytest.mark.usefixtures("nothing_is_parsed")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        CONTENT[:1],
        CONTENT[:8],
        CONTENT[:-1],
        CONTENT + b"\0",
        CONTENT + CONTENT,
        CONTENT[: 8 + HEADER_BYTES],
        CONTENT[: 8 + HEADER_BYTES] + bytes(len(DATA)),
        bytes(len(CONTENT)),
    ],
    ids=lambda content: f"{len(content)} bytes",
)
def test_a_file_of_another_size_or_content_is_refused(scratch: Path, content: bytes) -> None:
    scratch.write_bytes(content)
    with pytest.raises(BundleError, match=r"model\.safetensors"):
        load_model(str(scratch), SHA256)


@pytest.mark.usefixtures("nothing_is_parsed")
@pytest.mark.parametrize("digit", range(64))
def test_a_pin_with_one_other_digit_is_refused(digit: int) -> None:
    other = "0" if SHA256[digit] != "0" else "1"
    with pytest.raises(BundleDigestError):
        load_model(str(STARTER), SHA256[:digit] + other + SHA256[digit + 1 :])


@pytest.mark.parametrize(
    "pin", ["", SHA256[:-1], f"{SHA256}0", f" {SHA256}", f"{SHA256}\n", "g" * 64, "*" * 64, "any"]
)
def test_a_pin_that_is_no_digest_stops_the_start(pin: str) -> None:
    with pytest.raises(SettingsError, match="ETIQUETTE_MODEL_SHA256"):
        Settings.from_environment({"ETIQUETTE_MODEL": "x", "ETIQUETTE_MODEL_SHA256": pin})


def with_header(header: Any) -> bytes:
    """The starter with another header, in a file whose own digest is right."""
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + DATA


def with_manifest(manifest: dict[str, Any]) -> bytes:
    return with_header({**HEADER, "__metadata__": {"manifest": json.dumps(manifest)}})


BAD_LAYOUT = r"model\.safetensors|Train it again"


def load(path: Path, content: bytes) -> None:
    """Load a bundle of which no digest is known."""
    path.write_bytes(content)
    TagModel.load(path)


NUMBERS = st.integers(-(2**65), 2**65) | st.integers(0, len(CONTENT)) | st.none() | st.floats()
LIES = st.one_of(
    st.fixed_dictionaries(
        {"dtype": st.sampled_from(["I8", "U8", "U16", "U32", "U64", "F16", "F32", "F64", "O", ""])}
    ),
    st.fixed_dictionaries({"shape": st.lists(NUMBERS, max_size=3)}),
    st.fixed_dictionaries({"data_offsets": st.lists(NUMBERS, max_size=3)}),
)


@GENERATED
@given(name=st.sampled_from(sorted(ARRAYS)), lie=LIES)
def test_a_header_that_lies_about_an_array_is_refused(
    scratch: Path, name: str, lie: dict[str, Any]
) -> None:
    entry = {**HEADER[name], **lie}
    assume(entry != HEADER[name])
    with pytest.raises(BundleFormatError, match=BAD_LAYOUT):
        load(scratch, with_header({**HEADER, name: entry}))


@GENERATED
@given(
    kept=st.integers(0, HEADER_BYTES),
    claimed=st.integers(0, 2**64 - 1) | st.integers(0, len(CONTENT)),
)
def test_a_length_that_lies_about_the_header_is_refused(
    scratch: Path, kept: int, claimed: int
) -> None:
    if claimed != HEADER_BYTES:
        with pytest.raises(BundleFormatError, match=BAD_LAYOUT):
            load(scratch, claimed.to_bytes(8, "little") + CONTENT[8:])
    if kept != HEADER_BYTES:
        with pytest.raises(BundleFormatError, match=BAD_LAYOUT):
            load(scratch, CONTENT[: 8 + kept] + DATA)


@pytest.mark.parametrize("name", sorted(ARRAYS))
def test_a_missing_or_added_array_is_refused(scratch: Path, name: str) -> None:
    without = {key: entry for key, entry in HEADER.items() if key != name}
    for other in (without, {**without, f"{name}2": HEADER[name]}):
        with pytest.raises(BundleFormatError, match=BAD_LAYOUT):
            load(scratch, with_header(other))


MANIFEST: dict[str, Any] = json.loads(HEADER["__metadata__"]["manifest"])


def other_manifests() -> dict[str, dict[str, Any]]:
    """Manifests of other bundles: of a site with other tags, an older format, another analyzer."""
    tags = MANIFEST["tags"]
    return {
        "of a model with fewer tags": {**MANIFEST, "tags": tags[:-1]},
        "of a model with more tags": {**MANIFEST, "tags": [*tags, ["one-more", 5]]},
        "of a model with no tags": {**MANIFEST, "tags": []},
        "of the format before": {**MANIFEST, "format": bundle.FORMAT_VERSION - 1},
        "of the next format": {**MANIFEST, "format": bundle.FORMAT_VERSION + 1},
        "of the next analyzer": {**MANIFEST, "analyzer_version": MANIFEST["analyzer_version"] + 1},
        "of another calibrator": {**MANIFEST, "calibrator_features": []},
        "of another ranking": {**MANIFEST, "reranker_inputs": []},
        "with nothing": {},
    }


@pytest.mark.parametrize("name", other_manifests())
def test_the_manifest_of_another_bundle_is_refused(scratch: Path, name: str) -> None:
    content = with_manifest(other_manifests()[name])
    with pytest.raises(BundleFormatError, match=BAD_LAYOUT):
        load(scratch, content)
    with pytest.raises(BundleDigestError, match=OTHER_DIGEST):
        load_as_the_starter(scratch, content)


@pytest.mark.parametrize("metadata", [None, {}, {"manifest": 3}, {"manifest": "["}, [], "text"])
def test_a_header_without_a_manifest_is_refused(scratch: Path, metadata: Any) -> None:
    with pytest.raises(BundleFormatError, match=BAD_LAYOUT):
        load(scratch, with_header({**HEADER, "__metadata__": metadata}))


class Executed:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


@pytest.mark.parametrize("form", ["pickle", "numpy objects", "joblib"])
def test_a_pickle_is_refused_and_not_executed(scratch: Path, tmp_path: Path, form: str) -> None:
    """Even if it has the right digest and a valid signature."""
    trace = tmp_path / "executed"
    if form == "numpy objects":
        with scratch.open("wb") as file:
            np.save(file, np.array([Executed(trace)], dtype=object), allow_pickle=True)
    elif form == "joblib":
        joblib.dump(Executed(trace), scratch)
    else:
        scratch.write_bytes(pickle.dumps(Executed(trace)))
    sha256 = hashlib.sha256(scratch.read_bytes()).hexdigest()
    owner = private_key("owner")
    with pytest.raises(BundleFormatError, match="its header claims"):
        load_model(
            str(scratch),
            sha256,
            signature=signature_text(sha256, owner),
            signing_key=public_text(owner),
        )
    assert not trace.exists()


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket that keeps versions, as the CDK's does, with the starter in it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="assets")
        client.put_bucket_versioning(Bucket="assets", VersioningConfiguration={"Status": "Enabled"})
        client.put_object(Bucket="assets", Key="model.safetensors", Body=CONTENT)
        yield client


@pytest.mark.usefixtures("nothing_is_parsed")
@pytest.mark.parametrize(
    "content", [b"", CONTENT[:-1], CONTENT + b"\0", with_manifest({**MANIFEST, "version": "other"})]
)
def test_an_object_that_was_swapped_is_refused_and_not_stored(
    s3: Any, tmp_path: Path, content: bytes
) -> None:
    s3.put_object(Bucket="assets", Key="model.safetensors", Body=content)
    with pytest.raises(BundleDigestError, match=r"The object was replaced\. Deploy again"):
        load_model("s3://assets/model.safetensors", SHA256)
    assert list(tmp_path.iterdir()) == []


def test_the_digest_and_not_the_version_of_the_object_decides(s3: Any, tmp_path: Path) -> None:
    """The newest version of an object is read. If it is another one, it is refused."""
    (first,) = s3.list_object_versions(Bucket="assets")["Versions"]
    s3.put_object(Bucket="assets", Key="model.safetensors", Body=CONTENT[:-1])
    with pytest.raises(BundleDigestError):
        load_model("s3://assets/model.safetensors", SHA256)
    with pytest.raises(BundleError, match="does not exist"):
        load_model(f"s3://assets/model.safetensors?versionId={first['VersionId']}", SHA256)
    newest = s3.list_object_versions(Bucket="assets")["Versions"]
    wrong = next(each for each in newest if each["VersionId"] != first["VersionId"])
    s3.delete_object(Bucket="assets", Key="model.safetensors", VersionId=wrong["VersionId"])
    assert load_model("s3://assets/model.safetensors", SHA256).sha256 == SHA256
    assert [each.name for each in tmp_path.iterdir()] == [f"etiquette-{SHA256}.safetensors"]


@pytest.mark.usefixtures("s3")
def test_a_downloaded_copy_that_was_changed_is_refused(tmp_path: Path) -> None:
    load_model("s3://assets/model.safetensors", SHA256)
    (copy,) = tmp_path.iterdir()
    copy.write_bytes(CONTENT[:-1] + b"\1")
    with pytest.raises(BundleDigestError):
        load_model("s3://assets/model.safetensors", SHA256)
