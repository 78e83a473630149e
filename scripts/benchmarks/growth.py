"""Bundles and questions of any size, to measure how the latency of a prediction grows."""

import json
from collections.abc import Sequence
from pathlib import Path
from string import ascii_lowercase, digits
from typing import Any, Final

import numpy as np
from safetensors.numpy import save_file

from lambda_src.tagger import read_bundle
from lambda_src.tagger.bundle import MANIFEST_KEY, Array
from lambda_src.tagger.rules import N_QUESTION_FORMS
from model_build.packing import pack_tags
from model_build.questions import Question

KIB: Final = 1024
LENGTHS_KIB: Final = (1, 4, 16, 64)
LARGEST: Final = 64 * KIB
"""The largest question that the API accepts, in bytes."""


def tile(source: Path, target: Path, n_tags: int) -> None:
    """Write a bundle with any number of tags, by repeating the tags of a real bundle.

    A copy of a tag has the same weights and names, and a number appended to its own name. The
    number of weights of a term grows with the number of tags, as in a real corpus.
    """
    bundle = read_bundle(source)
    arrays, manifest = dict(bundle.arrays), dict(bundle.manifest)
    tags = manifest["tags"]
    copies = -(-n_tags // len(tags))
    manifest["tags"] = [
        (tag if not copy else f"{tag}~{copy}", count)
        for copy in range(copies)
        for tag, count in tags
    ][:n_tags]
    arrays |= _tiled_weights(arrays, len(tags), copies, n_tags)
    arrays |= _tiled_names(arrays, copies, n_tags)
    arrays |= _tiled_pairs(arrays, len(tags), copies, n_tags)
    for name in ("intercepts", "name_worth", "lower_worth", "capital_worth"):
        arrays[name] = np.tile(arrays[name], copies)[:n_tags]
    records = arrays["records"].reshape(N_QUESTION_FORMS, -1)
    arrays["records"] = np.tile(records, copies)[:, :n_tags].ravel()
    known = {tag for tag, _ in manifest["tags"]}
    manifest["synonyms"] = {name: tag for name, tag in manifest["synonyms"].items() if tag in known}
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    save_file(contiguous, target, {MANIFEST_KEY: json.dumps(manifest)})


def _tiled_weights(
    arrays: dict[str, Array], n_known: int, copies: int, n_tags: int
) -> dict[str, Array]:
    lengths = arrays["weights_count"].astype(np.int64)
    starts = np.append(0, lengths.cumsum())
    terms = np.repeat(np.arange(len(lengths)), lengths)
    # The distances of one term begin anew at its first value.
    sums = np.concatenate([[0], arrays["weights_gap"].cumsum(dtype=np.int64)])
    known_tags = sums[1:] - np.repeat(sums[starts[:-1]], lengths)
    tags = [known_tags + copy * n_known for copy in range(copies)]
    term, tag = np.tile(terms, copies), np.concatenate(tags)
    value = np.tile(arrays["weights_value"], copies)
    order = np.lexsort((tag, term))
    order = order[tag[order] < n_tags]
    starts = np.concatenate([[0], np.cumsum(np.bincount(term[order], minlength=len(lengths)))])
    starts, gaps, values = pack_tags(starts, tag[order], value[order])
    return {
        "weights_count": np.diff(starts.astype(np.int64)).astype(np.uint32),
        "weights_gap": gaps,
        "weights_value": values,
        "common_weights": np.tile(arrays["common_weights"], copies)[:, :n_tags],
    }


def _tiled_names(arrays: dict[str, Array], copies: int, n_tags: int) -> dict[str, Array]:
    def again(starts: str, parts: str) -> Array:
        offsets = np.arange(copies, dtype=np.int64) * len(arrays[parts])
        return (arrays[starts].astype(np.int64) + offsets[:, None]).ravel()

    names, name_starts = np.tile(arrays["names"], copies), again("name_starts", "names")
    tag_names = again("tag_names", "name_starts")
    if len(tag_names) > n_tags:  # also remove the names of the removed tags
        name_starts, tag_names = name_starts[: tag_names[n_tags]], tag_names[:n_tags]
        names = names[: again("name_starts", "names")[len(name_starts)]]
    found: dict[str, Any] = {"names": names, "name_starts": name_starts, "tag_names": tag_names}
    return {name: array.astype(np.uint32) for name, array in found.items()}


def _tiled_pairs(
    arrays: dict[str, Array], n_known: int, copies: int, n_tags: int
) -> dict[str, Array]:
    """Pair each copy of a tag with the copies of the tags that occur with it."""
    offsets = np.arange(copies, dtype=np.int64)[:, None] * n_known
    first, second = (
        (numbers + offsets).ravel()
        for numbers in np.divmod(arrays["pair_gaps"].cumsum(dtype=np.int64), n_known)
    )
    there = second < n_tags
    return {
        "pair_gaps": np.diff((first * n_tags + second)[there], prepend=0).astype(np.uint32),
        "pair_counts": np.tile(arrays["pair_counts"], copies)[there],
    }


def long_question(questions: Sequence[Question], n_bytes: int) -> tuple[str, str]:
    """Join real questions into one whose body has `n_bytes` bytes."""
    parts: list[str] = []
    length = 0
    for each in questions:
        parts.append(each.body)
        length += len(each.body.encode())
        if length >= n_bytes:
            break
    body = "".join(parts).encode()[:n_bytes].decode(errors="ignore")
    return questions[0].title, body


def hostile_questions() -> dict[str, tuple[str, str]]:
    """Return questions of the full length that are difficult for parsers and patterns, by kind."""
    numbered = " ".join(f"w{number}" for number in range(LARGEST))
    letters = ascii_lowercase + digits
    bodies = {
        "one word": "a" * LARGEST,
        "all different words": numbered,
        "dotted word": "a." * LARGEST,
        "compound words": "a-b_c.d " * LARGEST,
        "open tags": "<b>" * LARGEST,
        "nested code": "<pre><code>" * LARGEST,
        "nested lists": "<ul><li>" * LARGEST,
        "nested blocks": "<div>" * LARGEST,
        "end tags that close nothing": "<ul><table></ul></table>" * LARGEST,
        "end tags in comments": "<div><!--</div>-->" * LARGEST,
        "end tags in values": '<ul x="</ul>">' * LARGEST,
        "paragraphs": "<p>a</p>" * LARGEST,
        "angle brackets": "<" * LARGEST,
        "backquotes": "`a" * LARGEST,
        "fences": "~~~\n" * LARGEST,
        "indented lines": "    a\n\n" * LARGEST,
        "link targets": "](" * LARGEST,
        "addresses": "http://a@b " * LARGEST,
        "quotes": "a'" * LARGEST,
        "entities": "<p>&amp;" * LARGEST,
        "one chunk of many words": "#\u00bd" * LARGEST,
        "one chunk of different words": "".join(
            f"{one}{chr(accented)}{other}#"
            for accented in range(0xE0, 0xF0)
            for one in letters
            for other in letters
        ),
        "one word of many parts": "_\u03c2" * LARGEST,
    }
    return {name: ("", body.encode()[:LARGEST].decode()) for name, body in bodies.items()}
