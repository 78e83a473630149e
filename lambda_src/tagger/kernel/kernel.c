/* Does what `lambda_src.tagger.ranker.PlainRanker` does, for one question and in one pass.

   That class is the definition. If you change one, change the other and rebuild. A kernel built
   from a different source is ignored. The names here are those of the Python modules. Tests compare
   the answers of both. The kernel trusts the arrays of a model, because Python has checked them. It
   keeps nothing between two calls, and a call writes only to what its caller passes. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The rules, the character classes, and the structures `model` and `answer`. */
#include "rules.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))

/* Finding terms. */

typedef struct {
  int32_t term, count, in_title, from_code, has_capital;
  float tfidf;
} found_term;

typedef struct {
  found_term *terms;
  int64_t n_terms, room;
  /* A hash table with open addressing: one more than a place in `terms`, or 0 if empty. */
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

/* Returns the entry of a term, or NULL if there is no room. There always is (see `rank`); the check
   only keeps writes inside the array. */
static found_term *entry_of(found *f, int32_t term) {
  int32_t *slot = slot_of(f, term);
  if (!*slot) {
    if (f->n_terms == f->room) return NULL;
    f->terms[f->n_terms] = (found_term){.term = term};
    *slot = (int32_t)++f->n_terms;
  }
  return f->terms + *slot - 1;
}

static void count_term(const model *m, found *f, int32_t term, int in_title) {
  found_term *it = entry_of(f, term);
  if (!it) return;
  it->count += in_title ? (int32_t)m->title_weight : 1;
  it->in_title += in_title;
}

/* Counts a term of text that is a word of the code, once per question. */
static void count_from_code(found *f, int32_t term) {
  found_term *it = entry_of(f, term);
  if (!it || it->from_code) return;
  it->count++;
  it->from_code = 1;
}

/* Finds a value in ascending values, from `low` up to `end`. Returns its place, or -1. */
#define DEFINE_SEARCH(name, type)                                                                  \
  static int64_t name(const type *values, int64_t low, int64_t end, type wanted) {                 \
    int64_t high = end;                                                                            \
    while (low < high) {                                                                           \
      int64_t middle = low + (high - low) / 2;                                                     \
      if (values[middle] < wanted)                                                                 \
        low = middle + 1;                                                                          \
      else                                                                                         \
        high = middle;                                                                             \
    }                                                                                              \
    return low < end && values[low] == wanted ? low : -1;                                          \
  }
DEFINE_SEARCH(find_key, int64_t)
DEFINE_SEARCH(find_number, uint32_t)

/* Returns the term that is this pair of words, or -1. */
static int32_t find_pair(const model *m, int64_t first, int64_t second) {
  int64_t key = first << WORD_BITS | (second + 1);
  return (int32_t)find_key(m->keys, m->pair_terms[first], m->pair_terms[first + 1], key);
}

typedef enum { TITLE, PROSE, CODE, CAPITALS } field;

typedef struct {
  const model *m;
  found *f;
  field kind;
  /* The word before the current one: the two may be a pair. Parts of words do not count. */
  int64_t previous;
  int64_t n_words, n_unknown, n_topic_words, n_topic_parts;
  const char *text;
  int64_t length;
  /* The place of a letter that a list of letters continues with, or -1. */
  int64_t next_in_list;
  /* A bit for each letter that qualifies a name. */
  uint32_t variables;
  /* Of CAPITALS: the text with its capital letters, and whether a word has one, or only others. */
  const char *cased;
  int has_capital, has_lower;
} reader;

/* Marks the term of a word that has a capital letter in the title. */
static void mark_capital(const model *m, found *f, int64_t word) {
  int32_t slot =
      word < m->n_words && m->word_terms[word] >= 0 ? *slot_of(f, m->word_terms[word]) : 0;
  if (slot) f->terms[slot - 1].has_capital = 1;
}

static void add_word(reader *r, int64_t word, int is_part) {
  const model *m = r->m;
  if (r->kind == CAPITALS) {
    mark_capital(m, r->f, word);
    return;
  }
  int in_title = r->kind == TITLE, is_known = word < m->n_words;
  int32_t alone = is_known ? m->word_terms[(r->kind == CODE ? m->n_words : 0) + word] : -1;
  if (alone >= 0) count_term(m, r->f, alone, in_title);
  if (r->kind == CODE && is_known) {
    /* A single letter is the name of a variable. */
    int is_letter = m->word_starts[word + 1] - m->word_starts[word] == 2;
    if (!is_letter && m->word_terms[word] >= 0) count_from_code(r->f, m->word_terms[word]);
  }
  r->n_topic_parts += is_part && !m->topicless[word];
  if (is_part) return;
  r->n_words++;
  r->n_unknown += !is_known;
  r->n_topic_words += !m->topicless[word];
  int makes_pairs = r->kind == TITLE || (r->kind == PROSE && r->n_words <= MAX_PAIRED_WORDS);
  if (is_known && r->previous < m->n_words && makes_pairs) {
    int32_t pair = find_pair(m, r->previous, word);
    if (pair >= 0) count_term(m, r->f, pair, in_title);
  }
  r->previous = word;
  /* The search for the next pair begins there, far from other data: fetch it early. */
  if (is_known && makes_pairs)
    __builtin_prefetch(m->keys + (m->pair_terms[word] + m->pair_terms[word + 1]) / 2);
}

/* Words. */

static uint32_t hash_of(const char *word, int64_t length) {
  uint32_t hash = 2166136261u;
  for (int64_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)word[i]) * 16777619u;
  return hash ^ hash >> 15;
}

