/* What `lambda_src.tagger.ranker.PlainRanker` does, for one question and in one pass.

   That class is the definition: the names here are those of its modules, and a test holds the two
   to the same answers. Nothing is read that the bundle's checks have not seen, nothing is kept
   between two calls, and a call writes only to what its caller gave it. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
  READ_PIECES = 400, /* analyzer.py */
  PAIRED_WORDS = 100,
  MAX_WORD = 40,
  SECRET_LENGTH = 16,
  SECRET_DIGITS = 4,
  WORD_BITS = 28,     /* vocabulary.py */
  N_CANDIDATES = 25,  /* calibrator.py */
  N_KNOTS = 6,
  FIRST_KNOT = -2,
  N_SHORTLISTED = 15, /* reranker.py */
  N_INPUTS = 13,
  N_HIDDEN = 32,
};
static const double PRIOR = 5;

/* Where each feature's weight stands, as in calibrator.FEATURES. */
enum {
  SCORE,
  SCORE_ABOVE_KNOT,
  LOG_USES = SCORE_ABOVE_KNOT + N_KNOTS,
  LOG_USES_SQUARED,
  SCORE_X_LOG_USES,
  LOG_RANK,
  BEHIND_BEST,
  AHEAD_OF_NEXT,
  BEHIND_ONE_BEFORE,
  BEST_SCORE,
  MEAN_OF_THREE_BEST,
  MEAN_SCORE,
  NAME_IN_TITLE,
  NAME_IN_TITLE_X_WORTH,
  NAME_IN_PROSE,
  NAME_IN_PROSE_X_WORTH,
  NAME_IN_PROSE_TWICE,
  NAME_IN_CODE,
  SCORE_X_NAME_IN_TITLE,
  LOG_TITLE_WORDS,
  SCORE_X_LOG_TITLE_WORDS,
  LOG_PROSE_WORDS,
  SCORE_X_LOG_PROSE_WORDS,
  HAS_PROSE,
  SCORE_X_HAS_PROSE,
  INTERCEPT,
};

/* As `_Model` in __init__.py. */
typedef struct {
  /* Words: word w begins at words[word_starts[w]] and goes on, up to a line's end. */
  const char *words;
  const int32_t *word_starts;
  int32_t *word_slots;
  int64_t word_mask;
  /* Vocabulary. The pairs that begin with word w are pair_terms[w] up to pair_terms[w + 1]; a word
     alone is term word_terms[w], in code word_terms[n_words + w]; -1 where it is none. */
  int64_t n_words, title_weight;
  const int64_t *keys;
  const int32_t *pair_terms, *word_terms;
  const uint8_t *topicless;
  /* Scorer. */
  int64_t n_tags, n_common;
  const float *term_weights;
  const uint16_t *steps;
  const uint32_t *common, *starts;
  const int8_t *rows, *values;
  const uint16_t *tags;
  const float *intercepts;
  /* Names. */
  const int32_t *name_terms, *name_terms_in_code, *name_starts, *tag_starts;
  /* Calibrator. */
  const double *calibrator, *log_uses, *name_worth;
  /* Re-ranker: a tag's pairs, as the smaller of the two, begin at pair_starts[tag]. */
  const double *records, *uses;
  const uint32_t *pairs, *pair_counts;
  const int32_t *pair_starts;
  double n_questions;
  const double *hidden, *output;
} model;

/* As `_Answer` in __init__.py. */
typedef struct {
  int64_t n_words, n_unknown, has_topic, n_found, n_ranked;
  int64_t tags[N_SHORTLISTED];
  double confidences[N_SHORTLISTED];
} answer;

/* So that the two sides can find out that they do not mean the same. */
int64_t sizes(void) { return (int64_t)(sizeof(model) << 16 | sizeof(answer)); }

/* Finding terms. */

typedef struct {
  int32_t term, count, in_title;
  float tfidf;
} found_term;

