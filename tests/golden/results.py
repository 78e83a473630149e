"""Compute what the golden files store, and compare it with what they store."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lambda_src.tagger import TagModel
from lambda_src.tagger.analyzer import fields_of, normalize, pairs, tokenize, tokens_of
from lambda_src.tagger.bundle import Bundle
from lambda_src.tagger.calibrator import QuestionFacts, best_candidates, features
from lambda_src.tagger.decoder import choose_tags, expected_jaccards, min_expected_jaccard
from lambda_src.tagger.model import RankerChoice
from lambda_src.tagger.names import NameCounts
from lambda_src.tagger.ranker import PlainRanker, Ranking
from lambda_src.tagger.reranker import inputs, shortlist
from lambda_src.tagger.rules import (
    ANALYZER_VERSION,
    CALIBRATOR_FEATURES,
    MAX_PAIRED_WORDS,
    MAX_TAGS,
    RERANKER_INPUTS,
    WORD_PART_SEPARATORS,
)
from tests.golden.synthetic import NAMES, make_bundle
from tests.golden.texts import ANALYZER, MARKUP, RANKING, Text

FOLDER = Path(__file__).parent
FILES = ("analyzer", "markup", "ranking", "decoder")
TOLERANCE = 1e-6
_DIGITS = 9
_TAGS = list(NAMES)
_CONFIDENCES: dict[str, tuple[list[float], float]] = {
    "sure tags": ([0.95, 0.9, 0.85, 0.05, 0.02, 0.01], 0.0),
    "one sure tag": ([0.9, 0.1, 0.1], 0.4),
    "many tags beyond the largest set": ([0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1], 0.3),
    "true tags that are no candidates": ([0.6, 0.35, 0.3], 3.0),
    "a tag with the least confidence": ([0.3, 0.1, 0.09], 9.0),
    "a tag with too little confidence": ([0.3, 0.109, 0.05], 9.0),
    "equal sets": ([1.0, 0.5], 0.0),
    "no tags": ([], 1.0),
}


class Golden(NamedTuple):
    """The golden files."""

    analyzer_version: int
    words: list[str]
    """Of the synthetic model."""
    pairs: list[str]
    cases: dict[str, dict[str, dict[str, Any]]]
    """By file and name."""

    def bundle(self) -> Bundle:
        """Make the synthetic model of these words."""
        return make_bundle(self.words, self.pairs)


def read() -> Golden:
    """Read the golden files."""
    model = json.loads((FOLDER / "model.json").read_text(encoding="utf-8"))
    cases = {}
    for file in FILES:
        lines = (FOLDER / f"{file}.jsonl").read_text(encoding="utf-8").rstrip("\n").split("\n")
        cases[file] = {case.pop("case"): case for case in map(json.loads, lines)}
    return Golden(model["analyzer_version"], model["words"], model["pairs"], cases)


def write() -> None:
    """Write the golden files again."""
    golden = compute()
    model = {
        "analyzer_version": golden.analyzer_version,
        "words": golden.words,
        "pairs": golden.pairs,
    }
    _write("model.json", [json.dumps(model, ensure_ascii=False, indent=1)])
    for file, cases in golden.cases.items():
        lines = [
            json.dumps({"case": name, **case}, ensure_ascii=False) for name, case in cases.items()
        ]
        _write(f"{file}.jsonl", lines)


def _write(name: str, lines: list[str]) -> None:
    (FOLDER / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def compute() -> Golden:
    """Compute the golden files from the texts."""
    texts = [*ANALYZER.values(), *RANKING.values()]
    words = sorted({word for text in texts for word in _words_of(text)})
    known_pairs = sorted({pair for text in texts for pair in _pairs_of(text, words)})
    golden = Golden(ANALYZER_VERSION, words, known_pairs, {})
    bundle = golden.bundle()
    golden.cases["analyzer"] = {
        name: {**_question(text), **analyzed(text), "terms": found_terms(text, bundle, "plain")}
        for name, text in ANALYZER.items()
    }
    golden.cases["markup"] = {
        name: {**_question(text), **split(text)} for name, text in MARKUP.items()
    }
    golden.cases["ranking"] = {
        name: {**_question(text), **ranked(text, bundle)} for name, text in RANKING.items()
    }
    golden.cases["decoder"] = {
        name: {"confidences": values, "other_tags": others, **decoded(values, others)}
        for name, (values, others) in _CONFIDENCES.items()
    }
    return golden


def differences(golden: Golden) -> list[str]:
    """Name the stored cases whose stored results are not those of today's rules."""
    bundle = golden.bundle()
    found = []
    for file, cases in golden.cases.items():
        for name, stored in cases.items():
            if not is_close(_again(file, stored, bundle), stored):
                found.append(f"{file}: {name}")
    return found


def _again(file: str, stored: Mapping[str, Any], bundle: Bundle) -> dict[str, Any]:
    if file == "decoder":
        given = {name: stored[name] for name in ("confidences", "other_tags")}
        return given | decoded(**given)
    text = Text(stored["title"], stored["body"], stored["body_format"])
    if file == "analyzer":
        results = analyzed(text) | {"terms": found_terms(text, bundle, "plain")}
    else:
        results = split(text) if file == "markup" else ranked(text, bundle)
    return _question(text) | results


def is_close(found: Any, stored: Any) -> bool:
    """Compare values of JSON; numbers may differ by `TOLERANCE`."""
    if isinstance(found, dict):
        return found.keys() == stored.keys() and all(
            is_close(value, stored[name]) for name, value in found.items()
        )
    if isinstance(found, (list, tuple)):
        return len(found) == len(stored) and all(map(is_close, found, stored))
    if isinstance(found, float):
        return bool(abs(found - stored) <= TOLERANCE * max(1, abs(stored)))
    return bool(found == stored)


