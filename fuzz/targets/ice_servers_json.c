/* Any bytes as the iceServers JSON that `floe check --ice-servers` reads, and what it accepts into the check of the
 * configuration. Links floe_cli_static (fuzz/CMakeLists.txt). */
#include "ice_servers_json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(floe_status status, const floe__json_error *why) {
  const floe_error *e = &why->error;
  if (e->status != status || e->message[0] == '\0') abort();
  if (memchr(e->message, '\0', sizeof e->message) == NULL || memchr(e->path, '\0', sizeof e->path) == NULL) abort();
  /* it names the place: a path, or a line of the text, or it is the size */
  if (e->path[0] == '\0' && why->line <= 0 && status != FLOE_E_TOO_LARGE) abort();
  if (status == FLOE_E_NOMEM || status == FLOE_E_SYSTEM || status == FLOE_E_STATE) abort();
}

static void check_servers(const floe__server_list *list) {
  floe_ice_config cfg;
  floe__json_error why = {0};
  for (size_t i = 0; i < list->n; i++) {
    for (size_t k = 0; k < list->servers[i].n_urls; k++) {
      if (list->servers[i].urls[k] == NULL) abort();
    }
  }
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.ice_servers = list->servers;
  cfg.n_ice_servers = list->n;
  floe_status status = floe_ice_config_check(&cfg, &why.error);
  if (status != FLOE_OK) check_refusal(status, &why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static bool initialised;
  floe__server_list list = {0};
  floe__json_error why;
  if (!initialised) floe__ice_servers_json_init();
  initialised = true;
  floe_status status = floe__ice_servers_json_parse(&list, (const char *)data, size, &why);
  if (status == FLOE_OK) {
    check_servers(&list);
  } else {
    check_refusal(status, &why);
  }
  floe__server_list_clear(&list);
  return 0;
}
