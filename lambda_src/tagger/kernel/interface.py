"""What Python and kernel.c share: the two structures, and the C header that the build generates.

The header declares the structures and holds the rules, so that each is written down once. This
module imports only the standard library and `lambda_src.tagger.rules`: see build.py.
"""

import ctypes
import json
import re
import string
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from lambda_src.tagger import rules

WORD_MARK: Final = "W"
PART_MARK: Final = "P"
"""Texts for the kernel are ASCII in lower case. A word with other characters is written as its
number: ``W12`` is word 12, ``P3`` is word 3 as a part of the word before it."""

_BYTES = ctypes.POINTER(ctypes.c_uint8)
_INT8S = ctypes.POINTER(ctypes.c_int8)
_UINT16S = ctypes.POINTER(ctypes.c_uint16)
_INT32S = ctypes.POINTER(ctypes.c_int32)
_UINT32S = ctypes.POINTER(ctypes.c_uint32)
_INT64S = ctypes.POINTER(ctypes.c_int64)
_FLOATS = ctypes.POINTER(ctypes.c_float)
_DOUBLES = ctypes.POINTER(ctypes.c_double)


class Model(ctypes.Structure):
    """A model as the kernel reads it; most of its arrays are those of the bundle's file."""

    _fields_ = (
        # Word w is at words[word_starts[w]] and ends before the line's end.
        ("words", _BYTES),
        ("word_starts", _INT32S),
        # A hash table: one more than a word's number, or 0 where a slot is empty.
        ("word_slots", _INT32S),
        ("word_mask", ctypes.c_int64),
        ("n_words", ctypes.c_int64),
        # The pairs that begin with word w are the terms pair_terms[w] up to pair_terms[w + 1].
        # Word w alone is term word_terms[w], and in code word_terms[n_words + w], or -1.
        ("title_weight", ctypes.c_int64),
        ("keys", _INT64S),
        ("pair_terms", _INT32S),
        ("word_terms", _INT32S),
        ("topicless", _BYTES),
        # The term that each signal of rules.SIGNAL_NAMES is in code, or -1.
        ("signal_terms", _INT32S),
        # Scorer.
        ("n_tags", ctypes.c_int64),
        ("n_common", ctypes.c_int64),
        ("term_weights", _FLOATS),
        ("steps", _UINT16S),
        ("common", _UINT32S),
        ("starts", _UINT32S),
        ("rows", _INT8S),
        ("values", _INT8S),
        ("gaps", _BYTES),
        ("intercepts", _FLOATS),
        ("off_topic_weights", _INT8S),
        ("off_topic_scale", _DOUBLES),
        # Names.
        ("name_terms", _INT32S),
        ("name_terms_in_code", _INT32S),
        ("name_starts", _INT32S),
        ("tag_starts", _INT32S),
        # Calibrator.
        ("calibrator", _DOUBLES),
        ("log_uses", _DOUBLES),
        ("name_worth", _DOUBLES),
        ("lower_worth", _DOUBLES),
        ("capital_worth", _DOUBLES),
        # Re-ranker: the pairs of tags in which a tag is the smaller begin at pair_starts[tag].
        ("records", _DOUBLES),
        ("uses", _DOUBLES),
        ("pairs", _UINT32S),
        ("pair_counts", _UINT32S),
        ("pair_starts", _INT32S),
        ("n_questions", ctypes.c_double),
        ("hidden", _DOUBLES),
        ("output", _DOUBLES),
        # Decoder.
        ("other_tags", ctypes.c_double),
    )


class Answer(ctypes.Structure):
    """What the kernel found out about a question."""

    _fields_ = (
        # Of title and prose.
        ("n_words", ctypes.c_int64),
        ("n_unknown", ctypes.c_int64),
        ("n_code_words", ctypes.c_int64),
        # See `Evidence`.
        ("n_topic_words", ctypes.c_int64),
        ("n_found", ctypes.c_int64),
        ("n_ranked", ctypes.c_int64),
        ("tags", ctypes.c_int64 * rules.MAX_SHORTLISTED),
        ("confidences", ctypes.c_double * rules.MAX_SHORTLISTED),
        ("jaccards", ctypes.c_double * rules.MAX_TAGS),
    )