/* Returns the slot of a word, or the empty slot where it belongs. */
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

/* Returns the number of a word, or `n_words` if the model does not know it. */
int64_t number_of(const model *m, const char *word, int64_t length) {
  int32_t slot = *word_slot(m, word, length);
  return slot ? slot - 1 : m->n_words;
}

/* Writes the numbers of words that have a line break between them. */
void numbers_of(const model *m, const char *words, int64_t length, int64_t *numbers) {
  for (int64_t start = 0, end; start <= length; start = end + 1) {
    const char *found = memchr(words + start, '\n', (size_t)(length - start));
    end = found ? found - words : length;
    *numbers++ = number_of(m, words + start, end - start);
  }
}

/* Fills the empty table of words. Returns how many words are there more than once. */
int64_t index_words(const model *m) {
  int64_t n_twice = 0;
  for (int32_t number = 0; number < m->n_words; number++) {
    const int32_t *start = m->word_starts + number;
    int32_t *slot = word_slot(m, (const char *)m->words + start[0], start[1] - start[0] - 1);
    n_twice += *slot != 0;
    *slot = number + 1;
  }
  return n_twice;
}

/* The analyzer, for ASCII in lower case. A word with other characters comes as its number: W12 is
   word 12, and P3 is word 3 as a part of the word before. */

static int is(char c, int classes) { return CHARACTER_CLASSES[(unsigned char)c] & classes; }

static int is_capital(char c) { return c >= 'A' && c <= 'Z'; }

static char lower_case(char c) { return is_capital(c) ? (char)(c + ('a' - 'A')) : c; }

static int starts_with(const char *text, int64_t length, const char *start) {
  int64_t its_length = (int64_t)strlen(start);
  return length >= its_length && !memcmp(text, start, (size_t)its_length);
}

static int ends_with(const char *word, int64_t length, const char *ending) {
  int64_t rest = length - (int64_t)strlen(ending);
  return rest >= 0 && starts_with(word + rest, length - rest, ending);
}

/* Returns the length of the word without its plural ending. */
static int singular(char *word, int length) {
  if (ends_with(word, length, Y_PLURAL)) {
    if (length < MIN_Y_PLURAL_LENGTH) return length - 1;
    word[length - 3] = 'y';
    return length - 2;
  }
  for (size_t i = 0; i < LENGTH_OF(ES_PLURALS); i++)
    if (ends_with(word, length, ES_PLURALS[i])) return length - 2;
  return strchr(NO_PLURAL_BEFORE_S, word[length - 2]) ? length : length - 1;
}

/* Returns the length of the stem, which replaces the word. */
static int stem(char *word, int length) {
  if (length < MIN_STEMMED_LENGTH) return length;
  for (int i = 0; i < length; i++)
    if (!is(word[i], LETTER)) return length;
  if (word[length - 1] == 's') length = singular(word, length);
  for (size_t i = 0; i < LENGTH_OF(VERB_ENDINGS); i++) {
    if (!ends_with(word, length, VERB_ENDINGS[i])) continue;
    int base = length - (int)strlen(VERB_ENDINGS[i]), has_vowel = 0;
    for (int letter = 0; letter < base; letter++) has_vowel |= strchr(VOWELS, word[letter]) != NULL;
    if (base < MIN_VERB_BASE || !has_vowel) continue;
    char last = word[base - 1];
    int doubled = last == word[base - 2] && !strchr(DOUBLED_IN_STEMS, last);
    length = doubled ? base - 1 : base;
    break;
  }
  return length > 3 && word[length - 1] == SILENT_ENDING[0] ? length - 1 : length;
}

static int is_secret(const char *word, int64_t length) {
  int n_digits = 0;
  for (int64_t i = 0; i < length; i++) n_digits += is(word[i], DIGIT) != 0;
  return length >= MIN_SECRET_LENGTH && n_digits >= MIN_SECRET_DIGITS;
}

static int is_word(const char *word, int64_t length) {
  return length >= 1 && length <= MAX_WORD_LENGTH && !is_secret(word, length);
}

static int64_t number_of_stem(const model *m, const char *word, int64_t length) {
  char stemmed[MAX_WORD_LENGTH];
  memcpy(stemmed, word, (size_t)length);
  return number_of(m, stemmed, stem(stemmed, (int)length));
}

static int64_t part_end(const char *word, int64_t start, int64_t length) {
  while (start < length && !is(word[start], SEPARATES_PARTS)) start++;
  return start;
}