typedef struct {
  found_term *terms;
  int64_t n_terms, room;
  /* Open addressing: one more than the place among `terms`, 0 where there is none. */
  int32_t *slots;
  uint32_t mask;
} found;

static int32_t *slot_of(const found *f, int32_t term) {
  uint32_t place = (uint32_t)term * 2654435769u >> 7 & f->mask;
  while (f->slots[place] && f->terms[f->slots[place] - 1].term != term)
    place = (place + 1) & f->mask;
  return f->slots + place;
}

static const found_term *look_up(const found *f, int32_t term) {
  int32_t slot = term < 0 ? 0 : *slot_of(f, term);
  return slot ? f->terms + slot - 1 : NULL;
}

static void count_term(const model *m, found *f, int32_t term, int in_title) {
  int32_t *slot = slot_of(f, term);
  if (!*slot) {
    /* `rank` says why there is room; what is written must not depend on that. */
    if (f->n_terms == f->room) return;
    f->terms[f->n_terms] = (found_term){.term = term};
    *slot = (int32_t)++f->n_terms;
  }
  found_term *it = f->terms + *slot - 1;
  it->count += in_title ? (int32_t)m->title_weight : 1;
  it->in_title += in_title;
}

/* The place of a value among ascending ones, from `low` up to `end`; -1 where it is not there. */
#define DEFINE_SEARCH(name, type)                                                          \
  static int64_t name(const type *values, int64_t low, int64_t end, type wanted) {         \
    int64_t high = end;                                                                    \
    while (low < high) {                                                                   \
      int64_t middle = low + (high - low) / 2;                                             \
      if (values[middle] < wanted)                                                         \
        low = middle + 1;                                                                  \
      else                                                                                 \
        high = middle;                                                                     \
    }                                                                                      \
    return low < end && values[low] == wanted ? low : -1;                                  \
  }
DEFINE_SEARCH(find_key, int64_t)
DEFINE_SEARCH(find_number, uint32_t)

/* The term that two words are; -1 where they are none. */
static int32_t find_pair(const model *m, int64_t first, int64_t second) {
  int64_t key = first << WORD_BITS | (second + 1);
  return (int32_t)find_key(m->keys, m->pair_terms[first], m->pair_terms[first + 1], key);
}

typedef enum { TITLE, PROSE, CODE } field;

typedef struct {
  const model *m;
  found *f;
  field kind;
  /* The whole word before, which the next one makes a pair with. */
  int64_t before;
  int64_t n_words, n_unknown;
  int has_topic;
} reader;

static void meet(reader *r, int64_t word, int is_part) {
  const model *m = r->m;
  int in_title = r->kind == TITLE, is_known = word < m->n_words;
  int32_t alone = is_known ? m->word_terms[(r->kind == CODE ? m->n_words : 0) + word] : -1;
  if (alone >= 0) count_term(m, r->f, alone, in_title);
  if (is_part) return;
  r->n_words++;
  r->n_unknown += !is_known;
  r->has_topic |= !m->topicless[word];
  int makes_pairs = r->kind == TITLE || (r->kind == PROSE && r->n_words <= PAIRED_WORDS);
  if (is_known && r->before < m->n_words && makes_pairs) {
    int32_t pair = find_pair(m, r->before, word);
    if (pair >= 0) count_term(m, r->f, pair, in_title);
  }
  r->before = word;
  /* Where the next word will be looked for: far from all else, so fetch it meanwhile. */
  if (is_known && makes_pairs)
    __builtin_prefetch(m->keys + (m->pair_terms[word] + m->pair_terms[word + 1]) / 2);
}

/* Words. */

static uint32_t hash_of(const char *word, int64_t length) {
  uint32_t hash = 2166136261u;
  for (int64_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)word[i]) * 16777619u;
  return hash ^ hash >> 15;
}

static int32_t *word_slot(const model *m, const char *word, int64_t length) {
  int64_t place = hash_of(word, length) & m->word_mask;
  for (; m->word_slots[place]; place = (place + 1) & m->word_mask) {
    int32_t number = m->word_slots[place] - 1;
    const int32_t *start = m->word_starts + number;
    if (start[1] - start[0] - 1 == length && !memcmp(m->words + start[0], word, (size_t)length))
      break;
  }
  return m->word_slots + place;
}

