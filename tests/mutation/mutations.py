"""The changes: each makes one rule wrong in one file."""

from typing import Final, NamedTuple

_TAGGER: Final = "lambda_src/tagger"
RULES: Final = f"{_TAGGER}/rules.py"
KERNEL: Final = f"{_TAGGER}/kernel/kernel.c"


class Mutation(NamedTuple):
    """A text that is in a file once, and what replaces it."""

    area: str
    rule: str
    file: str
    before: str
    after: str


def _constants(area: str, *changes: tuple[str, str, str]) -> list[Mutation]:
    return [Mutation(area, rule, RULES, before, after) for rule, before, after in changes]


def _python(module: str, *changes: tuple[str, str, str]) -> list[Mutation]:
    file = f"{_TAGGER}/{module}.py"
    return [Mutation(module, rule, file, before, after) for rule, before, after in changes]


def _kernel(area: str, *changes: tuple[str, str, str]) -> list[Mutation]:
    return [Mutation(area, rule, KERNEL, before, after) for rule, before, after in changes]


MUTATIONS: Final = [
    # Constants, which change both implementations.
    *_constants(
        "analyzer",
        (
            "chunks per field",
            "MAX_TOKENS_PER_FIELD: Final = 400",
            "MAX_TOKENS_PER_FIELD: Final = 399",
        ),
        ("longest word", "MAX_WORD_LENGTH: Final = 40", "MAX_WORD_LENGTH: Final = 36"),
        ("shortest secret", "MIN_SECRET_LENGTH: Final = 16", "MIN_SECRET_LENGTH: Final = 17"),
        ("digits of a secret", "MIN_SECRET_DIGITS: Final = 4", "MIN_SECRET_DIGITS: Final = 5"),
        ("joiners", 'WORD_JOINERS: Final = "._\'-"', 'WORD_JOINERS: Final = "._-"'),
        ("suffixes", 'WORD_SUFFIXES: Final = ("++", "#")', 'WORD_SUFFIXES: Final = ("++",)'),
        ("part separators", 'PART_SEPARATORS: Final = "._-"', 'PART_SEPARATORS: Final = ".-"'),
        ("addresses", r"(?:https?://|www\.)", "(?:https?://)"),
    ),
    *_constants(
        "stemmer",
        ("shortest stemmed word", "MIN_STEMMED_LENGTH: Final = 4", "MIN_STEMMED_LENGTH: Final = 5"),
        ("shortest base", "MIN_VERB_BASE: Final = 3", "MIN_VERB_BASE: Final = 2"),
        ("vowels", 'VOWELS: Final = "aeiouy"', 'VOWELS: Final = "aeiou"'),
        ("doubled letters", '"lsz"', '"ls"'),
        ("plurals of y", "MIN_Y_PLURAL_LENGTH: Final = 5", "MIN_Y_PLURAL_LENGTH: Final = 4"),
        ("plurals with es", '"xes", "zes")', '"xes")'),
        ("no plural", '"sui"', '"su"'),
    ),
    *_constants(
        "vocabulary",
        ("words with pairs", "MAX_PAIRED_WORDS: Final = 100", "MAX_PAIRED_WORDS: Final = 99"),
        ("filler words", "nobody none not nothing", "nobody none nothing"),
    ),
    *_constants(
        "calibrator",
        ("candidates", "MAX_CANDIDATES: Final = 25", "MAX_CANDIDATES: Final = 24"),
    ),
    *_constants(
        "re-ranker",
        ("shortlist", "MAX_SHORTLISTED: Final = 15", "MAX_SHORTLISTED: Final = 14"),
        ("prior", "PRIOR_QUESTIONS: Final = 5.0", "PRIOR_QUESTIONS: Final = 6.0"),
    ),
    *_constants(
        "decoder",
        ("largest set", "MAX_TAGS: Final = 5", "MAX_TAGS: Final = 4"),
        ("known words", "MIN_KNOWN_SHARE: Final = 0.6", "MIN_KNOWN_SHARE: Final = 0.61"),
    ),
    # The definition alone.
    *_python(
        "analyzer",
        ("lower case", "(title.lower(), ", "(title, "),
        ("longest word", "<= MAX_WORD_LENGTH and not", "< MAX_WORD_LENGTH and not"),
        ("secrets", " and not SECRET.fullmatch(text)", ""),
        ("possessive", ".removesuffix(POSSESSIVE)", ""),
        ("curly apostrophe", 'token.replace(TYPOGRAPHIC_APOSTROPHE, "\'")', "token"),
        ("single parts", "if len(parts) > 1 else", "if len(parts) > 0 else"),
        ("shortest base", "len(base) >= MIN_VERB_BASE", "len(base) > MIN_VERB_BASE"),
        ("doubled letters", "base[-1] not in DOUBLED_IN_STEMS", "base[-1] in DOUBLED_IN_STEMS"),
        ("silent e", "if len(stemmed) > 3", "if len(stemmed) > 4"),
        ("plurals of y", 'word[:-3] + "y"', "word[:-2]"),
    ),
    *_python(
        "markup",
        ("code inside code", "in reversed(tree.tags(tag))", "in tree.tags(tag)"),
        ("styles", '(*_CODE, "script", "style")', '(*_CODE, "script")'),
        ("tags that show HTML", "|blockquote|div|h[1-6]|a(?=", "|blockquote|div|h[1-6]|b|a(?="),
        ("fences", "(`{3,}+|~{3,}+)", "(`{3,}+)"),
        ("indented code", "(?: {4}|\\t)[^\\n]*", "(?: {5}|\\t)[^\\n]*"),
        ("inline code", "(`{1,3})(?!`)", "(`{1,2})(?!`)"),
        ("link targets", '_LINK_TARGET.sub("] ", prose)', "prose"),
        ("lines of other systems", '.replace("\\r\\n", "\\n")', ""),
    ),
    *_python(
        "vocabulary",
        ("weight of the title", "self.title_weight * in_title[key]", "in_title[key]"),
        ("words with pairs", "n_paired=MAX_PAIRED_WORDS", "n_paired=MAX_PAIRED_WORDS + 1"),
        (
            "code is apart",
            '_keys_of(code, "code", n_paired=0)',
            '_keys_of(code, "text", n_paired=0)',
        ),
        (
            "parts make no pairs",
            "in pairwise(field.wholes[",
            "in pairwise((field.wholes + field.parts)[",
        ),
    ),
    *_python("evidence", ("code alone is a topic", "bool(question.code.wholes)", "False")),
    *_python(
        "names",
        ("rarest part", "of_name = min(", "of_name = max("),
        ("prose without title", "count - in_title * self._title_weight", "count"),
    ),
    *_python(
        "scorer",
        ("sublinear counts", "(1 + np.log(found.counts))", "found.counts"),
        ("length 1", "tfidf / length * steps", "tfidf * steps"),
        ("rows of common terms", "scores += factor * self._arrays.rows[row]", "pass"),
    ),
    *_python(
        "calibrator",
        ("name in prose twice", "in_prose > 1", "in_prose > 2"),
        ("three best", "scores[:3]", "scores[:4]"),
        ("knots", "np.maximum(scores - knot, 0)", "np.maximum(scores, knot)"),
        ("rank", "np.log1p(np.arange(len(tags)))", "np.log1p(np.arange(len(tags)) + 1)"),
        ("ahead of the next", "np.append(gaps, 0)", "np.append(gaps, 1)"),
    ),
    *_python(
        "reranker",
        ("share of a tag", "(self.uses + USES_SMOOTHING)", "(self.uses + 1)"),
        ("mean lift", "confidences.sum() + MEAN_LIFT_SMOOTHING -", "confidences.sum() -"),
        ("no tag supports itself", "np.fill_diagonal(counts, 0)", "pass"),
        ("worth in the title", "(in_title > 0) * name_worth", "in_title * name_worth"),
        ("hidden units", "self.hidden[-1], 0)", "self.hidden[-1], -1)"),
    ),
    *_python(
        "decoder",
        ("tags beyond the set", "sum(confidences[max_tags:]) + other_tags", "other_tags"),
        ("quadrature", "64 / 225", "63 / 225"),
        ("best size", "expected.index(max(expected)) + 1", "expected.index(max(expected))"),
    ),
    # The kernel alone.
    *_kernel(
        "analyzer",
        ("chunks per field", "n_chunks < MAX_TOKENS_PER_FIELD", "n_chunks <= MAX_TOKENS_PER_FIELD"),
        ("longest word", "length > MAX_WORD_LENGTH)", "length >= MAX_WORD_LENGTH)"),
        ("shortest secret", "length < MIN_SECRET_LENGTH", "length <= MIN_SECRET_LENGTH"),
        ("digits of a secret", "n_digits < MIN_SECRET_DIGITS", "n_digits <= MIN_SECRET_DIGITS"),
        ("possessive", "if (ends_with(word, length, POSSESSIVE))", "if (0)"),
        ("single parts", "if (n_parts < 2) return;", "if (n_parts < 1) return;"),
        ("the word .net", "is(chunk[end], LETTER | DIGIT) || chunk[end] == '_'", "0"),
        (
            "several joiners",
            "while (next < length && is(chunk[next], JOINS_WORDS)) next++;",
            "next++;",
        ),
        ("parts as numbers", "chunk[place] == PART_MARK", "0"),
    ),
    *_kernel(
        "stemmer",
        ("shortest stemmed word", "length < MIN_STEMMED_LENGTH", "length <= MIN_STEMMED_LENGTH"),
        ("shortest base", "base < MIN_VERB_BASE", "base <= MIN_VERB_BASE"),
        ("a vowel", "|| !has_vowel) continue", ") continue"),
        ("doubled letters", "!strchr(DOUBLED_IN_STEMS, last)", "strchr(DOUBLED_IN_STEMS, last)"),
        ("silent e", "return length > 3 &&", "return length > 4 &&"),
        ("plurals of y", "length < MIN_Y_PLURAL_LENGTH", "length <= MIN_Y_PLURAL_LENGTH"),
        ("plurals with es", "i < LENGTH_OF(ES_PLURALS)", "i + 1 < LENGTH_OF(ES_PLURALS)"),
    ),
    *_kernel(
        "vocabulary",
        ("words with pairs", "r->n_words <= MAX_PAIRED_WORDS", "r->n_words < MAX_PAIRED_WORDS"),
        ("weight of the title", "in_title ? (int32_t)m->title_weight : 1", "1"),
        ("code is apart", "(r->kind == CODE ? m->n_words : 0)", "0"),
        (
            "parts make no pairs",
            "if (is_part) return;",
            "if (is_part) { r->previous = word; return; }",
        ),
        ("a topic", "r->has_topic |= !m->topicless[word];", "r->has_topic = 1;"),
    ),
    *_kernel(
        "names",
        ("rarest part", "title = fmin(title, in_title);", "title = in_title;"),
        ("prose without title", "text->count - in_title * (double)m->title_weight", "text->count"),
    ),
    *_kernel(
        "scorer",
        ("sublinear counts", "1 + logf((float)it->count)", "(float)it->count"),
        ("length 1", "squares > 0 ? 1 / sqrtf(squares) : 1", "1"),
        ("equal scores", "best[place - 1].score < mine", "best[place - 1].score <= mine"),
    ),
    *_kernel(
        "calibrator",
        ("name in prose twice", "c[i].in_prose > 1", "c[i].in_prose > 2"),
        ("three best", "if (i < 3) best_three", "if (i < 4) best_three"),
        ("knots", "fmax(s - SCORE_KNOTS[knot], 0)", "fmax(s, SCORE_KNOTS[knot])"),
        ("rank", "log1p(i)", "log1p(i + 1)"),
        ("ahead of the next", "(s - c[i + 1].score)", "(c[i + 1].score - s)"),
    ),
    *_kernel(
        "re-ranker",
        ("lift", "lifts[i] + all_unmet - unmet[i]", "lifts[i] + all_unmet"),
        (
            "implied",
            "implied[j] = fmax(implied[j], both * share[i])",
            "implied[j] = both * share[i]",
        ),
        ("share of a tag", "(uses + USES_SMOOTHING)", "uses"),
        ("worth in the title", "c[i].in_title > 0 ? m->name_worth[tag] : 0", "m->name_worth[tag]"),
        ("hidden units", "fmax(units[unit], 0)", "units[unit]"),
        (
            "the last order",
            "rerank(m, best, n, q);\n      sort_by_odds(best, n);",
            "rerank(m, best, n, q);",
        ),
    ),
]
