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
            "characters per field",
            "MAX_FIELD_CHARACTERS: Final = 8_000",
            "MAX_FIELD_CHARACTERS: Final = 8_001",
        ),
        (
            "chunks per field",
            "MAX_CHUNKS_PER_FIELD: Final = 400",
            "MAX_CHUNKS_PER_FIELD: Final = 399",
        ),
        (
            "tokens per field",
            "MAX_TOKENS_PER_FIELD: Final = 600",
            "MAX_TOKENS_PER_FIELD: Final = 599",
        ),
        (
            "quotation marks",
            '("\\u2018", "\\u2019", "\\u201a"), "\'"',
            '("\\u2018", "\\u2019"), "\'"',
        ),
        ("dashes", '"\\u2014", "\\u2022"), " "', '"\\u2014", "\\u2022"), "-"'),
        (
            "longest compound word",
            "MAX_COMPOUND_LENGTH: Final = 200",
            "MAX_COMPOUND_LENGTH: Final = 199",
        ),
        ("longest word", "MAX_WORD_LENGTH: Final = 40", "MAX_WORD_LENGTH: Final = 36"),
        ("shortest secret", "MIN_SECRET_LENGTH: Final = 16", "MIN_SECRET_LENGTH: Final = 17"),
        ("digits of a secret", "MIN_SECRET_DIGITS: Final = 4", "MIN_SECRET_DIGITS: Final = 5"),
        ("joiners", 'WORD_JOINERS: Final = "._\'-"', 'WORD_JOINERS: Final = "._-"'),
        ("suffixes", 'WORD_SUFFIXES: Final = ("++", "#")', 'WORD_SUFFIXES: Final = ("++",)'),
        ("part separators", 'PART_SEPARATORS: Final = "._-"', 'PART_SEPARATORS: Final = ".-"'),
        ("capitals of camelCase", "{2,}s?(?![a-z])|", "{2,}s?|"),
        ("plurals in camelCase", '"[A-Z]{2,}s?', '"[A-Z]{2,}'),
        ("addresses", r"(?:https?://|www\.)", "(?:https?://)"),
        ("addresses in capitals", 'S+", re.I)', 'S+")'),
        ("signs before an @", r"[^\s@]++(?<=[\w.+-])@", "[^\\s@]++@"),
        ("invisible characters", '"\\u200d", "\\ufeff", "\\u00ad"', '"\\u200d", "\\ufeff"'),
        ("the sharp sign", 'MUSIC_SHARP: "#",', ""),
        ("signs that join words", '("\\u2026", "\\u2122", "\\u2120")', '("\\u2122", "\\u2120")'),
        ("growth", "MAX_NORMALIZED_GROWTH: Final = 3", "MAX_NORMALIZED_GROWTH: Final = 30"),
        ("combining characters", 'rf"([\\x00-\\x7f]?{_NOT', 'rf"({_NOT'),
        (
            "a script after ASCII",
            'AFTER_ASCII: Final = rf"[{_UNSPACED}](?<=[a-zA-Z0-9].)"',
            'AFTER_ASCII: Final = "(?!)"',
        ),
        ("the dot after a script", "(?=\\.?[a-zA-Z0-9])", "(?=[a-zA-Z0-9])"),
        (
            "characters with signals",
            "MAX_SIGNAL_CHARACTERS: Final = 4_000",
            "MAX_SIGNAL_CHARACTERS: Final = 4_001",
        ),
        ("a signal", "!! ? ?? ?. ?:", "!! ? ?? ?:"),
        ("the longest signal", "(each[0], -len(each))", "(each[0], len(each))"),
        ("a beginning of a line", '">>> ", "... "', '"... "'),
        ("an end of a line", 'LINE_ENDS: Final = (";", ', "LINE_ENDS: Final = ("),
        ("spaces of lines", 'LINE_SPACES: Final = " \\t\\r"', 'LINE_SPACES: Final = " "'),
    ),
    *_constants(
        "stray letters (Python)",
        ("a and i", "(?![ai])", ""),
        ("escapes", 'rf"(?<=\\\\){_ONE_LETTER}"', 'rf"(?!){_ONE_LETTER}"'),
        ("flags", "(?<=(?<!{_NO_STRAY_LETTER_AFTER})-)", "(?!)"),
        ("drives", "[a-z](?=:[\\\\/])", "[a-z](?=:/)"),
        ("initials", "(?: {{0,2}}+& {{0,2}}+{_ONE_LETTER}|", "(?:"),
        ("lists with brackets", "{0,2}+[,)][ ,()]{0,3}+", "{0,2}+,[ ,()]{0,3}+"),
        ("lists with or", "(?=and |or )", "(?=and )"),
        ("other alphabets", "(?:[a-z0-9]|{_NOT_ASCII})", "[a-z0-9]"),
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
        ("quadrature", "64 / 225", "63 / 225"),
        ("known words", "MIN_KNOWN_SHARE: Final = 0.6", "MIN_KNOWN_SHARE: Final = 0.61"),
        ("least confidence", "MIN_TAG_CONFIDENCE: Final = 0.1", "MIN_TAG_CONFIDENCE: Final = 0.11"),
        (
            "unfamiliar questions",
            "MIN_UNFAMILIAR_JACCARD: Final = 0.3",
            "MIN_UNFAMILIAR_JACCARD: Final = 0.31",
        ),
    ),
    # The definition alone.
    *_python(
        "analyzer",
        ("lower case", "_normalized_text(text).lower()", "_normalized_text(text)"),
        ("words that are not in camelCase", "if len(parts) > 1\n", ""),
        ("longest camelCase part", "if len(part) <= MAX", "if len(part) < MAX"),
        ("camelCase in long words", "if len(word) > MAX_COMPOUND_LENGTH or SECRET", "if SECRET"),
        (
            "camelCase in secrets",
            " or SECRET.fullmatch(word):\n        return []",
            ":\n        return []",
        ),
        ("longest word", "<= MAX_WORD_LENGTH and not", "< MAX_WORD_LENGTH and not"),
        ("secrets", " and not SECRET.fullmatch(text)", ""),
        ("possessive", ".removesuffix(POSSESSIVE)", ""),
        (
            "western others",
            "if len(data.translate(None, _WESTERN_OTHERS)) < len(data):",
            "if False:",
        ),
        ("mail addresses", 'text = MAIL_ADDRESS.sub(" ", text)', "pass"),
        ("tokens per field", ")[:MAX_TOKENS_PER_FIELD]", ")"),
        ("titles in one case", "if any(word.islower() for word in found) else []", ""),
        ("single parts", "if len(parts) > 1 else", "if len(parts) > 0 else"),
        ("normalization", 'normalize("NFKC", run)', 'normalize("NFC", run)'),
        ("letters as parts", "if len(part) > 1 or part not in ascii_lowercase", ""),
        ("letters of code", "return len(word) > 1 or not word.isascii()", "return True"),
        ("letters in code", "map(without_stray_letters, question[:2])", "question[:2]"),
    ),
    *_python(
        "stemmer",
        ("shortest base", "len(base) >= MIN_VERB_BASE", "len(base) > MIN_VERB_BASE"),
        ("doubled letters", "base[-1] not in DOUBLED_IN_STEMS", "base[-1] in DOUBLED_IN_STEMS"),
        ("silent e", "if len(stemmed) > 3", "if len(stemmed) > 4"),
        ("plurals of y", 'word[:-3] + "y"', "word[:-2]"),
    ),
    *_python(
        "markup",
        ("code inside code", "in reversed(tree.tags(tag))", "in tree.tags(tag)"),
        ("styles", '(*_CODE, "script", "style")', '(*_CODE, "script")'),
        ("block-level tags", "(?:p|pre|ul", "(?:br|p|pre|ul"),
        ("end tags", "</(?:p|pre|code|ul|ol|li|em", "</(?:b|p|pre|code|ul|ol|li|em"),
        ("comments", 'place = end + len("-->")', "break"),
        (
            "fences before tags",
            "if _may_have_fences(body) and _FENCE.search(body):",
            "if not body:",
        ),
        ("indented code before tags", '_INDENTED.sub("\\n", body)', "body"),
        ("indented code at the beginning", "if not is_indented and", "if"),
        ("inline code before tags", "text != body or _INLINE_CODE.search(text)", "text != body"),
        ("tags of lines", "if _HTML_LINE.search(text):", "if not body:"),
        ("escaped code", "_unescaped(match[match.lastindex or 0])", "match[match.lastindex or 0]"),
        ("escaped prose", "_unescaped(_without_link_targets(", "(_without_link_targets("),
        ("fences", "(`{3,}+|~{3,}+)", "(`{3,}+)"),
        ("indented code", "(?: {4}|\\t)[^\\n]*", "(?: {5}|\\t)[^\\n]*"),
        ("inline code", "`{0,2})(?!`)", "`{0,1})(?!`)"),
        ("link targets", '_LINK_TARGET.sub("] ", text)', "text"),
        ("link definitions", '_LINK_DEFINITION.sub("] ", text)', "text"),
        (
            "lines of other systems",
            'prose = body[:MAX_MARKDOWN_CHARACTERS].replace("\\r\\n", "\\n")',
            "prose = body[:MAX_MARKDOWN_CHARACTERS]",
        ),
        ("longest Markdown", "prose = body[:MAX_MARKDOWN_CHARACTERS]", "prose = body"),
        ("tags of a body", "_MAX_TAGS = 1_000", "_MAX_TAGS = 999"),
        ("longest HTML", "_MAX_HTML_CHARACTERS = 40_000", "_MAX_HTML_CHARACTERS = 39_999"),
        ("deciding beginning", "_DECISIVE_CHARACTERS = 10_000", "_DECISIVE_CHARACTERS = 20_000"),
        ("pieces of code", "_MAX_CODE_PIECES = 1_000", "_MAX_CODE_PIECES = 999"),
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
    *_python(
        "vocabulary",
        ("words of code as text", "elsewhere.update(from_code)", "pass"),
        ("signals", 'elsewhere.update(term_key("code", signal) for signal in signals)', "pass"),
        ("camelCase", 'elsewhere.update(term_key("text", part) for part in camel_parts)', "pass"),
    ),
    *_python(
        "evidence",
        ("code alone is a topic", "Evidence(1.0, n_code_words,", "Evidence(1.0, 0,"),
        ("camelCase parts as a topic", ", *question.camel_parts)", ")"),
    ),
    *_python(
        "names",
        ("rarest part", "of_name = min(", "of_name = max("),
        ("prose without title", "in_title * self._title_weight - from_code", "from_code"),
        ("prose without code", "self._title_weight - from_code", "self._title_weight"),
    ),
    *_python(
        "scorer",
        ("sublinear counts", "(1 + np.log(found.counts))", "found.counts"),
        ("length 1", "return tfidf / (float(np.sqrt(tfidf @ tfidf)) or 1.0)", "return tfidf"),
        ("off-topic intercept", "* step + intercept", "* step"),
        ("rows of common terms", "scores += factor * self._arrays.rows[row]", "pass"),
    ),
    *_python(
        "calibrator",
        ("name in prose twice", "in_prose > 1", "in_prose > 2"),
        ("three best", "scores[:3]", "scores[:4]"),
        ("knots", "np.maximum(scores - knot, 0)", "np.maximum(scores, knot)"),
        ("rank", "np.log1p(np.arange(len(tags)))", "np.log1p(np.arange(len(tags)) + 1)"),
        ("ahead of the next", "np.append(gaps, 0)", "np.append(gaps, 1)"),
        ("has code", "question.n_code_words > 0", "question.n_code_words > 1"),
    ),
    *_python(
        "reranker",
        ("share of a tag", "(self.uses + USES_SMOOTHING)", "(self.uses + 1)"),
        ("mean lift", "confidences.sum() + MEAN_LIFT_SMOOTHING -", "confidences.sum() -"),
        ("no tag supports itself", "np.fill_diagonal(counts, 0)", "pass"),
        ("worth in the title", "(in_title > 0) * title_worth", "in_title * title_worth"),
        ("length of the code", "log1p(question.n_code_words)", "log1p(question.n_prose_words)"),
        ("off-topic score", "question.off_topic_score", "0.0"),
        ("form of the question", "records[question.form, tags]", "records[0, tags]"),
        ("hidden units", "self.hidden[-1], 0)", "self.hidden[-1], -1)"),
    ),
    *_python(
        "decoder",
        ("tags beyond the set", "sum(confidences[max_tags:]) + other_tags", "other_tags"),
        ("best size", "size, best = place + 1", "size, best = place"),
    ),
    # The kernel alone.
    *_kernel(
        "analyzer",
        ("chunks per field", "n_chunks < MAX_CHUNKS_PER_FIELD", "n_chunks <= MAX_CHUNKS_PER_FIELD"),
        (
            "tokens per field",
            "r.n_words < MAX_TOKENS_PER_FIELD",
            "r.n_words <= MAX_TOKENS_PER_FIELD",
        ),
        ("the last token's parts", " && chunk[place] != PART_MARK) return;", ") return;"),
        ("longest word", "length <= MAX_WORD_LENGTH &&", "length < MAX_WORD_LENGTH &&"),
        ("shortest secret", "length >= MIN_SECRET_LENGTH", "length > MIN_SECRET_LENGTH"),
        ("digits of a secret", "n_digits >= MIN_SECRET_DIGITS", "n_digits > MIN_SECRET_DIGITS"),
        ("capitals before a camelCase part", "end + 1 : end - 1;", "end + 1 : end;"),
        ("plurals in camelCase", "is_plural ? end + 1 :", "0 ? end + 1 :"),
        ("what follows a plural", " && (end + 1 == length || is_capital(run[end + 1]))", ""),
        (
            "words that are not in camelCase",
            "camel_case_part_end(run, 0, length);\n  if (end == length) return;",
            "0;",
        ),
        (
            "longest camelCase part",
            "end - start > MAX_WORD_LENGTH",
            "end - start >= MAX_WORD_LENGTH",
        ),
        ("camelCase parts as a topic", "    r->n_topic_parts++;\n", ""),
        ("camelCase in long words", "length > MAX_COMPOUND_LENGTH || is_secret", "is_secret"),
        ("camelCase in secrets", " || is_secret(cased, length)", ""),
        ("possessive", "if (ends_with(word, length, POSSESSIVE))", "if (0)"),
        ("single parts", "if (n_parts < 2) return;", "if (n_parts < 1) return;"),
        ("the word .net", "is(chunk[end], LETTER | DIGIT) || chunk[end] == '_'", "0"),
        (
            "several joiners",
            "while (next < length && is(chunk[next], JOINS_WORDS)) next++;",
            "next++;",
        ),
        ("parts as numbers", "chunk[place] == PART_MARK", "0"),
        ("letters as parts", "!is_letter && is_word(word + start", "is_word(word + start"),
        ("letters in code", "place + 1 && (r->kind == TITLE || r->kind == PROSE);", "place + 1;"),
        (
            "the end of a letter's chunk",
            "return place == length || !is(text[place], OF_CHUNK);",
            "return 1;",
        ),
        ("a and i", "&& text[next] != 'a' && text[next] != 'i'", ""),
        ("initials", "if (text[next] == '&')", "if (0)"),
        ("lists with brackets", "text[next] == ',' || text[next] == ')'", "text[next] == ','"),
        ("lists with or", '"or")) return place + 2;', '"or")) return place;'),
        ("spaces in a list", '" ,()", 3)', '" ,()", 2)'),
        ("the last of a list", "if (is_next || next >= 0) return 1;", "if (next >= 0) return 1;"),
        ("variables", " && r->variables >> (text[place] - 'a') & 1) return 1;", ") {}"),
        ("what qualifies", "if (dot - text > 1 && is_beside_words(dot[-2])) continue;", ""),
        ("short names", "(is(dot[2], LETTER | DIGIT) || dot[2] == '_')", "1"),
        ("escapes", "if (before == '\\\\') return 1;", ""),
        ("flags", "before == '-' && !is_beside_words(ahead)", "before == '-'"),
        ("drives", "text[place + 2] == '/'", "0"),
    ),
    *_kernel(
        "signals",
        ("the longest signal", "(int64_t)strlen(CODE_SIGNALS[first + found])", "1"),
        ("spaces before", "line[start] && strchr(LINE_SPACES, line[start])", "0"),
        ("spaces behind", "line[length - 1] && strchr(LINE_SPACES, line[length - 1])", "0"),
        ("beginnings", "counts[n_before + found]++", ";"),
        ("counts", "it->count += counts[i]", "it->count++"),
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
        (
            "parts have a topic",
            "if (!n_topic_words && out->n_words)",
            "if (out->n_words)",
        ),
        ("words of code once", "if (!it || it->from_code) return;", "if (!it) return;"),
        (
            "letters of code",
            "if (!is_letter && m->word_terms[word] >= 0)",
            "if (m->word_terms[word] >= 0)",
        ),
        ("a topic", "r->n_topic_words += !m->topicless[word];", "r->n_topic_words++;"),
    ),
    *_kernel(
        "capitals",
        ("a word in lower case", "has_capital && of_capitals.has_lower}", "has_capital}"),
        ("words without letters", "r->has_lower |= is(word[i], LETTER) != 0;", "r->has_lower = 1;"),
        ("capital letters", "if (memcmp(cased, word, (size_t)length)) return", "return"),
    ),
    *_kernel(
        "decoder",
        ("tags beyond the set", "poisson_mean += confidences[i]", ""),
        ("the next set", "integrand *= growth - confidences[last] * loss;", "integrand *= growth;"),
    ),
    *_kernel(
        "names",
        ("rarest part", "title = fmin(title, in_title);", "title = in_title;"),
        ("prose without title", "text->count - in_title * (double)m->title_weight", "text->count"),
        ("prose without code", "- text->from_code", ""),
    ),
    *_kernel(
        "scorer",
        ("sublinear counts", "1 + logf((float)it->count)", "(float)it->count"),
        ("length 1", "squares > 0 ? 1 / sqrtf(squares) : 1", "1"),
        ("equal scores", "best[place - 1].score < mine", "best[place - 1].score <= mine"),
        (
            "off-topic texts of length 1",
            ".tfidf * scale * (float)m->off_topic",
            ".tfidf * (float)m->off_topic",
        ),
        ("off-topic step", "off_topic * m->off_topic_scale[0]", "off_topic"),
        ("off-topic intercept", " + m->off_topic_scale[1]", ""),
    ),
    *_kernel(
        "calibrator",
        ("name in prose twice", "c[i].in_prose > 1", "c[i].in_prose > 2"),
        ("three best", "if (i < 3) best_three", "if (i < 4) best_three"),
        ("knots", "fmax(s - SCORE_KNOTS[knot], 0)", "fmax(s, SCORE_KNOTS[knot])"),
        ("rank", "log1p(i)", "log1p(i + 1)"),
        ("ahead of the next", "(s - c[i + 1].score)", "(c[i + 1].score - s)"),
        ("has code", ".has_code = of_code.n_words > 0", ".has_code = of_code.n_words > 1"),
        ("length of the code", "w[FEATURE_LOG_CODE_WORDS] * q.log_code_words", "0"),
    ),
    *_kernel(
        "re-ranker",
        ("lift", "lifts[i] + all_unmet - unmet[i]", "lifts[i] + all_unmet"),
        (
            "form of the question",
            "[INPUT_RECORD] = records[tag]",
            "[INPUT_RECORD] = m->records[tag]",
        ),
        (
            "implied",
            "implied[j] = fmax(implied[j], both * share[i])",
            "implied[j] = both * share[i]",
        ),
        ("share of a tag", "(uses + USES_SMOOTHING)", "uses"),
        (
            "worth in the title",
            "c[i].in_title > 0 ? worth_in_title(m, c + i, q) : 0",
            "worth_in_title(m, c + i, q)",
        ),
        ("capital letters", "m->capital_worth : m->lower_worth", "m->lower_worth : m->lower_worth"),
        ("hidden units", "fmax(units[unit], 0)", "units[unit]"),
        (
            "length of the code",
            "[INPUT_LOG_CODE_WORDS] = q.log_code_words",
            "[INPUT_LOG_CODE_WORDS] = 0",
        ),
        (
            "the last order",
            "rerank(m, best, n, q);\n      sort_by_odds(best, n);",
            "rerank(m, best, n, q);",
        ),
    ),
]
