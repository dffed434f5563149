/* Any text as a ticket of floe connect. One that is taken gives a description whose lines cannot be broken by what was
 * in it, and written again it is the same ticket. Of any bytes as a payload the same. */
#include "connect_ticket.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "connect_sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each line begins like one of a description, and there is no byte that a terminal or a parser would stumble over. */
static void check_sdp(const floe__ticket *t) {
  char *sdp = floe__ticket_to_sdp(t);
  for (const char *line = sdp; *line != '\0';) {
    const char *end = strstr(line, "\r\n");
    if (end == NULL || end - line < 3 || line[1] != '=') abort();
    for (const char *p = line; p < end; p++) {
      if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f) abort();
    }
    line = end + 2;
  }
  char why[160];
  floe__ticket again;
  if (!floe__ticket_from_sdp(&again, sdp, why, sizeof why)) abort();
  if (strcmp(again.pwd, t->pwd) != 0 || again.hash != t->hash) abort();
  free(sdp);
}

static void check_again(const floe__ticket *t) {
  static uint8_t first[8192], second[8192];
  static char text[FLOE__TICKET_TEXT];
  floe__ticket again;
  floe__ticket_error why;
  size_t len = floe__ticket_pack(t, first, sizeof first);
  if (len == 0) abort();
  if (floe__ticket_write(t, text, sizeof text) == 0) return; /* too long for a line */
  if (floe__ticket_read(&again, text, &why) != FLOE__TICKET_OK) abort();
  if (floe__ticket_pack(&again, second, sizeof second) != len || memcmp(first, second, len) != 0) abort();
}

static void read_text(const uint8_t *data, size_t size) {
  static floe__ticket t;
  floe__ticket_error why;
  char *text = malloc(size + 1);
  if (text == NULL) return;
  memcpy(text, data, size);
  text[size] = '\0';
  size_t len = strlen(text);
  if (floe__ticket_read(&t, text, &why) == FLOE__TICKET_OK) {
    check_sdp(&t);
    check_again(&t);
  } else if (why.message[0] == '\0' || why.offset > len) {
    abort();
  }
  (void)floe__ticket_is_meant(text);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static floe__ticket t;
  if (size == 0) return 0;
  if (data[0] == 'f' || data[0] == ' ') {
    read_text(data, size);
  } else if (floe__ticket_unpack(&t, (floe_bytes){data + 1, size - 1})) {
    check_sdp(&t);
    check_again(&t);
  }
  return 0;
}