/* Returns the end of the part that begins at `start`; see CAMEL_CASE_PART in rules.py. */
static int64_t camel_case_part_end(const char *run, int64_t start, int64_t length) {
  int64_t end = start;
  while (end < length && is_capital(run[end])) end++;
  if (end == length) return end;
  if (end > start + 1) {
    /* URLs are one part, and the last capital of URLPath begins the next one. */
    int is_plural = run[end] == 's' && (end + 1 == length || is_capital(run[end + 1]));
    return is_plural ? end + 1 : end - 1;
  }
  while (end < length && !is_capital(run[end])) end++;
  return end;
}

/* Counts the parts of a run of letters, if it is in camelCase. */
static void count_camel_case_parts(reader *r, const char *run, int64_t length) {
  int64_t end = camel_case_part_end(run, 0, length);
  if (end == length) return;
  for (int64_t start = 0; start < length; start = end) {
    end = camel_case_part_end(run, start, length);
    if (end - start > MAX_WORD_LENGTH) continue;
    char part[MAX_WORD_LENGTH + 1] = {CAMEL_CASE_MARK[0]};
    for (int64_t i = start; i < end; i++) part[1 + i - start] = lower_case(run[i]);
    int64_t word = number_of(r->m, part, 1 + stem(part + 1, (int)(end - start)));
    if (word == r->m->n_words) continue;
    r->n_topic_parts++;
    if (r->m->word_terms[word] >= 0) count_term(r->m, r->f, r->m->word_terms[word], 0);
  }
}

static void read_camel_case(reader *r, const char *cased, int64_t length) {
  if (length > MAX_COMPOUND_LENGTH || is_secret(cased, length)) return;
  for (int64_t start = 0, end; start < length; start = end + 1) {
    for (end = start; end < length && is(lower_case(cased[end]), LETTER);) end++;
    count_camel_case_parts(r, cased + start, end - start);
  }
}

/* Whether a word has a capital letter. Notes in the reader what the title's words are like. */
static int is_capitalized(reader *r, const char *word, int64_t length) {
  const char *cased = r->cased + (word - r->text);
  if (memcmp(cased, word, (size_t)length)) return r->has_capital = 1;
  for (int64_t i = 0; i < length; i++) r->has_lower |= is(word[i], LETTER) != 0;
  return 0;
}

static void read_word(reader *r, const char *word, int64_t length) {
  if (r->kind == CAPITALS) {
    if (!is_capitalized(r, word, length)) return;
    read_camel_case(r, r->cased + (word - r->text), length);
  }
  if (ends_with(word, length, POSSESSIVE)) length -= (int64_t)strlen(POSSESSIVE);
  add_word(r, is_word(word, length) ? number_of_stem(r->m, word, length) : r->m->n_words, 0);
  if (length > MAX_COMPOUND_LENGTH || part_end(word, 0, length) == length) return;
  int n_parts = 0;
  for (int64_t start = 0, end; start < length; start = end + 1) {
    end = part_end(word, start, length);
    n_parts += is_word(word + start, end - start);
  }
  if (n_parts < 2) return;
  for (int64_t start = 0, end; start < length; start = end + 1) {
    end = part_end(word, start, length);
    int is_letter = end - start == 1 && is(word[start], LETTER);
    if (!is_letter && is_word(word + start, end - start))
      add_word(r, number_of_stem(r->m, word + start, end - start), 1);
  }
}

static int64_t skip_alphanumeric(const char *chunk, int64_t place, int64_t length) {
  while (place < length && is(chunk[place], LETTER | DIGIT)) place++;
  return place;
}

/* Returns the end of the word that begins at `start`, or `start` if no word begins there. */
static int64_t word_end(const char *chunk, int64_t start, int64_t length) {
  if (starts_with(chunk + start, length - start, DOTTED_WORD)) {
    int64_t end = start + (int64_t)strlen(DOTTED_WORD);
    if (end == length || !(is(chunk[end], LETTER | DIGIT) || chunk[end] == '_')) return end;
  }
  int64_t end = skip_alphanumeric(chunk, start, length);
  if (end == start) return start;
  for (int64_t next = end; next < length && is(chunk[next], JOINS_WORDS);) {
    while (next < length && is(chunk[next], JOINS_WORDS)) next++;
    int64_t longer = skip_alphanumeric(chunk, next, length);
    if (longer == next) break;
    next = end = longer;
  }
  for (size_t i = 0; i < LENGTH_OF(WORD_SUFFIXES); i++)
    if (starts_with(chunk + end, length - end, WORD_SUFFIXES[i]))
      return end + (int64_t)strlen(WORD_SUFFIXES[i]);
  return end;
}

/* Stray letters: see `without_stray_letters` in analyzer.py. */

static int is_beside_words(char c) {
  return is(c, LETTER | DIGIT | NUMBER_MARK | JOINS_WORDS | ENDS_WORDS);
}

/* Whether the word that begins at `place` is a single letter, and the last word of its chunk. */
static int is_one_letter(const char *text, int64_t place, int64_t length) {
  if (place >= length || !is(text[place], LETTER)) return 0;
  if (word_end(text, place, length) > place + 1) return 0;
  place++;
  while (place < length && is(text[place], JOINS_WORDS | ENDS_WORDS)) place++;
  return place == length || !is(text[place], OF_CHUNK);
}

