import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest

from lambda_src.tagger import TagModel
from model_build.__main__ import main
from model_build.bundle_writer import write_bundle
from model_build.corpus import CorpusError, Rejects, read_corpus, read_tag_sets, write_questions
from model_build.features import NotEnoughQuestionsError, tokens_of
from model_build.made_questions import PER_NAME, PER_TAG
from model_build.questions import Question
from model_build.splitting import SharesError, split
from model_build.tag_sets import TagSet, without_doubles
from model_build.training import TrainingOptions, fit
from tests.support.paths import DATA, ROOT, SAMPLES, STARTER


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


def test_a_question_of_code_alone_gets_the_tag_of_its_code() -> None:
    def asked(code: str, *tags: str) -> list[Question]:
        return [
            Question(
                f"why does this fail {number}",
                f"<p>please help with attempt {number % 7} in {tags[0]}</p>"
                f"<pre><code>{code} = {code}_total + items_of_this_list * {number % 5}"
                f" + {code}_again + {code}_at_last + values</code></pre>",
                tags,
            )
            for number in range(40)
        ]

    questions = asked("alpha", "one") + asked("beta", "two")
    options = TrainingOptions(jobs=1, seed=3)
    with_copies = fit(questions, options)
    without = fit(questions, replace(options, code_copies=False))
    code = tokens_of([Question("", "<pre><code>beta = beta_total</code></pre>", ("two",))])
    two = [tag for tag, _ in with_copies.tags].index("two")
    margins = []
    for fitted in (with_copies, without):
        scores = fitted.regressions.decision_function(fitted.tfidf.transform(code))
        margins.append(scores[0, two] - scores[0, 1 - two])
    assert margins[0] > margins[1] > 0
    # The copies change neither the counts nor the terms, and have no figures.
    assert with_copies.tags == without.tags == [("one", 40), ("two", 40)]
    assert with_copies.vocabulary.keys.tolist() == without.vocabulary.keys.tolist()
    assert with_copies.corpus == without.corpus | {"code_copies": 80}
    pairs = [fitted.ranking.reranker_inputs.pairs_ for fitted in (with_copies, without)]
    assert pairs[0].n_questions == pairs[1].n_questions == 80
    assert len(with_copies.ranking.ranked) == 80


def test_misleading_questions_count_for_the_regressions_and_not_for_the_card(
    samples: list[Question],
) -> None:
    options = TrainingOptions(jobs=1, min_tag_count=10)
    without = fit(samples, options)
    with_them = fit(samples, replace(options, misleading_per_tag=3))
    assert with_them.corpus["misleading_questions"] > len(with_them.tags)
    assert without.corpus["misleading_questions"] == 0
    assert with_them.tags == without.tags
    assert (with_them.regressions.coef_ != without.regressions.coef_).nnz > 0
    assert len(with_them.ranking.ranked) == len(without.ranking.ranked) == len(samples)
    pairs = [each.ranking.reranker_inputs.pairs_ for each in (without, with_them)]
    assert pairs[0].counts.tolist() == pairs[1].counts.tolist()


def test_sets_of_known_tags_add_to_the_pairs_and_to_nothing_else(samples: list[Question]) -> None:
    options = TrainingOptions(jobs=1, min_tag_count=10)
    alone = fit(samples, options)
    (first, uses), (second, _), *_ = alone.tags
    tag_sets = [TagSet(number, (first, second)) for number in range(50)]
    beside = fit(samples, options, tag_sets=tag_sets)
    assert beside.tags == alone.tags
    assert (beside.regressions.coef_ != alone.regressions.coef_).nnz == 0
    before, after = (each.ranking.reranker_inputs.pairs_ for each in (alone, beside))
    assert after.n_questions == before.n_questions + 50
    assert (before.counts[0], after.counts[0]) == (uses, uses + 50)
    assert after.counts[after.keys == 1].tolist() == [50 + before.counts[before.keys == 1].sum()]


def test_a_tag_that_only_tag_sets_know_is_learned_by_its_name(
    tmp_path: Path, samples: list[Question]
) -> None:
    options = TrainingOptions(jobs=1, min_tag_count=10, min_tag_set_count=60)
    (first, _), *_ = fit(samples, options).tags
    sets = [TagSet(number, (first, "quarkus")) for number in range(60)]
    sets += [TagSet(number, (first, "rarely-used")) for number in range(60, 100)]
    fitted = fit(samples, options, tag_sets=sets)
    assert fitted.corpus["named_tags"] == 1
    assert fitted.corpus["named_questions"] == PER_TAG + PER_NAME
    assert dict(fitted.tags)["quarkus"] == PER_TAG
    assert "rarely-used" not in dict(fitted.tags)
    write_bundle(fitted, tmp_path / "named.safetensors", corpus={})
    model = TagModel.load(tmp_path / "named.safetensors")
    learned, companion = model.tags.index("quarkus"), model.tags.index(first)
    scores, without = model.scores("An example with quarkus"), model.scores("An example")
    assert scores[learned] > without[learned] + 1
    # Only the name of the other tag is known, and what comes with it.
    assert model.scores("An example with rarely used")[companion] > without[companion]


