/* The configuration of a connection (webrtc-pc 4.4.1.6 "set a configuration"): checked whole, then copied. */
#include <string.h>

#include "base/sized.h"
#include "ice/agent_config.h"
#include "pc/pc_internal.h"
#include "tls/certificate.h"

#define DEFAULT_MESSAGE  ((uint64_t)256 * 1024)
#define MAX_MESSAGE      ((uint64_t)1024 * 1024 * 1024)
#define DEFAULT_BUFFERED ((size_t)1024 * 1024)

void floe_pc_config_init(floe_pc_config *cfg, size_t size) {
  memset(cfg, 0, size);
  cfg->size = (uint32_t)size;
}

static void fill_in_defaults(floe_pc_config *c) {
  if (c->max_message_size == 0) c->max_message_size = DEFAULT_MESSAGE;
  if (c->max_buffered_amount == 0) c->max_buffered_amount = DEFAULT_BUFFERED;
  if (c->max_channels == 0) c->max_channels = 256;
  if (c->mtu == 0) c->mtu = 1200;
  if (c->dtls_timeout_ms == 0) c->dtls_timeout_ms = 30000;
  if (c->sctp_port == 0) c->sctp_port = 5000;
}

/* --- checks
 * ----------------------------------------------------------------------------------------------------------- */

static floe_status check_certificates(const floe_pc_config *c, const floe_env *env, floe_time now, floe_error *why) {
  int64_t unix_ms;
  bool knows_time = floe__env_unix_ms(env, now, &unix_ms);
  if (c->n_certificates > 0 && c->certificates == NULL)
    return floe__pc_refuse(why, FLOE_E_TYPE, "certificates", "is missing");
  for (size_t i = 0; i < c->n_certificates; i++) {
    char path[40];
    (void)snprintf(path, sizeof path, "certificates[%zu]", i);
    if (c->certificates[i] == NULL) return floe__pc_refuse(why, FLOE_E_TYPE, path, "is missing");
    if (knows_time && floe_certificate_expires(c->certificates[i]) <= unix_ms) {
      return floe__pc_refuse(why, FLOE_E_ACCESS, path, "has expired");
    }
  }
  return FLOE_OK;
}

static floe_status check(const floe_pc_config *c, const floe_env *env, floe_time now, floe_error *why) {
  if ((int)c->bundle_policy < 0 || c->bundle_policy > FLOE_BUNDLE_POLICY_MAX_BUNDLE) {
    return floe__pc_refuse(why, FLOE_E_TYPE, "bundlePolicy", "is not a policy");
  }
  if (c->rtcp_mux_policy != FLOE_RTCP_MUX_POLICY_REQUIRE) {
    return floe__pc_refuse(why, FLOE_E_TYPE, "rtcpMuxPolicy", "is not a policy");
  }
  if (c->ice_candidate_pool_size > 255) {
    return floe__pc_refuse(why, FLOE_E_TYPE, "iceCandidatePoolSize", "is above 255");
  }
  if (c->max_message_size > MAX_MESSAGE) {
    return floe__pc_refuse(why, FLOE_E_TYPE, "maxMessageSize", "is above 1 GiB");
  }
  if (c->mtu < 576 || c->mtu > 65000) return floe__pc_refuse(why, FLOE_E_TYPE, "mtu", "is not within 576 to 65,000");
  if (c->max_channels > 65535) return floe__pc_refuse(why, FLOE_E_TYPE, "maxChannels", "is above 65,535");
  return check_certificates(c, env, now, why);
}

static floe_status take(floe_pc_config *out, const floe_pc_config *cfg, floe_error *why) {
  floe_pc_config_init(out, sizeof *out);
  if (cfg != NULL && !floe__take_sized(out, sizeof *out, cfg)) {
    return floe__pc_refuse(why, FLOE_E_TYPE, "",
                           "size is not set by floe_pc_config_init, or a member is set that this library lacks");
  }
  fill_in_defaults(out);
  return FLOE_OK;
}

/* --- copying
 * ---------------------------------------------------------------------------------------------------------- */

static void free_server(floe_env *env, floe_ice_server *s) {
  for (size_t i = 0; s->urls != NULL && i < s->n_urls; i++) floe__free(env, (void *)(uintptr_t)s->urls[i]);
  floe__free(env, (void *)(uintptr_t)s->urls);
  floe__free(env, (void *)(uintptr_t)s->username);
  if (s->credential != NULL) floe__free_secret(env, (void *)(uintptr_t)s->credential, strlen(s->credential));
}

static bool copy_text(floe_env *env, const char **out, const char *text) {
  *out = text == NULL ? NULL : floe__strdup(env, text);
  return text == NULL || *out != NULL;
}

static bool copy_server(floe_env *env, floe_ice_server *to, const floe_ice_server *from) {
  const char **urls = floe__zalloc(env, from->n_urls * sizeof *urls);
  to->urls = urls;
  if (urls == NULL) return false;
  to->n_urls = from->n_urls;
  for (size_t i = 0; i < from->n_urls; i++) {
    if (!copy_text(env, &urls[i], from->urls[i])) return false;
  }
  return copy_text(env, &to->username, from->username) && copy_text(env, &to->credential, from->credential);
}

