"""A bundle that is accepted can be asked anything; every other one is refused with a message."""

import json
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from lambda_src.tagger import BundleError, KernelError, TagModel, read_bundle
from lambda_src.tagger.bundle import Bundle
from lambda_src.tagger.model import RankerChoice
from tests.hostile.bundles import QUESTIONS, WHOLE, bundles
from tests.hostile.cases import CASES, cases

_FILE: Final = save(dict(WHOLE.arrays), {"manifest": json.dumps(dict(WHOLE.manifest))})


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """The bytes of a bundle, of which some are wrong, too many or missing."""
    content = _FILE
    header_bytes = int.from_bytes(content[:8], "little")
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, 8 + header_bytes) | st.integers(0, len(content)))
        new = draw(st.binary(max_size=8) | st.sampled_from([b'"', b"}", b"[", b"9" * 20, b"-1"]))
        content = content[:place] + new + content[place + draw(st.integers(0, 8)) :]
    return content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content


@cases(300)
@given(content=contents())
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    CASES["bundle files"] += 1
    path: Path = tmp_path_factory.getbasetemp() / "hostile.safetensors"
    # A new file: the file of the case before may still be mapped.
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    try:
        bundle = read_bundle(path)
    except BundleError as error:
        message = str(error)
        assert message.startswith(f"{path}: ")
        assert message.isprintable(), ascii(message)
        return
    assert _answers_or_is_refused(bundle, "plain")


@cases(150)
@given(bundle=bundles())
def test_any_arrays_and_manifest_are_taken_or_refused(ranker: RankerChoice, bundle: Bundle) -> None:
    CASES[f"bundles, {ranker} ranker"] += 1
    assert _answers_or_is_refused(bundle, ranker)


def _answers_or_is_refused(bundle: Bundle, ranker: RankerChoice) -> bool:
    """Whether a model answers with confidences from 0 to 1, or says in one line why it cannot."""
    try:
        model = TagModel(bundle, ranker=ranker)
    except (BundleError, KernelError) as error:
        message = str(error)
        assert message.isprintable(), ascii(message)
        return True
    for title, body in QUESTIONS:
        answer = model.suggest(title, body)
        assert all(0 <= each.confidence <= 1 for each in model.rank(title, body))
        assert 0 <= answer.expected_jaccard <= 1
        model.explain([each.tag for each in answer.suggestions], title, body)
    return True


def test_the_bundle_that_the_others_are_made_from_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "whole.safetensors"
    path.write_bytes(_FILE)
    model = TagModel(read_bundle(path))
    assert all(model.rank(*each) for each in QUESTIONS)