static int64_t skip(const char *text, int64_t place, int64_t length, const char *these, int most) {
  for (; most && place < length && text[place] && strchr(these, text[place]); most--) place++;
  return place;
}

static int64_t skip_and_or(const char *text, int64_t place, int64_t length) {
  if (starts_with(text + place, length - place, "and")) return place + 3;
  if (starts_with(text + place, length - place, "or")) return place + 2;
  return place;
}

/* Returns the place of the letter that is next in a list, or -1 if there is none. */
static int64_t next_in_list(const char *text, int64_t place, int64_t length) {
  int64_t spaces = skip(text, place + 1, length, " ", 2), next = spaces;
  if (next == length) return -1;
  if (text[next] == '&') {
    next = skip(text, next + 1, length, " ", 2);
    return is_one_letter(text, next, length) ? next : -1;
  }
  if (text[next] == ',' || text[next] == ')')
    next = skip(text, next + 1, length, " ,()", 3);
  else if (spaces == place + 1)
    return -1;
  int64_t after_word = skip_and_or(text, next, length);
  int has_word = after_word > next && after_word < length && text[after_word] == ' ';
  if (next == spaces && !has_word) return -1;
  if (has_word) next = skip(text, after_word + 1, length, " (", 1);
  int is_next = is_one_letter(text, next, length) && text[next] != 'a' && text[next] != 'i';
  return is_next ? next : -1;
}

/* Returns a bit for each letter that qualifies a name, as r does in r.id. */
static uint32_t qualifiers(const char *text, int64_t length) {
  uint32_t letters = 0;
  const char *end = text + length, *dot = text;
  for (; dot < end && (dot = memchr(dot, '.', (size_t)(end - dot))); dot++) {
    if (dot == text || end - dot < 3 || !is(dot[-1], LETTER)) continue;
    if (dot - text > 1 && is_beside_words(dot[-2])) continue;
    if ((is(dot[1], LETTER) || dot[1] == '_') && (is(dot[2], LETTER | DIGIT) || dot[2] == '_'))
      letters |= 1u << (dot[-1] - 'a');
  }
  return letters;
}

/* Whether the word at `place`, of one character, is a stray letter. */
static int is_stray(reader *r, int64_t place) {
  const char *text = r->text;
  if (!is_one_letter(text, place, r->length)) return 0;
  char before = place > 0 ? text[place - 1] : ' ', ahead = place > 1 ? text[place - 2] : ' ';
  int is_next = place == r->next_in_list;
  int stands_alone = !is_beside_words(before);
  if (is_next || stands_alone) {
    int64_t next = next_in_list(text, place, r->length);
    if (next >= 0) r->next_in_list = next;
    if (is_next || next >= 0) return 1;
  }
  if (stands_alone && r->variables >> (text[place] - 'a') & 1) return 1;
  if (before == '\\') return 1;
  if (before == '-' && !is_beside_words(ahead)) return 1;
  return stands_alone && place + 2 < r->length && text[place + 1] == ':' &&
         (text[place + 2] == '\\' || text[place + 2] == '/');
}

static void read_chunk(reader *r, const char *chunk, int64_t length) {
  for (int64_t place = 0, end; place < length; place = end) {
    /* The parts of the last word are read, too. */
    if (r->n_words == MAX_TOKENS_PER_FIELD && chunk[place] != PART_MARK) return;
    if (is(chunk[place], NUMBER_MARK)) {
      int64_t number = 0;
      for (end = place + 1; end < length && is(chunk[end], DIGIT) && number < r->m->n_words; end++)
        number = 10 * number + chunk[end] - '0';
      add_word(r, number < r->m->n_words ? number : r->m->n_words, chunk[place] == PART_MARK);
    } else {
      end = word_end(chunk, place, length);
      int is_letter = end == place + 1 && (r->kind == TITLE || r->kind == PROSE);
      if (end > place && !(is_letter && is_stray(r, chunk + place - r->text)))
        read_word(r, chunk + place, end - place);
      else if (end == place)
        end++;
    }
  }
}

static reader read_field(const model *m, found *f, field kind, const char *text, int64_t length) {
  reader r = {.m = m,
              .f = f,
              .kind = kind,
              .previous = m->n_words,
              .text = text,
              .length = length,
              .next_in_list = -1};
  if (kind != CODE) r.variables = qualifiers(text, length);
  int64_t end = 0;
  for (int n_chunks = 0; n_chunks < MAX_CHUNKS_PER_FIELD && r.n_words < MAX_TOKENS_PER_FIELD;
       n_chunks++) {
    int64_t start = end;
    while (start < length && !is(text[start], OF_CHUNK)) start++;
    int classes = 0;
    for (end = start; end < length && is(text[end], OF_CHUNK); end++)
      classes |= CHARACTER_CLASSES[(unsigned char)text[end]];
    if (start == end) break;
    /* A shortcut for most chunks: one word of several letters. */
    if (classes == (LETTER | OF_CHUNK) && end - start > 1 && end - start <= MAX_WORD_LENGTH)
      add_word(&r, number_of_stem(m, text + start, end - start), 0);
    else
      read_chunk(&r, text + start, end - start);
  }
  return r;
}