static bool copy_servers(floe__pc_settings *s, floe_env *env, const floe_ice_config *ice) {
  s->ice.ice_servers = NULL;
  s->ice.n_ice_servers = 0;
  if (ice == NULL || ice->n_ice_servers == 0) return true;
  s->servers = floe__zalloc(env, ice->n_ice_servers * sizeof *s->servers);
  if (s->servers == NULL) return false;
  s->ice.ice_servers = s->servers;
  s->ice.n_ice_servers = ice->n_ice_servers;
  for (size_t i = 0; i < ice->n_ice_servers; i++) {
    if (!copy_server(env, &s->servers[i], &ice->ice_servers[i])) return false;
  }
  return true;
}

static bool copy_certificates(floe__pc_settings *s, floe_env *env, const floe_pc_config *c) {
  s->cfg.certificates = NULL;
  s->cfg.n_certificates = 0;
  if (c->n_certificates == 0) return true;
  s->certificates = floe__zalloc(env, c->n_certificates * sizeof *s->certificates);
  if (s->certificates == NULL) return false;
  s->has_given_certificates = true;
  s->cfg.certificates = (const floe_certificate *const *)s->certificates;
  s->cfg.n_certificates = c->n_certificates;
  for (size_t i = 0; i < c->n_certificates; i++) {
    s->certificates[i] = floe__certificate_copy(env, c->certificates[i]);
    if (s->certificates[i] == NULL) return false;
  }
  return true;
}

void floe__pc_settings_clear(floe__pc_settings *s, floe_env *env) {
  for (size_t i = 0; i < s->ice.n_ice_servers && s->servers != NULL; i++) free_server(env, &s->servers[i]);
  floe__free(env, s->servers);
  for (size_t i = 0; i < s->cfg.n_certificates && s->certificates != NULL; i++)
    floe_certificate_free(s->certificates[i]);
  floe__free(env, s->certificates);
  memset(s, 0, sizeof *s);
}

static bool copy_all(floe__pc_settings *s, floe_env *env, const floe_pc_config *c) {
  s->cfg = *c;
  s->cfg.ice = &s->ice;
  if (!copy_certificates(s, env, c)) return false;
  return copy_servers(s, env, c->ice);
}

/* The members that the agent has copied. */
static void follow_agent(floe__pc_settings *s, const floe_ice_agent *agent) {
  const floe_ice_server *servers = s->ice.ice_servers;
  size_t n = s->ice.n_ice_servers;
  s->ice = *floe__agent_config(agent);
  s->ice.ice_servers = servers;
  s->ice.n_ice_servers = n;
}

/* The credentials are the connection's own: descriptions show them. */
static floe_status ice_config(floe_ice_config *out, const floe_pc_config *c, floe_error *why) {
  floe_ice_config_init(out, sizeof *out);
  if (c->ice != NULL && !floe__take_sized(out, sizeof *out, c->ice)) {
    return floe__pc_refuse(why, FLOE_E_TYPE, "ice", "size is not set by floe_ice_config_init");
  }
  out->local_ufrag = out->local_pwd = NULL;
  return FLOE_OK;
}

floe_status floe__pc_settings_init(floe__pc_settings *s, floe_env *env, floe_time now, const floe_pc_config *cfg,
                                   floe_ice_agent **agent, floe_error *why) {
  *agent = NULL;
  memset(s, 0, sizeof *s);
  floe_pc_config known;
  floe_ice_config ice;
  floe_status st = take(&known, cfg, why);
  if (st == FLOE_OK) st = check(&known, env, now, why);
  if (st == FLOE_OK) st = ice_config(&ice, &known, why);
  if (st == FLOE_OK) st = floe_ice_agent_new(agent, env, &ice, why);
  if (st != FLOE_OK) return st;
  known.ice = &ice;
  if (copy_all(s, env, &known)) {
    follow_agent(s, *agent);
    return FLOE_OK;
  }
  floe__pc_settings_clear(s, env);
  floe_ice_agent_free(*agent);
  *agent = NULL;
  return floe__pc_refuse(why, FLOE_E_NOMEM, "", NULL);
}

/* --- certificates
 * ------------------------------------------------------------------------------------------------------ */

const floe_certificate *floe__pc_certificate(floe_pc *pc) {
  floe__pc_settings *s = &pc->settings;
  if (s->cfg.n_certificates > 0) return s->certificates[0];
  floe_certificate *made;
  if (floe_certificate_generate(&made, pc->env, pc->now, NULL, NULL) != FLOE_OK) return NULL;
  s->certificates = floe__zalloc(pc->env, sizeof *s->certificates);
  if (s->certificates == NULL) {
    floe_certificate_free(made);
    return NULL;
  }
  s->certificates[0] = made;
  s->cfg.certificates = (const floe_certificate *const *)s->certificates;
  s->cfg.n_certificates = 1;
  return made;
}

