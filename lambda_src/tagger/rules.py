"""Every rule of ranking that is a constant: limits, patterns, character classes, feature lists.

Python reads the rules from this module. The build of the compiled kernel writes them into a C
header (`lambda_src.tagger.kernel.interface`). The module imports only the standard library, because
an image builds the kernel where nothing else is installed.

A change of a rule changes what existing bundles mean, so it needs a new `ANALYZER_VERSION`.
"""

import re
import string
from math import sqrt
from typing import Final

ANALYZER_VERSION: Final = 3
"""Raise it with every change that gives a question other terms, features or inputs.

A bundle records the version that it was trained with. A model refuses a bundle of another version.
"""

# Analyzer: text.

MUSIC_SHARP: Final = "\u266f"
CHARACTER_CHANGES: Final = {
    # Zero-width characters and the soft hyphen are invisible.
    **dict.fromkeys(("\u200b", "\u200c", "\u200d", "\ufeff", "\u00ad"), ""),
    MUSIC_SHARP: "#",
    # Typography's hyphens, quotation marks, dashes and bullet.
    **dict.fromkeys(("\u2010", "\u2011"), "-"),
    **dict.fromkeys(("\u2018", "\u2019", "\u201a"), "'"),
    **dict.fromkeys(("\u201c", "\u201d", "\u201e"), '"'),
    **dict.fromkeys(("\u2013", "\u2014", "\u2022"), " "),
    # NFKC would join the words around these signs, or add letters to a word.
    **dict.fromkeys(("\u2026", "\u2122", "\u2120"), " "),
}
"""What happens to some characters before the text is normalized to NFKC."""
MAX_NORMALIZED_RUN: Final = 64
"""Text is normalized in runs of this many characters, because the time for a run of combining
characters grows with the square of its length."""
MAX_NORMALIZED_GROWTH: Final = 3
"""A run that would become longer by more than this factor stays as it is."""
WESTERN: Final = "cp1252"
"""Texts that this encoding can write are normalized faster, with the same result."""
# A pattern that begins with one character is found faster than one that begins with a repetition.
_NOT_ASCII_RUN: Final = rf"[^\x00-\x7f][^\x00-\x7f]{{0,{MAX_NORMALIZED_RUN - 1}}}"
NOT_ASCII_RUN: Final = re.compile(f"({_NOT_ASCII_RUN})")
COMBINING_RUN: Final = re.compile(rf"([\x00-\x7f]?{_NOT_ASCII_RUN})")
"""A run with the ASCII character before it, which its first mark may combine with."""
_UNSPACED: Final = (
    "\u3005-\u3007\u3040-\u30ff\u3105-\u312f\u3131-\u318e\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
UNSPACED: Final = re.compile(f"[{_UNSPACED}]")
# Both patterns begin with the set of letters, because a set is found faster than a lookbehind. They
# are compiled when a text needs them: a start would take longer for each of these large sets.
AFTER_ASCII: Final = rf"[{_UNSPACED}](?<=[a-zA-Z0-9].)"
"""A Chinese, Japanese or Korean letter behind an ASCII letter or digit. A space comes before it."""
BEFORE_ASCII: Final = rf"[{_UNSPACED}](?=\.?[a-zA-Z0-9])"
"""Such a letter before an ASCII letter or digit, or before ``.net``. A space comes behind it."""

# Analyzer: tokens.

MAX_FIELD_CHARACTERS: Final = 8_000
"""The model reads about this many characters of each field. The first chunks of nearly all real
fields have fewer."""
MAX_CHUNKS_PER_FIELD: Final = 400
"""The model reads this many chunks of each field. A chunk is text without a separator and is mostly
one token. Later chunks cost time and tell no more about the topic (docs/quality.md)."""
MAX_TOKENS_PER_FIELD: Final = 600
"""The model reads no more tokens than this of a field's chunks. Only a hostile text has more."""
MAX_PAIRED_WORDS: Final = 100
"""Only this many of the first words of the prose make pairs with their neighbours."""
MAX_WORD_LENGTH: Final = 40
"""A longer token is not a word."""
MAX_COMPOUND_LENGTH: Final = 200
"""A longer token has no parts."""
WORD_JOINERS: Final = "._'-"
"""These characters may stand inside a word: ``node.js``, ``don't``."""
WORD_SUFFIXES: Final = ("++", "#")
"""A word may end in one of these signs: ``c++``, ``c#``."""
DOTTED_WORD: Final = ".net"
"""The only word that may begin with a joiner."""
PART_SEPARATORS: Final = "._-"
"""These joiners separate the parts of a compound word."""
POSSESSIVE: Final = "'s"
"""This ending of a token is ignored."""
MIN_SECRET_LENGTH: Final = 16
MIN_SECRET_DIGITS: Final = 4
"""Keys, tokens and account numbers are long and full of digits. Words are not."""

_JOINER: Final = f"[{re.escape(WORD_JOINERS)}]"
_SUFFIX: Final = "|".join(map(re.escape, WORD_SUFFIXES))
_WORD: Final = rf"{re.escape(DOTTED_WORD)}\b|[^\W_]+(?:{_JOINER}+[^\W_]+)*(?:{_SUFFIX})?"
WORD: Final = re.compile(_WORD)
"""A token in lower case."""
WORD_OF_ANY_CASE: Final = re.compile(_WORD, re.I)
ASCII_IN_WORDS: Final = string.ascii_letters + string.digits + WORD_JOINERS + "".join(WORD_SUFFIXES)
_ASCII_SEPARATORS: Final = "".join(chr(n) for n in range(128) if chr(n) not in ASCII_IN_WORDS)
_OF_CHUNK: Final = rf"[^\s{re.escape(_ASCII_SEPARATORS)}]"
CHUNK: Final = re.compile(f"{_OF_CHUNK}+")
"""Text without a character that separates tokens."""
NOT_ASCII_CHUNK_END: Final = re.compile(rf"[^\x00-\x7f\s]{_OF_CHUNK}*+")
"""A chunk from its first character that is not ASCII."""
WORD_PART_SEPARATORS: Final = re.compile(f"[{re.escape(PART_SEPARATORS)}]+")
WEB_ADDRESS: Final = re.compile(r"(?:https?://|www\.)\S+", re.I)
MAIL_ADDRESS: Final = re.compile(r"(?<!\S)[^\s@]++(?<=[\w.+-])@\S+")
"""Addresses name no topic, and e-mail addresses have no business in a vocabulary. In code, an @
behind another sign is no address."""
MAIL_SIGN: Final = re.compile(r"@(?<=[\w.+-]@)\S")
"""Texts without it have no `MAIL_ADDRESS`; it is found much faster."""
SECRET: Final = re.compile(rf"(?=(?:\D*\d){{{MIN_SECRET_DIGITS}}})\S{{{MIN_SECRET_LENGTH},}}")

CAMEL_CASE_PART: Final = re.compile(r"[A-Z]{2,}s?(?![a-z])|[A-Z](?![a-z])|[A-Z]?[a-z]+")
"""A part of a run of letters in camelCase: ``UI``, ``Table`` and ``View`` of ``UITableView``, and
``get`` and ``URLs`` of ``getURLs``."""
CAMEL_CASE_MARK: Final = "~"
"""Parts of camelCase words are terms of their own, which begin with this mark. Otherwise ``~java``
of ``JavaScript`` would be the word ``java``. No word begins like this, and no signal has a letter
behind it."""

# Analyzer: stray letters.

_NOT_ASCII: Final = r"[^\x00-\x7f\s]"
_ONE_LETTER: Final = rf"[a-z](?!{_SUFFIX}|[{re.escape(WORD_JOINERS)}+#]*+(?:[a-z0-9]|{_NOT_ASCII}))"
_NEXT_LETTER: Final = rf"(?![ai]){_ONE_LETTER}"
_LIST_LINK: Final = r"(?: {0,2}+[,)][ ,()]{0,3}+| {1,2}+(?=and |or ))(?:(?:and|or) [ (]?+)?"
_NO_STRAY_LETTER_AFTER: Final = rf"(?:[\w{re.escape(WORD_JOINERS)}+#]|{_NOT_ASCII})"
LETTER_LIST: Final = re.compile(
    rf"(?<!{_NO_STRAY_LETTER_AFTER}){_ONE_LETTER}"
    rf"(?: {{0,2}}+& {{0,2}}+{_ONE_LETTER}|{_LIST_LINK}{_NEXT_LETTER})+"
)
"""Single letters with a comma, a closing bracket, ``and``, ``or`` or ``&`` between two of them:
``a, b and c``, ``a) b)``, ``R&D``. After a comma or ``or``, an a or I is a word of the sentence."""
STRAY_LETTER: Final = re.compile(
    rf"(?<=\\){_ONE_LETTER}"  # \n
    rf"|(?<=(?<!{_NO_STRAY_LETTER_AFTER})-){_ONE_LETTER}"  # ls -R
    rf"|(?<!{_NO_STRAY_LETTER_AFTER})[a-z](?=:[\\/])"  # C:\
)
"""Letters of escapes, of command flags and of drives. These and the letters of lists are no words
in title and prose, so that they do not name c, r or another tag of one letter."""
QUALIFIER: Final = re.compile(
    rf"(?<!{_NO_STRAY_LETTER_AFTER})([a-z])\.(?=[a-z_][a-z0-9_][{re.escape(ASCII_IN_WORDS)}]*+"
    rf"(?!{_NOT_ASCII}))"
)
"""A letter that qualifies a name of two characters or more: ``r.id``. It is the name of a variable
or an alias of a table, and no word wherever it stands alone in the same field."""
LETTER_ALONE: Final = re.compile(rf"(?<!{_NO_STRAY_LETTER_AFTER}){_ONE_LETTER}")
NO_WORD: Final = "+"
"""It replaces a stray letter. It makes no word, and a chunk stays a chunk."""

# Analyzer: signals of code.

MAX_SIGNAL_CHARACTERS: Final = 4_000
"""Only the first characters of the code are searched for signals."""
_SIGNALS: Final = r"""
    => <- -> --> :: ::: := = == === != !== <= >= <> =~ ~= ~> && || & | ! !! ? ?? ?. ?: ~ ^ ` \
    << >> <<< >>> <<- + ++ -- += -= * *= ** / // /// //! /* */ % %% %>% %in% |> <$> >>= --- ; ;;
    <? ?> <% %> <%= </ /> <!-- <! {{ }} {% %} #{ ${ %{ @{ $( $$ $ @ @@ # ## #! #[
    () [] {} [[ ]] [: ({ }) )) ); (); ): ){ ]: &[ &' !( (? (& (* *) \\ \d \w \s \n
    .* .+ ./ ../ ... .. ..< ..= .^ '''
    """.split()  # noqa: SIM905 (a list of strings would be hard to read)
CODE_SIGNALS: Final = tuple(sorted([*_SIGNALS, '"""'], key=lambda each: (each[0], -len(each))))
"""Operators, brackets and sigils that tell languages apart; of each first character, the longest
comes first. Where one begins, the longest counts, and the search goes on behind it."""
LINE_STARTS: Final = (
    *(">>> ", "... ", "$ ", "> ", "--", "//", "- ", "* "),
    *("#", "}", "{", "@", ".", "<", "%", "$", "&", "|", "+", "^", "\\", ":", "*", ")", "-"),
)
"""Each counts, besides, where a line begins with it. The first that fits counts."""
LINE_ENDS: Final = (";", "{", "}", ":", ",", ")", "(", "[", "]", "\\", ">", "|", "&", "+")
"""Each counts, besides, where a line ends with it."""
LINE_SPACES: Final = " \t\r"
"""They may stand before the beginning of a line and behind its end."""
LINE_START_NAMES: Final = tuple(f"^{each.replace(' ', '_')}" for each in LINE_STARTS)
LINE_END_NAMES: Final = tuple(f"{each}$" for each in LINE_ENDS)
SIGNAL_NAMES: Final = CODE_SIGNALS + LINE_START_NAMES + LINE_END_NAMES
"""The terms that signals are in a vocabulary. No word has such a name."""


def _one_of(texts: tuple[str, ...]) -> str:
    return f"({'|'.join(map(re.escape, texts))})"


CODE_SIGNAL: Final = re.compile(_one_of(CODE_SIGNALS))
LINE_START: Final = re.compile(rf"^[{LINE_SPACES}]*+{_one_of(LINE_STARTS)}", re.M)
LINE_END: Final = re.compile(rf"{_one_of(LINE_ENDS)}[{LINE_SPACES}]*+$", re.M)

# Analyzer: stems.

MIN_STEMMED_LENGTH: Final = 4
"""A shorter word has no ending to remove."""
VERB_ENDINGS: Final = ("ing", "ed")
MIN_VERB_BASE: Final = 3
"""A verb ending is removed only from this many letters or more, one of them a vowel."""
VOWELS: Final = "aeiouy"
DOUBLED_IN_STEMS: Final = "lsz"
"""A doubled letter before a verb ending stays doubled if it is one of these (``called``)."""
Y_PLURAL: Final = "ies"
MIN_Y_PLURAL_LENGTH: Final = 5
"""The plural ending of ``y`` in words of this length or more; shorter ones only lose their s."""
ES_PLURALS: Final = ("sses", "shes", "ches", "xes", "zes")
"""Plurals that lose ``es``."""
NO_PLURAL_BEFORE_S: Final = "sui"
"""An s after one of these letters is not a plural (``css``, ``status``, ``redis``)."""
SILENT_ENDING: Final = "e"
"""The last letter of a stem of four letters or more is removed if it is this one."""

# Vocabulary.

WORD_BITS: Final = 28
"""A word's number has this many bits in a term's key."""
FILLER_WORDS: Final = frozenset(
    """
    a about advance again all also always am an and another any anybody anyone anything are around
    as ask asked asking at awesome away back bad be because been before being best better big bit
    both bring but by bye came can cannot care cheers come could couldn't cool day days dear did
    didn't do does doesn't doing don't done down each easy either else english enough even ever
    every everybody everyone everything far feel few find fine first for forward friend friends from
    full fun gave get gets getting give glad go goes going gone good got great greetings guess guys
    had happy hard has have haven't having he hello help helped helping her here hey hi him his hope
    hoping how however i i'd i'll i'm i've if im in into is isn't issue it it's its just keep kind
    kindly knew know known last later least less let like little long look looking lot lots love
    luck made make makes making many maybe me mean might mine month months more morning most much
    must my myself name need needed needs never new next nice night no nobody none not nothing now
    of off often ok okay old on once one ones only or other others our out over own people perhaps
    please pleased pls possible problem problems put question questions quite rather read ready
    really regard regards reply right said same saw say saying says see seem seems seen she should
    since sir small so some somebody someone something soon sorry sure take taken takes talk tell
    than thank thanks that that's the their them then there these they thing things think this those
    though thought through time to today together told tomorrow too took tried try trying two under
    understand until up us use used useful using usually very want wanted wants was way we week
    weeks welcome well were what what's when where whether which while who whole why will wish with
    without won't wonder wonderful work works world would wouldn't wrong yeah year years yes
    yesterday yet you your yours yourself
    """.split()  # noqa: SIM905 (a list of strings would take four times the lines)
)
"""Words of every kind of question, of greetings and of thanks. They tell nothing of the topic."""

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
    "log code words",
    "score x log code words",
    "has code",
    "score x has code",
)

