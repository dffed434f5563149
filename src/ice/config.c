/* The configuration: webrtc-pc 4.4.1.6 "set a configuration", "validate an ICE server URL", and the contract's section
 * 6. All or nothing, before any side effect. */
#include <stdio.h>
#include <string.h>

#include "base/sized.h"
#include "base/status_internal.h"
#include "ice/parameters.h"
#include "ice/settings.h"
#include "stun/auth.h"
#include "stun/opaque_string.h"
#include "tls/tls_stream.h"

void floe_ice_config_init(floe_ice_config *cfg, size_t size) {
  memset(cfg, 0, size);
  cfg->size = (uint32_t)size;
}

static void default_to(uint32_t *field, uint32_t value) {
  if (*field == 0) *field = value;
}

static void fill_in_defaults(floe_ice_config *c) {
  floe_ice_timing *t = &c->timing;
  default_to(&t->ta_ms, 5);
  default_to(&t->rto_ms, 500);
  default_to(&t->transmissions, 4);
  default_to(&t->udp_timeout_ms, 5000);
  default_to(&t->stream_timeout_ms, 5000);
  default_to(&t->connect_timeout_ms, 4000);
  default_to(&t->tls_timeout_ms, 4000);
  default_to(&t->dns_timeout_ms, 4000);
  default_to(&t->dns_second_family_ms, 1000);
  default_to(&t->address_delay_ms, 250);
  default_to(&t->server_timeout_ms, 10000);
  default_to(&t->gathering_timeout_ms, 10000);
  default_to(&t->close_timeout_ms, 1000);
  default_to(&t->check_rto_ms, 500);
  default_to(&t->check_transmissions, 7);
  default_to(&t->patience_ms, 39500);
  default_to(&t->nomination_ms, 400);
  default_to(&t->consent_interval_ms, 5000);
  default_to(&t->consent_timeout_ms, 30000);
  default_to(&t->disconnected_ms, 7000);
  default_to(&t->keepalive_ms, 15000);
  default_to(&c->max_queue_bytes, 1024 * 1024);
  default_to(&c->max_candidates, 1000);
  default_to(&c->max_permissions, 100);
  default_to(&c->max_remote_candidates, 100);
  default_to(&c->max_peer_reflexive, 25);
  default_to(&c->max_pairs, 100);
  if (c->max_ice_servers == 0) c->max_ice_servers = 64;
}

/* --- checking -------------------------------------------------------------------------------------------------- */

static floe_status type_error(floe_error *why, const char *path, const char *message) {
  return floe__error_set(why, FLOE_E_TYPE, path, FLOE_NO_OFFSET, "%s", message);
}

/* RFC 8489 14.3 counts the name as it is sent: Unicode normalization may have made it longer. */
static floe_status check_length(floe_env *env, char *prepared /* takes */, size_t max, const char *path,
                                floe_error *why) {
  size_t len = strlen(prepared);
  floe__free_secret(env, prepared, len);
  if (max == 0 || len <= max) return FLOE_OK;
  return floe__error_set(why, FLOE_E_ACCESS, path, FLOE_NO_OFFSET, "is longer than %zu bytes (RFC 8489 14.3)", max);
}

/* `max`: bytes that the prepared text may have; 0 = any. */
static floe_status check_credential_text(floe_env *env, const char *text, size_t max, const char *path,
                                         floe_error *why) {
  char *prepared = NULL;
  size_t offset = 0;
  switch (floe__opaque_string(env, text, &prepared, &offset)) {
    case FLOE__OPAQUE_OK: return check_length(env, prepared, max, path, why);
    case FLOE__OPAQUE_EMPTY:
      return floe__error_set(why, FLOE_E_ACCESS, path, FLOE_NO_OFFSET, "must not be empty for a TURN server");
    case FLOE__OPAQUE_NOT_UTF8:
      return floe__error_set(why, FLOE_E_ACCESS, path, FLOE_NO_OFFSET, "is not UTF-8 at byte %zu", offset);
    case FLOE__OPAQUE_DISALLOWED:
      return floe__error_set(why, FLOE_E_ACCESS, path, FLOE_NO_OFFSET,
                             "holds a character at byte %zu that RFC 8265 does not allow", offset);
    case FLOE__OPAQUE_NOMEM: break;
  }
  return floe__error_set(why, FLOE_E_NOMEM, path, FLOE_NO_OFFSET, "out of memory");
}

