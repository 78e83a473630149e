import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest

from lambda_src.tagger import TagModel
from model_build.__main__ import main
from model_build.bundle_writer import write_bundle
from model_build.corpus import Rejects, read_corpus, write_questions
from model_build.features import NotEnoughQuestionsError, tokens_of
from model_build.questions import Question
from model_build.splitting import SharesError, split
from model_build.training import TrainingOptions, fit
from tests.support.paths import DATA, ROOT


def largest_difference(questions: list[Question], asked: list[Question], folder: Path) -> float:
    """Train without pruning; compare the bundle's scores with scikit-learn's own."""
    fitted = fit(questions, TrainingOptions())
    path = folder / "whole.safetensors"
    write_bundle(fitted, path, corpus={})
    model = TagModel.load(path)
    theirs = fitted.regressions.decision_function(fitted.tfidf.transform(tokens_of(asked)))
    ours = np.array([model.scores(each.title, each.body, each.body_format) for each in asked])
    return float(np.abs(theirs - ours).max())


@pytest.mark.data
def test_scores_equal_those_of_scikit_learn_on_real_questions(tmp_path: Path) -> None:
    with Rejects(tmp_path / "rejects") as rejects:
        questions = read_corpus([DATA / "se_html.parquet"], rejects)[::40]
    assert largest_difference(questions, questions[:500], tmp_path) <= 1e-5


def test_scores_equal_those_of_scikit_learn(tmp_path: Path, samples: list[Question]) -> None:
    assert largest_difference(samples, samples, tmp_path) <= 1e-5


def test_a_tag_that_was_not_judged_is_unknown_not_absent() -> None:
    known = [Question("alpha", "", ("common", "rare"))] * 20
    known += [Question("beta", "", ("common",))] * 20
    cut = [Question("alpha", "", ("common",), judged_tags=frozenset({"common"}))] * 500
    options = TrainingOptions(jobs=1)
    alone, beside = fit(known, options), fit(known + cut, options)
    asked = tokens_of([Question("alpha", "", ("rare",))])
    for fitted in (alone, beside):
        scores = fitted.regressions.decision_function(fitted.tfidf.transform(asked))
        rare = [tag for tag, _ in fitted.tags].index("rare")
        assert scores[0, rare] > 0


def test_a_corpus_without_frequent_tags_is_refused(samples: list[Question]) -> None:
    with pytest.raises(NotEnoughQuestionsError, match="lower --min-tag-count"):
        fit(samples[:5], TrainingOptions())


def test_a_split_keeps_near_duplicates_together_and_loses_nothing(samples: list[Question]) -> None:
    twins = [*samples, *(Question(f"{each.title}!", "", ("x",)) for each in samples)]
    parts = split(twins, (0.8, 0.1, 0.1), seed=3)
    assert sorted(map(len, parts), reverse=True) == sorted(map(len, parts), reverse=True)
    assert sum(map(len, parts)) == len(twins)
    titles = [{each.title.rstrip("!?.") for each in part} for part in parts]
    assert not titles[0] & titles[1]
    assert not titles[0] & titles[2]
    assert not titles[1] & titles[2]
    assert split(twins, (0.8, 0.1, 0.1), seed=3) == parts
    for shares in [(0.8, 0.1), (1.2, -0.2)]:
        with pytest.raises(SharesError, match="sum to 1"):
            split(twins, shares, seed=3)


def test_the_commands_train_evaluate_and_split(tmp_path: Path, samples: list[Question]) -> None:
    corpus = tmp_path / "corpus.parquet"
    write_questions(samples, corpus)

    def run(*words: str | Path) -> str:
        command = [sys.executable, "-m", "model_build", *map(str, words)]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True, env=os.environ
        )
        return done.stdout

    run("split", "--questions", corpus, "--out", tmp_path / "parts")
    model, reference = tmp_path / "model.safetensors", tmp_path / "pipeline.joblib"
    train = tmp_path / "parts" / "train.parquet"
    out = run("train", "--questions", train, "--out", model, "--reference", reference)
    assert "SHA-256" in out
    out = run(
        *("evaluate", "--model", model, "--questions", tmp_path / "parts" / "test.parquet"),
        *("--json", tmp_path / "report.json", "--predictions", tmp_path / "predictions.jsonl"),
    )
    assert "sample_jaccard" in out
    scores = joblib.load(reference).decision_function(tokens_of(samples[:3]))
    assert scores.shape == (3, len(TagModel.load(model).tags))


def test_a_wrong_file_is_one_line_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "--questions", "absent.parquet", "--out", str(tmp_path / "m")]
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith("error: absent.parquet: cannot read this file")


def test_wrong_shares_are_one_line_on_standard_error(
    tmp_path: Path, samples: list[Question], capsys: pytest.CaptureFixture[str]
) -> None:
    write_questions(samples[:5], tmp_path / "corpus.parquet")
    files = ["--questions", str(tmp_path / "corpus.parquet"), "--out", str(tmp_path / "parts")]
    assert main(["split", *files, "--shares", "0.8", "0.1", "0.2"]) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert last == "error: The shares [0.8, 0.1, 0.2] must not be negative, and must sum to 1."
