"""scripts/bench from the command line, with the other systems in their own environment."""

import json
import subprocess
from pathlib import Path

import pytest

from model_build.corpus import write_questions
from model_build.questions import Question
from tests.support.paths import ROOT

SYSTEMS = ["etiquette", "fasttext", "omikuji", "minilm"]
SIMILARITY = """
from scripts.benchmarks.systems.embeddings import SentenceEncoder
first, second = SentenceEncoder().encode(
    ["A man is eating food.", "A man is eating a piece of bread."]
)
print(first @ second)
"""


def test_quality_trains_and_tests_the_other_systems(
    tmp_path: Path, samples: list[Question]
) -> None:
    corpus, report = tmp_path / "samples.parquet", tmp_path / "quality.json"
    write_questions(samples, corpus)
    command = ["scripts/bench", "quality", "--questions", str(corpus), "--test", str(corpus)]
    command += ["--systems", ",".join(SYSTEMS), "--min-tag-count", "5", "--json", str(report)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    assert done.stdout.startswith("| System")
    systems = json.loads(report.read_text(encoding="utf-8"))["systems"]
    assert [system["name"] for system in systems] == SYSTEMS
    by_name = {system["name"]: system for system in systems}
    # Tested on the training questions. fastText needs more than three hundred questions.
    assert by_name["etiquette"]["precision_at_1"] > 0.8
    assert by_name["omikuji"]["precision_at_1"] > 0.8
    assert by_name["minilm"]["precision_at_1"] > 0.5
    assert all(system["recall_at_5"] > 0.1 for system in systems)
    assert by_name["minilm"]["model_mb"] > 80

    # The similarity of this pair in the documentation of sentence-transformers.
    python = ROOT / ".cache" / "bench" / "venv" / "bin" / "python"
    printed = subprocess.check_output([python, "-c", SIMILARITY], cwd=ROOT, text=True)
    assert float(printed) == pytest.approx(0.7553, abs=1e-4)


def test_training_measures_both_fits_on_the_same_tags(
    tmp_path: Path, samples: list[Question]
) -> None:
    corpus, report = tmp_path / "samples.parquet", tmp_path / "training.json"
    write_questions(samples, corpus)
    command = ["scripts/bench", "training", "--questions", str(corpus), "--json", str(report)]
    command += ["--tags", "3", "--min-tag-count", "5"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    assert "a random 3 of" in done.stdout
    figures = json.loads(report.read_text(encoding="utf-8"))
    assert {"speedup", "sample_jaccard", "peer_sample_jaccard"} <= figures.keys()
    assert figures["tags"] == 3 < figures["all_tags"]
    assert figures["speedup"] == figures["peer_seconds"] / figures["seconds"]
