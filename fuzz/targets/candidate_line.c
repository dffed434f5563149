/* Any text into the candidate line parser; what it accepts must hold together, and written and read again it is the
 * same. */
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

static void check_same(const floe_candidate_line *line, const floe_candidate_line *again) {
  if (strcmp(line->foundation, again->foundation) != 0 || line->component != again->component) abort();
  if (line->transport != again->transport || line->priority != again->priority) abort();
  if (line->port != again->port || line->type != again->type || line->tcp_type != again->tcp_type) abort();
  if (!floe_addr_equal(&line->address, &again->address)) abort();
  bool is_name = line->address.family == FLOE_FAMILY_NONE;
  if (is_name && line->host.len != again->host.len) abort();
  if (is_name && memcmp(line->host.ptr, again->host.ptr, line->host.len) != 0) abort();
  bool has_related = line->related.family != FLOE_FAMILY_NONE;
  if (has_related && !floe_addr_equal(&line->related, &again->related)) abort();
  if (line->ufrag.len != again->ufrag.len) abort();
  if (line->ufrag.len > 0 && memcmp(line->ufrag.ptr, again->ufrag.ptr, line->ufrag.len) != 0) abort();
}

static void round_trip(const floe_candidate_line *line) {
  char name[256] = "", ufrag[257] = "", text[700];
  if (line->component > 255 || line->ufrag.len >= sizeof ufrag) return;
  floe_ice_candidate c = {.component = (uint8_t)line->component, .transport = line->transport, .type = line->type};
  memcpy(c.foundation, line->foundation, sizeof c.foundation);
  c.priority = line->priority;
  c.tcp_type = line->tcp_type;
  c.address = line->address;
  c.address.port = line->port;
  c.related = line->related;
  if (line->address.family == FLOE_FAMILY_NONE) {
    memcpy(name, line->host.ptr, line->host.len);
    c.mdns_name = name;
  }
  if (line->ufrag.len > 0) memcpy(ufrag, line->ufrag.ptr, line->ufrag.len);
  size_t len = floe_candidate_write(&c, line->ufrag.len == 0 ? NULL : ufrag, text, sizeof text);
  if (len == 0 || len != strlen(text)) abort();
  floe_candidate_line again;
  if (floe_candidate_line_parse(&again, text, NULL) != FLOE_OK) abort();
  check_same(line, &again);
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
    round_trip(&line);
  } else if (why.offset > len || why.message[0] == '\0') {
    abort();
  }
  free(text);
  return 0;
}
