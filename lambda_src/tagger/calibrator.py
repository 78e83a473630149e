"""From raw scores to confidences that mean what they say."""

from math import log1p
from typing import Final, NamedTuple

import numpy as np

from lambda_src.tagger.names import NameCounts
from lambda_src.tagger.rules import CALIBRATOR_FEATURES, MAX_CANDIDATES, SCORE_KNOTS
from lambda_src.tagger.vocabulary import Floats, Ints


class TagFacts(NamedTuple):
    """What the calibrator knows of each tag, shape (n_tags,) each."""

    log_uses: Floats
    """Natural logarithm of the tag's uses in the corpus."""
    name_worth: Floats
    """Log-odds that a question with the tag's name in its title has the tag."""


class Candidates(NamedTuple):
    """The tags that come into question, by falling score."""

    tags: Ints
    """Shape (n_candidates,)."""
    scores: Floats
    """Shape (n_candidates,)."""


def best_candidates(scores: Floats) -> Candidates:
    """Take the tags of the best scores; of equal ones the commoner tag comes first.

    Parameters
    ----------
    scores : ndarray of float, shape (n_tags,)
    """
    n_candidates = min(MAX_CANDIDATES, len(scores))
    best = np.argpartition(scores, -n_candidates)[-n_candidates:]
    best = best.take(np.lexsort((best, -scores.take(best))))
    return Candidates(best, scores.take(best))


class QuestionFacts(NamedTuple):
    """What the calibrator knows of a question besides its scores."""

    names: NameCounts
    n_title_words: int
    n_prose_words: int


def features(candidates: Candidates, question: QuestionFacts, facts: TagFacts) -> Floats:
    """Describe each candidate.

    Parameters
    ----------
    candidates : Candidates
    question : QuestionFacts
    facts : TagFacts

    Returns
    -------
    ndarray of float, shape (n_candidates, len(CALIBRATOR_FEATURES))
    """
    tags, scores = candidates
    log_uses = facts.log_uses[tags]
    worth = facts.name_worth[tags]
    in_title, in_prose, in_code = question.names.of(tags)
    title, prose = in_title > 0, in_prose > 0
    log_title, log_prose = log1p(question.n_title_words), log1p(question.n_prose_words)
    ahead = np.zeros(len(tags))
    ahead[:-1] = scores[:-1] - scores[1:]
    described = np.empty((len(CALIBRATOR_FEATURES), len(tags)))
    described[0] = scores
    np.maximum(scores - _KNOT_COLUMN, 0, out=described[1:7])
    described[7] = log_uses
    described[8] = log_uses * log_uses
    described[9] = scores * log_uses
    described[10] = _LOG_RANKS[: len(tags)]
    described[11] = scores - scores[0]
    described[12] = ahead
    described[13, 0] = 0
    described[13, 1:] = ahead[:-1]
    described[14] = scores[0]
    described[15] = scores[:3].sum() / len(scores[:3])
    described[16] = scores.sum() / len(scores)
    described[17] = title
    described[18] = title * worth
    described[19] = prose
    described[20] = prose * worth
    described[21] = in_prose > 1
    described[22] = in_code > 0
    described[23] = scores * title
    described[24] = log_title
    described[25] = scores * log_title
    described[26] = log_prose
    described[27] = scores * log_prose
    described[28] = question.n_prose_words > 0
    described[29] = scores if question.n_prose_words else 0
    return described.T


_KNOT_COLUMN: Final = np.array(SCORE_KNOTS)[:, None]
_LOG_RANKS: Final = np.log1p(np.arange(MAX_CANDIDATES))


def confidences(odds: Floats) -> Floats:
    """Turn log-odds into probabilities."""
    sure: Floats = 1 / (1 + np.exp(-odds))
    return sure