/* Marks the terms of the title's words that have a capital letter, and counts the parts of those in
   camelCase. `lower` has room for the text in lower case. */
static reader read_capitals(const model *m, found *f, const char *cased, int64_t length,
                            char *lower) {
  for (int64_t i = 0; i < length; i++) lower[i] = lower_case(cased[i]);
  reader r = {.m = m, .f = f, .kind = CAPITALS, .text = lower, .length = length, .cased = cased};
  read_chunk(&r, lower, length);
  return r;
}

/* Signals. */

/* Returns which of some texts the text begins with, or -1. */
static int first_start(const char *text, int64_t length, const char *const *starts, int n_starts) {
  for (int i = 0; i < n_starts; i++)
    if (starts_with(text, length, starts[i])) return i;
  return -1;
}

static void count_signals_of_line(const char *line, int64_t length, int32_t *counts) {
  for (int64_t place = 0; place < length;) {
    int code = line[place] & 127, first = FIRST_SIGNALS[code];
    int n_possible = FIRST_SIGNALS[code + 1] - first;
    int found = n_possible
                    ? first_start(line + place, length - place, CODE_SIGNALS + first, n_possible)
                    : -1;
    if (found >= 0) counts[first + found]++;
    place += found < 0 ? 1 : (int64_t)strlen(CODE_SIGNALS[first + found]);
  }
  int64_t start = 0;
  while (start < length && line[start] && strchr(LINE_SPACES, line[start])) start++;
  int n_starts = LENGTH_OF(LINE_STARTS), n_ends = LENGTH_OF(LINE_ENDS),
      n_before = LENGTH_OF(CODE_SIGNALS);
  int found = first_start(line + start, length - start, LINE_STARTS, n_starts);
  if (found >= 0) counts[n_before + found]++;
  while (length > start && line[length - 1] && strchr(LINE_SPACES, line[length - 1])) length--;
  if (start == length) return;
  found = first_start(line + length - 1, 1, LINE_ENDS, n_ends);
  if (found >= 0) counts[n_before + n_starts + found]++;
}

static void read_signals(const model *m, found *f, const char *text, int64_t length) {
  if (!length) return;
  int32_t counts[N_SIGNALS] = {0};
  for (int64_t start = 0; start < length;) {
    const char *end = memchr(text + start, '\n', (size_t)(length - start));
    int64_t line = end ? end - (text + start) : length - start;
    count_signals_of_line(text + start, line, counts);
    start += line + 1;
  }
  for (int i = 0; i < N_SIGNALS; i++) {
    found_term *it = counts[i] && m->signal_terms[i] >= 0 ? entry_of(f, m->signal_terms[i]) : NULL;
    if (it) it->count += counts[i];
  }
}

/* Scores. */

/* Converts a 16-bit float that is not negative. A 32-bit float has the same bits at higher places,
   and its exponent has a bias that is larger by 112. */
static float widened(uint16_t bits) {
  uint32_t shifted = (uint32_t)bits << 13;
  float value;
  memcpy(&value, &shifted, sizeof value);
  return value * 0x1p112f;
}

/* Other C libraries cannot choose a function when they load it. */
#if defined(__x86_64__) && defined(__GLIBC__)
__attribute__((target_clones("avx2", "default")))
#endif
static float score(const model *m, const found *f, float *restrict scores) {
  float squares = 0;
  for (int64_t i = 0; i < f->n_terms; i++) {
    found_term *it = f->terms + i;
    float frequency = it->count > 1 ? 1 + logf((float)it->count) : 1;
    it->tfidf = frequency * m->term_weights[it->term];
    squares += it->tfidf * it->tfidf;
    /* The weights of each term are far from those of the others: fetch all of them early. */
    __builtin_prefetch(m->gaps + m->starts[it->term]);
    __builtin_prefetch(m->values + m->starts[it->term]);
    __builtin_prefetch(m->steps + it->term);
  }
  float scale = squares > 0 ? 1 / sqrtf(squares) : 1;
  memcpy(scores, m->intercepts, (size_t)m->n_tags * sizeof *scores);
  float off_topic = 0;
  for (int64_t i = 0; i < f->n_terms; i++) {
    int32_t term = f->terms[i].term;
    off_topic += f->terms[i].tfidf * scale * (float)m->off_topic_weights[term];
    float factor = f->terms[i].tfidf * scale * widened(m->steps[term]);
    uint32_t start = m->starts[term], end = m->starts[term + 1], its_tag = 0;
    for (uint32_t place = start; place < end; place++) {
      its_tag += m->gaps[place];
      scores[its_tag] += factor * (float)m->values[place];
    }
    int64_t number = start == end ? find_number(m->common, 0, m->n_common, (uint32_t)term) : -1;
    if (number < 0) continue;
    const int8_t *restrict row = m->rows + number * m->n_tags;
    for (int64_t tag = 0; tag < m->n_tags; tag++) scores[tag] += factor * (float)row[tag];
  }
  return off_topic;
}

/* Candidates and their calibrated odds. */