/* --- setConfiguration
 * --------------------------------------------------------------------------------------------------- */

static bool are_same_certificates(const floe__pc_settings *s, const floe_pc_config *c) {
  if (c->n_certificates == 0) return true; /* webrtc-pc: only a member that is given is compared */
  if (c->n_certificates != s->cfg.n_certificates) return false;
  for (size_t i = 0; i < c->n_certificates; i++) {
    if (!floe__certificate_equal(c->certificates[i], s->certificates[i])) return false;
  }
  return true;
}

static floe_status check_modification(const floe_pc *pc, const floe_pc_config *c, floe_error *why) {
  const floe_pc_config *old = &pc->settings.cfg;
  const char *member = NULL;
  if (!are_same_certificates(&pc->settings, c)) member = "certificates";
  if (c->bundle_policy != old->bundle_policy) member = "bundlePolicy";
  if (c->rtcp_mux_policy != old->rtcp_mux_policy) member = "rtcpMuxPolicy";
  bool has_description = floe__signaling_local(pc) != NULL;
  if (c->ice_candidate_pool_size != old->ice_candidate_pool_size && has_description) member = "iceCandidatePoolSize";
  if (member == NULL) return FLOE_OK;
  return floe__pc_refuse(why, FLOE_E_MODIFICATION, member, "cannot be changed any more");
}

/* The limits that only the start looks at stay what they were. */
static void keep_fixed(floe_pc_config *c, const floe_pc_config *old) {
  c->max_message_size = old->max_message_size;
  c->max_buffered_amount = old->max_buffered_amount;
  c->max_channels = old->max_channels;
  c->mtu = old->mtu;
  c->dtls_timeout_ms = old->dtls_timeout_ms;
  c->sctp_port = old->sctp_port;
  c->no_interleaving = old->no_interleaving;
  c->keylog = old->keylog;
  c->keylog_user = old->keylog_user;
  c->certificates = old->certificates;
  c->n_certificates = old->n_certificates;
}

/* Of the agent's options only servers and policy can change (floe/pc.h). */
static void merge_ice(floe_ice_config *out, const floe_pc *pc, const floe_ice_config *wanted) {
  *out = *floe__agent_config(pc->transport.agent);
  out->ice_servers = wanted->ice_servers;
  out->n_ice_servers = wanted->n_ice_servers;
  out->max_ice_servers = wanted->max_ice_servers;
  out->ice_transport_policy = wanted->ice_transport_policy;
  out->local_ufrag = out->local_pwd = NULL;
}

/* The certificates change hands: they are the same. */
static bool replace_settings(floe_pc *pc, const floe_pc_config *known) {
  floe__pc_settings *old = &pc->settings, next = {0};
  next.cfg = *known;
  if (!copy_servers(&next, pc->env, known->ice)) {
    floe__pc_settings_clear(&next, pc->env);
    return false;
  }
  next.certificates = old->certificates;
  next.has_given_certificates = old->has_given_certificates;
  old->certificates = NULL;
  old->cfg.n_certificates = 0;
  floe__pc_settings_clear(old, pc->env);
  *old = next;
  old->cfg.ice = &old->ice;
  old->cfg.certificates = (const floe_certificate *const *)old->certificates;
  follow_agent(old, pc->transport.agent);
  return true;
}

static floe_status start_pool(floe_pc *pc, floe_error *why) {
  if (pc->settings.cfg.ice_candidate_pool_size == 0 || pc->transport.has_gathered) return FLOE_OK;
  floe_status st = floe_ice_agent_prefetch(pc->transport.agent, pc->now);
  if (st == FLOE_E_STATE) return FLOE_OK; /* it goes on already */
  return st == FLOE_OK ? st : floe__pc_refuse(why, st, "", NULL);
}

floe_status floe_pc_set_configuration(floe_pc *pc, floe_time now, const floe_pc_config *cfg, floe_error *why) {
  floe__pc_advance(pc, now);
  if (floe__pc_is_closed(pc)) return floe__pc_refuse(why, FLOE_E_STATE, "", "the connection is closed");
  floe_pc_config known;
  floe_ice_config given, merged;
  floe_status st = take(&known, cfg, why);
  if (st == FLOE_OK) st = check(&known, pc->env, pc->now, why);
  if (st == FLOE_OK) st = check_modification(pc, &known, why);
  if (st == FLOE_OK) st = ice_config(&given, &known, why);
  if (st != FLOE_OK) return st;
  merge_ice(&merged, pc, &given);
  st = floe_ice_agent_set_configuration(pc->transport.agent, pc->now, &merged, why);
  if (st != FLOE_OK) return st;
  keep_fixed(&known, &pc->settings.cfg);
  known.ice = &merged;
  if (!replace_settings(pc, &known)) return floe__pc_refuse(why, FLOE_E_NOMEM, "", NULL);
  return start_pool(pc, why);
}

const floe_pc_config *floe_pc_configuration(const floe_pc *pc) {
  return &pc->settings.cfg;
}
