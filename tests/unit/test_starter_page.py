"""The page of the starter model, and the command that replaces the starter."""

import sys
from pathlib import Path

import pytest

from lambda_src.tagger import TagModel, read_bundle
from model_build import retrain_starter
from model_build.bundle_writer import write_bundle
from model_build.corpus import write_questions
from model_build.questions import Question
from model_build.starter_page import END, PAGE, START, StarterPageError, with_figures
from model_build.training import TrainingOptions, fit
from tests.support.paths import STARTER


def test_the_page_has_the_figures_of_the_committed_starter() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_figures(page, read_bundle(STARTER).manifest) == page, (
        "run python -m model_build.starter_page"
    )


def test_the_page_names_the_options_of_the_training() -> None:
    page = PAGE.read_text(encoding="utf-8")
    options = read_bundle(STARTER).manifest["training"]
    assert options["min_tag_count"] == retrain_starter.MIN_TAG_COUNT
    assert options["prune"] == retrain_starter.PRUNE
    assert options["misleading_per_tag"] == retrain_starter.MISLEADING_PER_TAG
    assert options["inverse_regularization"] == retrain_starter.INVERSE_REGULARIZATION
    assert (
        f"--min-tag-count {retrain_starter.MIN_TAG_COUNT} --prune {retrain_starter.PRUNE} "
        f"--misleading-per-tag {retrain_starter.MISLEADING_PER_TAG} "
        f"--inverse-regularization {retrain_starter.INVERSE_REGULARIZATION}" in page
    )
    written = ("new-tags", "new_tags.csv"), ("code-examples", "code/*.txt")
    for option, file in (*written, ("title-examples", "titles/*.txt")):
        assert f"--{option} model_build/starter/{file}" in page


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(StarterPageError, match="write the lines"):
        with_figures("# The starter model\n", read_bundle(STARTER).manifest)


@pytest.fixture
def arguments(
    tmp_path: Path, samples: list[Question], monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """The command line to replace a small starter, in a folder of its own."""
    monkeypatch.setattr(retrain_starter, "_FOLDER", tmp_path / "cache")
    (tmp_path / "starter.md").write_text(f"# Starter\n\n{START}\n{END}\n\nEnd\n")
    old = fit(samples[:150], TrainingOptions(jobs=1, min_tag_count=8))
    write_bundle(old, tmp_path / "starter.safetensors", corpus={})
    write_questions(samples, tmp_path / "corpus.parquet")
    given = {
        "--questions": "corpus.parquet",
        "--starter": "starter.safetensors",
        "--page": "starter.md",
    }
    paths = [word for name, file in given.items() for word in (name, str(tmp_path / file))]
    return ["retrain_starter", *paths, "--min-tag-count", "8", "--jobs", "1"]


def test_the_gate_decides_whether_the_starter_is_replaced(
    tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = (tmp_path / "starter.safetensors").read_bytes()
    gate = ["--any-date", "--gate-questions", str(tmp_path / "corpus.parquet")]
    monkeypatch.setattr(sys, "argv", [*arguments, *gate])
    # The questions of the gate are those of the corpus, so none of them is left.
    assert retrain_starter.main() == 3
    assert (tmp_path / "starter.safetensors").read_bytes() == old


def test_the_bundle_and_the_figures_are_replaced(
    tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [*arguments, "--without-gate"])
    assert retrain_starter.main() == 0
    model = TagModel.load(tmp_path / "starter.safetensors")
    page = (tmp_path / "starter.md").read_text()
    assert with_figures(page, model.manifest) == page
    assert page.startswith("# Starter")
    assert page.endswith("\n\nEnd\n")
    assert "| sample Jaccard |" in page


@pytest.mark.parametrize("file", ["starter.safetensors", "starter.md"])
def test_a_missing_file_is_an_error_and_no_traceback(
    file: str,
    tmp_path: Path,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / file).unlink()
    monkeypatch.setattr(sys, "argv", [*arguments, "--without-gate"])
    assert retrain_starter.main() == 2
    assert file in capsys.readouterr().err
