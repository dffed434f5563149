/* Configurations, channel options and candidates from JSON, with W3C's names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pc_peer.h"

static const char *text_of(const json_t *object, const char *name) {
  return json_string_value(json_object_get(object, name));
}

static bool is_true(const json_t *object, const char *name) {
  return json_is_true(json_object_get(object, name));
}

static uint64_t number_of(const json_t *object, const char *name) {
  json_int_t value = json_integer_value(json_object_get(object, name));
  return value < 0 ? 0 : (uint64_t)value;
}

/* `urls` is a string or an array of strings. */
static bool read_urls(floe_ice_server *server, const char **urls, const json_t *from) {
  if (json_is_string(from)) {
    urls[server->n_urls++] = json_string_value(from);
    return true;
  }
  for (size_t i = 0; i < json_array_size(from); i++) {
    if (server->n_urls == WISH_URLS) return false;
    urls[server->n_urls++] = json_string_value(json_array_get(from, i));
  }
  return true;
}

static bool read_servers(wish_config *out, const json_t *from) {
  for (size_t i = 0; i < json_array_size(from); i++) {
    const json_t *one = json_array_get(from, i);
    if (i == WISH_SERVERS) return false;
    floe_ice_server *server = &out->servers[i];
    server->urls = out->urls[i];
    if (!read_urls(server, out->urls[i], json_object_get(one, "urls"))) return false;
    server->username = text_of(one, "username");
    server->credential = text_of(one, "credential");
  }
  out->ice.ice_servers = out->servers;
  out->ice.n_ice_servers = json_array_size(from);
  return true;
}

static bool read_ca(wish_config *out, const char *path) {
  enum { MAX_FILE = 65536 };
  FILE *file = fopen(path, "rb");
  out->ca = malloc(MAX_FILE);
  size_t len = file == NULL || out->ca == NULL ? 0 : fread(out->ca, 1, MAX_FILE, file);
  if (file != NULL) (void)fclose(file);
  out->ice.ca_pem = (floe_bytes){(const uint8_t *)out->ca, len};
  return len > 0;
}

static void read_ice_options(floe_ice_config *ice, const json_t *from) {
  ice->mdns_hide_hosts = is_true(from, "mdnsHideHosts");
  ice->no_mdns = is_true(from, "noMdns");
  ice->include_loopback = is_true(from, "includeLoopback");
  ice->no_ipv4 = is_true(from, "noIpv4");
  ice->no_ipv6 = is_true(from, "noIpv6");
  ice->no_tcp = is_true(from, "noTcp");
  ice->tcp_passive = is_true(from, "tcpPassive");
  ice->lite = is_true(from, "lite");
  ice->tls_insecure = is_true(from, "tlsInsecure");
  ice->timing.patience_ms = (uint32_t)number_of(from, "patienceMs");
  ice->timing.check_rto_ms = (uint32_t)number_of(from, "checkRtoMs");
}

static void read_pc_options(floe_pc_config *pc, const json_t *from) {
  pc->max_message_size = number_of(from, "maxMessageSize");
  pc->max_buffered_amount = (size_t)number_of(from, "maxBufferedAmount");
  pc->max_channels = (uint32_t)number_of(from, "maxChannels");
  pc->mtu = (uint16_t)number_of(from, "mtu");
  pc->dtls_timeout_ms = (uint32_t)number_of(from, "dtlsTimeoutMs");
  pc->sctp_port = (uint16_t)number_of(from, "sctpPort");
  pc->no_interleaving = is_true(from, "noInterleaving");
}

static bool read_policies(wish_config *out, const json_t *from, const char **why) {
  const char *transport = text_of(from, "iceTransportPolicy"), *bundle = text_of(from, "bundlePolicy");
  if (transport != NULL && strcmp(transport, "relay") == 0) {
    out->ice.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  }
  if (bundle != NULL && strcmp(bundle, "max-bundle") == 0) {
    out->pc.bundle_policy = FLOE_BUNDLE_POLICY_MAX_BUNDLE;
  } else if (bundle != NULL && strcmp(bundle, "max-compat") == 0) {
    out->pc.bundle_policy = FLOE_BUNDLE_POLICY_MAX_COMPAT;
  } else if (bundle != NULL && strcmp(bundle, "balanced") != 0) {
    *why = "no such bundlePolicy";
    return false;
  }
  return true;
}

bool wish_read_config(wish_config *out, const json_t *from, const char **why) {
  memset(out, 0, sizeof *out);
  floe_pc_config_init(&out->pc, sizeof out->pc);
  floe_ice_config_init(&out->ice, sizeof out->ice);
  out->pc.ice = &out->ice;
  const json_t *own = json_object_get(from, "floe");
  const char *ca = text_of(own, "caFile");
  if (!read_servers(out, json_object_get(from, "iceServers"))) {
    *why = "too many servers or URLs";
    return false;
  }
  if (!read_policies(out, from, why)) return false;
  out->pc.ice_candidate_pool_size = (uint32_t)number_of(from, "iceCandidatePoolSize");
  read_ice_options(&out->ice, own);
  read_pc_options(&out->pc, own);
  if (ca != NULL && !read_ca(out, ca)) {
    *why = "caFile cannot be read";
    return false;
  }
  return true;
}

void wish_free_config(wish_config *config) {
  free(config->ca);
  config->ca = NULL;
}

void wish_read_init(floe_data_channel_init *out, const json_t *from) {
  floe_data_channel_init_init(out, sizeof *out);
  out->unordered = json_is_false(json_object_get(from, "ordered"));
  out->has_max_packet_life_time = json_is_integer(json_object_get(from, "maxPacketLifeTime"));
  out->max_packet_life_time = (uint16_t)number_of(from, "maxPacketLifeTime");
  out->has_max_retransmits = json_is_integer(json_object_get(from, "maxRetransmits"));
  out->max_retransmits = (uint16_t)number_of(from, "maxRetransmits");
  out->protocol = text_of(from, "protocol");
  out->negotiated = is_true(from, "negotiated");
  out->has_id = json_is_integer(json_object_get(from, "id"));
  out->id = (uint16_t)number_of(from, "id");
}

void wish_read_candidate(floe_ice_candidate_init *out, const json_t *from) {
  memset(out, 0, sizeof *out);
  out->candidate = text_of(from, "candidate");
  out->sdp_mid = text_of(from, "sdpMid");
  out->has_sdp_m_line_index = json_is_integer(json_object_get(from, "sdpMLineIndex"));
  out->sdp_m_line_index = (uint16_t)number_of(from, "sdpMLineIndex");
  out->username_fragment = text_of(from, "usernameFragment");
}
