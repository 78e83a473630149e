"""The comparison of candidates."""

import doctest
import json
from dataclasses import fields
from pathlib import Path

import pytest

from lambda_src.tagger import TagModel
from model_build.__main__ import main
from model_build.compare import comparison
from model_build.compare.candidates import VARIANTS
from model_build.corpus import write_questions
from model_build.questions import Question
from model_build.training import TrainingOptions


def test_the_best_candidate_is_selected_and_all_are_measured_alike(
    tmp_path: Path, samples: list[Question], capsys: pytest.CaptureFixture[str]
) -> None:
    write_questions(samples, tmp_path / "questions.parquet")
    out = tmp_path / "out"
    options = ["--questions", str(tmp_path / "questions.parquet"), "--out", str(out)]
    options += ["--candidates", "default,no-pairs", "--min-tag-count", "8", "--jobs", "1"]
    assert main(["compare", *options]) == 0
    result = json.loads((out / "comparison.json").read_text())
    candidates = result["candidates"]
    assert {each["name"] for each in candidates} == {"default", "no-pairs"}
    assert candidates[0]["sample_jaccard"] >= candidates[1]["sample_jaccard"]
    assert result["selected"] == candidates[0]["name"]
    assert result["training_questions"] + result["validation_questions"] == len(samples)
    assert set(result["pareto_front"]) <= {"default", "no-pairs"}
    for each in candidates:
        low, high = each["intervals"]["sample_jaccard"]
        assert low <= each["sample_jaccard"] <= high
        assert each["milliseconds"] > 0
        assert TagModel.load(out / each["bundle"]).sha256 == each["bundle_sha256"]
    by_name = {each["name"]: each for each in candidates}
    assert by_name["no-pairs"]["megabytes"] < by_name["default"]["megabytes"]
    assert (out / "pareto.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "comparison.md").read_text().strip() in capsys.readouterr().out


def test_an_unknown_candidate_is_an_error_that_names_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--questions", "none.parquet", "--out", str(tmp_path), "--candidates", "bert"]
    assert main(["compare", *options]) == 2
    assert "there is no 'bert' here. Choose some of default, no-code-copies" in (
        capsys.readouterr().err
    )


def test_each_variant_differs_from_the_default_in_one_option() -> None:
    for name, options in VARIANTS.items():
        changed = [
            each.name
            for each in fields(TrainingOptions)
            if getattr(options, each.name) != getattr(VARIANTS["default"], each.name)
        ]
        assert len(changed) == (name != "default"), name


def test_the_examples_of_the_docstrings_hold() -> None:
    assert doctest.testmod(comparison).failed == 0
