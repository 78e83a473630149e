"""Number what the vectorizers and the tags' names are made of, as a bundle keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.pipeline import FeatureUnion

from lambda_src.tagger.analyzer import forms
from lambda_src.tagger.names import NameArrays, TagNames
from lambda_src.tagger.vocabulary import Ints, Keys, Space, Vocabulary, term_key

Name = tuple[str, ...]


@dataclass(frozen=True)
class Lexicon:
    """Words, terms and names, numbered."""

    words: list[str]
    keys: Keys
    """Shape (n_terms,): ascending."""
    columns: Ints
    """Shape (n_terms,): where each term stands in scikit-learn's matrix."""
    names: NameArrays

    def vocabulary(self, title_weight: int) -> Vocabulary:
        """The vocabulary as the service will have it."""
        return Vocabulary(self.words, self.keys, title_weight)

    def tag_names(self) -> TagNames:
        """The names as the service will have them."""
        return TagNames(self.names, len(self.words))


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
    keys = np.array(
        [term_key(space, *(number[word] for word in term)) for space, term in spelled],
        dtype=np.int64,
    )
    columns = np.argsort(keys)
    return Lexicon(words, keys[columns], columns, _name_arrays(names, number))


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
        names[(forms(each).whole or each,)] = None
        parts = tuple(forms(part).whole for part in each.split("-") if part)
        if parts and all(parts):
            names[parts] = None
    return list(names)


def _name_arrays(names: Sequence[Sequence[Name]], number: Mapping[str, int]) -> NameArrays:
    keys_of_names = [_name_keys(name, number) for each in names for name in each]
    keys = np.unique(np.concatenate(keys_of_names))
    lengths = [len(each) for each in keys_of_names]
    return NameArrays(
        keys=keys,
        name_keys=np.searchsorted(keys, np.concatenate(keys_of_names)),
        name_starts=np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.intp),
        tag_starts=np.concatenate([[0], np.cumsum([len(n) for n in names])[:-1]]).astype(np.intp),
    )


def _name_keys(name: Name, number: Mapping[str, int]) -> Keys:
    numbers = [number[word] for word in name]
    if len(numbers) == 1:
        return np.array([term_key("text", numbers[0])], dtype=np.int64)
    keys = [term_key("text", first, second) for first, second in pairwise(numbers)]
    return np.array(keys, dtype=np.int64)
