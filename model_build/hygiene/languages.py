"""Guess the language of a question by its script and its function words.

This is a heuristic, not a language model: it counts how many questions of a corpus are probably not
in its main language. Two rules decide, in this order:

1. If at least 30 % of the letters are not Latin, the script names the language's group.
2. Otherwise, the language with the most function words (such as "the" and "how") wins, if there are
   at least two of them. Texts with fewer, such as short titles, are `UNCLEAR`.
"""

import re
from typing import Final

UNCLEAR: Final = "unclear"
_MIN_FOREIGN_SHARE: Final = 0.3
_MIN_FUNCTION_WORDS: Final = 2
_MAX_CHARACTERS: Final = 2_000
_WORD: Final = re.compile(r"[^\W\d_]+")
_SCRIPTS: Final = {
    "Cyrillic": "\u0400-\u052f",
    "Greek": "\u0370-\u03ff",
    "Hebrew": "\u0590-\u05ff",
    "Arabic": "\u0600-\u06ff",
    "Devanagari": "\u0900-\u097f",
    "Thai": "\u0e00-\u0e7f",
    "Korean": "\u1100-\u11ff\uac00-\ud7af",
    "Japanese": "\u3040-\u30ff",
    "Chinese or Japanese": "\u4e00-\u9fff",
}
_OF_SCRIPT: Final = {name: re.compile(f"[{letters}]") for name, letters in _SCRIPTS.items()}
_FUNCTION_WORDS: Final = {
    "English": "the a an and of to in is it how what why when with for on from this that can do "
    "does my not are be using i",
    "Spanish": "el la los las un una y de del que en es cómo como por para con no se mi al lo qué "
    "una esto pero",
    "Portuguese": "o os um uma e de do da dos das que em é como por para com não se meu ao isso "
    "mas uma no na",
    "French": "le la les un une et de du des que en est comment pour avec ne pas je mon dans sur "
    "ce mais qui",
    "German": "der die das ein eine und von zu in ist wie warum mit für auf nicht ich mein aus "
    "kann wird den dem",
    "Italian": "il lo la gli un una e di del che in è come perché con per non mi mio nel sono "
    "questo ma",
    "Dutch": "de het een en van te in is hoe waarom met voor op niet ik mijn uit kan dat deze maar",
    "Polish": "i w z na do jest jak nie się że dla mam od po ale czy jako przez",
    "Indonesian": "yang dan di ke dari ini itu untuk dengan saya bagaimana tidak cara pada adalah",
    "Turkish": "ve bir bu için nas\u0131l ile de da ne mi ben var olarak",
}
_SETS: Final = {name: frozenset(words.split()) for name, words in _FUNCTION_WORDS.items()}


def language_of(text: str) -> str:
    """Return the name of a text's language or script, or `UNCLEAR`.

    Examples
    --------
    >>> language_of("How do I sort a list?")
    'English'
    >>> language_of("¿Cómo ordeno una lista en Python?")
    'Spanish'
    >>> language_of("Python list")
    'unclear'
    """
    words = _WORD.findall(text[:_MAX_CHARACTERS].lower())
    letters = "".join(words)
    if not letters.isascii():
        counts = {name: len(of_script.findall(letters)) for name, of_script in _OF_SCRIPT.items()}
        if sum(counts.values()) >= _MIN_FOREIGN_SHARE * len(letters):
            # Japanese mixes its own letters with Chinese characters.
            if counts["Japanese"]:
                return "Japanese"
            return max(counts, key=lambda name: counts[name])
    hits = {name: sum(word in known for word in words) for name, known in _SETS.items()}
    best = max(hits, key=lambda name: hits[name])
    return best if hits[best] >= _MIN_FUNCTION_WORDS else UNCLEAR