/* The number of a word; that of the unknown one where it is none. */
int64_t number_of(const model *m, const char *word, int64_t length) {
  int32_t slot = *word_slot(m, word, length);
  return slot ? slot - 1 : m->n_words;
}

/* Fill the slots, which are all 0; gives the number of words that stand there twice. */
int64_t index_words(const model *m) {
  int64_t n_twice = 0;
  for (int32_t number = 0; number < m->n_words; number++) {
    const int32_t *start = m->word_starts + number;
    int32_t *slot = word_slot(m, m->words + start[0], start[1] - start[0] - 1);
    n_twice += *slot != 0;
    *slot = number + 1;
  }
  return n_twice;
}

/* The analyzer, for ASCII in lower case. Words with other characters come as numbers: W12 is the
   word of that number, P3 a part of the one before. */

enum {
  LETTER = 1,
  DIGIT = 2,
  PARTS_WORDS = 4,
  JOINS_WORDS = 8,
  ENDS_WORDS = 16,
  NUMBER_MARK = 32,
  OF_PIECE = 64,
};
static const unsigned char KINDS[256] = {
    ['a' ... 'z'] = LETTER | OF_PIECE,
    ['0' ... '9'] = DIGIT | OF_PIECE,
    ['.'] = PARTS_WORDS | JOINS_WORDS | OF_PIECE,
    ['_'] = PARTS_WORDS | JOINS_WORDS | OF_PIECE,
    ['-'] = PARTS_WORDS | JOINS_WORDS | OF_PIECE,
    ['\''] = JOINS_WORDS | OF_PIECE,
    ['+'] = ENDS_WORDS | OF_PIECE,
    ['#'] = ENDS_WORDS | OF_PIECE,
    ['W'] = NUMBER_MARK | OF_PIECE,
    ['P'] = NUMBER_MARK | OF_PIECE,
};

static int is(char c, int kinds) { return KINDS[(unsigned char)c] & kinds; }

static int ends_with(const char *word, int length, const char *ending) {
  int its_length = (int)strlen(ending);
  return length >= its_length && !memcmp(word + length - its_length, ending, (size_t)its_length);
}

static int singular(char *word, int length) {
  static const char *const plurals[] = {"sses", "shes", "ches", "xes", "zes"};
  if (ends_with(word, length, "ies")) {
    if (length <= 4) return length - 1;
    word[length - 3] = 'y';
    return length - 2;
  }
  for (size_t i = 0; i < sizeof plurals / sizeof *plurals; i++)
    if (ends_with(word, length, plurals[i])) return length - 2;
  return strchr("sui", word[length - 2]) ? length : length - 1;
}

/* Gives the length of what is left of the word. */
static int stem(char *word, int length) {
  if (length < 4) return length;
  for (int i = 0; i < length; i++)
    if (!is(word[i], LETTER)) return length;
  if (word[length - 1] == 's') length = singular(word, length);
  int ending = ends_with(word, length, "ing") ? 3 : ends_with(word, length, "ed") ? 2 : 0;
  int base = length - ending, has_vowel = 0;
  for (int i = 0; i < base; i++) has_vowel |= strchr("aeiouy", word[i]) != NULL;
  if (ending && base >= 3 && has_vowel) {
    char last = word[base - 1];
    int doubled = last == word[base - 2] && !strchr("lsz", last);
    length = doubled ? base - 1 : base;
  }
  return length > 3 && word[length - 1] == 'e' ? length - 1 : length;
}

static int is_word(const char *word, int64_t length) {
  if (length < 1 || length > MAX_WORD) return 0;
  int n_digits = 0;
  for (int64_t i = 0; i < length; i++) n_digits += is(word[i], DIGIT) != 0;
  return length < SECRET_LENGTH || n_digits < SECRET_DIGITS;
}

