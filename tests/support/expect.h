/* Comparing whole texts line by line, with a readable difference when they are not the same.
 *
 * In an expected line `*` stands for any run of characters, and a line `...` for any number of lines. */
#ifndef FLOE_TESTS_EXPECT_H
#define FLOE_TESTS_EXPECT_H

#include <stdbool.h>

#include "support/sim.h"

/* One line against a pattern with `*`; neither has a line feed. */
bool expect_line_matches(const char *pattern, size_t pattern_len, const char *line, size_t line_len);
/* All lines. */
bool expect_matches(const char *expected, const char *actual);

/* Fails the test (sim_fail) when they differ. `what` names the text: "events". */
void expect_text_at(sim *s, const char *what, const char *actual, const char *expected, const char *file, int line);
#define expect_text(s, what, actual, expected) expect_text_at((s), (what), (actual), (expected), __FILE__, __LINE__)

#endif
