#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

typedef struct lines {
  const char **at;
  size_t *len;
  size_t n;
} lines;

bool expect_line_matches(const char *pattern, size_t pattern_len, const char *line, size_t line_len) {
  /* The usual backtracking to the last star. */
  size_t p = 0, i = 0, star = SIZE_MAX, resume = 0;
  while (i < line_len) {
    if (p < pattern_len && pattern[p] == '*') {
      star = p++;
      resume = i;
    } else if (p < pattern_len && pattern[p] == line[i]) {
      p++;
      i++;
    } else if (star != SIZE_MAX) {
      p = star + 1;
      i = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern_len && pattern[p] == '*') p++;
  return p == pattern_len;
}

static lines split(const char *text) {
  lines l = {0};
  while (*text != '\0') {
    size_t len = strcspn(text, "\n");
    l.at = sim_must(realloc(l.at, (l.n + 1) * sizeof *l.at));
    l.len = sim_must(realloc(l.len, (l.n + 1) * sizeof *l.len));
    l.at[l.n] = text;
    l.len[l.n++] = len;
    text += len + (text[len] == '\n' ? 1 : 0);
  }
  return l;
}

static void free_lines(lines *l) {
  free(l->at);
  free(l->len);
}

static bool is_any_lines(const lines *l, size_t i) {
  return l->len[i] == 3 && memcmp(l->at[i], "...", 3) == 0;
}

static bool is_match(const lines *expected, size_t e, const lines *actual, size_t a) {
  return expect_line_matches(expected->at[e], expected->len[e], actual->at[a], actual->len[a]);
}

static bool match_lines(const lines *expected, const lines *actual) {
  size_t e = 0, a = 0, dots = SIZE_MAX, resume = 0;
  while (a < actual->n) {
    if (e < expected->n && is_any_lines(expected, e)) {
      dots = e++;
      resume = a;
    } else if (e < expected->n && is_match(expected, e, actual, a)) {
      e++;
      a++;
    } else if (dots != SIZE_MAX) {
      e = dots + 1;
      a = ++resume;
    } else {
      return false;
    }
  }
  while (e < expected->n && is_any_lines(expected, e)) e++;
  return e == expected->n;
}

bool expect_matches(const char *expected, const char *actual) {
  lines e = split(expected), a = split(actual);
  bool same = match_lines(&e, &a);
  free_lines(&e);
  free_lines(&a);
  return same;
}

/* --- the difference ---------------------------------------------------------------------------------------------- */

/* common[e][a]: the length of the longest common subsequence of what follows. */
static size_t *common_lengths(const lines *expected, const lines *actual) {
  size_t width = actual->n + 1;
  size_t *common = sim_must(calloc((expected->n + 1) * width, sizeof *common));
  for (size_t e = expected->n; e-- > 0;) {
    for (size_t a = actual->n; a-- > 0;) {
      size_t down = common[(e + 1) * width + a], right = common[e * width + a + 1];
      common[e * width + a] = down > right ? down : right;
      if (is_match(expected, e, actual, a)) common[e * width + a] = common[(e + 1) * width + a + 1] + 1;
    }
  }
  return common;
}

static void print_line(char mark, const lines *l, size_t i) {
  print_error("  %c %.*s\n", mark, (int)l->len[i], l->at[i]);
}

static void print_difference(const lines *expected, const lines *actual) {
  size_t width = actual->n + 1, e = 0, a = 0;
  size_t *common = common_lengths(expected, actual);
  while (e < expected->n || a < actual->n) {
    if (e < expected->n && a < actual->n && is_match(expected, e, actual, a)) {
      print_line(' ', actual, a++);
      e++;
    } else if (a == actual->n || (e < expected->n && common[(e + 1) * width + a] >= common[e * width + a + 1])) {
      print_line('-', expected, e++);
    } else {
      print_line('+', actual, a++);
    }
  }
  free(common);
}

void expect_text_at(sim *s, const char *what, const char *actual, const char *expected, const char *file, int line) {
  if (expect_matches(expected, actual)) return;
  lines e = split(expected), a = split(actual);
  print_error("%s:%d: %s differ (- expected, + actual):\n", file, line, what);
  print_difference(&e, &a);
  free_lines(&e);
  free_lines(&a);
  sim_fail(s, "%s:%d: %s differ", file, line, what);
}
