"""The ranker as a compiled function: the answers of `PlainRanker` in a fraction of its time.

`build.py` compiles `kernel.c`. Where it was not compiled, `PlainRanker` answers.
"""

import ctypes
import re
from collections.abc import Collection, Sequence
from functools import cache, lru_cache
from itertools import chain, islice
from typing import Any

import numpy as np

from lambda_src.tagger.analyzer import Fields, ascii_words_in, normalize
from lambda_src.tagger.bundle import Array, Bundle
from lambda_src.tagger.evidence import Evidence, filler_numbers
from lambda_src.tagger.kernel.build import library_path, this_machine
from lambda_src.tagger.kernel.interface import PART_MARK, WORD_MARK, Answer, Model
from lambda_src.tagger.ranker import PlainRanker, Ranking
from lambda_src.tagger.rules import (
    ASCII_IN_WORDS,
    MAX_CHUNKS_PER_FIELD,
    MAX_SIGNAL_CHARACTERS,
    MAX_TAGS,
    MAX_TOKENS_PER_FIELD,
    NOT_ASCII_CHUNK_END,
    SIGNAL_NAMES,
    WORD,
)
from lambda_src.tagger.vocabulary import FoundTerms, Vocabulary

# In the text for signals, a letter that begins and ends none.
_NO_SIGNAL = "x"
_OTHER_CHARACTER = re.compile(r"[^\x00-\x7f]")
_CACHED_CHUNKS = 5_000
_CACHED_LENGTH = 40


class KernelError(Exception):
    """The compiled kernel cannot be used; the message says why and what to do."""


@cache
def load_library() -> Any:
    """Load the compiled kernel; None where it was not compiled.

    Raises
    ------
    KernelError
        The file is there but cannot be loaded.
    """
    path = library_path(this_machine())
    if not path.exists():
        return None
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise KernelError(
            f"The compiled kernel cannot be loaded: {error}. Run 'scripts/setup kernel', or delete "
            f"{path} to answer without it."
        ) from error
    text = (ctypes.c_char_p, ctypes.c_int64)
    model, answer = ctypes.POINTER(Model), ctypes.POINTER(Answer)
    library.index_words.argtypes = (model,)
    library.index_words.restype = ctypes.c_int64
    library.number_of.argtypes = (model, *text)
    library.number_of.restype = ctypes.c_int64
    library.numbers_of.argtypes = (model, *text, ctypes.POINTER(ctypes.c_int64))
    library.numbers_of.restype = None
    library.rank.argtypes = (model, *(5 * text), ctypes.POINTER(ctypes.c_int32), answer)
    return library


_DTYPES = {
    "weight_steps": np.float16,
    "common_weights": np.int8,
    "weights_value": np.int8,
    "weights_gap": np.uint8,
    "common_terms": np.uint32,
}
"""The kernel reads these arrays of a bundle where they are, so they must have these types."""