typedef struct {
  int64_t tag;
  double score, odds, confidence;
  double in_title, in_prose, in_code, has_capital;
} candidate;

static int best_candidates(const model *m, const float *scores, candidate *best) {
  int n = 0, most = m->n_tags < MAX_CANDIDATES ? (int)m->n_tags : MAX_CANDIDATES;
  for (int64_t tag = 0; tag < m->n_tags; tag++) {
    double mine = scores[tag];
    if (n == most && mine <= best[n - 1].score) continue;
    int place = n < most ? n++ : n - 1;
    /* Of equal scores the more common tag comes first, because it has the smaller number. */
    for (; place && best[place - 1].score < mine; place--) best[place] = best[place - 1];
    best[place] = (candidate){.tag = tag, .score = mine};
  }
  return n;
}

static void count_names(const model *m, const found *f, candidate *c) {
  for (int32_t name = m->tag_starts[c->tag]; name < m->tag_starts[c->tag + 1]; name++) {
    double title = INFINITY, prose = INFINITY, code = INFINITY, capital = INFINITY;
    /* A name occurs as often as the rarest of its parts. */
    for (int32_t part = m->name_starts[name]; part < m->name_starts[name + 1]; part++) {
      const found_term *text = look_up(f, m->name_terms[part]);
      const found_term *in_code = look_up(f, m->name_terms_in_code[part]);
      double in_title = text ? text->in_title : 0;
      title = fmin(title, in_title);
      double in_prose =
          text ? text->count - in_title * (double)m->title_weight - text->from_code : 0;
      prose = fmin(prose, in_prose);
      code = fmin(code, in_code ? in_code->count : 0);
      capital = fmin(capital, text ? text->has_capital : 0);
    }
    c->in_title = fmax(c->in_title, title);
    c->in_prose = fmax(c->in_prose, prose);
    c->in_code = fmax(c->in_code, code);
    c->has_capital = fmax(c->has_capital, capital);
  }
}

typedef struct {
  double log_title_words, log_prose_words, log_code_words, has_prose, has_code, off_topic_score;
  /* Whether capital letters tell names from other words in the title. */
  int tells_names;
} lengths;

/* Returns the worth of a tag's name as it is written in the title. */
static double worth_in_title(const model *m, const candidate *c, lengths q) {
  if (!q.tells_names) return m->name_worth[c->tag];
  return (c->has_capital > 0 ? m->capital_worth : m->lower_worth)[c->tag];
}

static void calibrate(const model *m, candidate *c, int n, lengths q) {
  const double *w = m->calibrator;
  double sum = 0, best_three = 0;
  for (int i = 0; i < n; i++) {
    sum += c[i].score;
    if (i < 3) best_three += c[i].score;
  }
  /* The features that all candidates share, and the factor of the score, which they share, too. */
  double shared = w[N_FEATURES] + w[FEATURE_BEST_SCORE] * c[0].score +
                  w[FEATURE_MEAN_OF_THREE_BEST] * best_three / (n < 3 ? n : 3) +
                  w[FEATURE_MEAN_SCORE] * sum / n + w[FEATURE_LOG_TITLE_WORDS] * q.log_title_words +
                  w[FEATURE_LOG_PROSE_WORDS] * q.log_prose_words +
                  w[FEATURE_HAS_PROSE] * q.has_prose +
                  w[FEATURE_LOG_CODE_WORDS] * q.log_code_words + w[FEATURE_HAS_CODE] * q.has_code;
  double slope = w[FEATURE_SCORE] + w[FEATURE_SCORE_X_LOG_TITLE_WORDS] * q.log_title_words +
                 w[FEATURE_SCORE_X_LOG_PROSE_WORDS] * q.log_prose_words +
                 w[FEATURE_SCORE_X_HAS_PROSE] * q.has_prose +
                 w[FEATURE_SCORE_X_LOG_CODE_WORDS] * q.log_code_words +
                 w[FEATURE_SCORE_X_HAS_CODE] * q.has_code;
  for (int i = 0; i < n; i++) {
    double s = c[i].score, uses = m->log_uses[c[i].tag], worth = m->name_worth[c[i].tag];
    double odds = shared + slope * s + w[FEATURE_LOG_USES] * uses +
                  w[FEATURE_LOG_USES_SQUARED] * uses * uses +
                  w[FEATURE_SCORE_X_LOG_USES] * s * uses + w[FEATURE_LOG_RANK] * log1p(i) +
                  w[FEATURE_BEHIND_THE_BEST] * (s - c[0].score);
    for (int knot = 0; knot < N_SCORE_KNOTS; knot++)
      odds += w[FEATURE_SCORE_ABOVE_KNOT + knot] * fmax(s - SCORE_KNOTS[knot], 0);
    if (i + 1 < n) odds += w[FEATURE_AHEAD_OF_THE_NEXT] * (s - c[i + 1].score);
    if (i > 0) odds += w[FEATURE_BEHIND_THE_ONE_BEFORE] * (c[i - 1].score - s);
    if (c[i].in_title > 0)
      odds += w[FEATURE_NAME_IN_TITLE] +
              w[FEATURE_NAME_IN_TITLE_X_ITS_WORTH] * worth_in_title(m, c + i, q) +
              w[FEATURE_SCORE_X_NAME_IN_TITLE] * s;
    if (c[i].in_prose > 0)
      odds += w[FEATURE_NAME_IN_PROSE] + w[FEATURE_NAME_IN_PROSE_X_ITS_WORTH] * worth;
    if (c[i].in_prose > 1) odds += w[FEATURE_NAME_IN_PROSE_TWICE];
    if (c[i].in_code > 0) odds += w[FEATURE_NAME_IN_CODE];
    c[i].odds = odds;
  }
}

