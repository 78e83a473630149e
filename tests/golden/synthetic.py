"""A small model of made-up numbers, for tests that compare every step of the ranking.

All numbers are simple functions of their places, so that they are the same everywhere.
"""

from collections.abc import Sequence

import numpy as np

from lambda_src.tagger.bundle import FORMAT_VERSION, Array, Bundle
from lambda_src.tagger.rules import (
    ANALYZER_VERSION,
    CALIBRATOR_FEATURES,
    N_HIDDEN_UNITS,
    N_QUESTION_FORMS,
    RERANKER_INPUTS,
)
from lambda_src.tagger.vocabulary import Keys, Space, term_key
from model_build.packing import pack_tags, pack_terms

NAMES: dict[str, list[str]] = {
    "python": ["python"],
    "c++": ["c++", "cpp"],
    "unit-testing": ["unit-testing", "unit test", "unittest"],
    "node.js": ["node.js", "nodejs"],
    "asp.net-mvc": ["asp.net-mvc", "asp.net mvc"],
    "one-time-pad": ["one-time-pad", "one tim pad", "otp"],
    **{name: [name] for name in ("java", "sql", "c#", ".net", "css", "git", "regex", "linux")},
    **{f"tag{number}": [f"tag{number}"] for number in range(16)},
}
"""Tags and the normalized words of their names; the first tags are the most common."""
N_TAGS = len(NAMES)
N_QUESTIONS = 200
TITLE_WEIGHT = 4