class Kernel:
    """Ranks tags as a `PlainRanker` does.

    Parameters
    ----------
    bundle : Bundle
        Its arrays were checked: the kernel trusts them.
    vocabulary : Vocabulary
        The vocabulary of that bundle.
    plain : PlainRanker
        The definition's ranker of that bundle, whose tables the kernel shares.

    Raises
    ------
    KernelError
        The kernel was not compiled, or it cannot read bundles of this kind.
    ValueError
        A word is in the vocabulary twice.
    """

    def __init__(self, bundle: Bundle, vocabulary: Vocabulary, plain: PlainRanker) -> None:
        self._library = load_library()
        if self._library is None:
            raise KernelError("The kernel is not compiled. Run 'scripts/setup kernel'.")
        if not Kernel.can_rank(bundle):
            raise KernelError(
                f"The kernel cannot rank with bundle {bundle.sha256[:12]}, whose weights are not "
                "8-bit integers. Train it with pruning, or set ETIQUETTE_RANKER=plain."
            )
        self._rank = self._library.rank
        # At least half of the slots stay empty.
        n_slots = 1 << (2 * len(vocabulary.words)).bit_length()
        self._model = Model(
            word_mask=n_slots - 1,
            n_words=len(vocabulary.words),
            title_weight=vocabulary.title_weight,
            n_tags=len(bundle.manifest["tags"]),
            n_common=len(bundle.arrays["common_terms"]),
            n_questions=max(bundle.manifest["complete_questions"], 1),
            other_tags=plain.other_tags,
        )
        # The structure has only addresses: the arrays must live as long as it does.
        self._arrays: dict[str, Array] = {}
        for name, array in _arrays(bundle, vocabulary, plain).items():
            self._set_array(name, array)
        self._set_array("word_slots", np.zeros(n_slots, np.int32))
        if self._library.index_words(self._model):
            raise ValueError("array 'words' contains a word twice")
        self._cached_numbers = lru_cache(_CACHED_CHUNKS)(
            lambda chunk: self._numbers_in([chunk])[chunk]
        )
        topicless = np.zeros(vocabulary.unknown + 1, np.uint8)
        topicless[[*filler_numbers(self._number), vocabulary.unknown]] = 1
        self._set_array("topicless", topicless)
        in_code = self._arrays["word_terms"][len(vocabulary.words) :]
        numbers = [self._number(name) for name in SIGNAL_NAMES]
        self._set_array("signal_terms", np.append(in_code, -1)[numbers])

    @staticmethod
    def can_rank(bundle: Bundle) -> bool:
        """Whether the kernel is compiled and reads bundles of this kind: those that were pruned."""
        fits = all(bundle.arrays[name].dtype == dtype for name, dtype in _DTYPES.items())
        return fits and load_library() is not None

    def rank(self, question: Fields) -> Ranking:
        """Rank the tags for a question."""
        title, prose, code = map(self._ascii_text, question[:3])
        cased_title = _cased_text(question.cased_title)
        signals = _text_of_signals(question.code) if code else b""
        # `rank` in kernel.c says why this is enough.
        room = len(title) + len(prose) + len(code) + len(cased_title) + len(SIGNAL_NAMES) + 3
        found = np.empty(4 * room, np.int32)
        answer = Answer()
        failed = self._rank(
            self._model,
            title,
            len(title),
            prose,
            len(prose),
            code,
            len(code),
            signals,
            len(signals),
            cased_title,
            len(cased_title),
            ctypes.c_int32.from_buffer(found.data),
            answer,
        )
        if failed:
            raise MemoryError
        n_words, n_found, n_ranked = answer.n_words, answer.n_found, answer.n_ranked
        n_code_words = answer.n_code_words
        share = 1 - answer.n_unknown / n_words if n_words else 1.0
        return Ranking(
            Evidence(share, answer.n_topic_words, n_words + n_code_words, n_code_words),
            FoundTerms(
                found[:n_found],
                found[room : room + n_found],
                found[2 * room : 2 * room + n_found],
                found[3 * room : 3 * room + n_found],
            ),
            answer.tags[:n_ranked],
            answer.confidences[:n_ranked],
            answer.jaccards[: min(n_ranked, MAX_TAGS)],
        )

    def _ascii_text(self, field: str) -> bytes:
        """Write a text for the kernel, with numbers in place of the chunks that are not ASCII."""
        if field.isascii():
            return field.encode()
        texts: list[str] = []
        chunks: list[str] = []
        place = 0
        # A pattern for whole chunks would stop at each chunk, and most are ASCII.
        for end in islice(NOT_ASCII_CHUNK_END.finditer(field), MAX_CHUNKS_PER_FIELD):
            text = field[place : end.start()].rstrip(ASCII_IN_WORDS)
            texts.append(text)
            chunks.append(field[place + len(text) : end.end()])
            place = end.end()
        written = self._written(dict.fromkeys(chunks))
        pairs = zip(texts, map(written.__getitem__, chunks), strict=True)
        # This turns what is left, spaces and chunks after the last one read, into separators.
        return "".join((*chain.from_iterable(pairs), field[place:])).encode("ascii", "replace")

    def _written(self, chunks: Collection[str]) -> dict[str, str]:
        """Write each chunk for the kernel. Short ones are often words, which come again."""
        short = {each: self._cached_numbers(each) for each in chunks if len(each) <= _CACHED_LENGTH}
        return short | self._numbers_in([each for each in chunks if each not in short])

    def _numbers_in(self, chunks: Sequence[str]) -> dict[str, str]:
        """Write each chunk as the numbers of its words.

        A hostile field may have thousands of tokens: all of them are looked up in one call.
        """
        if not chunks:
            return {}
        tokens = {
            chunk: [word[0] for word in islice(WORD.finditer(chunk), MAX_TOKENS_PER_FIELD)]
            for chunk in chunks
        }
        normalized = {token: normalize(token) for token in {*chain.from_iterable(tokens.values())}}
        words = {word for whole, parts in normalized.values() for word in (whole, *parts)}
        numbers = self._numbers_of(words)
        written = {
            token: f"{WORD_MARK}{numbers[whole]}"
            + "".join(f"{PART_MARK}{numbers[part]}" for part in parts)
            for token, (whole, parts) in normalized.items()
        }
        # A chunk without words still counts as one.
        return {
            chunk: "".join(map(written.__getitem__, found)) or "+"
            for chunk, found in tokens.items()
        }

    def _numbers_of(self, words: Collection[str]) -> dict[str, int]:
        text = "\n".join(words).encode()
        numbers = (ctypes.c_int64 * (text.count(b"\n") + 1))()
        self._library.numbers_of(self._model, text, len(text), numbers)
        return dict(zip(words, numbers, strict=False))

    def _number(self, word: str) -> int:
        text = word.encode()
        number: int = self._library.number_of(self._model, text, len(text))
        return number

    def _set_array(self, name: str, array: Array) -> None:
        pointer: Any = dict(Model._fields_)[name]
        # An array of the file may begin at any byte; the kernel needs aligned numbers.
        fitting = np.require(array, np.dtype(pointer._type_), ["C", "ALIGNED"])
        self._arrays[name] = fitting
        setattr(self._model, name, fitting.ctypes.data_as(pointer))


