"""Every rule of ranking that is a constant: limits, patterns, character classes, feature lists.

Python and the compiled kernel follow the rules of this module. A change of a rule changes what
existing bundles mean, so it needs a new `ANALYZER_VERSION`.
"""

import re
from typing import Final

# Analyzer: tokens.

MAX_TOKENS_PER_FIELD: Final = 400
"""The model reads this many tokens of each field. Later ones cost time and tell no more about the
topic (docs/quality.md)."""
MAX_PAIRED_WORDS: Final = 100
"""Only this many of the first words of the prose make pairs with their neighbours."""
MAX_WORD_LENGTH: Final = 40
"""A longer token is no word."""
WORD: Final = re.compile(r"\.net\b|[^\W_]+(?:[._'\u2019\-]+[^\W_]+)*+(?:\+\+|\#)?")
"""A word with its inner ``. - _ '`` and with the signs that technical names end in."""
WORD_PART_SEPARATORS: Final = re.compile(r"[._\-]+")
"""What separates the parts of a compound word."""
ADDRESS: Final = re.compile(r"(?:https?://|www\.)\S+|(?<!\S)[^\s@]++@\S+")
"""Addresses name no topic, and e-mail addresses have no business in a vocabulary."""
SECRET: Final = re.compile(r"(?=(?:\D*\d){4})\S{16,}")
"""Keys, tokens and account numbers are long and full of digits. Words are not."""

# Vocabulary.

WORD_BITS: Final = 28
"""A word's number has this many bits in a term's key."""

# Scorer.

STEPS_PER_WEIGHT: Final = 127
"""A term's largest weight is this many of its steps."""
COMMON_TERM_SHARE: Final = 1 / 3
"""A term with weights for more than this share of the tags is a common term: it has a whole row.

Adding a whole row is faster than adding so many weights tag by tag.
"""

# Calibrator.

MAX_CANDIDATES: Final = 25
"""Only this many tags, those with the best raw scores, are candidates."""
SCORE_KNOTS: Final = (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
"""Scores at which the confidence curve may bend."""
CALIBRATOR_FEATURES: Final = (
    "score",
    *(f"score above {knot:g}" for knot in SCORE_KNOTS),
    "log uses",
    "log uses squared",
    "score x log uses",
    "log rank",
    "behind the best",
    "ahead of the next",
    "behind the one before",
    "best score",
    "mean of three best",
    "mean score",
    "name in title",
    "name in title x its worth",
    "name in prose",
    "name in prose x its worth",
    "name in prose twice",
    "name in code",
    "score x name in title",
    "log title words",
    "score x log title words",
    "log prose words",
    "score x log prose words",
    "has prose",
    "score x has prose",
)

# Re-ranker.

MAX_SHORTLISTED: Final = 15
"""Only this many candidates, the calibrator's best, are ranked again."""
N_HIDDEN_UNITS: Final = 32
PRIOR_QUESTIONS: Final = 5.0
"""Chance counts as this many questions when the re-ranker judges which tags go together."""
RERANKER_INPUTS: Final = (
    "odds",
    "score",
    "best odds",
    "expected tags",
    "log uses",
    "record",
    "worth of name in title",
    "worth of name in prose",
    "log title words",
    "log prose words",
    "lift",
    "mean lift",
    "implied",
)

# Decoder.

MAX_TAGS: Final = 5
"""A Stack Exchange question has at most five tags."""
MIN_KNOWN_SHARE: Final = 0.6
"""The model stays quiet when it knows a smaller share of a question's words."""
