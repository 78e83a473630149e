"""Turn the raw scores of a question's best tags into calibrated confidences."""

from math import log1p
from typing import NamedTuple

import numpy as np

from lambda_src.tagger.feature_matrix import feature_matrix
from lambda_src.tagger.names import NameCounts
from lambda_src.tagger.rules import (
    CALIBRATOR_FEATURES,
    MAX_CANDIDATES,
    NO_PROSE,
    SCORE_KNOTS,
    WITH_PROSE,
)
from lambda_src.tagger.vocabulary import Floats, Ints


class TagFacts(NamedTuple):
    """What training learned about each tag for the calibrator; shape (n_tags,) each."""

    log_uses: Floats
    """Natural logarithm of the number of questions in the corpus that have the tag."""
    name_worth: Floats
    """Log-odds that a question has the tag if the tag's name is in its title, however written."""
    lower_worth: Floats
    """The same of a name without a capital letter, in a title that has some."""
    capital_worth: Floats
    """The same of a name with a capital letter."""

    def worth_in_title(self, tags: Ints, names: NameCounts) -> Floats:
        """Give the worth of the names of some tags, as they are written in the title; shape (n,).

        Most words have another meaning ("go", "swift"), and then they have no capital letter.
        """
        if names.capitals is None:
            return self.name_worth[tags]
        have_capital = [tag in names.capitals for tag in tags.tolist()]
        return np.where(have_capital, self.capital_worth[tags], self.lower_worth[tags])


class Candidates(NamedTuple):
    """The tags with the best scores, in descending order of their scores."""

    tags: Ints
    """Shape (n_candidates,): numbers of tags."""
    scores: Floats
    """Shape (n_candidates,): log-odds."""


def best_candidates(scores: Floats) -> Candidates:
    """Choose the tags with the best scores; of equal scores, the more common tag comes first.

    Parameters
    ----------
    scores : ndarray of float, shape (n_tags,)
        In the order of the tags' numbers, so that common tags come first.
    """
    # A stable sort keeps tags with equal scores in the order of their numbers.
    # The copy lets go of the numbers of all other tags, which training would keep per question.
    best = np.argsort(-scores, kind="stable")[:MAX_CANDIDATES].copy()
    return Candidates(best, scores[best])


class QuestionFacts(NamedTuple):
    """What the calibrator knows about a question besides the scores of its tags."""

    names: NameCounts
    n_title_words: int
    n_prose_words: int
    n_code_words: int
    off_topic_score: float = 0.0
    """See `lambda_src.tagger.scorer.Scorer.off_topic_score`. Only the re-ranker uses it."""

    @property
    def form(self) -> int:
        """`WITH_PROSE` or `NO_PROSE`."""
        return WITH_PROSE if self.n_prose_words > 0 else NO_PROSE


def features(candidates: Candidates, question: QuestionFacts, facts: TagFacts) -> Floats:
    """Compute the calibrator's features of each candidate.

    Parameters
    ----------
    candidates : Candidates
        At least one.
    question : QuestionFacts
    facts : TagFacts
        Of all tags.

    Returns
    -------
    ndarray of float, shape (n_candidates, len(CALIBRATOR_FEATURES))
    """
    tags, scores = candidates
    log_uses, name_worth = facts.log_uses[tags], facts.name_worth[tags]
    title_worth = facts.worth_in_title(tags, question.names)
    in_title, in_prose, in_code = question.names.counts_of(tags)
    log_title_words, log_prose_words, log_code_words = (
        log1p(n_words)
        for n_words in (question.n_title_words, question.n_prose_words, question.n_code_words)
    )
    has_prose, has_code = question.n_prose_words > 0, question.n_code_words > 0
    gaps = scores[:-1] - scores[1:]
    values: dict[str, Floats | float] = {
        "score": scores,
        **{f"score above {knot:g}": np.maximum(scores - knot, 0) for knot in SCORE_KNOTS},
        "log uses": log_uses,
        "log uses squared": log_uses * log_uses,
        "score x log uses": scores * log_uses,
        "log rank": np.log1p(np.arange(len(tags))),
        "behind the best": scores - scores[0],
        "ahead of the next": np.append(gaps, 0),
        "behind the one before": np.append(0, gaps),
        "best score": scores[0],
        "mean of three best": scores[:3].mean(),
        "mean score": scores.mean(),
        "name in title": in_title > 0,
        "name in title x its worth": (in_title > 0) * title_worth,
        "name in prose": in_prose > 0,
        "name in prose x its worth": (in_prose > 0) * name_worth,
        "name in prose twice": in_prose > 1,
        "name in code": in_code > 0,
        "score x name in title": scores * (in_title > 0),
        "log title words": log_title_words,
        "score x log title words": scores * log_title_words,
        "log prose words": log_prose_words,
        "score x log prose words": scores * log_prose_words,
        "has prose": has_prose,
        "score x has prose": scores * has_prose,
        "log code words": log_code_words,
        "score x log code words": scores * log_code_words,
        "has code": has_code,
        "score x has code": scores * has_code,
    }
    return feature_matrix(CALIBRATOR_FEATURES, values, len(tags))


def confidences(odds: Floats) -> Floats:
    """Turn log-odds into probabilities, with the logistic function."""
    # exp would overflow beyond this, where the probability is 0.
    probabilities: Floats = 1 / (1 + np.exp(np.minimum(-odds, 700)))
    return probabilities
