"""Number the words, terms and names of tags that training found, as a bundle stores them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.pipeline import FeatureUnion

from lambda_src.tagger.analyzer import normalize, words_in
from lambda_src.tagger.names import NameArrays, TagNames
from lambda_src.tagger.vocabulary import Ints, Keys, Space, Vocabulary, Words, term_key

Name = tuple[str, ...]
"""The words of a name, as `normalize` gives them."""


@dataclass(frozen=True)
class FittedVocabulary:
    """The words, terms and names of tags of a model."""

    words: list[str]
    """In the order of their numbers."""
    keys: Keys
    """Shape (n_terms,): `lambda_src.tagger.vocabulary.term_key` of each term, ascending."""
    columns: Ints
    """Shape (n_terms,): the column of each term in scikit-learn's matrix. -1: the term is only part
    of the name of a tag, and has no weights."""
    names: NameArrays

    def as_served(self, title_weight: int) -> Vocabulary:
        """Make the vocabulary that the service will use."""
        return Vocabulary(Words.of(self.words), self.keys, title_weight)

    def tag_names(self, vocabulary: Vocabulary) -> TagNames:
        """Make the counter of names that the service will use."""
        return TagNames(self.names, vocabulary)


def build_vocabulary(
    terms: FeatureUnion, tags: Sequence[str], synonyms: Mapping[str, str]
) -> FittedVocabulary:
    """Number all words and terms.

    Parameters
    ----------
    terms : FeatureUnion
        The fitted vectorizers of `model_build.features.fit_tfidf`.
    tags : sequence of str
        In the order of the regressions.
    synonyms : mapping of str to str
        Each synonym with the tag that it stands for.
    """
    spelled: list[tuple[Space, list[str]]] = []
    for kind, vectorizer in terms.transformer_list:
        space: Space = "code" if kind == "code" else "text"
        spelled += [(space, term.split(" ")) for term in vectorizer.get_feature_names_out()]
    names = [names_of(tag, synonyms) for tag in tags]
    all_names = [name for of_tag in names for name in of_tag]
    words_of_terms = {word for _, term in spelled for word in term}
    words = sorted(words_of_terms | {word for name in all_names for word in name})
    number = {word: place for place, word in enumerate(words)}
    column_keys = np.array(
        [term_key(space, *(number[word] for word in term)) for space, term in spelled],
        dtype=np.int64,
    )
    name_keys = [_name_keys(name, number) for name in all_names]
    # A name of one word is looked for in code, too.
    code_keys = [term_key("code", number[name[0]]) for name in all_names if len(name) == 1]
    keys = np.unique(np.concatenate([column_keys, *name_keys, code_keys]))
    columns = np.full(len(keys), -1)
    columns[np.searchsorted(keys, column_keys)] = np.arange(len(column_keys))
    arrays = NameArrays(
        terms=np.searchsorted(keys, np.concatenate(name_keys)),
        name_starts=_starts([len(each) for each in name_keys]),
        tag_starts=_starts([len(of_tag) for of_tag in names]),
    )
    return FittedVocabulary(words, keys, columns, arrays)


def names_of(tag: str, synonyms: Mapping[str, str]) -> list[Name]:
    """List the names of a tag: the tag itself, its parts as separate words, and its synonyms.

    A name has the words that the analyzer finds in it.

    Examples
    --------
    >>> names_of("unit-testing", {"unittest": "unit-testing"})
    [('unit-testing',), ('unit', 'test'), ('unittest',)]
    >>> names_of("plsql", {"pl/sql": "plsql"})
    [('plsql',), ('pl', 'sql')]
    """
    spellings = [tag, *(synonym for synonym, main in synonyms.items() if main == tag)]
    names: dict[Name, None] = {}
    for spelling in spellings:
        for written in (spelling, spelling.replace("-", " ")):
            words = tuple(normalize(token).whole for token in words_in(written))
            if words and all(words):
                names[words] = None
    return list(names) or [(tag,)]


def _starts(lengths: Sequence[int]) -> Ints:
    """Compute where each of some consecutive parts starts."""
    return np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.intp)


def _name_keys(name: Name, number: Mapping[str, int]) -> Keys:
    """Give the keys of a name's terms: its word, or its pairs of neighbouring words."""
    numbers = [number[word] for word in name]
    if len(numbers) == 1:
        return np.array([term_key("text", numbers[0])], dtype=np.int64)
    keys = [term_key("text", first, second) for first, second in pairwise(numbers)]
    return np.array(keys, dtype=np.int64)
