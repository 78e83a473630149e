import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.preprocessing import LabelBinarizer

from lambda_src.tagger.ranker import PlainRanker
from model_build.corpus import write_questions
from model_build.questions import Question
from model_build.training import choose_tags
from scripts.benchmarks import ablation
from scripts.benchmarks.__main__ import main
from scripts.benchmarks.command_cost import run_measured
from scripts.benchmarks.systems import SYSTEMS, embeddings
from scripts.benchmarks.systems.fasttext import _lines
from scripts.benchmarks.systems.omikuji import _silence, _write
from scripts.benchmarks.systems.system import Corpus, answers, at_least, best_three
from scripts.benchmarks.systems.texts import TextTerms, code_words, fields, plain_texts
from scripts.shared.tables import table
from tests.support.paths import STARTER

MIN_TAG_COUNT = 8
SYSTEM_KEYS = {
    *("name", "sample_jaccard", "precision_at_1", "recall_at_5", "macro_f1", "prediction_rate"),
    *("train_seconds", "model_mb", "intervals"),
}
QUESTION = Question("Sorting <b>", "<p>It isn't, <code>a.sort()</code> sorted.</p>", ("python",))


@pytest.fixture(scope="module")
def sample_file(samples: list[Question], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("corpus") / "samples.parquet"
    write_questions(samples, path)
    return str(path)


@pytest.fixture(scope="module")
def corpus(samples: list[Question]) -> Corpus:
    tags = [tag for tag, _ in choose_tags(samples, MIN_TAG_COUNT)]
    return Corpus(samples, tags, MIN_TAG_COUNT)


def test_all_lines_of_a_table_have_the_same_length() -> None:
    lines = table(["System", "P@1"], [["a", "0.51 (0.4 to 0.6)"], ["long name", "1"]]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[1].endswith(":|")


def test_scores_are_converted_to_rankings_and_suggestions() -> None:
    scores = np.array([[0.1, 0.9, 0.3, 0.3], [0.0, 0.2, 0.1, 0.7]])
    first, second = answers(scores, list("abcd"), at_least(0.3))
    assert [each.tag for each in first.ranked] == ["b", "c", "d", "a"]
    assert [each.tag for each in first.suggested] == ["b", "c", "d"]
    assert [each.tag for each in second.suggested] == ["d"]
    assert len(best_three(first.ranked)) == 3


def test_more_than_256_tags_keep_their_marks_in_scikit_learn() -> None:
    tags = [f"tag-{number}" for number in range(300)]
    questions = [Question(tag, "", (tag,)) for tag in tags]
    marks = Corpus(questions, tags, 1).marks
    assert (LabelBinarizer(sparse_output=True).fit_transform(marks) != marks).nnz == 0


@pytest.mark.parametrize("name", ["linear-svc", "scikit-learn-defaults", "student-system"])
def test_every_system_ranks_and_suggests_known_tags(name: str, corpus: Corpus) -> None:
    system = SYSTEMS[name]()
    system.fit(corpus)
    asked = [Question(each.title, each.body, ()) for each in corpus.questions[:40]]
    given = system.answer(asked)
    assert len(given) == len(asked)
    assert system.seconds_saved == 0
    assert system.megabytes() > 0
    hits = 0
    for question, answer in zip(corpus.questions, given, strict=False):
        tags = [each.tag for each in answer.ranked]
        confidences = [each.confidence for each in answer.ranked]
        assert len(tags) == len(set(tags)) == min(10, len(corpus.tags))
        assert set(tags) <= set(corpus.tags)
        assert confidences == sorted(confidences, reverse=True)
        assert {each.tag for each in answer.suggested} <= set(corpus.tags)
        hits += tags[0] in question.tags
    if name != "student-system":  # it uses only very frequent words
        assert hits > 10


def test_quality_writes_all_documented_figures(
    tmp_path: Path, sample_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = run_bench(
        *("quality", "--questions", sample_file, "--partial-questions", sample_file),
        *("--systems", "linear-svc,student-system", "--min-tag-count", str(MIN_TAG_COUNT)),
        json_file=tmp_path / "quality.json",
    )
    assert [system["name"] for system in figures["systems"]] == ["linear-svc", "student-system"]
    for system in figures["systems"]:
        assert system.keys() == SYSTEM_KEYS
        for name, (low, high) in system["intervals"].items():
            assert 0 <= low <= high <= 1
            assert name in system
    assert figures["questions"] < figures["training_questions"] / 4
    assert capsys.readouterr().out.startswith("| System")


def run_bench(*arguments: str, json_file: Path) -> dict[str, Any]:
    assert main([*arguments, "--json", str(json_file)]) == 0
    figures: dict[str, Any] = json.loads(json_file.read_text(encoding="utf-8"))
    return figures


def test_an_error_is_one_line_on_standard_error(
    sample_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("quality", "training"):
        assert main([command, "--questions", sample_file, "--min-tag-count", "9999"]) == 1
        assert "lower --min-tag-count" in capsys.readouterr().err
    assert main(["quality", "--questions", "absent.parquet", "--systems", "linear-svc"]) == 1
    assert capsys.readouterr().err.startswith("error: absent.parquet: cannot read this file")
    with pytest.raises(SystemExit):
        main(["quality", "--questions", "absent.parquet", "--systems", "nobody"])
    assert "unknown system 'nobody'; choose from: etiquette, fasttext" in capsys.readouterr().err


def test_texts_contain_no_markup() -> None:
    [plain] = plain_texts([QUESTION])
    assert plain.split() == ["Sorting", "<b>", "It", "isn't,", "sorted.", "a.sort()"]
    [parted] = fields([QUESTION])
    terms = TextTerms(title_weight=2)(parted)
    assert sorted(terms) == sorted(
        [*("sort", "b", "sort b") * 2, *("it", "isn", "t", "sort"), *("it isn", "isn t", "t sort")]
    )
    assert code_words(parted) == ["a.sort"]


def test_fasttext_gets_the_words_of_title_and_prose() -> None:
    assert _lines([QUESTION]) == ["sorting b it isn t sorted"]


def test_omikuji_gets_its_documented_format(tmp_path: Path) -> None:
    vectors = sp.csr_matrix(np.array([[0.0, 0.5, 0.25], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    marks = sp.csr_matrix(np.array([[1, 1], [0, 0], [0, 1]]))
    _write(vectors, marks, tmp_path / "train.txt")
    lines = (tmp_path / "train.txt").read_text(encoding="utf-8").splitlines()
    assert lines == ["2 3 2", "0,1 1:0.5 2:0.25", "1 2:1"]


def test_output_of_rust_code_is_suppressed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with _silence():
        subprocess.run(["echo", "noise"], check=True)
    subprocess.run(["echo", "table"], check=True)
    assert capfd.readouterr().out == "table\n"


def test_an_embedding_is_computed_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[str] = []

    class Encoder:
        threads = 2

        def encode(self, texts: Sequence[str]) -> embeddings.Vectors:
            encoded.extend(texts)
            return np.array([[len(text), 1] for text in texts], dtype=np.float32)

    monkeypatch.setattr(embeddings, "SentenceEncoder", Encoder)
    monkeypatch.setattr(embeddings, "CACHE", tmp_path)
    vectors, saved = embeddings.embed(["one", "three", "one"])
    assert vectors.tolist() == [[3, 1], [5, 1], [3, 1]]
    assert saved == 0
    vectors, saved = embeddings.embed(["three", "fifteen"])
    assert vectors.tolist() == [[5, 1], [7, 1]]
    assert saved > 0
    assert sorted(encoded) == ["fifteen", "one", "three"]


def test_the_memory_of_child_processes_counts() -> None:
    hold = "import time; held = bytearray(60_000_000); held[::4096] = held[::4096]; time.sleep(1.5)"
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    cost = run_measured([sys.executable, "-c", start])
    assert cost.peak_memory_mb > 60
    assert cost.seconds > 1.5
    with pytest.raises(subprocess.CalledProcessError):
        run_measured([sys.executable, "-c", "raise SystemExit(3)"])


def test_scale_measures_each_size_and_its_growth(
    samples: list[Question], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions, figures = tmp_path / "questions.parquet", tmp_path / "figures.json"
    write_questions(samples * 3, questions)
    command = ["scale", "--questions", str(questions), "--json", str(figures)]
    assert main([*command, "--sizes", "150:4,300:8"]) == 0
    small, large = json.loads(figures.read_text())["sizes"]
    assert large["matrix_mb"] > small["matrix_mb"]
    assert large["tags"] > small["tags"]
    assert all(value > 0 for value in large.values())
    assert "Exponent of the growth" in capsys.readouterr().out
    assert main([*command, "--sizes", "1000000:8"]) == 1
    assert "the largest size has 1000000" in capsys.readouterr().err


def test_ablation_compares_variants_with_the_complete_model(
    sample_file: str, tmp_path: Path
) -> None:
    target = tmp_path / "figures.json"
    options = ["--questions", sample_file, "--min-tag-count", str(MIN_TAG_COUNT)]
    variants = ["--variants", "no tag names,no stemming,no token limits"]
    assert main(["ablation", *options, *variants, "--json", str(target)]) == 0
    rows = {row["variant"]: row for row in json.loads(target.read_text())["variants"]}
    assert list(rows) == [
        "complete model",
        "no re-ranking",
        "raw scores, no calibrator",
        "no tag names",
        "no stemming",
        "no token limits",
    ]
    assert all(interval == [0, 0] for interval in rows["complete model"]["gains"].values())
    # The sample questions often contain the names of their tags.
    assert rows["no tag names"]["sample_jaccard"] < rows["complete model"]["sample_jaccard"]


def test_ablation_uses_the_python_ranker_which_its_variants_change() -> None:
    assert isinstance(ablation._load(STARTER)._ranker, PlainRanker)


def test_ablation_rejects_an_unknown_variant(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["ablation", "--questions", "any.parquet", "--variants", "no luck"])
    assert "unknown variant 'no luck'; choose from: no pairs of words," in capsys.readouterr().err
