/* Any bytes as a trace that `floe explain` reads, in pieces of a size that the first byte says: every line becomes an
 * event or is told as broken with its place, the timeline and the summary hold nothing that moves a cursor, and the
 * summary for programs is JSON. Links floe_cli_static (fuzz/CMakeLists.txt). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace_reader.h"
#include "trace_summary.h"
#include "trace_timeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct run {
  floe__story story;
  floe__timeline timeline;
  floe__trace_gaps gaps;
  uint64_t last_broken;
} run;

static void on_event(const floe__trace_line *line, void *user) {
  run *r = user;
  floe__words words;
  floe__story_add(&r->story, line);
  if (!floe__words_make(&words, &r->story, line)) {
    r->gaps.unknown++;
    return;
  }
  if (words.text[0] == '\0' || memchr(words.text, '\0', sizeof words.text) == NULL) abort();
  floe__timeline_add(&r->timeline, line, &words);
}

static void on_broken(uint64_t number, int column, const char *why, void *user) {
  run *r = user;
  if (number <= r->last_broken || column < 1 || why[0] == '\0') abort();
  r->last_broken = number;
  r->gaps.broken++;
}

static void check_text(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    if ((c < 0x20 && c != '\n') || c == 0x7f) abort();
  }
}

static void check_json(run *r) {
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);
  if (out == NULL) return;
  floe__trace_summary_print_json(out, &r->story, &r->gaps);
  if (fclose(out) != 0) abort();
  json_t *object = json_loadb(text, len, 0, NULL);
  if (object == NULL) abort();
  json_decref(object);
  free(text);
}

static void feed(run *r, const uint8_t *data, size_t size) {
  floe__trace_reader reader;
  size_t piece = (size_t)data[0] + 1;
  floe__trace_reader_init(&reader);
  reader.on_event = on_event;
  reader.on_broken = on_broken;
  reader.user = r;
  for (size_t at = 1; at < size; at += piece) {
    size_t n = size - at < piece ? size - at : piece;
    floe__trace_reader_feed(&reader, (const char *)data + at, n);
  }
  floe__trace_reader_finish(&reader);
  floe__trace_reader_clear(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = NULL;
  size_t len = 0;
  if (size == 0) return 0;
  FILE *out = open_memstream(&text, &len);
  if (out == NULL) return 0;
  run r = {.timeline = {.out = out, .verbose = (data[0] & 1) != 0}};
  feed(&r, data, size);
  floe__timeline_flush(&r.timeline);
  floe__trace_summary_print(out, &r.story, &r.gaps, (floe__summary_style){.width = data[0]});
  if (fclose(out) != 0) abort();
  check_text(text, len);
  free(text);
  check_json(&r);
  floe__story_clear(&r.story);
  return 0;
}