# Re-ranker.

MAX_SHORTLISTED: Final = 15
"""Only this many candidates, the calibrator's best, are ranked again."""
NO_PROSE: Final = 0
WITH_PROSE: Final = 1
N_QUESTION_FORMS: Final = 2
"""How often a tag is right differs between questions without and with prose in their bodies."""
N_HIDDEN_UNITS: Final = 32
PRIOR_QUESTIONS: Final = 5.0
"""Chance counts as this many questions when the re-ranker judges which tags go together."""
USES_SMOOTHING: Final = 0.5
"""This many uses are added to those of a tag, so that a tag without uses has a share."""
MEAN_LIFT_SMOOTHING: Final = 0.1
"""This much is added to the confidences that divide a lift, so that they are never 0."""
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
    "log code words",
    "off topic score",
    "lift",
    "mean lift",
    "implied",
)

# Decoder.

_INNER: Final = (sqrt(5 - 2 * sqrt(10 / 7)) / 6, (322 + 13 * sqrt(70)) / 1800)
_OUTER: Final = (sqrt(5 + 2 * sqrt(10 / 7)) / 6, (322 - 13 * sqrt(70)) / 1800)
QUADRATURE: Final = (
    (0.5 - _OUTER[0], _OUTER[1]),
    (0.5 - _INNER[0], _INNER[1]),
    (0.5, 64 / 225),
    (0.5 + _INNER[0], _INNER[1]),
    (0.5 + _OUTER[0], _OUTER[1]),
)
"""The points and weights of the Gauss-Legendre rule of five points, moved from [-1, 1] to [0, 1]:
Abramowitz and Stegun (1964), "Handbook of Mathematical Functions", 25.4.29."""
MAX_TAGS: Final = 5
"""A Stack Exchange question has at most five tags."""
MIN_TAG_CONFIDENCE: Final = 0.1
"""No tag with a lower confidence is suggested."""
MIN_KNOWN_SHARE: Final = 0.6
"""A question is unfamiliar if the model knows a smaller share of its words."""
FEW_TOPIC_WORDS: Final = 2
"""A question that has at most this many words of a topic must be surer; see `Evidence`."""
MIN_FEW_WORDS_JACCARD: Final = 0.12
"""The expected Jaccard index that suggestions for such a question need.

Questions that name a technology reach it. Greetings and pleas do not."""
MIN_UNFAMILIAR_JACCARD: Final = 0.3
"""The expected Jaccard index that suggestions for an unfamiliar question need.

Questions in other languages reach it when they name a technology. Gibberish does not."""
