/* The configuration of a NAT probe. */
#include <stdio.h>
#include <string.h>

#include "base/sized.h"
#include "base/status_internal.h"
#include "ice/nat_probe.h"

void floe_nat_config_init(floe_nat_config *cfg, size_t size) {
  memset(cfg, 0, size);
  cfg->size = (uint32_t)size;
}

static void default_to(uint32_t *field, uint32_t value) {
  if (*field == 0) *field = value;
}

static floe_status type_error(floe_error *why, const char *path, const char *message) {
  return floe__error_set(why, FLOE_E_TYPE, path, FLOE_NO_OFFSET, "%s", message);
}

static floe_status no_memory(floe_error *why) {
  return floe__error_set(why, FLOE_E_NOMEM, "", FLOE_NO_OFFSET, "out of memory");
}

static floe_status take_url(floe__nat_server *server, const char *text, size_t i, floe_error *why) {
  char path[96];
  (void)snprintf(path, sizeof path, "urls[%zu]", i);
  if (text == NULL) return type_error(why, path, "is missing");
  floe_status st = floe_ice_url_parse(&server->url, text, why);
  if (st != FLOE_OK) {
    if (why != NULL) (void)snprintf(why->path, sizeof why->path, "%s", path);
    return st;
  }
  if (server->url.is_turn || server->url.transport != FLOE_TRANSPORT_UDP) {
    return floe__error_set(why, FLOE_E_UNSUPPORTED, path, 0, "only stun: URLs, which are over UDP, tell about a NAT");
  }
  return FLOE_OK;
}

static floe_status take_urls(floe_nat_probe *probe, const floe_nat_config *cfg, floe_error *why) {
  floe_env *env = probe->io.env;
  if (cfg->n_urls == 0 || cfg->urls == NULL) return type_error(why, "urls", "names no server");
  if (cfg->n_urls > FLOE__NAT_MAX_URLS) return type_error(why, "urls", "has more than 16 servers");
  probe->servers = floe__zalloc(env, cfg->n_urls * sizeof *probe->servers);
  probe->results = floe__zalloc(env, cfg->n_urls * sizeof *probe->results);
  if (probe->servers == NULL || probe->results == NULL) return no_memory(why);
  probe->n_servers = cfg->n_urls;
  for (size_t i = 0; i < cfg->n_urls; i++) {
    floe__nat_server *server = &probe->servers[i];
    floe_status st = take_url(server, cfg->urls[i], i, why);
    if (st != FLOE_OK) return st;
    server->text = floe__strdup(env, cfg->urls[i]);
    if (server->text == NULL) return no_memory(why);
  }
  return FLOE_OK;
}

static floe_status take_interface(floe_nat_probe *probe, const floe_nat_config *cfg, floe_error *why) {
  if (cfg->interface == NULL) return FLOE_OK;
  if (cfg->interface[0] == '\0') return type_error(why, "interface", "is empty");
  probe->interface = floe__strdup(probe->io.env, cfg->interface);
  return probe->interface == NULL ? no_memory(why) : FLOE_OK;
}

static void fill_in_defaults(floe_nat_config *c) {
  default_to(&c->rto_ms, 300);
  default_to(&c->transmissions, 4);
  default_to(&c->timeout_ms, 2500);
  default_to(&c->dns_timeout_ms, 4000);
  if (c->family == FLOE_FAMILY_NONE) c->family = FLOE_FAMILY_IPV4;
}

/* What the machines of gathering read of theirs. */
static void fill_in_settings(floe_nat_probe *probe) {
  floe_ice_config *cfg = &probe->settings.cfg;
  probe->settings.env = probe->io.env;
  floe_ice_config_init(cfg, sizeof *cfg);
  cfg->no_ipv4 = probe->cfg.family == FLOE_FAMILY_IPV6;
  cfg->no_ipv6 = probe->cfg.family == FLOE_FAMILY_IPV4;
  cfg->timing.dns_timeout_ms = probe->cfg.dns_timeout_ms;
  cfg->timing.dns_second_family_ms = probe->cfg.dns_timeout_ms;
  probe->interfaces[0] = probe->interface;
  cfg->interfaces = probe->interfaces;
  cfg->n_interfaces = probe->interface == NULL ? 0 : 1;
}

static void fill_in_timing(floe_nat_probe *probe) {
  const floe_nat_config *c = &probe->cfg;
  probe->timing =
      (floe__stun_timing){.rto_ms = c->rto_ms, .transmissions = c->transmissions, .udp_timeout_ms = c->timeout_ms};
  /* Sent with the last transmission of a test, it would prolong the whole by all of its time-out. */
  probe->control =
      (floe__stun_timing){.rto_ms = c->rto_ms, .transmissions = 1, .udp_timeout_ms = c->timeout_ms / 2 + 1};
}

floe_status floe__nat_config_take(floe_nat_probe *probe, const floe_nat_config *cfg, floe_error *why) {
  if (!floe__take_sized(&probe->cfg, sizeof probe->cfg, cfg)) {
    return type_error(why, "", "size is not set by floe_nat_config_init, or a member is set that this library lacks");
  }
  fill_in_defaults(&probe->cfg);
  if (probe->cfg.family != FLOE_FAMILY_IPV4 && probe->cfg.family != FLOE_FAMILY_IPV6) {
    return type_error(why, "family", "is neither IPv4 nor IPv6");
  }
  floe_status st = take_urls(probe, &probe->cfg, why);
  if (st == FLOE_OK) st = take_interface(probe, &probe->cfg, why);
  if (st != FLOE_OK) return st;
  fill_in_settings(probe);
  fill_in_timing(probe);
  return FLOE_OK;
}

void floe__nat_config_clear(floe_nat_probe *probe) {
  for (size_t i = 0; i < probe->n_servers; i++) {
    floe__lookup_clear(&probe->servers[i].lookup, &probe->io);
    floe__free(probe->io.env, probe->servers[i].text);
  }
  floe__free(probe->io.env, probe->servers);
  floe__free(probe->io.env, probe->results);
  floe__free(probe->io.env, probe->interface);
}