def make_bundle(
    words: Sequence[str], pairs: Sequence[str] = (), *, unpruned: bool = False
) -> Bundle:
    """Make the bundle of a model that knows some words, in text and in code, and pairs of words.

    Parameters
    ----------
    words : sequence of str
        Normalized. The words of `NAMES` are added.
    pairs : sequence of str
        Two of the words each, with a space between them. The pairs of `NAMES` are added.
    unpruned : bool
        True for weights that are floats, which the kernel cannot read.
    """
    names = [name.split() for each in NAMES.values() for name in each]
    known = sorted({*words, *(word for name in names for word in name)})
    number = {word: place for place, word in enumerate(known)}

    def key(space: Space, term: Sequence[str]) -> int:
        return term_key(space, *(number[word] for word in term))

    all_pairs = [pair.split() for pair in pairs] + [
        name[n : n + 2] for name in names for n in (0, 1)
    ]
    keys = np.unique(
        [key(space, [word]) for word in known for space in ("text", "code")]
        + [key("text", pair) for pair in all_pairs if len(pair) == 2]
    ).astype(np.int64)
    name_keys = [
        [key("text", name[n : n + 2]) for n in range(max(len(name) - 1, 1))] for name in names
    ]
    manifest = {
        "format": FORMAT_VERSION,
        "analyzer_version": ANALYZER_VERSION,
        "version": "synthetic",
        "tags": [[tag, 400 // (place + 1)] for place, tag in enumerate(NAMES)],
        "synonyms": {"cpp": "c++", "nodejs": "node.js", "unittest": "unit-testing"},
        "floor": 0.3,
        "other_tags": 0.4,
        "calibrator_features": list(CALIBRATOR_FEATURES),
        "reranker_inputs": list(RERANKER_INPUTS),
        "complete_questions": N_QUESTIONS,
        "title_weight": TITLE_WEIGHT,
        "quality": {},
    }
    arrays: dict[str, Array] = {
        "words": np.frombuffer("\n".join(known).encode(), np.uint8),
        **pack_terms(keys, len(known))._asdict(),
        **_weights(len(keys), unpruned=unpruned),
        **_name_arrays(keys, name_keys),
        **_later_steps(),
    }
    return Bundle("0" * 64, manifest, arrays)


def _weights(n_terms: int, *, unpruned: bool) -> dict[str, Array]:
    terms, tags = np.arange(n_terms)[:, None], np.arange(N_TAGS)[None, :]
    values = (terms * 7919 + tags * 104_729 + terms * tags * 31) % 255 - 127
    values[(terms + 3 * tags) % 7 != 0] = 0
    common = np.arange(0, n_terms, 10)
    rows = (common[:, None] * 13 + tags * 29) % 255 - 127
    values[common] = 0
    # Different for all tags but two pairs, whose scores are equal if no term speaks for them.
    intercepts = np.arange(N_TAGS) % 5 * 0.3 - 1 - np.arange(N_TAGS) / 100
    intercepts[[1, 9, 4, 14]] = -0.6, -0.6, 0.2, 0.2
    dtype = np.float32 if unpruned else np.int8
    starts = np.append(0, np.count_nonzero(values, axis=1).cumsum())
    starts, gaps, packed = pack_tags(starts, values.nonzero()[1], values[values != 0].astype(dtype))
    return {
        "term_weights": (1 + np.arange(n_terms) % 9 / 4).astype(np.float32),
        "weight_steps": (0.02 + np.arange(n_terms) % 5 / 50).astype(np.float16),
        "common_terms": common.astype(np.uint32),
        "common_weights": (rows / 8).astype(dtype),
        "weights_count": np.diff(starts.astype(np.int64)).astype(np.uint16),
        "weights_gap": gaps,
        "weights_value": packed,
        "intercepts": intercepts.astype(np.float32),
        "off_topic_weights": (np.arange(n_terms) * 41 % 255 - 127).astype(np.int8),
        "off_topic_scale": np.array([0.02, -0.4], np.float32),
    }


def _name_arrays(keys: Keys, name_keys: list[list[int]]) -> dict[str, Array]:
    lengths = [len(each) for each in name_keys]
    n_names = [len(each) for each in NAMES.values()]
    return {
        "names": np.searchsorted(keys, np.concatenate(name_keys)).astype(np.uint32),
        "name_starts": np.append(0, np.cumsum(lengths)[:-1]).astype(np.uint32),
        "tag_names": np.append(0, np.cumsum(n_names)[:-1]).astype(np.uint32),
    }


def _later_steps() -> dict[str, Array]:
    """Give the arrays of calibrator and re-ranker, in which nothing is 0."""
    tags = np.arange(N_TAGS)
    first, second = np.triu_indices(N_TAGS)
    together = ((first + second) % 3 != 1) | (first == second)
    counts = np.where(first == second, 90 - 2 * first, 2 + first * second % 5)
    n_inputs = len(RERANKER_INPUTS)
    calibrator = np.arange(len(CALIBRATOR_FEATURES) + 1) * 37 % 19 / 30 - 0.31
    calibrator[0] = 0.5
    rows, columns = np.arange(n_inputs + 1)[:, None], np.arange(N_HIDDEN_UNITS)[None, :]
    output = np.arange(N_HIDDEN_UNITS + 1) * 17 % 13 / 5 - 1.14
    # Neither sure nor unlikely tags: sets of different sizes are the best, and a small change of an
    # input shows.
    output[-1] = 4.0
    hidden = ((rows * 13 + columns * 29) % 23 - 10.5) / 60
    return {
        "name_worth": (tags % 7 / 3 - 0.9).astype(np.float32),
        "lower_worth": (tags % 11 / 5 - 1.1).astype(np.float32),
        "capital_worth": (tags % 4 / 3 + 0.3).astype(np.float32),
        "calibrator": calibrator.astype(np.float32),
        "records": (np.arange(N_QUESTION_FORMS * N_TAGS) % 7 / 6 - 0.4).astype(np.float32),
        "pair_gaps": np.diff((first * N_TAGS + second)[together], prepend=0).astype(np.uint16),
        "pair_counts": counts[together].astype(np.uint32),
        "hidden": hidden.ravel().astype(np.float32),
        "output": output.astype(np.float32),
    }
