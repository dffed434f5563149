#include "floe/mdns.h"

#include <string.h>

void floe_mdns_config_init(floe_mdns_config *cfg, size_t size) {
  memset(cfg, 0, size);
  cfg->size = (uint32_t)size;
}
