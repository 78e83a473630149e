import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelBinarizer

from lambda_src.tagger import Suggestion
from lambda_src.tagger.ranker import PlainRanker
from model_build.corpus import Rejects, write_questions
from model_build.questions import Question
from model_build.retrain_starter import INVERSE_REGULARIZATION, MISLEADING_PER_TAG, PRUNE
from model_build.training import choose_tags
from scripts.benchmarks import ablation, kept_answers, quality
from scripts.benchmarks.__main__ import main
from scripts.benchmarks.command_cost import run_measured
from scripts.benchmarks.options import read_by_file, rows_by_file
from scripts.benchmarks.systems import SYSTEMS, embeddings
from scripts.benchmarks.systems.etiquette import Etiquette
from scripts.benchmarks.systems.fasttext import _lines
from scripts.benchmarks.systems.joint_regressions import JointLogisticRegressions
from scripts.benchmarks.systems.omikuji import _silence, _write
from scripts.benchmarks.systems.one_vs_rest import OneVsRest
from scripts.benchmarks.systems.system import Answer, Corpus, answers, at_least, best_three
from scripts.benchmarks.systems.texts import TextTerms, code_words, fields, plain_texts
from scripts.shared.tables import table
from tests.support.paths import STARTER

MIN_TAG_COUNT = 8
SYSTEM_KEYS = {
    *("name", "sample_jaccard", "precision_at_1", "recall_at_5", "macro_f1", "prediction_rate"),
    *("train_seconds", "model_mb", "intervals", "files"),
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


@pytest.fixture
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "CACHE", tmp_path / "cache")


@pytest.mark.usefixtures("_empty_cache")
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


