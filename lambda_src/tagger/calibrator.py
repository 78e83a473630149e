"""From raw scores to confidences that mean what they say."""

from typing import Final, NamedTuple

import numpy as np

from lambda_src.tagger.vocabulary import Floats, Ints

N_CANDIDATES: Final = 25
"""Tags beyond the best of the raw scores are not considered."""

FEATURES: Final = (
    "score",
    "score above 0",
    "score above -1",
    "log uses",
    "score x log uses",
    "log rank",
    "behind the best",
    "ahead of the next",
    "behind the one before",
    "mean score",
    "name in title",
    "name in title x its worth",
    "name in prose",
    "name in prose x its worth",
    "name in prose twice",
    "name in code",
    "score x name in title",
)


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
    n_candidates = min(N_CANDIDATES, len(scores))
    best = np.argpartition(scores, -n_candidates)[-n_candidates:]
    best = best[np.lexsort((best, -scores[best]))]
    return Candidates(best, scores[best])


def features(candidates: Candidates, name_counts: Floats, facts: TagFacts) -> Floats:
    """Describe each candidate.

    Parameters
    ----------
    candidates : Candidates
    name_counts : ndarray of float, shape (3, n_tags)
        How often each tag's name stands in title, prose and code.
    facts : TagFacts

    Returns
    -------
    ndarray of float, shape (n_candidates, len(FEATURES))
    """
    tags, scores = candidates
    log_uses = facts.log_uses[tags]
    worth = facts.name_worth[tags]
    in_title, in_prose, in_code = name_counts[:, tags]
    title, prose = in_title > 0, in_prose > 0
    described = np.empty((len(FEATURES), len(tags)))
    described[0] = scores
    described[1] = np.maximum(scores, 0)
    described[2] = np.maximum(scores + 1, 0)
    described[3] = log_uses
    described[4] = scores * log_uses
    described[5] = _LOG_RANKS[: len(tags)]
    described[6] = scores - scores[0]
    described[7, :-1] = scores[:-1] - scores[1:]
    described[7, -1] = 0
    described[8, 1:] = described[7, :-1]
    described[8, 0] = 0
    described[9] = scores.mean()
    described[10] = title
    described[11] = title * worth
    described[12] = prose
    described[13] = prose * worth
    described[14] = in_prose > 1
    described[15] = in_code > 0
    described[16] = scores * title
    return described.T


_LOG_RANKS: Final = np.log1p(np.arange(N_CANDIDATES))


def confidences(described: Floats, weights: Floats) -> Floats:
    """Calibrated confidences; shape (n_candidates,).

    Parameters
    ----------
    described : ndarray of float, shape (n_candidates, len(FEATURES))
    weights : ndarray of float, shape (len(FEATURES) + 1,)
        Of a logistic regression; the last one is its intercept.
    """
    odds: Floats = 1 / (1 + np.exp(-(described @ weights[:-1] + weights[-1])))
    return odds