/* Sorts by falling odds; equal ones keep their order. */
static void sort_by_odds(candidate *c, int n) {
  for (int i = 1; i < n; i++) {
    candidate moved = c[i];
    int place = i;
    for (; place && c[place - 1].odds < moved.odds; place--) c[place] = c[place - 1];
    c[place] = moved;
  }
}

/* The re-ranker. */

static double logistic(double odds) { return 1 / (1 + exp(-odds)); }

/* Returns how many questions have both tags. */
static double questions_with_both(const model *m, int64_t one, int64_t other) {
  int64_t small = one < other ? one : other, large = one < other ? other : one;
  uint32_t key = (uint32_t)(small * m->n_tags + large);
  int64_t place = find_number(m->pairs, m->pair_starts[small], m->pair_starts[small + 1], key);
  return place < 0 ? 0 : m->pair_counts[place];
}

static void rerank(const model *m, candidate *c, int n, lengths q) {
  /* Per question with both tags: `rarity` raises the lift of a tag, `share` what a tag implies. */
  double rarity[MAX_SHORTLISTED], share[MAX_SHORTLISTED], unmet[MAX_SHORTLISTED];
  double lifts[MAX_SHORTLISTED] = {0}, implied[MAX_SHORTLISTED] = {0};
  double expected_tags = 0, all_unmet = 0;
  for (int i = 0; i < n; i++) {
    double uses = m->uses[c[i].tag];
    c[i].confidence = logistic(c[i].odds);
    rarity[i] = m->n_questions / (PRIOR_QUESTIONS * (uses + USES_SMOOTHING));
    share[i] = c[i].confidence / (uses + PRIOR_QUESTIONS);
    unmet[i] = -log(1 + uses / PRIOR_QUESTIONS) * c[i].confidence;
    expected_tags += c[i].confidence;
    all_unmet += unmet[i];
  }
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++) {
      double both = questions_with_both(m, c[i].tag, c[j].tag);
      if (both == 0) continue;
      lifts[i] += log(1 + both * rarity[i]) * c[j].confidence;
      lifts[j] += log(1 + both * rarity[j]) * c[i].confidence;
      implied[i] = fmax(implied[i], both * share[j]);
      implied[j] = fmax(implied[j], both * share[i]);
    }
  double best_odds = c[0].odds;
  const double *records = m->records + (q.has_prose > 0 ? WITH_PROSE : NO_PROSE) * m->n_tags;
  for (int i = 0; i < n; i++) {
    int64_t tag = c[i].tag;
    double lift = lifts[i] + all_unmet - unmet[i];
    const double inputs[N_INPUTS] = {
        [INPUT_ODDS] = c[i].odds,
        [INPUT_SCORE] = c[i].score,
        [INPUT_BEST_ODDS] = best_odds,
        [INPUT_EXPECTED_TAGS] = expected_tags,
        [INPUT_LOG_USES] = m->log_uses[tag],
        [INPUT_RECORD] = records[tag],
        [INPUT_WORTH_OF_NAME_IN_TITLE] = c[i].in_title > 0 ? worth_in_title(m, c + i, q) : 0,
        [INPUT_WORTH_OF_NAME_IN_PROSE] = c[i].in_prose > 0 ? m->name_worth[tag] : 0,
        [INPUT_LOG_TITLE_WORDS] = q.log_title_words,
        [INPUT_LOG_PROSE_WORDS] = q.log_prose_words,
        [INPUT_LOG_CODE_WORDS] = q.log_code_words,
        [INPUT_OFF_TOPIC_SCORE] = q.off_topic_score,
        [INPUT_LIFT] = lift,
        [INPUT_MEAN_LIFT] = lift / (expected_tags + MEAN_LIFT_SMOOTHING - c[i].confidence),
        [INPUT_IMPLIED] = implied[i],
    };
    double units[N_HIDDEN_UNITS];
    memcpy(units, m->hidden + N_INPUTS * N_HIDDEN_UNITS, sizeof units);
    for (int input = 0; input < N_INPUTS; input++)
      for (int unit = 0; unit < N_HIDDEN_UNITS; unit++)
        units[unit] += inputs[input] * m->hidden[input * N_HIDDEN_UNITS + unit];
    double odds = m->output[N_HIDDEN_UNITS];
    for (int unit = 0; unit < N_HIDDEN_UNITS; unit++)
      odds += fmax(units[unit], 0) * m->output[unit];
    c[i].odds = odds;
  }
}

