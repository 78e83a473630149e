"""Find near-duplicate questions, so that a split keeps them together."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from zlib import crc32

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from lambda_src.tagger.analyzer import tokenize
from model_build.questions import Question

MIN_SIMILARITY = 0.6
"""Two questions are near-duplicates if the Jaccard index of their word triples is at least this."""
_MIN_TRIPLES = 5
"""Two questions with fewer word triples can share most of them by chance."""
_N_BANDS, _N_ROWS = 8, 3
_MAX_BUCKET_SIZE = 50

Hashes = npt.NDArray[np.uint64]


def group_duplicates(questions: Sequence[Question]) -> list[int]:
    """Put questions into groups of near-duplicates.

    Two questions are in one group if their titles have the same words, or if their texts share most
    of their word triples. MinHash with banding finds the pairs to compare (Broder 1997, "On the
    resemblance and containment of documents").

    Parameters
    ----------
    questions : sequence of Question

    Returns
    -------
    list of int
        The group of each question: the index of the group's first question.
    """
    groups = _Groups(len(questions))
    titles: dict[str, int] = {}
    buckets: defaultdict[tuple[int, bytes], list[int]] = defaultdict(list)
    triples: dict[int, Hashes] = {}
    signer = _Signer()
    for place, question in enumerate(
        tqdm(questions, desc="near-duplicates", unit="question", disable=None)
    ):
        title, prose, *_ = tokenize(
            question.title, question.body, question.body_format, unlimited=True
        )
        groups.join(place, titles.setdefault(" ".join(sorted(set(title))), place))
        hashes = signer.triples(title + prose)
        if len(hashes) >= _MIN_TRIPLES:
            triples[place] = hashes
            for band, signature in enumerate(signer.bands(hashes)):
                buckets[band, signature].append(place)
    for members in buckets.values():
        if 1 < len(members) <= _MAX_BUCKET_SIZE:
            for one, other in combinations(members, 2):
                if groups.of(one) != groups.of(other) and _are_similar(
                    triples[one], triples[other]
                ):
                    groups.join(one, other)
    return [groups.of(place) for place in range(len(questions))]


def _are_similar(one: Hashes, other: Hashes) -> bool:
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared >= MIN_SIMILARITY * (len(one) + len(other) - shared)


class _Signer:
    """Computes MinHash signatures. They are the same in every run."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        high = np.iinfo(np.int64).max
        self._factors = random.integers(1, high, (_N_BANDS * _N_ROWS, 1), dtype=np.uint64) | 1
        self._offsets = random.integers(1, high, (_N_BANDS * _N_ROWS, 1), dtype=np.uint64)
        self._words: dict[str, int] = {}

    def triples(self, words: Iterable[str]) -> Hashes:
        numbers = [self._words.get(word) or self._number(word) for word in words]
        hashes = np.array(numbers, dtype=np.uint64)
        if len(hashes) < 3:
            return hashes[:0]
        factor = np.uint64(0x9E3779B97F4A7C15)
        mixed = (hashes[:-2] * factor + hashes[1:-1]) * factor + hashes[2:]
        return np.unique(mixed)

    def _number(self, word: str) -> int:
        self._words[word] = number = crc32(word.encode()) + 1
        return number

    def bands(self, hashes: Hashes) -> list[bytes]:
        lowest = (hashes * self._factors + self._offsets).min(axis=1)
        return [row.tobytes() for row in lowest.reshape(_N_BANDS, _N_ROWS)]


class _Groups:
    """Disjoint sets of questions."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def of(self, member: int) -> int:
        parents = self._parents
        while parents[member] != member:
            parents[member] = member = parents[parents[member]]
        return member

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self.of(one), self.of(other)))
        self._parents[second] = first
