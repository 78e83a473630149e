/* A libFuzzer target: ranks tags for any bytes and checks the answer.

   The input is five texts with the byte 255 between them: title, prose, code, the part of the code
   in which signals are looked for, and the title with its capital letters. Python passes only ASCII,
   and only the last text has capital letters; the kernel must be safe with any bytes. Each text is copied to memory of its
   exact length, so that the address sanitizer finds a read behind its end. */

#include "kernel.c"

/* The arrays of a small model; kernel_fuzzer.py writes them. */
#include "model.h"

#define N_TEXTS 5
#define SEPARATOR 255

static void require(int condition) {
  if (!condition) __builtin_trap();
}

int LLVMFuzzerInitialize(int *count, char ***arguments) {
  (void)count, (void)arguments;
  require(index_words(&fuzzed_model) == 0);
  return 0;
}

static void check_answer(const answer *out, const int32_t *terms, int64_t room) {
  require(0 <= out->n_unknown && out->n_unknown <= out->n_words);
  require(0 <= out->n_code_words);
  require(0 <= out->n_found && out->n_found <= room);
  for (int64_t i = 0; i < out->n_found; i++) {
    int32_t term = terms[i], count = terms[room + i], in_title = terms[2 * room + i];
    int32_t from_code = terms[3 * room + i];
    require(0 <= term && term < N_TERMS);
    require(0 <= in_title && (from_code == 0 || from_code == 1));
    require(count >= in_title * fuzzed_model.title_weight + from_code && count > 0);
  }
  require(0 <= out->n_ranked && out->n_ranked <= MAX_SHORTLISTED);
  require(!out->n_ranked == !out->n_found);
  for (int64_t i = 0; i < out->n_ranked; i++) {
    require(0 <= out->tags[i] && out->tags[i] < fuzzed_model.n_tags);
    for (int64_t j = 0; j < i; j++) require(out->tags[i] != out->tags[j]);
    require(0 <= out->confidences[i] && out->confidences[i] <= 1);
    require(i == 0 || out->confidences[i] <= out->confidences[i - 1]);
    require(i >= MAX_TAGS || (0 <= out->jaccards[i] && out->jaccards[i] <= 1.000001));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *texts[N_TEXTS];
  int64_t lengths[N_TEXTS], place = 0, end = (int64_t)size;
  for (int i = 0; i < N_TEXTS; i++) {
    int64_t start = place;
    while (place < end && (i == N_TEXTS - 1 || data[place] != SEPARATOR)) place++;
    lengths[i] = place - start;
    texts[i] = malloc((size_t)lengths[i]);
    if (lengths[i]) memcpy(texts[i], data + start, (size_t)lengths[i]);
    if (place < end) place++;
  }
  if (lengths[3] > MAX_SIGNAL_CHARACTERS) lengths[3] = MAX_SIGNAL_CHARACTERS;
  int64_t number = number_of(&fuzzed_model, texts[0], lengths[0]);
  require(0 <= number && number <= fuzzed_model.n_words);
  int64_t room = lengths[0] + lengths[1] + lengths[2] + lengths[4] + N_SIGNALS + 3;
  int32_t *terms = malloc(4 * (size_t)room * sizeof *terms);
  answer out;
  int failed = rank(&fuzzed_model, texts[0], lengths[0], texts[1], lengths[1], texts[2], lengths[2],
                    texts[3], lengths[3], texts[4], lengths[4], terms, &out);
  require(!failed);
  check_answer(&out, terms, room);
  free(terms);
  for (int i = 0; i < N_TEXTS; i++) free(texts[i]);
  return 0;
}
