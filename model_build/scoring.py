"""Suggest tags for an archive of questions, in parts that are written one by one.

A run that was stopped goes on where it was: a part that is there is not scored again.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from joblib import Parallel, delayed

from lambda_src.tagger import TagModel
from model_build.corpus import CorpusError, Rejects, read_archive
from model_build.errors import UserError
from model_build.questions import Question

PART_QUESTIONS: Final = 20_000
"""Some seconds of work: little is lost when a run is stopped."""
FACTS: Final = "scoring.json"
"""In the folder of the results: what they belong to."""
_SCHEMA: Final = pa.schema(
    [
        ("file", pa.string()),
        ("row", pa.int64()),
        ("id", pa.int64()),
        ("site", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("confidences", pa.list_(pa.float32())),
        ("top_confidence", pa.float32()),
        ("expected_jaccard", pa.float32()),
        ("known_share", pa.float32()),
        ("quiet_reason", pa.string()),
    ]
)


class ScoringError(UserError):
    """The results cannot be written to this folder; the message says why, and what to do."""


class Row(NamedTuple):
    """A question of the archive, and where it is."""

    file: str
    row: int
    """From 1, without the header."""
    question: Question


class ScoredPart(NamedTuple):
    """What scoring a part took."""

    questions: int
    seconds: float
    """Processor time."""


class Scored(NamedTuple):
    """What a run did."""

    questions: int
    """Without those that were scored before."""
    parts: int
    parts_before: int
    """The parts that an earlier run wrote."""
    seconds: float
    """Processor time of the workers, without the start of a worker."""

    @property
    def per_second(self) -> float:
        """Questions per second of one core."""
        return self.questions / self.seconds if self.seconds else 0.0


def score(
    model: Path,
    files: Sequence[Path],
    folder: Path,
    *,
    jobs: int,
    part_questions: int = PART_QUESTIONS,
) -> Scored:
    """Score all questions of some files, and write ``part-NNNNNN.parquet`` files.

    Memory does not grow with the archive: each process holds one part, and two more wait.

    Parameters
    ----------
    model : Path
        A bundle.
    files : sequence of Path
        In any format of a corpus. Tags are not needed, and not read.
    folder : Path
        For the results. Rows that are not usable questions go to ``rejects.jsonl`` there.
    jobs : int
        Number of processes; -1 for one per processor.
    part_questions : int
        How many questions a part has.

    Raises
    ------
    BundleError
        The bundle cannot be used.
    CorpusError
        A file cannot be read, or has no usable question.
    ScoringError
        The folder holds results of another model or other files.
    """
    sha256 = TagModel.load(model).sha256
    _claim(folder, model=sha256, files=files, part_questions=part_questions)
    scored, n_before = [], 0
    with Rejects(folder / "rejects.jsonl") as rejects:

        def tasks() -> Iterator[Any]:
            nonlocal n_before
            for number, part in enumerate(_parts(_rows(files, rejects), part_questions)):
                path = folder / f"part-{number:06}.parquet"
                if path.exists():
                    n_before += 1
                else:
                    yield delayed(_score_part)(model, sha256, part, path)

        parallel = Parallel(n_jobs=jobs, return_as="generator_unordered", pre_dispatch="2*n_jobs")
        scored = list(parallel(tasks()))
        if not scored and not n_before:
            names = ", ".join(map(str, files))
            raise CorpusError(f"{names}: there is no question. Name a file that has some.")
    return Scored(
        questions=sum(each.questions for each in scored),
        parts=len(scored),
        parts_before=n_before,
        seconds=sum(each.seconds for each in scored),
    )


def _claim(folder: Path, *, model: str, files: Sequence[Path], part_questions: int) -> None:
    """Write what the results belong to, or compare it with what an earlier run wrote."""
    # Not the time of a change: a copy of the same file must go on where the first one was.
    sizes = [[path.name, path.stat().st_size] for path in files if path.is_file()]
    facts = {"model_sha256": model, "files": sizes, "part_questions": part_questions}
    path = folder / FACTS
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        other = [name for name, value in facts.items() if found.get(name) != value]
        if other:
            raise ScoringError(
                f"{folder}: the results there belong to another run ({', '.join(other)} differ). "
                "Name another folder, or remove this one."
            )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _rows(files: Iterable[Path], rejects: Rejects) -> Iterator[Row]:
    for path in files:
        for record, question in read_archive(path, rejects):
            yield Row(record.path.name, record.row, question)


def _parts(rows: Iterator[Row], part_questions: int) -> Iterator[list[Row]]:
    while part := list(islice(rows, part_questions)):
        yield part


@lru_cache(maxsize=1)
def _model(path: Path, sha256: str) -> TagModel:
    return TagModel.load(path, sha256)


def _score_part(model_path: Path, sha256: str, rows: Sequence[Row], path: Path) -> ScoredPart:
    """Score one part and write it; the processes of `score` run this."""
    model = _model(model_path, sha256)
    started = time.process_time()
    found = [_answer(model, row) for row in rows]
    # A part that is there is whole.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    pq.write_table(pa.Table.from_pylist(found, schema=_SCHEMA), unfinished, compression="zstd")
    unfinished.replace(path)
    return ScoredPart(len(rows), time.process_time() - started)


def _answer(model: TagModel, row: Row) -> dict[str, Any]:
    question = row.question
    answer = model.suggest(question.title, question.body, body_format=question.body_format)
    return {
        "file": row.file,
        "row": row.row,
        "id": question.id,
        "site": question.site,
        "tags": [each.tag for each in answer.suggestions],
        "confidences": [each.confidence for each in answer.suggestions],
        "top_confidence": answer.top_confidence,
        "expected_jaccard": answer.expected_jaccard,
        "known_share": answer.known_share,
        "quiet_reason": answer.quiet_reason,
    }
