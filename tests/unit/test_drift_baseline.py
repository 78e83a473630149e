import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lambda_src.monitor.drift.baseline import Baseline, BaselineError
from lambda_src.monitor.drift.observations import FIGURES, Predictions
from lambda_src.monitor.drift.rare_tags import MAX_RARE_TAGS, RareTags
from lambda_src.tagger import BundleFormatError, TagModel, read_bundle
from lambda_src.tagger.evidence import evidence, filler_numbers
from model_build.bundle_writer import write_bundle
from model_build.drift_baseline import evidence_out_of_fold
from model_build.features import fit_tfidf, tokens_of
from model_build.questions import Question
from model_build.training import FittedTagger, TrainingOptions, fit
from model_build.vocabulary import build_vocabulary


@pytest.fixture(scope="module")
def fitted(samples: list[Question]) -> FittedTagger:
    return fit(samples, TrainingOptions(min_tag_count=5, jobs=1))


@pytest.fixture(scope="module")
def bundle(fitted: FittedTagger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("baseline") / "model.safetensors"
    write_bundle(fitted, path, corpus={})
    return path


def answers(model: TagModel, questions: list[Question]) -> Predictions:
    answered = [model.suggest(each.title, each.body, body_format="html") for each in questions]
    return Predictions(
        np.full(len(answered), np.datetime64("2026-01-01", "D")),
        np.array(
            [
                [p.top_confidence, p.known_share, p.n_words, p.code_share, p.expected_jaccard]
                for p in answered
            ]
        ),
        [[suggestion.tag for suggestion in each.suggestions] for each in answered],
    )


def mean(baseline: Baseline, figure: str) -> float:
    return baseline.figures[figure].total / baseline.n_predictions


def test_a_bundle_holds_a_baseline_of_its_corpus(bundle: Path, samples: list[Question]) -> None:
    manifest = read_bundle(bundle).manifest
    baseline = Baseline.from_json(manifest["baseline"])
    assert baseline.n_predictions == baseline.n_questions == len(samples)
    uses = Counter(tag for question in samples for tag in question.tags)
    rare = {tag: n for tag, n in uses.items() if n < 5}
    assert {tag: baseline.rare_tags.max_uses(tag) for tag in rare} == rare
    assert baseline.rare_tags.max_uses("never-seen") == 0
    assert "never-seen" not in baseline.rare_tags
    assert "python" not in baseline.rare_tags
    assert set(baseline.tags) <= {tag for tag, _ in manifest["tags"]}
    assert 0 < baseline.sample_jaccard < 1
    assert sum(n for _, _, n in baseline.calibration) >= sum(baseline.tags.values())
    assert len(json.dumps(manifest["baseline"])) < 16_000


def test_lengths_and_code_are_those_that_the_service_reports(
    bundle: Path, samples: list[Question]
) -> None:
    baseline = Baseline.from_json(read_bundle(bundle).manifest["baseline"])
    served = answers(TagModel.load(bundle), samples)
    for name in ("words", "code_share"):
        again = baseline.figures[name].recounted(served.figures[:, FIGURES.index(name)])
        assert again.counts.tolist() == baseline.figures[name].counts.tolist()
        assert again.total == pytest.approx(baseline.figures[name].total, abs=1e-3)


def test_the_baseline_is_not_of_answers_that_the_model_learned(
    bundle: Path, samples: list[Question]
) -> None:
    """A baseline of learned answers would show a drift at once: those are more confident."""
    baseline = Baseline.from_json(read_bundle(bundle).manifest["baseline"])
    learned = Baseline.of(
        answers(TagModel.load(bundle), samples),
        n_questions=len(samples),
        rare_tags=RareTags.of({}),
        sample_jaccard=1.0,
    )
    for name in ("top_confidence", "known_share", "expected_jaccard"):
        assert mean(baseline, name) < mean(learned, name) - 0.02


def test_words_that_only_the_question_itself_makes_known_are_unknown() -> None:
    questions = [Question(f"alpha beta rare{number // 3}", "", ("one",)) for number in range(12)]
    options = TrainingOptions().features
    tokens = tokens_of(questions)
    tfidf, matrix = fit_tfidf(tokens, options)
    vocabulary = build_vocabulary(tfidf.named_steps["terms"], ["one"], {})
    shares = [
        evidence_out_of_fold(tokens, vocabulary, matrix, title_weight=4, min_word_count=at)[0][0]
        for at in (2, 3)
    ]
    # Each rare word is in three questions, so two other ones have it.
    assert shares == pytest.approx([1.0, 2 / 3])


def test_known_share_is_that_of_a_model_without_the_question(samples: list[Question]) -> None:
    options = TrainingOptions().features
    tokens = tokens_of(samples)
    tfidf, matrix = fit_tfidf(tokens, options)
    vocabulary = build_vocabulary(tfidf.named_steps["terms"], ["no-such-tag"], {})
    found = evidence_out_of_fold(tokens, vocabulary, matrix, title_weight=4, min_word_count=3)
    for row in range(0, len(samples), len(samples) // 12):
        others, _ = fit_tfidf(tokens[:row] + tokens[row + 1 :], options)
        served = build_vocabulary(others.named_steps["terms"], ["no-such-tag"], {}).as_served(4)
        fillers = filler_numbers(served.number_of)
        assert found[row] == evidence(served.number(tokens[row]), served.unknown, fillers)


def test_bins_hold_the_edge_that_ends_them() -> None:
    figures = np.tile([0.5, 1.0, 10.0, 0.0, 0.25], (100, 1))
    figures[:, 0] = np.arange(100) / 100
    days = np.full(100, np.datetime64("2026-01-01", "D"))
    baseline = Baseline.of(
        Predictions(days, figures, [("a",)] * 100),
        n_questions=100,
        rare_tags=RareTags.of({}),
        sample_jaccard=0.5,
    )
    counts = baseline.figures["top_confidence"]
    assert counts.bins_of(counts.edges).tolist() == list(range(len(counts.edges)))
    # What an event rounds away does not move a value into another bin.
    assert counts.bins_of(counts.edges + 4e-5).tolist() == list(range(len(counts.edges)))
    assert counts.bins_of(counts.edges + 1e-3).tolist() == list(range(1, len(counts.counts)))
    assert baseline.figures["known_share"].counts.tolist() == [100]


def test_the_most_common_rare_tags_are_kept_and_bound_the_others() -> None:
    uses = {f"tag-{number}": 1 + number // 500 for number in range(MAX_RARE_TAGS + 1_000)}
    rare = RareTags.of(uses)
    assert rare.max_uses(f"tag-{MAX_RARE_TAGS}") == 9
    assert "tag-0" not in rare
    assert rare.max_uses("tag-0") == rare.max_uses("never-seen") == rare.max_other_uses == 2
    again = RareTags.from_json(rare.to_json(), rare.max_other_uses)
    assert [again.max_uses(tag) for tag in uses] == [rare.max_uses(tag) for tag in uses]


def test_a_baseline_survives_json(bundle: Path) -> None:
    stored = read_bundle(bundle).manifest["baseline"]
    assert json.loads(json.dumps(Baseline.from_json(stored).to_json())) == stored


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"version": 2}, "has version 2"),
        ({"figures": {}}, "cannot be read"),
        ({"predictions": 1}, "do not add up"),
        ({"tags": None}, "cannot be read"),
    ],
)
def test_a_damaged_baseline_is_refused_with_the_next_step(
    bundle: Path, change: dict[str, object], complaint: str
) -> None:
    stored = dict(read_bundle(bundle).manifest["baseline"])
    with pytest.raises(BaselineError, match=f"{complaint}.*Train the model again"):
        Baseline.from_json({**stored, **change})


def test_a_bundle_without_a_baseline_is_accepted(bundle: Path) -> None:
    read = read_bundle(bundle)
    manifest = {name: value for name, value in read.manifest.items() if name != "baseline"}
    assert TagModel(read._replace(manifest=manifest)).tags
    with pytest.raises(BundleFormatError, match="baseline"):
        TagModel(read._replace(manifest={**read.manifest, "baseline": [1]}))


def test_partial_questions_and_copies_are_not_in_the_baseline(samples: list[Question]) -> None:
    partial = [replace(each, judged_tags=frozenset(each.tags)) for each in samples[:30]]
    fitted = fit([*samples[30:], *partial], TrainingOptions(min_tag_count=5, jobs=1))
    assert fitted.corpus["code_copies"] > 0
    assert fitted.baseline.n_predictions == len(samples) - 30
    assert fitted.baseline.n_questions == len(samples)
