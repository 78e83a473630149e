"""The ranker as a compiled function: what `PlainRanker` says, in a fifth of its time or less.

`build.py` compiles `kernel.c`; where nobody did, the model answers without it.
"""

import ctypes
import re
from functools import cache, lru_cache
from typing import Any

import numpy as np

from lambda_src.tagger.analyzer import Fields, normalize, words_in
from lambda_src.tagger.bundle import Array, Bundle
from lambda_src.tagger.evidence import topicless
from lambda_src.tagger.kernel.build import library_path, this_machine
from lambda_src.tagger.ranker import PlainRanker, Ranked
from lambda_src.tagger.rules import MAX_SHORTLISTED, MAX_TOKENS_PER_FIELD
from lambda_src.tagger.vocabulary import FoundTerms, KnownWords, Vocabulary

# As far as no word goes on: the kernel's own characters, and at least one that is not ASCII.
_NOT_ASCII = re.compile(
    r"(?<![a-z0-9._'+#\-])[a-z0-9._'+#\-]*+(?:[^\x00-\x7f\s][a-z0-9._'+#\-]*+)+"
)
_REMEMBERED_PIECES = 5_000
_REMEMBERED_LENGTH = 40

_INT = ctypes.c_int64
_DOUBLE = ctypes.c_double
_ARRAY = ctypes.c_void_p


class _Model(ctypes.Structure):
    """As `model` in kernel.c."""

    _fields_ = (
        ("words", _ARRAY),
        ("word_starts", _ARRAY),
        ("word_slots", _ARRAY),
        ("word_mask", _INT),
        ("n_words", _INT),
        ("title_weight", _INT),
        ("keys", _ARRAY),
        ("pair_terms", _ARRAY),
        ("word_terms", _ARRAY),
        ("topicless", _ARRAY),
        ("n_tags", _INT),
        ("n_common", _INT),
        ("term_weights", _ARRAY),
        ("steps", _ARRAY),
        ("common", _ARRAY),
        ("starts", _ARRAY),
        ("rows", _ARRAY),
        ("values", _ARRAY),
        ("tags", _ARRAY),
        ("intercepts", _ARRAY),
        ("name_terms", _ARRAY),
        ("name_terms_in_code", _ARRAY),
        ("name_starts", _ARRAY),
        ("tag_starts", _ARRAY),
        ("calibrator", _ARRAY),
        ("log_uses", _ARRAY),
        ("name_worth", _ARRAY),
        ("records", _ARRAY),
        ("uses", _ARRAY),
        ("pairs", _ARRAY),
        ("pair_counts", _ARRAY),
        ("pair_starts", _ARRAY),
        ("n_questions", _DOUBLE),
        ("hidden", _ARRAY),
        ("output", _ARRAY),
    )


class _Answer(ctypes.Structure):
    """As `answer` in kernel.c."""

    _fields_ = (
        ("n_words", _INT),
        ("n_unknown", _INT),
        ("has_topic", _INT),
        ("n_found", _INT),
        ("n_ranked", _INT),
        ("tags", _INT * MAX_SHORTLISTED),
        ("confidences", _DOUBLE * MAX_SHORTLISTED),
    )


class KernelError(Exception):
    """A compiled kernel that cannot be used: the message says what to do."""


@cache
def load_library() -> Any:
    """Load the compiled kernel; None where there is none.

    Raises
    ------
    KernelError
        It is there, and cannot be loaded or is not what this module takes it for.
    """
    path = library_path(this_machine())
    if not path.exists():
        return None
    try:
        library = ctypes.CDLL(str(path))
        library.sizes.restype = _INT
        if library.sizes() != ctypes.sizeof(_Model) << 16 | ctypes.sizeof(_Answer):
            raise OSError("kernel.c describes other structures than its module")
    except OSError as error:
        raise KernelError(
            f"{error}. Delete {path} to go on without the kernel, or run 'scripts/setup kernel'."
        ) from error
    text = (ctypes.c_char_p, _INT)
    model, answer = ctypes.POINTER(_Model), ctypes.POINTER(_Answer)
    library.index_words.argtypes = (model,)
    library.index_words.restype = _INT
    library.number_of.argtypes = (model, *text)
    library.number_of.restype = _INT
    library.rank.argtypes = (model, *text, *text, *text, _ARRAY, answer)
    return library


