import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load

from lambda_src.tagger import (
    BundleDigestError,
    BundleError,
    BundleFormatError,
    TagModel,
    read_bundle,
)
from lambda_src.tagger.model import RankerChoice
from lambda_src.tagger.rules import ANALYZER_VERSION
from model_build.bundle_writer import write_bundle, write_file
from model_build.questions import Question
from model_build.training import TrainingOptions, fit


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, samples: list[Question]) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "small.safetensors"
    fitted = fit(samples, TrainingOptions(min_tag_count=5, prune=0.005, jobs=1))
    write_bundle(fitted, path, corpus={"files": ["samples"]})
    return path


def changed(
    bundle: Path, folder: Path, *, manifest: dict[str, Any] | None = None, **arrays: Any
) -> Path:
    """Write the bundle again with other manifest entries or arrays."""
    read = read_bundle(bundle)
    path = folder / "changed.safetensors"
    write_file(path, {**read.manifest, **(manifest or {})}, {**load(bundle.read_bytes()), **arrays})
    return path


def test_a_bundle_is_read_in_place_and_named_by_its_digest(bundle: Path) -> None:
    read = read_bundle(bundle)
    assert read_bundle(bundle, read.sha256.upper()).sha256 == read.sha256
    for name, array in load(bundle.read_bytes()).items():
        assert np.array_equal(read.arrays[name], array)
        assert not read.arrays[name].flags.owndata
        assert not read.arrays[name].flags.writeable


def test_a_wrong_digest_is_refused_before_anything_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "not-even-a-bundle.safetensors"
    path.write_bytes(b"anything")
    with pytest.raises(BundleDigestError, match=r"not-even-a-bundle.*SHA-256 is .* asked for"):
        read_bundle(path, "0" * 64)