_WRITTEN: Final = ("word_slots",)
"""The only array of a model that the kernel writes."""
_C_TYPES: Final = {
    ctypes.c_int8: "int8_t",
    ctypes.c_uint8: "uint8_t",
    ctypes.c_uint16: "uint16_t",
    ctypes.c_int32: "int32_t",
    ctypes.c_uint32: "uint32_t",
    ctypes.c_int64: "int64_t",
    ctypes.c_float: "float",
    ctypes.c_double: "double",
}
_INTEGERS: Final = (
    "MAX_CHUNKS_PER_FIELD",
    "MAX_TOKENS_PER_FIELD",
    "MAX_PAIRED_WORDS",
    "MAX_WORD_LENGTH",
    "MAX_COMPOUND_LENGTH",
    "MAX_SIGNAL_CHARACTERS",
    "MIN_SECRET_LENGTH",
    "MIN_SECRET_DIGITS",
    "MIN_STEMMED_LENGTH",
    "MIN_VERB_BASE",
    "MIN_Y_PLURAL_LENGTH",
    "WORD_BITS",
    "MAX_CANDIDATES",
    "MAX_SHORTLISTED",
    "NO_PROSE",
    "WITH_PROSE",
    "N_HIDDEN_UNITS",
    "MAX_TAGS",
)
_NUMBERS: Final = ("PRIOR_QUESTIONS", "USES_SMOOTHING", "MEAN_LIFT_SMOOTHING")
_STRINGS: Final = (
    "CAMEL_CASE_MARK",
    "DOTTED_WORD",
    "LINE_SPACES",
    "POSSESSIVE",
    "VOWELS",
    "DOUBLED_IN_STEMS",
    "Y_PLURAL",
    "NO_PLURAL_BEFORE_S",
    "SILENT_ENDING",
)
_STRING_LISTS: Final = (
    "WORD_SUFFIXES",
    "VERB_ENDINGS",
    "ES_PLURALS",
    "CODE_SIGNALS",
    "LINE_STARTS",
    "LINE_ENDS",
)
_SUFFIX_CHARACTERS: Final = "".join(rules.WORD_SUFFIXES)
_CHARACTER_CLASSES: Final = {
    "LETTER": string.ascii_lowercase,
    "DIGIT": string.digits,
    "JOINS_WORDS": rules.WORD_JOINERS,
    "SEPARATES_PARTS": rules.PART_SEPARATORS,
    "ENDS_WORDS": _SUFFIX_CHARACTERS,
    "NUMBER_MARK": WORD_MARK + PART_MARK,
    "OF_CHUNK": string.ascii_lowercase
    + string.digits
    + rules.WORD_JOINERS
    + _SUFFIX_CHARACTERS
    + WORD_MARK
    + PART_MARK,
}
"""One bit each in the kernel's table of characters."""
_N_ASCII: Final = 128


def header() -> str:
    """Write the C header that kernel.c includes."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "/* build.py generated this file from rules.py and interface.py. Do not edit it. */"
    yield "#include <stdint.h>"
    yield from _enum({name: getattr(rules, name) for name in _INTEGERS})
    for name in _NUMBERS:
        yield f"static const double {name} = {float(getattr(rules, name))!r};"
    for name in _STRINGS:
        yield f"static const char {name}[] = {json.dumps(getattr(rules, name))};"
    for name in _STRING_LISTS:
        strings = ", ".join(map(json.dumps, getattr(rules, name)))
        yield f"static const char *const {name}[] = {{{strings}}};"
    yield from _enum({"N_SCORE_KNOTS": len(rules.SCORE_KNOTS)})
    yield _doubles("SCORE_KNOTS", rules.SCORE_KNOTS)
    points, weights = zip(*rules.QUADRATURE, strict=True)
    yield _doubles("QUADRATURE_POINTS", points)
    yield _doubles("QUADRATURE_WEIGHTS", weights)
    yield from _enum(_places("FEATURE", rules.CALIBRATOR_FEATURES))
    first_knot = rules.CALIBRATOR_FEATURES.index(f"score above {rules.SCORE_KNOTS[0]:g}")
    yield from _enum({"FEATURE_SCORE_ABOVE_KNOT": first_knot})
    yield from _enum(_places("INPUT", rules.RERANKER_INPUTS))
    classes = {name: 1 << bit for bit, name in enumerate(_CHARACTER_CLASSES)}
    yield from _enum({**classes, "WORD_MARK": ord(WORD_MARK), "PART_MARK": ord(PART_MARK)})
    table = [0] * 256
    for name, characters in _CHARACTER_CLASSES.items():
        for character in characters:
            table[ord(character)] |= classes[name]
    yield f"static const uint8_t CHARACTER_CLASSES[256] = {{{', '.join(map(str, table))}}};"
    yield from _enum({"N_SIGNALS": len(rules.SIGNAL_NAMES)})
    # The signals that begin with character c are those from FIRST_SIGNALS[c] to the next entry.
    firsts = [ord(signal[0]) for signal in rules.CODE_SIGNALS]
    places = ", ".join(str(bisect_left(firsts, code)) for code in range(_N_ASCII + 1))
    yield f"static const uint8_t FIRST_SIGNALS[{_N_ASCII + 1}] = {{{places}}};"
    yield from _structure("model", Model)
    yield from _structure("answer", Answer)


def _doubles(name: str, values: Iterable[float]) -> str:
    return f"static const double {name}[] = {{{', '.join(map(repr, values))}}};"


def _enum(values: Mapping[str, int]) -> Iterator[str]:
    yield "enum {"
    for name, value in values.items():
        yield f"  {name} = {value},"
    yield "};"


def _places(prefix: str, names: tuple[str, ...]) -> dict[str, int]:
    """Number names; ``N_FEATURES`` or ``N_INPUTS`` is how many there are."""
    written = [re.sub(r"\W", "_", name.replace("-", "minus ")).upper() for name in names]
    places = {f"{prefix}_{name}": place for place, name in enumerate(written)}
    return {**places, f"N_{prefix}S": len(names)}


def _structure(name: str, structure: type[ctypes.Structure]) -> Iterator[str]:
    yield "typedef struct {"
    fields: tuple[tuple[str, Any], ...] = tuple(structure._fields_)  # type: ignore[arg-type]
    for field, kind in fields:
        yield f"  {_declaration(field, kind)};"
    yield f"}} {name};"
    size = ctypes.sizeof(structure)
    yield f'_Static_assert(sizeof({name}) == {size}, "Python has another layout of {name}");'


def _declaration(field: str, kind: Any) -> str:
    if kind in _C_TYPES:
        return f"{_C_TYPES[kind]} {field}"
    if hasattr(kind, "_length_"):
        return f"{_C_TYPES[kind._type_]} {field}[{kind._length_}]"
    constant = "" if field in _WRITTEN else "const "
    return f"{constant}{_C_TYPES[kind._type_]} *{field}"
