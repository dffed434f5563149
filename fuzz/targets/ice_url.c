/* Any text as a server URL: refused with an offset inside of it, or taken apart into parts that make the same URL. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "floe/config.h"

#define CHECK(condition)       \
  do {                         \
    if (!(condition)) abort(); \
  } while (0)

static void check_refusal(floe_status status, const floe_error *why, size_t len) {
  CHECK(status == FLOE_E_SYNTAX && why->status == status);
  CHECK(why->path[0] == '\0' && why->message[0] != '\0');
  CHECK(why->offset <= len);
}

static void check_parts(const floe_ice_url *url, const char *text) {
  CHECK(url->port != 0 && url->host[0] != '\0' && strstr(text, url->host) != NULL);
  CHECK(url->addr.family == FLOE_FAMILY_NONE || url->addr.port == url->port);
  CHECK(url->has_port || url->port == (url->is_secure ? 5349 : 3478));
  CHECK(url->is_turn || !url->has_transport);
  CHECK(url->is_secure == (url->transport == FLOE_TRANSPORT_TLS || url->transport == FLOE_TRANSPORT_DTLS));
}

/* The parts, written as a URL again, are the same parts. */
static void check_round_trip(const floe_ice_url *url) {
  static const char *const transports[] = {"udp", "tcp", "tcp", "udp"};
  char text[400];
  bool is_ipv6 = url->addr.family == FLOE_FAMILY_IPV6;
  (void)snprintf(text, sizeof text, "%s%s:%s%s%s:%u%s%s", url->is_turn ? "turn" : "stun", url->is_secure ? "s" : "",
                 is_ipv6 ? "[" : "", url->host, is_ipv6 ? "]" : "", (unsigned)url->port,
                 url->has_transport ? "?transport=" : "", url->has_transport ? transports[url->transport] : "");
  floe_ice_url again;
  floe_error why;
  CHECK(floe_ice_url_parse(&again, text, &why) == FLOE_OK);
  CHECK(again.is_turn == url->is_turn && again.is_secure == url->is_secure && again.transport == url->transport);
  CHECK(again.port == url->port && floe_addr_equal(&again.addr, &url->addr) && strcmp(again.host, url->host) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  if (text == NULL) return 0;
  if (size > 0) memcpy(text, data, size);
  text[size] = '\0';
  floe_ice_url url;
  floe_error why;
  floe_status status = floe_ice_url_parse(&url, text, &why);
  if (status == FLOE_OK) {
    check_parts(&url, text);
    check_round_trip(&url);
  } else {
    check_refusal(status, &why, strlen(text));
  }
  CHECK(floe_ice_url_parse(&url, text, NULL) == status);
  free(text);
  return 0;
}
