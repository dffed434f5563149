/* Any messages as frames of floe connect. One that is taken is written again byte for byte; the words and the name in
 * it come out harmless. Messages follow each other: a length of two bytes before each. */
#include "connect_frame.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "connect_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(const floe__frame *f) {
  char *words = floe__frame_words(f);
  for (const char *p = words; *p != '\0'; p++) {
    if ((unsigned char)*p < 0x20 || *p == 0x7f) abort();
  }
  free(words);
}

static void check_name(const floe__frame *f) {
  char name[FLOE__NAME_MAX + 1];
  memset(name, 'x', sizeof name);
  floe__name_sanitise(name, f->data);
  if (memchr(name, '\0', sizeof name) == NULL || name[0] == '\0' || name[0] == '.' || name[0] == '-') abort();
  if (strpbrk(name, "/\\\n\r\x1b") != NULL) abort();
  size_t len = strlen(name), n = strlen(FLOE__PART_SUFFIX);
  if (len >= n && strcmp(name + len - n, FLOE__PART_SUFFIX) == 0) abort();
}

static void one(const uint8_t *message, size_t len) {
  floe__frame f;
  if (!floe__frame_parse(&f, (floe_bytes){message, len})) return;
  uint8_t *again = malloc(len);
  if (again == NULL) return;
  if (floe__frame_write(&f, again, len) != len || memcmp(again, message, len) != 0) abort();
  free(again);
  check_words(&f);
  if (f.type == FLOE__FRAME_OFFER) check_name(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  while (size >= 2) {
    size_t len = (size_t)data[0] << 8 | data[1];
    if (len > size - 2) len = size - 2;
    uint8_t *message = malloc(len == 0 ? 1 : len); /* of its own, so that a byte too far is seen */
    if (message == NULL) return 0;
    memcpy(message, data + 2, len);
    one(message, len);
    free(message);
    data += 2 + len;
    size -= 2 + len;
  }
  return 0;
}