typedef struct member {
  const char *name;
  const char *text;
  size_t max;
} member;

static floe_status check_member(floe_env *env, const member *m, size_t server, floe_error *why) {
  char path[96];
  (void)snprintf(path, sizeof path, "iceServers[%zu].%s", server, m->name);
  if (m->text == NULL) return floe__error_set(why, FLOE_E_ACCESS, path, FLOE_NO_OFFSET, "is missing for a TURN server");
  return check_credential_text(env, m->text, m->max, path, why);
}

/* webrtc-pc: for turn and turns, username and credential must be there: InvalidAccessError. */
static floe_status check_credentials(floe_env *env, const floe_ice_server *s, size_t server, floe_error *why) {
  const member username = {"username", s->username, FLOE__STUN_USERNAME_MAX};
  const member credential = {"credential", s->credential, 0};
  floe_status st = check_member(env, &username, server, why);
  return st == FLOE_OK ? check_member(env, &credential, server, why) : st;
}

static floe_status check_url(const floe_ice_server *s, size_t server, size_t url, bool *is_turn, floe_error *why) {
  char path[96];
  (void)snprintf(path, sizeof path, "iceServers[%zu].urls[%zu]", server, url);
  if (s->urls[url] == NULL) return type_error(why, path, "is missing");
  floe_ice_url parsed;
  floe_status st = floe_ice_url_parse(&parsed, s->urls[url], why);
  if (st != FLOE_OK) {
    if (why != NULL) (void)snprintf(why->path, sizeof why->path, "%s", path);
    return st;
  }
  *is_turn = *is_turn || parsed.is_turn;
  return FLOE_OK;
}

static floe_status check_server(floe_env *env, const floe_ice_server *s, size_t server, floe_error *why) {
  char path[96];
  (void)snprintf(path, sizeof path, "iceServers[%zu].urls", server);
  if (s->n_urls == 0) return floe__error_set(why, FLOE_E_SYNTAX, path, FLOE_NO_OFFSET, "must not be empty");
  if (s->urls == NULL) return type_error(why, path, "is missing");
  bool is_turn = false;
  for (size_t i = 0; i < s->n_urls; i++) {
    floe_status st = check_url(s, server, i, &is_turn, why);
    if (st != FLOE_OK) return st;
  }
  return is_turn ? check_credentials(env, s, server, why) : FLOE_OK;
}

static floe_status check_ports(const floe_ice_config *c, floe_error *why) {
  if (c->port_min == 0 && c->port_max == 0) return FLOE_OK;
  if (c->port_min == 0) return type_error(why, "portMin", "must be given with portMax, and not be 0");
  if (c->port_max < c->port_min) return type_error(why, "portMax", "must not be below portMin");
  return FLOE_OK;
}

/* RFC 8839 5.4: 4 to 256 and 22 to 256 ice-chars. */
static floe_status check_parameters(const floe_ice_config *c, floe_error *why) {
  if (c->local_ufrag == NULL && c->local_pwd == NULL) return FLOE_OK;
  if (c->local_ufrag == NULL) return type_error(why, "localUfrag", "is missing beside localPwd");
  if (c->local_pwd == NULL) return type_error(why, "localPwd", "is missing beside localUfrag");
  floe_ice_parameters p = {.ufrag = c->local_ufrag, .pwd = c->local_pwd};
  const char *path = "localUfrag";
  size_t offset;
  if (!floe__ice_chars_fit(p.ufrag, FLOE__UFRAG_MIN, &offset)) {
    return floe__error_set(why, FLOE_E_SYNTAX, path, offset, "is not 4 to 256 ice-chars (RFC 8839 5.4)");
  }
  path = "localPwd";
  if (!floe__ice_chars_fit(p.pwd, FLOE__PWD_MIN, &offset)) {
    return floe__error_set(why, FLOE_E_SYNTAX, path, offset, "is not 22 to 256 ice-chars (RFC 8839 5.4)");
  }
  return FLOE_OK;
}

