/* Any text into the candidate line parser; what it accepts must hold together. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "floe/candidate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_slice(floe_bytes slice, const char *text, size_t len) {
  if (slice.len == 0) return;
  const char *from = (const char *)slice.ptr;
  if (from < text || from + slice.len > text + len) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  if (text == NULL) return 0;
  if (size > 0) memcpy(text, data, size);
  text[size] = '\0';
  size_t len = strlen(text);
  floe_candidate_line line;
  floe_error why;
  if (floe_candidate_line_parse(&line, text, &why) == FLOE_OK) {
    check_slice(line.host, text, len);
    check_slice(line.ufrag, text, len);
    check_slice(line.extensions, text, len);
    check_slice(floe_candidate_line_extension(&line, "generation"), text, len);
    if (line.foundation[0] == '\0' || line.priority == 0 || line.component == 0) abort();
  } else if (why.offset > len || why.message[0] == '\0') {
    abort();
  }
  free(text);
  return 0;
}
