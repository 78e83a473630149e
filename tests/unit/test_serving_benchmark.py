from pathlib import Path

import numpy as np
import pytest

from lambda_src.tagger import TagModel
from model_build.questions import Question
from scripts.benchmarks.baseline_service.models import BaselineModel, TunedBaselineModel
from scripts.benchmarks.costs import dollars_per_million
from scripts.benchmarks.growth import LARGEST, hostile_questions, long_question, tile
from tests.support.paths import STARTER


@pytest.mark.parametrize("n_tags", [700, 2500])
def test_a_tiled_bundle_has_the_requested_number_of_tags(
    starter: TagModel, tmp_path: Path, n_tags: int
) -> None:
    path = tmp_path / "tiled.safetensors"
    tile(STARTER, path, n_tags)
    tiled = TagModel.load(path)
    assert len(tiled.tags) == n_tags
    title = "How do I merge two dictionaries in Python?"
    expected = np.resize(starter.scores(title), n_tags)
    assert np.allclose(tiled.scores(title), expected, atol=1e-5)


def test_long_and_hostile_questions_have_the_maximum_length_of_the_api() -> None:
    question = Question(title="Why?", body="<p>Too long, didn't run.</p>", tags=("a",))
    _, body = long_question([question] * 3000, LARGEST)
    assert len(body.encode()) == LARGEST
    assert {len("".join(text).encode()) for text in hostile_questions().values()} == {LARGEST}


@pytest.mark.parametrize(("memory_mb", "milliseconds"), [(256, 7), (1769, 1), (3008, 1)])
def test_a_cost_counts_whole_milliseconds_at_the_share_of_a_core(
    memory_mb: int, milliseconds: int
) -> None:
    requests = 1.20
    compute = milliseconds * 1000 * memory_mb / 1024 * 0.0000133334
    assert dollars_per_million(0.9, memory_mb, "arm64") == pytest.approx(requests + compute)


def test_the_tuned_baseline_predicts_the_same_tags_as_the_baseline() -> None:
    baseline = BaselineModel()
    texts = ["cats purr", "dogs bark", "cats and dogs", "birds sing"] * 5
    baseline.fit(texts, [["cat"], ["dog"], ["cat", "dog"], ["bird"]] * 5)
    tuned = TunedBaselineModel(baseline)
    for title in texts[:4]:
        assert tuned.predict(title, "<b>now</b>") == baseline.predict(title, "<b>now</b>")