static bool fits_rewrite(const floe_address_rewrite *r) {
  if (r->shown.family != FLOE_FAMILY_IPV4 && r->shown.family != FLOE_FAMILY_IPV6) return false;
  return r->local.family == FLOE_FAMILY_NONE || r->local.family == r->shown.family;
}

/* What connecting needs. */
static floe_status check_connecting(const floe_ice_config *c, floe_error *why) {
  floe_status st = check_parameters(c, why);
  if (st != FLOE_OK) return st;
  if (c->check_dscp > 63) return type_error(why, "checkDscp", "is above 63");
  if (c->lite && c->ice_transport_policy == FLOE_ICE_TRANSPORT_POLICY_RELAY) {
    return type_error(why, "lite", "has host candidates only, and the policy is relay");
  }
  if (c->lite && c->n_ice_servers > 0) return type_error(why, "lite", "uses no server, and iceServers is not empty");
  /* RFC 6544 4.1: a lite agent offers passive candidates only. */
  if (c->lite && c->tcp_so)
    return type_error(why, "tcpSo", "needs checks of our own, which a lite agent does not send");
  if (c->no_tcp && (c->tcp_passive || c->tcp_so)) return type_error(why, "noTcp", "contradicts tcpPassive or tcpSo");
  for (size_t i = 0; i < c->n_rewrites; i++) {
    char path[96];
    (void)snprintf(path, sizeof path, "rewrites[%zu]", i);
    if (c->rewrites == NULL || !fits_rewrite(&c->rewrites[i])) {
      return type_error(why, path, "needs an address to show, of the family of the local one");
    }
  }
  return FLOE_OK;
}

static floe_status check_rest(floe_env *env, const floe_ice_config *c, floe_error *why) {
  if ((int)c->ice_transport_policy < 0 || c->ice_transport_policy > FLOE_ICE_TRANSPORT_POLICY_RELAY) {
    return type_error(why, "iceTransportPolicy", "is not a policy");
  }
  if ((int)c->relay_family < 0 || c->relay_family > FLOE_RELAY_FAMILY_IPV6) {
    return type_error(why, "relayFamily", "is not a choice of families");
  }
  if (c->no_ipv4 && c->no_ipv6) return type_error(why, "noIpv6", "leaves no address family, with noIpv4");
  for (size_t i = 0; i < c->n_interfaces; i++) {
    char path[96];
    (void)snprintf(path, sizeof path, "interfaces[%zu]", i);
    if (c->interfaces == NULL || c->interfaces[i] == NULL) return type_error(why, path, "is missing");
    if (c->interfaces[i][0] == '\0') return type_error(why, path, "is empty");
  }
  if (c->ca_pem.len > 0 && floe__tls_check_ca(env, c->ca_pem) == 0) {
    return type_error(why, "caPem", "holds no PEM certificate that can be read");
  }
  floe_status st = check_ports(c, why);
  return st == FLOE_OK ? check_connecting(c, why) : st;
}