class Kernel:
    """Ranks tags as a `PlainRanker` does.

    Parameters
    ----------
    bundle : Bundle
        Whose arrays were found to fit each other: the kernel trusts them.
    vocabulary : Vocabulary
    plain : PlainRanker
        Both of that bundle.
    """

    def __init__(self, bundle: Bundle, vocabulary: Vocabulary, plain: PlainRanker) -> None:
        self._library = load_library()
        self._rank = self._library.rank
        # A word for every second slot, at most.
        n_slots = 1 << (2 * len(vocabulary.words)).bit_length()
        self._arrays = {
            **_arrays(bundle, vocabulary, plain),
            "word_slots": np.zeros(n_slots, np.int32),
        }
        self._model = _Model(
            word_mask=n_slots - 1,
            n_words=len(vocabulary.words),
            title_weight=vocabulary.title_weight,
            n_tags=len(bundle.manifest["tags"]),
            n_common=len(bundle.arrays["common_terms"]),
            n_questions=max(bundle.manifest["complete_questions"], 1),
            **{name: array.ctypes.data for name, array in self._arrays.items()},
        )
        if self._library.index_words(self._model):
            raise ValueError("its words are not distinct")
        self._remembered = lru_cache(_REMEMBERED_PIECES)(self._write)
        self._arrays["topicless"] = topicless(self._number, vocabulary.unknown)
        self._model.topicless = self._arrays["topicless"].ctypes.data

    @staticmethod
    def can_rank(bundle: Bundle) -> bool:
        """Whether the kernel was built, and for bundles of this kind: those that were pruned."""
        kinds = {
            "weight_steps": np.float16,
            "common_weights": np.int8,
            "weights_value": np.int8,
            "weights_tag": np.uint16,
            "weights_start": np.uint32,
            "common_terms": np.uint32,
            "pairs": np.uint32,
            "pair_counts": np.uint32,
        }
        fits = all(bundle.arrays[name].dtype == kind for name, kind in kinds.items())
        return fits and load_library() is not None

    def rank(self, question: Fields) -> Ranked:
        """Rank the tags for a question."""
        title, prose, code = map(self._plain_text, question)
        # As `rank` in kernel.c counts it, and says why that is enough.
        room = len(title) + len(prose) + len(code) + 3
        found = np.empty(3 * room, np.int32)
        answer = _Answer()
        failed = self._rank(
            self._model,
            title,
            len(title),
            prose,
            len(prose),
            code,
            len(code),
            found.ctypes.data,
            answer,
        )
        if failed:
            raise MemoryError
        n_words, n_found, n_ranked = answer.n_words, answer.n_found, answer.n_ranked
        share = 1 - answer.n_unknown / n_words if n_words else 1.0
        return Ranked(
            KnownWords(share, bool(answer.has_topic)),
            FoundTerms(
                found[:n_found],
                found[room : room + n_found],
                found[2 * room : 2 * room + n_found],
            ),
            answer.tags[:n_ranked],
            answer.confidences[:n_ranked],
        )

    def _plain_text(self, field: str) -> bytes:
        """Write a text as the kernel reads it: in ASCII, with numbers for all other pieces."""
        if not field.isascii():
            field = _NOT_ASCII.sub(self._numbered, field, count=MAX_TOKENS_PER_FIELD)
        # Spaces of other kinds, and what is not read any more, are question marks then.
        return field.encode("ascii", "replace")

    def _numbered(self, match: re.Match[str]) -> str:
        piece = match[0]
        return self._remembered(piece) if len(piece) <= _REMEMBERED_LENGTH else self._write(piece)

    def _write(self, piece: str) -> str:
        """Write a piece as the numbers of its words: nothing else is an upper-case letter."""
        written = []
        for token in words_in(piece):
            whole, parts = normalize(token)
            written.append(f"W{self._number(whole)}")
            written += [f"P{self._number(part)}" for part in parts]
        # One without words is a piece as well.
        return "".join(written) or "+"

    def _number(self, word: str) -> int:
        text = word.encode()
        number: int = self._library.number_of(self._model, text, len(text))
        return number


def _arrays(bundle: Bundle, vocabulary: Vocabulary, plain: PlainRanker) -> dict[str, Array]:
    """Give the kernel's arrays: most are the bundle's own, in their place in the file."""
    arrays = bundle.arrays
    n_tags = len(bundle.manifest["tags"])
    corpus, network = plain.corpus, plain.network
    first_tags = arrays["pairs"] // n_tags
    word_terms, pair_terms = vocabulary.terms_by_word()
    found = {
        "words": vocabulary.words.lines,
        "word_starts": vocabulary.words.starts,
        "keys": vocabulary.keys,
        "pair_terms": pair_terms,
        "word_terms": word_terms,
        "term_weights": arrays["term_weights"].astype(np.float32, copy=False),
        "steps": arrays["weight_steps"],
        "common": arrays["common_terms"],
        "starts": arrays["weights_start"],
        "rows": arrays["common_weights"],
        "values": arrays["weights_value"],
        "tags": arrays["weights_tag"],
        "intercepts": arrays["intercepts"].astype(np.float32, copy=False),
        "name_terms": arrays["names"].astype(np.int32),
        "name_terms_in_code": vocabulary.in_code(arrays["names"].astype(np.intp)).astype(np.int32),
        "name_starts": np.append(arrays["name_starts"], len(arrays["names"])).astype(np.int32),
        "tag_starts": np.append(arrays["tag_names"], len(arrays["name_starts"])).astype(np.int32),
        "calibrator": plain.calibrator,
        "log_uses": corpus.facts.log_uses,
        "name_worth": corpus.facts.name_worth,
        "records": corpus.records,
        "uses": corpus.pairs.uses,
        "pairs": arrays["pairs"],
        "pair_counts": arrays["pair_counts"],
        "pair_starts": first_tags.searchsorted(np.arange(n_tags + 1)).astype(np.int32),
        "hidden": network.hidden,
        "output": network.output,
    }
    # An array of the file may begin anywhere in it; the kernel reads whole numbers where they are.
    return {name: np.require(array, requirements=["C", "ALIGNED"]) for name, array in found.items()}
