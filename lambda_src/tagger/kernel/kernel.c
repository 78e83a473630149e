/* What `lambda_src.tagger.ranker.PlainRanker` does, for one question and in one pass.

   That class is the definition: the names here are those of its modules, and a test holds the two
   to the same answers. Nothing is read that the bundle's checks have not seen, nothing is kept
   between two calls, and a call writes only to what its caller gave it. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
  WORD_BITS = 28,     /* vocabulary.py */
  PAIRED_WORDS = 100, /* analyzer.py */
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
  /* Vocabulary. The terms whose first word has number w begin at first_terms[w], those of code at
     first_terms[n_words + w]; the last entry is their number. */
  int64_t n_words, title_weight;
  const int64_t *keys;
  const int32_t *first_terms;
  const uint8_t *topicless;
  /* Scorer. */
  int64_t n_tags, n_common;
  const float *term_weights, *steps;
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
  int64_t n_terms;
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
    f->terms[f->n_terms] = (found_term){.term = term};
    *slot = (int32_t)++f->n_terms;
  }
  found_term *it = f->terms + *slot - 1;
  it->count += in_title ? (int32_t)m->title_weight : 1;
  it->in_title += in_title;
}

/* The term with that key among those of a first word; -1 where there is none. */
static int32_t find_term(const model *m, int64_t first_word, int64_t key) {
  int32_t low = m->first_terms[first_word], end = m->first_terms[first_word + 1], high = end;
  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    if (m->keys[middle] < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low < end && m->keys[low] == key ? low : -1;
}

/* A word alone has the smallest key of all terms that begin with it. */
static int32_t find_word(const model *m, int64_t first_word) {
  int32_t term = m->first_terms[first_word];
  int32_t is_alone = term < m->first_terms[first_word + 1] &&
                     !(m->keys[term] & (((int64_t)1 << WORD_BITS) - 1));
  return is_alone ? term : -1;
}

typedef struct {
  int64_t n_words, n_unknown;
  int has_topic;
} field_facts;

typedef enum { TITLE, PROSE, CODE } field;

/* Words are numbered from 0 to n_words, which is the unknown one; ~number is a part of one. */
static field_facts find_terms(const model *m, found *f, field kind, const int32_t *words,
                              int64_t length) {
  int64_t space = kind == CODE ? m->n_words : 0;
  int64_t n_paired = kind == TITLE ? length : kind == PROSE ? PAIRED_WORDS : 0;
  int64_t before = m->n_words;
  field_facts facts = {0};
  for (int64_t place = 0; place < length; place++) {
    int is_part = words[place] < 0;
    int64_t word = is_part ? ~words[place] : words[place];
    int is_known = word < m->n_words;
    int32_t alone = is_known ? find_word(m, space + word) : -1;
    if (alone >= 0) count_term(m, f, alone, kind == TITLE);
    if (is_part) continue;
    facts.n_words++;
    facts.n_unknown += !is_known;
    facts.has_topic |= !m->topicless[word];
    if (is_known && before < m->n_words && facts.n_words <= n_paired) {
      int32_t pair = find_term(m, before, before << WORD_BITS | (word + 1));
      if (pair >= 0) count_term(m, f, pair, kind == TITLE);
    }
    before = word;
  }
  return facts;
}

/* Scores. */

static int64_t row_of(const model *m, uint32_t term) {
  int64_t low = 0, high = m->n_common;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (m->common[middle] < term)
      low = middle + 1;
    else
      high = middle;
  }
  return low < m->n_common && m->common[low] == term ? low : -1;
}

static void score(const model *m, const found *f, float *restrict scores) {
  float squares = 0;
  for (int64_t i = 0; i < f->n_terms; i++) {
    found_term *it = f->terms + i;
    float frequency = it->count > 1 ? 1 + logf((float)it->count) : 1;
    it->tfidf = frequency * m->term_weights[it->term];
    squares += it->tfidf * it->tfidf;
  }
  float scale = squares > 0 ? 1 / sqrtf(squares) : 1;
  memcpy(scores, m->intercepts, (size_t)m->n_tags * sizeof *scores);
  for (int64_t i = 0; i < f->n_terms; i++) {
    int32_t term = f->terms[i].term;
    float factor = f->terms[i].tfidf * scale * m->steps[term];
    uint32_t start = m->starts[term], end = m->starts[term + 1];
    for (uint32_t place = start; place < end; place++)
      scores[m->tags[place]] += factor * (float)m->values[place];
    int64_t number = start == end ? row_of(m, (uint32_t)term) : -1;
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
  int32_t low = m->pair_starts[small], end = m->pair_starts[small + 1], high = end;
  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    if (m->pairs[middle] < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low < end && m->pairs[low] == key ? m->pair_counts[low] : 0;
}

/* By how much a tag that was met so often raises the log-probability of another, beyond what one
   raises it that was never met. */
static double lift(const model *m, int64_t tag, double met) {
  return log1p(met * m->n_questions / (PRIOR * (m->uses[tag] + 0.5)));
}

static void rerank(const model *m, candidate *c, int n, lengths q) {
  double lifts[N_SHORTLISTED] = {0}, implied[N_SHORTLISTED] = {0}, unmet[N_SHORTLISTED];
  double all_sure = 0, all_unmet = 0;
  for (int i = 0; i < n; i++) {
    c[i].sure = logistic(c[i].odds);
    unmet[i] = -log1p(m->uses[c[i].tag] / PRIOR) * c[i].sure;
    all_sure += c[i].sure;
    all_unmet += unmet[i];
  }
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++) {
      double met = times_met(m, c[i].tag, c[j].tag);
      if (met == 0) continue;
      lifts[i] += lift(m, c[i].tag, met) * c[j].sure;
      lifts[j] += lift(m, c[j].tag, met) * c[i].sure;
      implied[i] = fmax(implied[i], met / (m->uses[c[j].tag] + PRIOR) * c[j].sure);
      implied[j] = fmax(implied[j], met / (m->uses[c[i].tag] + PRIOR) * c[i].sure);
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

/* The whole. `terms` has room for twice as many as there are words in the three fields: each word,
   and each pair. Gives 0, or -1 where there is no memory for it. */
int rank(const model *m, const int32_t *title, int64_t title_length, const int32_t *prose,
         int64_t prose_length, const int32_t *code, int64_t code_length, int32_t *terms,
         answer *out) {
  size_t room = 2 * (size_t)(title_length + prose_length + code_length), n_slots = 64;
  while (n_slots < 2 * room) n_slots *= 2;
  found f = {.terms = malloc((room + 1) * sizeof *f.terms),
             .slots = calloc(n_slots, sizeof *f.slots),
             .mask = (uint32_t)(n_slots - 1)};
  float *scores = malloc((size_t)m->n_tags * sizeof *scores);
  int done = f.terms && f.slots && scores;
  if (done) {
    field_facts of_title = find_terms(m, &f, TITLE, title, title_length);
    field_facts of_prose = find_terms(m, &f, PROSE, prose, prose_length);
    field_facts of_code = find_terms(m, &f, CODE, code, code_length);
    *out = (answer){.n_words = of_title.n_words + of_prose.n_words,
                    .n_unknown = of_title.n_unknown + of_prose.n_unknown,
                    .n_found = f.n_terms};
    out->has_topic = of_title.has_topic || of_prose.has_topic || (!out->n_words && of_code.n_words);
    for (int64_t i = 0; i < f.n_terms; i++) terms[i] = f.terms[i].term;
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