static floe_status check_config(floe_env *env, const floe_ice_config *cfg, floe_error *why) {
  size_t max = cfg->max_ice_servers == 0 ? 64 : cfg->max_ice_servers;
  if (cfg->n_ice_servers > 0 && cfg->ice_servers == NULL) return type_error(why, "iceServers", "is missing");
  if (cfg->n_ice_servers > max) {
    return floe__error_set(why, FLOE_E_TOO_LARGE, "iceServers", FLOE_NO_OFFSET,
                           "has %zu servers, more than the limit of %zu", cfg->n_ice_servers, max);
  }
  for (size_t i = 0; i < cfg->n_ice_servers; i++) {
    floe_status st = check_server(env, &cfg->ice_servers[i], i, why);
    if (st != FLOE_OK) return st;
  }
  return check_rest(env, cfg, why);
}

static floe_status take_config(floe_ice_config *out, const floe_ice_config *cfg, floe_error *why) {
  if (floe__take_sized(out, sizeof *out, cfg)) return FLOE_OK;
  return type_error(why, "", "size is not set by floe_ice_config_init, or a member is set that this library lacks");
}

floe_status floe_ice_config_check(const floe_ice_config *cfg, floe_error *why) {
  floe_ice_config known;
  floe_env *env = NULL;
  floe_status st = take_config(&known, cfg, why);
  if (st != FLOE_OK) return st;
  st = floe_env_new(&env, NULL);
  if (st != FLOE_OK) return floe__error_set(why, st, "", FLOE_NO_OFFSET, "%s", floe_status_text(st));
  st = check_config(env, &known, why);
  floe_env_free(env);
  return st;
}

/* --- copying --------------------------------------------------------------------------------------------------- */

static bool prepare(floe_env *env, const char *text, char **out) {
  size_t offset;
  return text == NULL || floe__opaque_string(env, text, out, &offset) == FLOE__OPAQUE_OK;
}

static bool copy_server(floe__settings *s, const floe_ice_server *from, size_t server) {
  char *username = NULL;
  char *credential = NULL;
  for (size_t i = 0; i < from->n_urls; i++) {
    floe__server *to = &s->servers[s->n_servers];
    memset(to, 0, sizeof *to);
    to->server_index = (uint32_t)server;
    to->url_index = (uint32_t)i;
    s->n_servers++;
    floe_ice_url url;
    to->text = floe__strdup(s->env, from->urls[i]);
    if (to->text == NULL || floe_ice_url_parse(&url, to->text, NULL) != FLOE_OK) return false;
    if (!url.is_turn) continue; /* STUN URLs carry no credentials, whatever stands beside them */
    if (username == NULL) {
      to->owns_credentials = true;
      if (!prepare(s->env, from->username, &to->username)) return false;
      if (!prepare(s->env, from->credential, &to->credential)) return false;
      username = to->username;
      credential = to->credential;
    }
    to->username = username;
    to->credential = credential;
  }
  return true;
}

static bool copy_servers(floe__settings *s, const floe_ice_config *cfg) {
  size_t n = 0;
  for (size_t i = 0; i < cfg->n_ice_servers; i++) n += cfg->ice_servers[i].n_urls;
  if (n == 0) return true;
  s->servers = floe__zalloc(s->env, n * sizeof *s->servers);
  if (s->servers == NULL) return false;
  for (size_t i = 0; i < cfg->n_ice_servers; i++) {
    if (!copy_server(s, &cfg->ice_servers[i], i)) return false;
  }
  return true;
}

static bool copy_interfaces(floe__settings *s, const floe_ice_config *cfg) {
  if (cfg->n_interfaces == 0) return true;
  s->interfaces = floe__zalloc(s->env, cfg->n_interfaces * sizeof *s->interfaces);
  if (s->interfaces == NULL) return false;
  for (size_t i = 0; i < cfg->n_interfaces; i++) {
    s->interfaces[i] = floe__strdup(s->env, cfg->interfaces[i]);
    if (s->interfaces[i] == NULL) return false;
  }
  s->cfg.interfaces = (const char *const *)s->interfaces;
  return true;
}