def split(text: Text) -> dict[str, Any]:
    """Split a text into its fields."""
    question = fields_of(*text)
    return {field: " ".join(getattr(question, field).split()) for field in ("prose", "code")}


def analyzed(text: Text) -> dict[str, Any]:
    """Find the tokens of a text and what they are looked up as."""
    found = tokenize(*text)
    tokens = found[:3]
    normalized = [[normalize(token) for token in field] for field in tokens]
    return {
        "tokens": [*tokens],
        "signals": sorted(found.signals),
        "capitals": found.capitals,
        "camel_parts": found.camel_parts,
        "wholes": [[each.whole for each in field] for field in normalized],
        "parts": [[part for each in field for part in each.parts] for field in normalized],
    }


def found_terms(text: Text, bundle: Bundle, ranker: RankerChoice) -> dict[str, list[int]]:
    """Find the terms of a text with their counts: all, in the title, and from the code."""
    model = TagModel(bundle, ranker=ranker)
    return terms_of(model, model._ranker.rank(fields_of(*text)))


def terms_of(model: TagModel, ranking: Ranking) -> dict[str, list[int]]:
    """Spell the terms that a ranker found, in a fixed order."""
    counts = zip(*(each.tolist() for each in ranking.found), strict=True)
    spelled = {": ".join(model.vocabulary.spell(term)): [*rest] for term, *rest in counts}
    return dict(sorted(spelled.items()))


def ranked(text: Text, bundle: Bundle) -> dict[str, Any]:
    """Rank the tags for a text, with all that is computed on the way."""
    model = TagModel(bundle, ranker="plain")
    return answer(text, model) | _steps(text, model)


def answer(text: Text, model: TagModel) -> dict[str, Any]:
    """Give what every implementation says of a text."""
    ranking = model._ranker.rank(fields_of(*text))
    prediction = model.suggest(*text[:2], body_format=text.body_format)
    return {
        "terms": terms_of(model, ranking),
        "known_share": ranking.evidence.known_share,
        "topic_words": ranking.evidence.n_topic_words,
        "confidences": [
            [_TAGS[tag], round(confidence, _DIGITS)]
            for tag, confidence in zip(ranking.tags, ranking.confidences, strict=True)
        ],
        "suggested": [each.tag for each in prediction.suggestions],
        "quiet_reason": prediction.quiet_reason,
    }


def _steps(text: Text, model: TagModel) -> dict[str, Any]:
    ranker = model._ranker
    assert isinstance(ranker, PlainRanker)
    numbers = model.vocabulary.number(tokens_of(fields_of(*text)))
    found = model.vocabulary.find(numbers)
    names = ranker._names.count(found, model.vocabulary.with_capital(numbers))
    if not len(found.terms):
        return {"names": _named(names), "features": {}, "inputs": {}}
    candidates = best_candidates(ranker.scorer.scores(found))
    title, prose, code = (len(field.wholes) for field in numbers[:3])
    facts = QuestionFacts(names, title, prose, code, ranker.scorer.off_topic_score(found))
    matrix = features(candidates, facts, ranker.corpus.facts)
    listed = shortlist(candidates, matrix @ ranker.calibrator[:-1] + ranker.calibrator[-1])
    input_matrix = inputs(listed, facts, ranker.corpus)
    return {
        "names": _named(names),
        "features": _rows(CALIBRATOR_FEATURES, candidates.tags.tolist(), matrix.tolist()),
        "inputs": _rows(RERANKER_INPUTS, listed.tags.tolist(), input_matrix.tolist()),
    }


def _named(names: NameCounts) -> list[dict[str, int]]:
    fields = [*names[:3], dict.fromkeys(names.capitals or (), 1)]
    return [{_TAGS[tag]: count for tag, count in sorted(field.items())} for field in fields]


def _rows(
    columns: tuple[str, ...], tags: list[int], rows: list[list[float]]
) -> dict[str, dict[str, float]]:
    """Name the values of the first three tags and of the last one; 0 is left out."""
    kept = [*range(len(tags))[:3], len(tags) - 1]
    return {
        _TAGS[tags[place]]: {
            name: round(value, _DIGITS)
            for name, value in zip(columns, rows[place], strict=True)
            if value
        }
        for place in kept
    }


def decoded(confidences: list[float], other_tags: float) -> dict[str, Any]:
    """Choose the size of a set of tags."""
    expected = expected_jaccards(confidences, other_tags, MAX_TAGS)
    return {
        "expected_jaccards": [round(value, _DIGITS) for value in expected],
        "size": choose_tags(confidences, other_tags, MAX_TAGS).size,
        "min_expected_jaccards": [
            min_expected_jaccard(share, n_topic_words, 0.1)
            for share in (0.0, 0.6, 1.0)
            for n_topic_words in (1, 2, 3)
        ],
    }


def _question(text: Text) -> dict[str, Any]:
    return text._asdict()


def _words_of(text: Text) -> Iterator[str]:
    """Give the words of a text, and tokens that a changed rule might take for words.

    Words that begin with zz stay unknown.
    """
    found = tokenize(*text, unlimited=True)
    yield from found.signals
    yield from (part for part in found.camel_parts if not part.startswith("~zz"))
    for field in found[:3]:
        for token in field:
            whole, parts = normalize(token)
            for word in (whole, *parts, token, *WORD_PART_SEPARATORS.split(token)):
                if word and not word.startswith("zz"):
                    yield word


def _pairs_of(text: Text, words: list[str]) -> Iterator[str]:
    title, prose, *_ = tokenize(*text)
    for pair in (*pairs(title), *pairs(prose[: MAX_PAIRED_WORDS + 5])):
        if set(pair.split(" ")) <= set(words):
            yield pair