def test_a_version_brings_its_parent_along() -> None:
    """The text never names the parent; tag sets say that the version implies it."""
    generator = np.random.default_rng(0)
    questions = []
    for number in range(300):
        version = number % 2
        tags: tuple[str, ...] = ("python-3.x",) if version else ("java-8",)
        word = "asyncio coroutine" if version else "lambda stream"
        # Half of the questions carry the parent, too.
        if generator.random() < 0.5:
            tags = ("python" if version else "java", *tags)
        questions.append(Question(f"{word} number {number % 9}", "", tags))
    options = TrainingOptions(jobs=1)
    versions = [("python", "python-3.x"), ("java", "java-8")]
    tag_sets = [TagSet(number, versions[number % 2]) for number in range(2000)]
    fitted = fit(questions, options, tag_sets=tag_sets)
    names = [tag for tag, _ in fitted.tags]
    for question, ranked in zip(questions, fitted.ranking.ranked, strict=True):
        parent = "python" if "python-3.x" in question.tags else "java"
        assert parent in [names[tag] for tag in ranked.tags[:2]]


def test_the_same_corpus_gives_the_same_bundle(
    tmp_path: Path, samples: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    digests = []
    for jobs in (1, 2):  # the number of processes does not matter
        fitted = fit(samples, TrainingOptions(jobs=jobs, min_tag_count=10))
        digests.append(write_bundle(fitted, tmp_path / f"{jobs}.safetensors", corpus={}))
    assert digests[0] == digests[1]


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
    tag_sets = tmp_path / "sets.csv"
    tag_sets.write_text("id,tags\n-7,<python><pandas>\n-7,<python><pandas>\n-8,\n")
    files: list[str | Path] = ["--questions", train, "--tag-sets", tag_sets]
    out = run("train", *files, "--out", model, "--reference", reference)
    assert "SHA-256" in out
    assert "regressions of the folds" in out
    corpus = TagModel.load(model).manifest["corpus"]
    assert (corpus["tag_sets"]["files"], corpus["tag_sets"]["sets"]) == (["sets.csv"], 1)
    assert corpus["rejected_rows"] == 1
    out = run(
        *("evaluate", "--model", model, "--questions", tmp_path / "parts" / "test.parquet"),
        *("--json", tmp_path / "report.json", "--predictions", tmp_path / "predictions.jsonl"),
        *("--reliability", tmp_path / "reliability.png"),
    )
    assert "sample_jaccard" in out
    found = json.loads((tmp_path / "report.json").read_text())
    kinds = {kind["kind"]: kind for kind in found["kinds"]}
    assert (
        sum(kinds[name]["questions"] for name in kinds if name != "with code")
        == (found["questions"])
    )
    assert all(f"| {name} | {kind['questions']} |" in out for name, kind in kinds.items())
    for part in (*found["kinds"], *found["years"]):
        assert bool(part["intervals"]) == (part["questions"] >= 100)
    assert (tmp_path / "reliability.png").read_bytes().startswith(b"\x89PNG")
    scores = joblib.load(reference).decision_function(tokens_of(samples[:3]))
    assert scores.shape == (3, len(TagModel.load(model).tags))


def test_a_wrong_file_is_one_line_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "--questions", "absent.parquet", "--out", str(tmp_path / "m")]
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("error: absent.parquet: cannot read this file")


def test_wrong_shares_are_one_line_on_standard_error(
    tmp_path: Path, samples: list[Question], capsys: pytest.CaptureFixture[str]
) -> None:
    write_questions(samples[:5], tmp_path / "corpus.parquet")
    files = ["--questions", str(tmp_path / "corpus.parquet"), "--out", str(tmp_path / "parts")]
    assert main(["split", *files, "--shares", "0.8", "0.1", "0.2"]) == 2
    *_, last = capsys.readouterr().err.splitlines()
    assert last == "error: The shares [0.8, 0.1, 0.2] must not be negative, and must sum to 1."


def test_tag_sets_are_read_without_titles_and_without_doubles(tmp_path: Path) -> None:
    path = tmp_path / "sets.csv"
    path.write_text('id,tags\n1,"<c#><.net>"\n2,java;spring\n2,java\n3,\n,php\n')
    with Rejects(tmp_path / "rejects") as rejects:
        found = read_tag_sets([path], rejects)
        assert rejects.total == 2
        with pytest.raises(CorpusError, match="no column 'title'"):
            read_corpus([path], rejects)
    assert found == [TagSet(1, ("c#", ".net")), TagSet(2, ("java", "spring")), TagSet(2, ("java",))]
    in_corpus = [Question("Merging maps", "", ("c#",), id=1), Question("No id", "", ("c#",))]
    assert without_doubles(found, in_corpus) == [TagSet(2, ("java", "spring"))]


def test_a_file_without_ids_is_no_file_of_tag_sets(tmp_path: Path) -> None:
    path = tmp_path / "sets.csv"
    path.write_text("number,tags\n1,java\n")
    with (
        Rejects(tmp_path / "rejects") as rejects,
        pytest.raises(CorpusError, match=r"no column 'id'.*A file of tag sets needs id and tags"),
    ):
        read_tag_sets([path], rejects)


def test_an_unknown_ranker_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ETIQUETTE_RANKER", "fast")
    files = ["--questions", str(SAMPLES), "--json", str(tmp_path / "report.json")]
    assert main(["evaluate", "--model", str(STARTER), *files]) == 2
    assert capsys.readouterr().err == (
        "error: ETIQUETTE_RANKER is 'fast', but it must be 'auto', 'plain' or 'kernel'.\n"
    )
