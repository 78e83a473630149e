from pathlib import Path

import numpy as np
import pytest

from lambda_src.tagger import TagModel
from model_build.questions import Question
from scripts.benchmarks.costs import dollars_per_million
from scripts.benchmarks.growth import LARGEST, hostile_questions, long_question, tile
from scripts.benchmarks.stacks.models import TunedModel, UsualModel
from tests.conftest import STARTER


@pytest.mark.parametrize("n_tags", [700, 2500])
def test_a_tiled_bundle_is_a_model_with_that_many_tags(
    starter: TagModel, tmp_path: Path, n_tags: int
) -> None:
    path = tmp_path / "tiled.safetensors"
    tile(STARTER, path, n_tags)
    tiled = TagModel.load(path)
    assert len(tiled.tags) == n_tags
    title = "How do I merge two dictionaries in Python?"
    of_starter = np.resize(starter.scores(title), n_tags)
    assert np.allclose(tiled.scores(title), of_starter, atol=1e-5)


def test_long_and_hostile_questions_are_as_long_as_the_api_takes() -> None:
    question = Question(title="Why?", body="<p>Too long, didn't run.</p>", tags=("a",))
    _, body = long_question([question] * 3000, LARGEST)
    assert len(body.encode()) == LARGEST
    assert {len("".join(text).encode()) for text in hostile_questions().values()} == {LARGEST}


@pytest.mark.parametrize(("memory_mb", "milliseconds"), [(256, 7), (1769, 1), (3008, 1)])
def test_a_price_counts_whole_milliseconds_at_the_share_of_a_core(
    memory_mb: int, milliseconds: int
) -> None:
    requests = 1.20
    compute = milliseconds * 1000 * memory_mb / 1024 * 0.0000133334
    assert dollars_per_million(0.9, memory_mb, "arm64") == pytest.approx(requests + compute)


def test_the_tuned_rival_answers_as_the_usual_one() -> None:
    usual = UsualModel()
    texts = ["cats purr", "dogs bark", "cats and dogs", "birds sing"] * 5
    usual.fit(texts, [["cat"], ["dog"], ["cat", "dog"], ["bird"]] * 5)
    tuned = TunedModel(usual)
    for title in texts[:4]:
        assert tuned.predict(title, "<b>now</b>") == usual.predict(title, "<b>now</b>")
