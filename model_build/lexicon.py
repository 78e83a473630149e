"""Number what the vectorizers and the tags' names are made of, as a bundle keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.pipeline import FeatureUnion

from lambda_src.tagger.analyzer import normalize
from lambda_src.tagger.names import NameArrays, TagNames
from lambda_src.tagger.vocabulary import Ints, Keys, Space, Vocabulary, Words, term_key

Name = tuple[str, ...]


@dataclass(frozen=True)
class Lexicon:
    """Words, terms and names, numbered."""

    words: list[str]
    keys: Keys
    """Shape (n_terms,): ascending."""
    columns: Ints
    """Shape (n_terms,): where each term stands in scikit-learn's matrix.

    -1 for one that only a tag's name consists of: it is found, and has no weights.
    """
    names: NameArrays

    def vocabulary(self, title_weight: int) -> Vocabulary:
        """The vocabulary as the service will have it."""
        return Vocabulary(Words.of(self.words), self.keys, title_weight)

    def tag_names(self, vocabulary: Vocabulary) -> TagNames:
        """The names as the service will have them."""
        return TagNames(self.names, vocabulary)


def make_lexicon(terms: FeatureUnion, tags: Sequence[str], synonyms: Mapping[str, str]) -> Lexicon:
    """Number all words.

    Parameters
    ----------
    terms : FeatureUnion
        Fitted vectorizers, as `model_build.features.fit_tfidf` gives them.
    tags : sequence of str
        In the order of the regressions.
    synonyms : mapping of str to str
        To the tags that they stand for.
    """
    spelled: list[tuple[Space, list[str]]] = []
    for kind, vectorizer in terms.transformer_list:
        space: Space = "code" if kind == "code" else "text"
        spelled += [(space, term.split(" ")) for term in vectorizer.get_feature_names_out()]
    names = [names_of(tag, synonyms) for tag in tags]
    of_terms = {word for _, term in spelled for word in term}
    words = sorted(of_terms | {word for each in names for name in each for word in name})
    number = {word: place for place, word in enumerate(words)}
    of_columns = np.array(
        [term_key(space, *(number[word] for word in term)) for space, term in spelled],
        dtype=np.int64,
    )
    of_names = [_name_keys(name, number) for each in names for name in each]
    in_code = [term_key("code", number[name[0]]) for each in names for name in each if not name[1:]]
    keys = np.unique(np.concatenate([of_columns, *of_names, in_code]))
    columns = np.full(len(keys), -1)
    columns[np.searchsorted(keys, of_columns)] = np.arange(len(of_columns))
    lengths = [len(each) for each in of_names]
    arrays = NameArrays(
        terms=np.searchsorted(keys, np.concatenate(of_names)),
        name_starts=_starts(lengths),
        tag_starts=_starts([len(each) for each in names]),
    )
    return Lexicon(words, keys, columns, arrays)


def names_of(tag: str, synonyms: Mapping[str, str]) -> list[Name]:
    """List the names of a tag, as words: itself, its parts beside each other, its synonyms.

    Examples
    --------
    >>> names_of("unit-testing", {"unittest": "unit-testing"})
    [('unit-testing',), ('unit', 'test'), ('unittest',)]
    """
    written = [tag, *(synonym for synonym, main in synonyms.items() if main == tag)]
    names: dict[Name, None] = {}
    for each in written:
        names[(normalize(each).whole or each,)] = None
        parts = tuple(normalize(part).whole for part in each.split("-") if part)
        if parts and all(parts):
            names[parts] = None
    return list(names)


def _starts(lengths: Sequence[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.intp)


def _name_keys(name: Name, number: Mapping[str, int]) -> Keys:
    numbers = [number[word] for word in name]
    if len(numbers) == 1:
        return np.array([term_key("text", numbers[0])], dtype=np.int64)
    keys = [term_key("text", first, second) for first, second in pairwise(numbers)]
    return np.array(keys, dtype=np.int64)