static int64_t number_of_stem(const model *m, const char *word, int64_t length) {
  char stemmed[MAX_WORD];
  memcpy(stemmed, word, (size_t)length);
  return number_of(m, stemmed, stem(stemmed, (int)length));
}

static int64_t part_end(const char *word, int64_t start, int64_t length) {
  while (start < length && !is(word[start], PARTS_WORDS)) start++;
  return start;
}

static void read_word(reader *r, const char *word, int64_t length) {
  if (length >= 2 && word[length - 2] == '\'' && word[length - 1] == 's') length -= 2;
  meet(r, is_word(word, length) ? number_of_stem(r->m, word, length) : r->m->n_words, 0);
  if (part_end(word, 0, length) == length) return;
  int n_parts = 0;
  for (int64_t start = 0, end; start < length; start = end + 1) {
    end = part_end(word, start, length);
    n_parts += is_word(word + start, end - start);
  }
  if (n_parts < 2) return;
  for (int64_t start = 0, end; start < length; start = end + 1) {
    end = part_end(word, start, length);
    if (is_word(word + start, end - start))
      meet(r, number_of_stem(r->m, word + start, end - start), 1);
  }
}

static int64_t skip_alphanumeric(const char *piece, int64_t place, int64_t length) {
  while (place < length && is(piece[place], LETTER | DIGIT)) place++;
  return place;
}

/* Where the word ends that begins there; the same place where none does. */
static int64_t word_end(const char *piece, int64_t start, int64_t length) {
  if (length - start >= 4 && !memcmp(piece + start, ".net", 4) &&
      (length - start == 4 || !(is(piece[start + 4], LETTER | DIGIT) || piece[start + 4] == '_')))
    return start + 4;
  int64_t end = skip_alphanumeric(piece, start, length);
  if (end == start) return start;
  for (int64_t next = end; next < length && is(piece[next], JOINS_WORDS);) {
    while (next < length && is(piece[next], JOINS_WORDS)) next++;
    int64_t longer = skip_alphanumeric(piece, next, length);
    if (longer == next) break;
    next = end = longer;
  }
  if (length - end >= 2 && piece[end] == '+' && piece[end + 1] == '+') return end + 2;
  return end < length && piece[end] == '#' ? end + 1 : end;
}

static void read_piece(reader *r, const char *piece, int64_t length) {
  for (int64_t place = 0, end; place < length; place = end) {
    if (is(piece[place], NUMBER_MARK)) {
      int64_t number = 0;
      for (end = place + 1; end < length && is(piece[end], DIGIT) && number < r->m->n_words; end++)
        number = 10 * number + piece[end] - '0';
      meet(r, number < r->m->n_words ? number : r->m->n_words, piece[place] == 'P');
    } else {
      end = word_end(piece, place, length);
      if (end > place)
        read_word(r, piece + place, end - place);
      else
        end++;
    }
  }
}

static reader read_field(const model *m, found *f, field kind, const char *text, int64_t length) {
  reader r = {.m = m, .f = f, .kind = kind, .before = m->n_words};
  int64_t end = 0;
  for (int n_pieces = 0; n_pieces < READ_PIECES; n_pieces++) {
    int64_t start = end;
    while (start < length && !is(text[start], OF_PIECE)) start++;
    int kinds = 0;
    for (end = start; end < length && is(text[end], OF_PIECE); end++)
      kinds |= KINDS[(unsigned char)text[end]];
    if (start == end) break;
    /* Most pieces are one word, as plain as words can be. */
    if (kinds == (LETTER | OF_PIECE) && end - start <= MAX_WORD)
      meet(&r, number_of_stem(m, text + start, end - start), 0);
    else
      read_piece(&r, text + start, end - start);
  }
  return r;
}

/* Scores. */

/* A 16-bit float that is no less than 0: one of 32 bits has the same bits further up, and an
   exponent that counts from 112 less. */
static float widened(uint16_t bits) {
  uint32_t shifted = (uint32_t)bits << 13;
  float value;
  memcpy(&value, &shifted, sizeof value);
  return value * 0x1p112f;
}