def _cased_text(title: str) -> bytes:
    """Write the ASCII words of a title for the kernel, with their capital letters."""
    return (title if title.isascii() else " ".join(ascii_words_in(title))).encode()


def _text_of_signals(code: str) -> bytes:
    """Give the part of the code in which the kernel looks for signals."""
    code = code[:MAX_SIGNAL_CHARACTERS]
    return (code if code.isascii() else _OTHER_CHARACTER.sub(_NO_SIGNAL, code)).encode()


def _arrays(bundle: Bundle, vocabulary: Vocabulary, plain: PlainRanker) -> dict[str, Array]:
    """Give the kernel's arrays by the names of `Model`; most are the bundle's own."""
    arrays = bundle.arrays
    n_tags = len(bundle.manifest["tags"])
    corpus, network = plain.corpus, plain.network
    pairs = arrays["pair_gaps"].cumsum(dtype=np.uint32)
    word_terms, pair_terms = vocabulary.terms_by_word()
    return {
        "words": vocabulary.words.lines,
        "word_starts": vocabulary.words.starts,
        "keys": vocabulary.keys,
        "pair_terms": pair_terms,
        "word_terms": word_terms,
        "term_weights": arrays["term_weights"],
        "steps": arrays["weight_steps"].view(np.uint16),
        "common": arrays["common_terms"],
        "starts": plain.scorer.starts,
        "rows": arrays["common_weights"],
        "values": arrays["weights_value"],
        "gaps": arrays["weights_gap"],
        "intercepts": arrays["intercepts"],
        "off_topic_weights": arrays["off_topic_weights"],
        "off_topic_scale": arrays["off_topic_scale"],
        "name_terms": arrays["names"],
        "name_terms_in_code": vocabulary.in_code(arrays["names"].astype(np.intp)),
        "name_starts": np.append(arrays["name_starts"], len(arrays["names"])),
        "tag_starts": np.append(arrays["tag_names"], len(arrays["name_starts"])),
        "calibrator": plain.calibrator,
        "log_uses": corpus.facts.log_uses,
        "name_worth": corpus.facts.name_worth,
        "lower_worth": corpus.facts.lower_worth,
        "capital_worth": corpus.facts.capital_worth,
        "records": corpus.records,
        "uses": corpus.pairs.uses,
        "pairs": pairs,
        "pair_counts": arrays["pair_counts"],
        "pair_starts": (pairs // n_tags).searchsorted(np.arange(n_tags + 1)),
        "hidden": network.hidden,
        "output": network.output,
    }