/* The decoder. */

/* Writes the expected Jaccard index of the first 1, 2, ... of n confidences. */
static void expected_jaccards(const double *confidences, int n, double other_tags,
                              double *jaccards) {
  int n_choices = n < MAX_TAGS ? n : MAX_TAGS;
  double poisson_mean = other_tags, means[MAX_TAGS] = {0}, hits = 0;
  for (int i = n_choices; i < n; i++) poisson_mean += confidences[i];
  for (size_t i = 0; i < LENGTH_OF(QUADRATURE_POINTS); i++) {
    double point = QUADRATURE_POINTS[i], growth = 1 / point, loss = (1 - point) / point;
    double integrand = QUADRATURE_WEIGHTS[i] * exp(poisson_mean * (point - 1));
    for (int j = 1; j < n_choices; j++) integrand *= point;
    for (int last = n_choices - 1; last >= 0; last--) {
      means[last] += integrand;
      integrand *= growth - confidences[last] * loss;
    }
  }
  for (int i = 0; i < n_choices; i++) {
    hits += confidences[i];
    jaccards[i] = hits * means[i];
  }
}

/* Ranks the tags for a question. The texts of the three fields are ASCII in lower case, without
   addresses. `signals` is the part of the code in which signals are looked for, with a letter for
   each character that is not ASCII. `cased` has the ASCII words of the title as they are written.
   `terms` has four rows of `room` numbers: the terms, their counts, those of the title, and whether
   the code has them. Returns 0, or -1 if there is not enough memory. */
int rank(const model *m, const char *title, int64_t title_length, const char *prose,
         int64_t prose_length, const char *code, int64_t code_length, const char *signals,
         int64_t signals_length, const char *cased, int64_t cased_length, int32_t *terms,
         answer *out) {
  /* A word or part takes two characters with its end and adds at most two terms: itself, and a pair
     or the same word in text. A part of a camelCase word takes a character and adds one term. */
  size_t room = (size_t)(title_length + prose_length + code_length + cased_length) + N_SIGNALS + 3;
  size_t n_slots = 64;
  while (n_slots <= room) n_slots *= 2;
  found f = {.terms = malloc(room * sizeof *f.terms),
             .room = (int64_t)room,
             .slots = calloc(n_slots, sizeof *f.slots),
             .mask = (uint32_t)(n_slots - 1)};
  float *scores = malloc((size_t)m->n_tags * sizeof *scores);
  char *lower = malloc((size_t)cased_length + 1);
  int done = f.terms && f.slots && scores && lower;
  if (done) {
    reader of_title = read_field(m, &f, TITLE, title, title_length);
    reader of_prose = read_field(m, &f, PROSE, prose, prose_length);
    reader of_code = read_field(m, &f, CODE, code, code_length);
    read_signals(m, &f, signals, signals_length);
    reader of_capitals = read_capitals(m, &f, cased, cased_length, lower);
    *out = (answer){.n_words = of_title.n_words + of_prose.n_words,
                    .n_unknown = of_title.n_unknown + of_prose.n_unknown,
                    .n_code_words = of_code.n_words,
                    .n_found = f.n_terms};
    int64_t n_topic_words = of_title.n_topic_words + of_prose.n_topic_words;
    if (!n_topic_words && out->n_words)
      n_topic_words = of_title.n_topic_parts + of_prose.n_topic_parts + of_capitals.n_topic_parts;
    out->n_topic_words = n_topic_words + of_code.n_words;
    for (int64_t i = 0; i < f.n_terms; i++) {
      terms[i] = f.terms[i].term;
      terms[(int64_t)room + i] = f.terms[i].count;
      terms[2 * (int64_t)room + i] = f.terms[i].in_title;
      terms[3 * (int64_t)room + i] = f.terms[i].from_code;
    }
    if (f.n_terms) {
      lengths q = {.log_title_words = log1p((double)of_title.n_words),
                   .log_prose_words = log1p((double)of_prose.n_words),
                   .log_code_words = log1p((double)of_code.n_words),
                   .has_prose = of_prose.n_words > 0,
                   .has_code = of_code.n_words > 0,
                   .tells_names = of_capitals.has_capital && of_capitals.has_lower};
      candidate best[MAX_CANDIDATES];
      double off_topic = score(m, &f, scores);
      q.off_topic_score = off_topic * m->off_topic_scale[0] + m->off_topic_scale[1];
      int n = best_candidates(m, scores, best);
      for (int i = 0; i < n; i++) count_names(m, &f, best + i);
      calibrate(m, best, n, q);
      sort_by_odds(best, n);
      n = n < MAX_SHORTLISTED ? n : MAX_SHORTLISTED;
      rerank(m, best, n, q);
      sort_by_odds(best, n);
      out->n_ranked = n;
      for (int i = 0; i < n; i++) {
        out->tags[i] = best[i].tag;
        out->confidences[i] = logistic(best[i].odds);
      }
      expected_jaccards(out->confidences, n, m->other_tags, out->jaccards);
    }
  }
  free(f.terms);
  free(f.slots);
  free(scores);
  free(lower);
  return done ? 0 : -1;
}