def test_any_changed_byte_changes_the_digest(bundle: Path, tmp_path: Path) -> None:
    digest = read_bundle(bundle).sha256
    content = bytearray(bundle.read_bytes())
    for place in (0, 9, len(content) // 2, len(content) - 1):
        other = bytearray(content)
        other[place] ^= 1
        path = tmp_path / "changed.safetensors"
        path.write_bytes(other)
        with pytest.raises(BundleDigestError):
            read_bundle(path, digest)


@pytest.mark.parametrize("kept", [1, 7, 8, 100, 0.5, -1])
def test_a_truncated_file_is_refused(bundle: Path, tmp_path: Path, kept: float) -> None:
    content = bundle.read_bytes()
    path = tmp_path / "short.safetensors"
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(BundleFormatError, match=r"short\.safetensors"):
        read_bundle(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.safetensors", tmp_path):
        with pytest.raises(BundleError, match="Check the path"):
            read_bundle(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.safetensors"
    empty.touch()
    with pytest.raises(BundleFormatError, match="it ends before its header"):
        read_bundle(empty)
    with pytest.raises(BundleDigestError):
        read_bundle(empty, "0" * 64)


@pytest.mark.parametrize("version", [0, 2, 4, "3", None])
def test_an_unknown_format_is_refused(bundle: Path, tmp_path: Path, version: object) -> None:
    with pytest.raises(BundleFormatError, match="this release reads only 3"):
        read_bundle(changed(bundle, tmp_path, manifest={"format": version}))


def with_header(folder: Path, header: object, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = folder / "hostile.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


META = {"__metadata__": {"manifest": '{"format": 1}'}}


@pytest.mark.parametrize(
    "header",
    [
        b"\xff" * 20,
        b"[" * 100_000,
        [],
        {},
        {"__metadata__": {"manifest": 1}},
        {"__metadata__": {"manifest": "[]"}},
        META | {"a": 1},
        META | {"a": {"dtype": "F32", "shape": [1]}},
        META | {"a": {"dtype": "OBJECT", "shape": [1], "data_offsets": [0, 8]}},
        META | {"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}},
        META | {"a": {"dtype": "F32", "shape": [2.0], "data_offsets": [0, 8]}},
        META | {"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}},
        META | {"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}},
        META | {"a": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 8]}},
        META | {"a": {"dtype": "F32", "shape": [0, 2**63 - 1], "data_offsets": [0, 0]}},
        META | {"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}},
        META | {"a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}},
        META | {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}},
        META | {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}},
        META
        | {
            "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
            "b": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        },
    ],
)
def test_hostile_headers_are_refused(tmp_path: Path, header: object) -> None:
    with pytest.raises(BundleFormatError, match=r"hostile\.safetensors"):
        read_bundle(with_header(tmp_path, header, bytes(8)))


def test_a_header_longer_than_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.safetensors"
    path.write_bytes((2**63).to_bytes(8, "little") + b"{}")
    with pytest.raises(BundleFormatError, match="header claims"):
        read_bundle(path)


def up_and_back(counts: np.ndarray) -> np.ndarray:
    """Move many weights to one term, and take them from the next one; the sum stays the same."""
    changed = counts.astype(np.int64)
    changed[:2] += 10**8, -(10**8)
    return changed.view(np.uint64)


def hostile_arrays(name: str, arrays: dict[str, Any]) -> dict[str, Any]:
    n_terms, n_tags = len(arrays["term_weights"]), len(arrays["intercepts"])
    n_words = len(bytes(arrays["words"]).split(b"\n"))
    newline = np.frombuffer(b"\n", np.uint8)
    gaps, seconds = arrays["word_pair_gaps"], arrays["word_pair_seconds"]
    no_bits, all_bits = np.zeros(0, np.uint8), np.full_like(arrays["text_words"], 255)
    return {
        "word pairs out of order": {
            "word_pair_gaps": np.zeros_like(gaps),
            "word_pair_seconds": np.sort(seconds)[::-1].copy(),
        },
        "a word pair twice": {
            "word_pair_gaps": np.zeros_like(gaps),
            "word_pair_seconds": np.zeros_like(seconds),
        },
        "a pair with an unknown first word": {
            "word_pair_gaps": np.append(gaps[:-1], np.uint32(n_words))
        },
        "a pair with an unknown second word": {
            "word_pair_seconds": np.append(seconds[:-1], np.uint32(n_words))
        },
        "a pair with a negative word": {
            "word_pair_seconds": np.append(seconds[:-1].astype(np.uint64), np.uint64(2**63))
        },
        "a first gap that goes around": {
            "word_pair_gaps": np.append(np.uint64(2**64 - 1), gaps[1:].astype(np.uint64))
        },
        "a gap that goes around": {
            "word_pair_gaps": np.append(gaps[:-1].astype(np.uint64), np.uint64(2**64 - 1))
        },
        "word pairs without seconds": {"word_pair_seconds": seconds[:-1]},
        "bits of words that do not exist": {"text_words": all_bits, "code_words": all_bits},
        "no bits of words": {"text_words": no_bits},
        "more bits than words": {"code_words": np.append(arrays["code_words"], np.uint8(0))},
        "wide bits of words": {"text_words": arrays["text_words"].astype(np.uint16)},
        "a term less than weights": {"code_words": np.zeros_like(arrays["code_words"])},
        "too few term weights": {"term_weights": arrays["term_weights"][:-1]},
        "term weights of another shape": {
            "term_weights": arrays["term_weights"].reshape(1, n_terms)
        },
        "term weights not numbers": {"term_weights": np.full(n_terms, np.nan, np.float32)},
        "infinite weights": {"weight_steps": np.full_like(arrays["weight_steps"], np.inf)},
        "steps below nothing": {"weight_steps": arrays["weight_steps"] * np.float16(-0.0)},
        "some weights as floats": {"weights_value": arrays["weights_value"].astype(np.float32)},
        "common terms beyond all": {"common_terms": arrays["common_terms"] + np.uint32(n_terms)},
        "rows of other tags": {"common_weights": arrays["common_weights"][:, :-1].copy()},
        "rows too few": {"common_weights": arrays["common_weights"][:-1]},
        "a common term with other weights": {
            "common_terms": np.sort(
                np.append(
                    arrays["common_terms"][:-1],
                    np.flatnonzero(arrays["weights_count"]).astype(np.uint32)[-1],
                )
            )
        },
        "a weight of no tag": {"weights_gap": np.full_like(arrays["weights_gap"], 255)},
        "more counts than weights": {"weights_count": arrays["weights_count"] + np.uint16(1)},
        "counts that go up and back": {"weights_count": up_and_back(arrays["weights_count"])},
        "counts that go around": {
            "weights_count": np.full(n_terms, 2**63, np.uint64),
        },
        "counts as floats": {"weights_count": arrays["weights_count"].astype(np.float32)},
        "too few counts": {"weights_count": arrays["weights_count"][:-1]},
        "intercepts of other tags": {"intercepts": arrays["intercepts"][:-1]},
        "names of other tags": {"tag_names": arrays["tag_names"][:-1]},
        "a name of no term": {"names": arrays["names"] + np.uint32(n_terms)},
        "a calibrator of another length": {"calibrator": arrays["calibrator"][:-1]},
        "records of other tags": {"records": arrays["records"][:-1]},
        "pairs out of order": {"pair_gaps": np.append(arrays["pair_gaps"][:-1], np.uint16(0))},
        "pairs without counts": {"pair_counts": arrays["pair_counts"][:-1]},
        "a pair of no tag": {"pair_gaps": arrays["pair_gaps"] + np.uint32(n_tags * n_tags)},
        "a network of another width": {"output": arrays["output"][:-1]},
        "a network of other inputs": {"hidden": arrays["hidden"][:-1]},
        "a word twice": {"words": np.concatenate([arrays["words"], newline, arrays["words"]])},
        "an empty word": {"words": np.append(arrays["words"], newline)},
        "words of wide letters": {"words": arrays["words"].astype(np.uint16)},
        "weights beyond all measure": {"term_weights": np.full(n_terms, 3e38, np.float32)},
        "no terms": {
            "term_weights": np.zeros(0, np.float16),
            "common_terms": np.zeros(1, np.uint32),
        },
        "off-topic weights without signs": {
            "off_topic_weights": arrays["off_topic_weights"].view(np.uint8)
        },
        "off-topic weights of other terms": {"off_topic_weights": arrays["off_topic_weights"][:-1]},
        "an off-topic scale that is no number": {"off_topic_scale": np.full(2, np.nan)},
        "words not text": {"words": np.full(20, 255, np.uint8)},
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "word pairs out of order",
        "a word pair twice",
        "a pair with an unknown first word",
        "a pair with an unknown second word",
        "a pair with a negative word",
        "a first gap that goes around",
        "a gap that goes around",
        "word pairs without seconds",
        "bits of words that do not exist",
        "no bits of words",
        "more bits than words",
        "wide bits of words",
        "a term less than weights",
        "too few term weights",
        "term weights of another shape",
        "term weights not numbers",
        "infinite weights",
        "steps below nothing",
        "some weights as floats",
        "common terms beyond all",
        "rows of other tags",
        "rows too few",
        "a common term with other weights",
        "a weight of no tag",
        "more counts than weights",
        "counts that go up and back",
        "counts that go around",
        "counts as floats",
        "too few counts",
        "intercepts of other tags",
        "names of other tags",
        "a name of no term",
        "a calibrator of another length",
        "records of other tags",
        "pairs out of order",
        "pairs without counts",
        "a pair of no tag",
        "a network of another width",
        "a network of other inputs",
        "a word twice",
        "an empty word",
        "words of wide letters",
        "weights beyond all measure",
        "no terms",
        "off-topic weights without signs",
        "off-topic weights of other terms",
        "an off-topic scale that is no number",
        "words not text",
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    bundle: Path, tmp_path: Path, name: str, ranker: RankerChoice
) -> None:
    arrays = hostile_arrays(name, load(bundle.read_bytes()))
    read = read_bundle(changed(bundle, tmp_path, **arrays))
    with pytest.raises(BundleFormatError, match="Train it again"):
        TagModel(read, ranker=ranker)


@pytest.mark.parametrize(
    "manifest",
    [
        {"tags": [["a", 1], ["a", 1]]},
        {"tags": []},
        {"tags": 5},
        {"tags": [[1, 1]]},
        {"floor": 2.0},
        {"floor": "low"},
        {"other_tags": -1.0},
        {"calibrator_features": []},
        {"reranker_inputs": []},
        {"complete_questions": "many"},
        {"synonyms": {"a": "no tag of the model"}},
        {"title_weight": 0},
        {"title_weight": 2**31},
        {"complete_questions": 10**400},
        {"version": 3},
    ],
)
def test_manifests_that_do_not_fit_are_refused(
    bundle: Path, tmp_path: Path, manifest: dict[str, Any]
) -> None:
    with pytest.raises(BundleFormatError):
        TagModel.load(changed(bundle, tmp_path, manifest=manifest))


@pytest.mark.parametrize("version", [0, 2, 4, "3", True, None])
def test_a_bundle_of_another_analyzer_version_is_refused(
    bundle: Path, tmp_path: Path, version: object
) -> None:
    assert read_bundle(bundle).manifest["analyzer_version"] == ANALYZER_VERSION == 3
    path = changed(bundle, tmp_path, manifest={"analyzer_version": version})
    message = rf"analyzer version {version!r}, but this release has 3\. .* -m model_build train'"
    with pytest.raises(BundleFormatError, match=message):
        TagModel.load(path)


def test_the_same_corpus_and_seed_give_the_same_bytes(
    tmp_path: Path, samples: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    digests = {
        write_bundle(
            fit(samples[:150], TrainingOptions(min_tag_count=10, jobs=jobs)),
            tmp_path / f"{jobs}.safetensors",
            corpus={},
        )
        for jobs in (1, 2)
    }
    assert len(digests) == 1
