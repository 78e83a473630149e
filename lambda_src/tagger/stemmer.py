"""Words without their plural and verb endings."""

from lambda_src.tagger.rules import (
    DOUBLED_IN_STEMS,
    ES_PLURALS,
    MIN_STEMMED_LENGTH,
    MIN_VERB_BASE,
    MIN_Y_PLURAL_LENGTH,
    NO_PLURAL_BEFORE_S,
    SILENT_ENDING,
    VERB_ENDINGS,
    VOWELS,
    Y_PLURAL,
)


def stem(word: str) -> str:
    """Strip plural and verb endings from an English word; keep words with signs or digits.

    This is a light stemmer in the sense of Harman (1991), "How effective is suffixing?": it joins
    the forms that a tag's name has in sentences and risks little else.

    Examples
    --------
    >>> [stem(word) for word in ("queries", "merging", "classes", "stopped", "utf-8", "css")]
    ['query', 'merg', 'class', 'stop', 'utf-8', 'css']
    """
    if len(word) < MIN_STEMMED_LENGTH or not word.isalpha():
        return word
    stemmed = _without_verb_ending(_singular(word) if word.endswith("s") else word)
    return stemmed[:-1] if len(stemmed) > 3 and stemmed.endswith(SILENT_ENDING) else stemmed


def _singular(word: str) -> str:
    if word.endswith(Y_PLURAL):
        return word[:-3] + "y" if len(word) >= MIN_Y_PLURAL_LENGTH else word[:-1]
    if word.endswith(ES_PLURALS):
        return word[:-2]
    return word if word[-2] in NO_PLURAL_BEFORE_S else word[:-1]


def _without_verb_ending(word: str) -> str:
    for ending in VERB_ENDINGS:
        base = word.removesuffix(ending)
        has_vowel = any(vowel in base for vowel in VOWELS)
        if base != word and len(base) >= MIN_VERB_BASE and has_vowel:
            is_doubled = base[-1] == base[-2] and base[-1] not in DOUBLED_IN_STEMS
            return base[:-1] if is_doubled else base
    return word
