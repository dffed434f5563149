/* DCEP messages: what is read is written again to the same bytes, up to what is left over behind it and
 * the parameter that a reliable channel's OPEN does not use. */
#include "sctp/dcep.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static void check_open(const floe__dcep_open *open, const uint8_t *bytes, size_t len) {
  const floe__sctp_reliability *r = &open->reliability;
  FLOE__ASSERT(open->label.len + open->protocol.len + 12 <= len);
  len = open->label.len + open->protocol.len + 12;
  FLOE__ASSERT(!r->has_max_retransmits || !r->has_max_lifetime);
  uint8_t *again = malloc(len);
  FLOE__ASSERT(again != NULL);
  FLOE__ASSERT(floe__dcep_write_open(open, again, len - 1) == 0);
  FLOE__ASSERT(floe__dcep_write_open(open, again, len) == len);
  if (!r->has_max_retransmits && !r->has_max_lifetime) memcpy(again + 4, bytes + 4, 4);
  FLOE__ASSERT(memcmp(again, bytes, len) == 0);
  free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  uint8_t *copy = malloc(len == 0 ? 1 : len); /* so that a read past the end is seen */
  FLOE__ASSERT(copy != NULL);
  if (len > 0) memcpy(copy, bytes, len);
  floe__dcep_msg msg;
  if (floe__dcep_parse(&msg, (floe_bytes){.ptr = copy, .len = len})) {
    if (msg.type == FLOE__DCEP_OPEN) {
      check_open(&msg.open, copy, len);
    } else {
      FLOE__ASSERT(msg.type == FLOE__DCEP_ACK && len == 1);
    }
  }
  free(copy);
  return 0;
}