static bool copy_connecting(floe__settings *s, const floe_ice_config *cfg) {
  if (cfg->n_rewrites > 0) {
    s->rewrites = floe__alloc(s->env, cfg->n_rewrites * sizeof *s->rewrites);
    if (s->rewrites == NULL) return false;
    memcpy(s->rewrites, cfg->rewrites, cfg->n_rewrites * sizeof *s->rewrites);
    s->cfg.rewrites = s->rewrites;
  }
  if (cfg->local_ufrag == NULL) return true;
  s->local_ufrag = floe__strdup(s->env, cfg->local_ufrag);
  s->local_pwd = floe__strdup(s->env, cfg->local_pwd);
  s->cfg.local_ufrag = s->local_ufrag;
  s->cfg.local_pwd = s->local_pwd;
  return s->local_ufrag != NULL && s->local_pwd != NULL;
}

static bool copy_all(floe__settings *s, const floe_ice_config *cfg) {
  s->cfg = *cfg;
  fill_in_defaults(&s->cfg);
  s->cfg.ice_servers = NULL;
  s->cfg.interfaces = NULL;
  s->cfg.software = NULL;
  s->cfg.ca_pem = (floe_bytes){0};
  s->cfg.rewrites = NULL;
  s->cfg.local_ufrag = s->cfg.local_pwd = NULL;
  const floe_ice_timing *t = &s->cfg.timing;
  s->stun_timing = (floe__stun_timing){t->rto_ms, t->transmissions, t->udp_timeout_ms, t->stream_timeout_ms};
  if (!copy_servers(s, cfg) || !copy_interfaces(s, cfg) || !copy_connecting(s, cfg)) return false;
  if (cfg->software != NULL) {
    s->software = floe__strdup(s->env, cfg->software);
    if (s->software == NULL) return false;
    s->cfg.software = s->software;
  }
  if (cfg->ca_pem.len > 0) {
    s->ca_pem = floe__strndup(s->env, cfg->ca_pem.ptr, cfg->ca_pem.len);
    if (s->ca_pem == NULL) return false;
    s->cfg.ca_pem = (floe_bytes){(const uint8_t *)s->ca_pem, cfg->ca_pem.len};
  }
  return true;
}

floe_status floe__settings_new(floe__settings **out, floe_env *env, const floe_ice_config *cfg, floe_error *why) {
  *out = NULL;
  floe_ice_config known;
  floe_status st = take_config(&known, cfg, why);
  if (st == FLOE_OK) st = check_config(env, &known, why);
  if (st != FLOE_OK) return st;
  floe__settings *s = floe__zalloc(env, sizeof *s);
  if (s != NULL) {
    s->env = env;
    if (copy_all(s, &known)) {
      *out = s;
      return FLOE_OK;
    }
    floe__settings_free(s);
  }
  return floe__error_set(why, FLOE_E_NOMEM, "", FLOE_NO_OFFSET, "out of memory");
}

static void free_server(floe_env *env, floe__server *s) {
  floe__free(env, s->text);
  if (!s->owns_credentials) return;
  if (s->username != NULL) floe__free_secret(env, s->username, strlen(s->username));
  if (s->credential != NULL) floe__free_secret(env, s->credential, strlen(s->credential));
}

void floe__settings_free(floe__settings *s) {
  if (s == NULL) return;
  for (size_t i = 0; i < s->n_servers; i++) free_server(s->env, &s->servers[i]);
  floe__free(s->env, s->servers);
  for (size_t i = 0; s->interfaces != NULL && i < s->cfg.n_interfaces; i++) floe__free(s->env, s->interfaces[i]);
  floe__free(s->env, s->interfaces);
  floe__free(s->env, s->software);
  floe__free(s->env, s->ca_pem);
  floe__free(s->env, s->rewrites);
  floe__free(s->env, s->local_ufrag);
  if (s->local_pwd != NULL) floe__free_secret(s->env, s->local_pwd, strlen(s->local_pwd));
  floe__free(s->env, s);
}