#if defined(__x86_64__) && defined(__linux__)
__attribute__((target_clones("avx2", "default")))
#endif
static void score(const model *m, const found *f, float *restrict scores) {
  float squares = 0;
  for (int64_t i = 0; i < f->n_terms; i++) {
    found_term *it = f->terms + i;
    float frequency = it->count > 1 ? 1 + logf((float)it->count) : 1;
    it->tfidf = frequency * m->term_weights[it->term];
    squares += it->tfidf * it->tfidf;
    /* Where its weights are is far from where the others' are: fetch all of them at once. */
    __builtin_prefetch(m->tags + m->starts[it->term]);
    __builtin_prefetch(m->values + m->starts[it->term]);
    __builtin_prefetch(m->steps + it->term);
  }
  float scale = squares > 0 ? 1 / sqrtf(squares) : 1;
  memcpy(scores, m->intercepts, (size_t)m->n_tags * sizeof *scores);
  for (int64_t i = 0; i < f->n_terms; i++) {
    int32_t term = f->terms[i].term;
    float factor = f->terms[i].tfidf * scale * widened(m->steps[term]);
    uint32_t start = m->starts[term], end = m->starts[term + 1];
    for (uint32_t place = start; place < end; place++)
      scores[m->tags[place]] += factor * (float)m->values[place];
    int64_t number = start == end ? find_number(m->common, 0, m->n_common, (uint32_t)term) : -1;
    if (number < 0) continue;
    const int8_t *restrict row = m->rows + number * m->n_tags;
    for (int64_t tag = 0; tag < m->n_tags; tag++) scores[tag] += factor * (float)row[tag];
  }
}

/* Candidates and what the calibrator says of them. */

typedef struct {
  int64_t tag;
  double score, odds, sure;
  double in_title, in_prose, in_code;
} candidate;

static int best_candidates(const model *m, const float *scores, candidate *best) {
  int n = 0, most = m->n_tags < N_CANDIDATES ? (int)m->n_tags : N_CANDIDATES;
  for (int64_t tag = 0; tag < m->n_tags; tag++) {
    double mine = scores[tag];
    if (n == most && mine <= best[n - 1].score) continue;
    int place = n < most ? n++ : n - 1;
    /* Of equal scores the commoner tag, which came before, stays before. */
    for (; place && best[place - 1].score < mine; place--) best[place] = best[place - 1];
    best[place] = (candidate){.tag = tag, .score = mine};
  }
  return n;
}

static void count_names(const model *m, const found *f, candidate *c) {
  for (int32_t name = m->tag_starts[c->tag]; name < m->tag_starts[c->tag + 1]; name++) {
    double title = INFINITY, prose = INFINITY, code = INFINITY;
    /* A name stands there as often as the rarest of its parts. */
    for (int32_t part = m->name_starts[name]; part < m->name_starts[name + 1]; part++) {
      const found_term *text = look_up(f, m->name_terms[part]);
      const found_term *in_code = look_up(f, m->name_terms_in_code[part]);
      double in_title = text ? text->in_title : 0;
      title = fmin(title, in_title);
      prose = fmin(prose, text ? text->count - in_title * (double)m->title_weight : 0);
      code = fmin(code, in_code ? in_code->count : 0);
    }
    c->in_title = fmax(c->in_title, title);
    c->in_prose = fmax(c->in_prose, prose);
    c->in_code = fmax(c->in_code, code);
  }
}

typedef struct {
  double log_title_words, log_prose_words, has_prose;
} lengths;