@pytest.mark.usefixtures("_empty_cache")
def test_quality_compares_the_systems_file_by_file_and_trains_each_once(
    tmp_path: Path,
    sample_file: str,
    samples: list[Question],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_questions(samples[:40], tmp_path / "first.parquet")
    write_questions(samples[40:60], tmp_path / "second.parquet")
    trained: list[str] = []
    fit = OneVsRest.fit

    def fit_and_count(system: OneVsRest, corpus: Corpus) -> None:
        trained.append("other")
        fit(system, corpus)

    class Guesser(Etiquette):
        """Stands in for a training, which takes long."""

        def fit(self, corpus: Corpus) -> None:
            trained.append(" ".join(self._options))

        def answer(self, questions: Sequence[Question]) -> list[Answer]:
            guess = [Suggestion("python", 0.5)]
            return [Answer(guess, guess) for _ in questions]

        def megabytes(self) -> float:
            return 1.0

    monkeypatch.setattr(OneVsRest, "fit", fit_and_count)
    monkeypatch.setattr(quality, "Etiquette", Guesser)
    (tmp_path / "sets.csv").write_text("id,tags\n1,<python>\n")

    def run(systems: str, *more: str) -> dict[str, Any]:
        tests = [str(tmp_path / f"{name}.parquet") for name in ("first", "second")]
        return run_bench(
            *("quality", "--questions", sample_file, "--test", *tests, "--systems", systems),
            *("--min-tag-count", str(MIN_TAG_COUNT), *more),
            json_file=tmp_path / "quality.json",
        )

    alone = run("linear-svc")
    assert alone["leads"] == []
    recipe = ("--starter-recipe", "--tag-sets", str(tmp_path / "sets.csv"))
    figures = run("etiquette,linear-svc,student-system", *recipe)
    assert trained == [
        "other",
        f"--prune {PRUNE} --misleading-per-tag {MISLEADING_PER_TAG} "
        f"--inverse-regularization {INVERSE_REGULARIZATION} --tag-sets {recipe[-1]}",
        "other",
    ]
    assert figures["systems"][1] == alone["systems"][0]
    for system in figures["systems"]:
        assert [(each["file"], each["questions"]) for each in system["files"]] == [
            ("first", 40),
            ("second", 20),
        ]
        whole = sum(each["sample_jaccard"] * each["questions"] for each in system["files"]) / 60
        assert system["sample_jaccard"] == pytest.approx(whole)
    for lead in figures["leads"]:
        ours, *others = (
            next(each for each in system["files"] if each["file"] == lead["file"])
            for system in figures["systems"]
        )
        assert lead["gain"] == pytest.approx(
            ours[lead["figure"]] - max(each[lead["figure"]] for each in others)
        )
        assert lead["interval"][0] <= lead["gain"] <= lead["interval"][1]
    assert len(figures["leads"]) == 6
    out = capsys.readouterr().out
    assert "first (40)" in out
    assert "Best other system" in out

    run("etiquette")
    assert trained[3:] == [""], "other options, other answers"
    assert run("student-system", "--most", "100")["training_questions"] == 100
    assert trained[4:] == ["other"], "other questions, other answers"


def test_files_of_the_same_name_are_told_apart_by_their_paths(
    tmp_path: Path, samples: list[Question]
) -> None:
    paths = [tmp_path / folder / "test.parquet" for folder in ("old", "new")]
    for number, path in enumerate(paths, start=1):
        write_questions(samples[:number], path)
    with Rejects(tmp_path / "rejects") as rejects:
        found = read_by_file(paths, rejects)
        assert list(read_by_file(paths[:1], rejects)) == ["test"]
    assert rows_by_file(found) == {str(paths[0]): range(1), str(paths[1]): range(1, 3)}


def test_joint_regressions_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    vectors = random.normal(size=(1_500, 20)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = vectors @ random.normal(size=(20, 4)) * 4 - np.array([0, 1, 2, 4])
    marks = (random.random(scores.shape) < 1 / (1 + np.exp(-scores))).astype(np.int64)
    joint = JointLogisticRegressions(3.0).fit(vectors, sp.csr_matrix(marks))
    ours = joint.predict_proba(vectors)
    for tag in range(4):
        theirs = LogisticRegression(C=3.0).fit(vectors, marks[:, tag])
        assert np.abs(ours[:, tag] - theirs.predict_proba(vectors)[:, 1]).max() < 0.01


def test_the_other_systems_read_a_body_in_its_format() -> None:
    [parted] = fields([Question("T", "Why `a.sort()`?", ("python",), body_format="markdown")])
    assert parted.code.split() == ["a.sort()"]


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
    rows = [[0.0, 0.5, 0.25], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    vectors = sp.csr_matrix(np.array(rows))
    marks = sp.csr_matrix(np.array([[1, 1], [0, 0], [0, 1], [1, 0]]))
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
    [found] = json.loads(target.read_text())["files"]
    rows = {row["variant"]: row for row in found["variants"]}
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


def test_ablation_judges_each_file_and_its_code_alone(
    sample_file: str, samples: list[Question], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_questions(samples[:30], tmp_path / "bodies.parquet")
    write_questions([Question("Sort a list", "", ("python",))], tmp_path / "titles.parquet")
    sets = "".join(f"{-number},<python><pandas>\n" for number in range(1, 80))
    (tmp_path / "sets.csv").write_text(f"id,tags\n{sets}")
    command = [
        *("ablation", "--questions", sample_file, "--min-tag-count", str(MIN_TAG_COUNT)),
        *("--test", str(tmp_path / "bodies.parquet"), str(tmp_path / "titles.parquet")),
        *("--tag-sets", str(tmp_path / "sets.csv"), "--json", str(tmp_path / "figures.json")),
    ]
    assert main([*command, "--variants", "no code copies,no tag sets"]) == 0
    files = json.loads((tmp_path / "figures.json").read_text())["files"]
    assert [each["file"] for each in files] == ["bodies", "titles", "bodies, code alone"]
    assert files[0]["questions"] == 30
    assert 0 < files[2]["questions"] <= 30
    out = capsys.readouterr().out
    for each in files:
        assert [row["variant"] for row in each["variants"]][3:] == ["no code copies", "no tag sets"]
        assert f"{each['file']}, {each['questions']} questions:" in out


def test_ablation_uses_the_python_ranker_which_its_variants_change() -> None:
    assert isinstance(ablation._load(STARTER)._ranker, PlainRanker)


def test_ablation_rejects_an_unknown_variant(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["ablation", "--questions", "any.parquet", "--variants", "no luck"])
    assert "unknown variant 'no luck'; choose from: no pairs of words," in capsys.readouterr().err