static void calibrate(const model *m, candidate *c, int n, lengths q) {
  const double *w = m->calibrator;
  double sum = 0, best_three = 0;
  for (int i = 0; i < n; i++) {
    sum += c[i].score;
    if (i < 3) best_three += c[i].score;
  }
  double of_all = w[INTERCEPT] + w[BEST_SCORE] * c[0].score +
                  w[MEAN_OF_THREE_BEST] * best_three / (n < 3 ? n : 3) + w[MEAN_SCORE] * sum / n +
                  w[LOG_TITLE_WORDS] * q.log_title_words + w[LOG_PROSE_WORDS] * q.log_prose_words +
                  w[HAS_PROSE] * q.has_prose;
  double slope = w[SCORE] + w[SCORE_X_LOG_TITLE_WORDS] * q.log_title_words +
                 w[SCORE_X_LOG_PROSE_WORDS] * q.log_prose_words +
                 w[SCORE_X_HAS_PROSE] * q.has_prose;
  for (int i = 0; i < n; i++) {
    double s = c[i].score, uses = m->log_uses[c[i].tag], worth = m->name_worth[c[i].tag];
    double odds = of_all + slope * s + w[LOG_USES] * uses + w[LOG_USES_SQUARED] * uses * uses +
                  w[SCORE_X_LOG_USES] * s * uses + w[LOG_RANK] * log1p(i) +
                  w[BEHIND_BEST] * (s - c[0].score);
    for (int knot = 0; knot < N_KNOTS; knot++)
      odds += w[SCORE_ABOVE_KNOT + knot] * fmax(s - (FIRST_KNOT + knot), 0);
    if (i + 1 < n) odds += w[AHEAD_OF_NEXT] * (s - c[i + 1].score);
    if (i > 0) odds += w[BEHIND_ONE_BEFORE] * (c[i - 1].score - s);
    if (c[i].in_title > 0)
      odds += w[NAME_IN_TITLE] + w[NAME_IN_TITLE_X_WORTH] * worth + w[SCORE_X_NAME_IN_TITLE] * s;
    if (c[i].in_prose > 0) odds += w[NAME_IN_PROSE] + w[NAME_IN_PROSE_X_WORTH] * worth;
    if (c[i].in_prose > 1) odds += w[NAME_IN_PROSE_TWICE];
    if (c[i].in_code > 0) odds += w[NAME_IN_CODE];
    c[i].odds = odds;
  }
}

/* By falling odds; equal ones keep their order. */
static void sort(candidate *c, int n) {
  for (int i = 1; i < n; i++) {
    candidate moved = c[i];
    int place = i;
    for (; place && c[place - 1].odds < moved.odds; place--) c[place] = c[place - 1];
    c[place] = moved;
  }
}

/* Re-ranking. */

static double logistic(double odds) { return 1 / (1 + exp(-odds)); }

/* In how many questions two tags meet. */
static double times_met(const model *m, int64_t one, int64_t other) {
  int64_t small = one < other ? one : other, large = one < other ? other : one;
  uint32_t key = (uint32_t)(small * m->n_tags + large);
  int64_t place = find_number(m->pairs, m->pair_starts[small], m->pair_starts[small + 1], key);
  return place < 0 ? 0 : m->pair_counts[place];
}

static void rerank(const model *m, candidate *c, int n, lengths q) {
  /* What a meeting says of a tag grows with `rarity`, and of the one that it met with `share`. */
  double rarity[N_SHORTLISTED], share[N_SHORTLISTED], unmet[N_SHORTLISTED];
  double lifts[N_SHORTLISTED] = {0}, implied[N_SHORTLISTED] = {0}, all_sure = 0, all_unmet = 0;
  for (int i = 0; i < n; i++) {
    double uses = m->uses[c[i].tag];
    c[i].sure = logistic(c[i].odds);
    rarity[i] = m->n_questions / (PRIOR * (uses + 0.5));
    share[i] = c[i].sure / (uses + PRIOR);
    unmet[i] = -log(1 + uses / PRIOR) * c[i].sure;
    all_sure += c[i].sure;
    all_unmet += unmet[i];
  }
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++) {
      double met = times_met(m, c[i].tag, c[j].tag);
      if (met == 0) continue;
      lifts[i] += log(1 + met * rarity[i]) * c[j].sure;
      lifts[j] += log(1 + met * rarity[j]) * c[i].sure;
      implied[i] = fmax(implied[i], met * share[j]);
      implied[j] = fmax(implied[j], met * share[i]);
    }
  double best_odds = c[0].odds;
  for (int i = 0; i < n; i++) {
    int64_t tag = c[i].tag;
    double whole = lifts[i] + all_unmet - unmet[i];
    /* As reranker.INPUTS. */
    const double inputs[N_INPUTS] = {
        c[i].odds,
        c[i].score,
        best_odds,
        all_sure,
        m->log_uses[tag],
        m->records[tag],
        c[i].in_title > 0 ? m->name_worth[tag] : 0,
        c[i].in_prose > 0 ? m->name_worth[tag] : 0,
        q.log_title_words,
        q.log_prose_words,
        whole,
        whole / (all_sure + 0.1 - c[i].sure),
        implied[i],
    };
    double units[N_HIDDEN];
    memcpy(units, m->hidden + N_INPUTS * N_HIDDEN, sizeof units);
    for (int input = 0; input < N_INPUTS; input++)
      for (int unit = 0; unit < N_HIDDEN; unit++)
        units[unit] += inputs[input] * m->hidden[input * N_HIDDEN + unit];
    double odds = m->output[N_HIDDEN];
    for (int unit = 0; unit < N_HIDDEN; unit++) odds += fmax(units[unit], 0) * m->output[unit];
    c[i].odds = odds;
  }
}

/* The whole. The three fields' texts are ASCII in lower case, without addresses. `terms` has room
   for as many terms as the texts have characters, then for their counts and those of the title.
   Gives 0, or -1 where there is no memory for it. */
int rank(const model *m, const char *title, int64_t title_length, const char *prose,
         int64_t prose_length, const char *code, int64_t code_length, int32_t *terms,
         answer *out) {
  /* A word or part has a character and one that ends it; it is a term and ends a pair. */
  size_t room = (size_t)(title_length + prose_length + code_length) + 3, n_slots = 64;
  while (n_slots <= room) n_slots *= 2;
  found f = {.terms = malloc(room * sizeof *f.terms),
             .room = (int64_t)room,
             .slots = calloc(n_slots, sizeof *f.slots),
             .mask = (uint32_t)(n_slots - 1)};
  float *scores = malloc((size_t)m->n_tags * sizeof *scores);
  int done = f.terms && f.slots && scores;
  if (done) {
    reader of_title = read_field(m, &f, TITLE, title, title_length);
    reader of_prose = read_field(m, &f, PROSE, prose, prose_length);
    reader of_code = read_field(m, &f, CODE, code, code_length);
    *out = (answer){.n_words = of_title.n_words + of_prose.n_words,
                    .n_unknown = of_title.n_unknown + of_prose.n_unknown,
                    .n_found = f.n_terms};
    out->has_topic = of_title.has_topic || of_prose.has_topic || (!out->n_words && of_code.n_words);
    for (int64_t i = 0; i < f.n_terms; i++) {
      terms[i] = f.terms[i].term;
      terms[(int64_t)room + i] = f.terms[i].count;
      terms[2 * (int64_t)room + i] = f.terms[i].in_title;
    }
    if (f.n_terms) {
      lengths q = {log1p((double)of_title.n_words), log1p((double)of_prose.n_words),
                   of_prose.n_words > 0};
      candidate best[N_CANDIDATES];
      score(m, &f, scores);
      int n = best_candidates(m, scores, best);
      for (int i = 0; i < n; i++) count_names(m, &f, best + i);
      calibrate(m, best, n, q);
      sort(best, n);
      n = n < N_SHORTLISTED ? n : N_SHORTLISTED;
      rerank(m, best, n, q);
      sort(best, n);
      out->n_ranked = n;
      for (int i = 0; i < n; i++) {
        out->tags[i] = best[i].tag;
        out->confidences[i] = logistic(best[i].odds);
      }
    }
  }
  free(f.terms);
  free(f.slots);
  free(scores);
  return done ? 0 : -1;
}
