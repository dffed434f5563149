#include "check_setup.h"

#include <errno.h>
#include <net/if.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credentials.h"
#include "matrix.h"
#include "mem.h"

enum { CA_FILE_MAX = 16 << 20, MAX_ASKED = 64 };

/* Reads a whole file, "-" being standard input; at most `max` bytes. out: caller wipes and frees. */
static char *read_file(const char *name, size_t max, size_t *len, char *why, size_t cap) {
  bool is_stdin = strcmp(name, "-") == 0;
  FILE *f = is_stdin ? stdin : fopen(name, "rb");
  if (f == NULL) {
    (void)snprintf(why, cap, "cannot read %.150s: %s", name, strerror(errno));
    return NULL;
  }
  char *text = floe__cli_alloc(max + 2);
  *len = fread(text, 1, max + 1, f);
  int error = ferror(f) ? errno : *len > max ? EFBIG : 0;
  if (!is_stdin) (void)fclose(f);
  if (error == 0) return text;
  (void)snprintf(why, cap, "cannot read %.150s: %s", is_stdin ? "standard input" : name, strerror(error));
  floe__cli_wipe(text, *len);
  free(text);
  return NULL;
}

static floe__setup_end add_json(floe__check_setup *setup, const floe__check_options *o, floe__setup_error *why) {
  size_t len;
  if (o->ice_servers == NULL) return FLOE__SETUP_OK;
  char *text = read_file(o->ice_servers, FLOE__ICE_SERVERS_JSON_MAX, &len, why->usage, sizeof why->usage);
  if (text == NULL) return FLOE__SETUP_USAGE;
  floe_status status = floe__ice_servers_json_parse(&setup->list, text, len, &why->refused);
  floe__cli_wipe(text, len);
  free(text);
  setup->n_from_json = setup->list.n;
  return status == FLOE_OK ? FLOE__SETUP_OK : FLOE__SETUP_REFUSED;
}

static bool is_stun(const char *text) {
  floe_ice_url url;
  return floe_ice_url_parse(&url, text, NULL) == FLOE_OK && !url.is_turn;
}

/* One server per URL, so that the order of the arguments is the order of the report. A stun: URL needs no credentials
 * and gets none. */
static floe__setup_end add_arguments(floe__check_setup *setup, const floe__check_options *o, int64_t unix_s,
                                     floe__setup_error *why) {
  floe__credentials c = {0};
  if (o->n_urls == 0) return FLOE__SETUP_OK;
  bool any_turn = false;
  for (size_t i = 0; i < o->n_urls; i++) any_turn = any_turn || !is_stun(o->urls[i]);
  bool got = floe__credentials_get(&c, o, unix_s, any_turn, why->usage, sizeof why->usage);
  for (size_t i = 0; got && i < o->n_urls; i++) {
    bool plain = is_stun(o->urls[i]);
    floe_ice_server *server =
        floe__server_list_add(&setup->list, plain ? NULL : c.username, plain ? NULL : c.credential);
    floe__server_list_add_url(server, o->urls[i]);
  }
  floe__credentials_clear(&c);
  return got ? FLOE__SETUP_OK : FLOE__SETUP_USAGE;
}

static bool has_certificate(const char *pem, size_t len) {
  BIO *bio = BIO_new_mem_buf(pem, (int)len);
  X509 *cert = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
  X509_free(cert);
  BIO_free(bio);
  ERR_clear_error();
  return cert != NULL;
}

static floe__setup_end read_ca_file(floe__check_setup *setup, const floe__check_options *o, floe__setup_error *why) {
  size_t len;
  if (o->ca_file == NULL) return FLOE__SETUP_OK;
  setup->ca_pem = read_file(o->ca_file, CA_FILE_MAX, &len, why->usage, sizeof why->usage);
  if (setup->ca_pem == NULL) return FLOE__SETUP_USAGE;
  if (!has_certificate(setup->ca_pem, len)) {
    (void)snprintf(why->usage, sizeof why->usage, "--ca-file %.150s: there is no PEM certificate in it", o->ca_file);
    return FLOE__SETUP_USAGE;
  }
  setup->cfg.ca_pem = (floe_bytes){(const uint8_t *)setup->ca_pem, len};
  return FLOE__SETUP_OK;
}

/* Names the interfaces that there are: the one asked for is often only spelled differently. */
static void list_interfaces(char *out, size_t cap) {
  struct if_nameindex *all = if_nameindex();
  size_t n = 0;
  out[0] = '\0';
  for (const struct if_nameindex *i = all; i != NULL && i->if_index != 0 && n + 20 < cap; i++) {
    n += (size_t)snprintf(out + n, cap - n, "%s%s", n == 0 ? "" : ", ", i->if_name);
  }
  if (all != NULL) if_freenameindex(all);
}

static floe__setup_end check_interfaces(const floe__check_options *o, floe__setup_error *why) {
  char list[160];
  for (size_t i = 0; i < o->n_interfaces; i++) {
    if (if_nametoindex(o->interfaces[i]) != 0) continue;
    list_interfaces(list, sizeof list);
    (void)snprintf(why->usage, sizeof why->usage, "there is no interface %.32s; there are %.150s", o->interfaces[i],
                   list);
    return FLOE__SETUP_USAGE;
  }
  return FLOE__SETUP_OK;
}

static void fill_config(floe__check_setup *setup, const floe__check_options *o) {
  floe_ice_config *cfg = &setup->cfg;
  cfg->ice_servers = setup->list.servers;
  cfg->n_ice_servers = setup->list.n;
  /* What --all adds does not count against the limit of what may be asked for. */
  if (setup->list.n > setup->n_asked) cfg->max_ice_servers = MAX_ASKED + setup->list.n - setup->n_asked;
  cfg->ice_transport_policy = o->relay_only ? FLOE_ICE_TRANSPORT_POLICY_RELAY : FLOE_ICE_TRANSPORT_POLICY_ALL;
  cfg->no_ipv4 = o->no_ipv4;
  cfg->no_ipv6 = o->no_ipv6;
  cfg->include_loopback = o->include_loopback;
  cfg->interfaces = o->interfaces;
  cfg->n_interfaces = o->n_interfaces;
  cfg->port_min = o->port_min;
  cfg->port_max = o->port_max;
  cfg->tls_insecure = o->insecure;
  cfg->timing.server_timeout_ms = o->timeout_ms;
  cfg->timing.gathering_timeout_ms = o->timeout_ms;
}

floe__setup_end floe__check_setup_make(floe__check_setup *setup, const floe__check_options *o, int64_t unix_s,
                                       floe__setup_error *why) {
  memset(setup, 0, sizeof *setup);
  memset(why, 0, sizeof *why);
  floe_ice_config_init(&setup->cfg, sizeof setup->cfg);
  floe__setup_end end = check_interfaces(o, why);
  if (end == FLOE__SETUP_OK) end = read_ca_file(setup, o, why);
  if (end == FLOE__SETUP_OK) end = add_json(setup, o, why);
  if (end == FLOE__SETUP_OK) end = add_arguments(setup, o, unix_s, why);
  if (end != FLOE__SETUP_OK) return end;
  setup->n_asked = setup->list.n;
  if (o->all) floe__matrix_derive(&setup->list);
  fill_config(setup, o);
  return floe_ice_config_check(&setup->cfg, &why->refused.error) == FLOE_OK ? FLOE__SETUP_OK : FLOE__SETUP_REFUSED;
}

void floe__check_setup_clear(floe__check_setup *setup) {
  floe__server_list_clear(&setup->list);
  free(setup->ca_pem);
  memset(setup, 0, sizeof *setup);
}

const char *floe__check_setup_url(const floe__check_setup *setup, const char *path) {
  size_t server, url;
  if (sscanf(path, "iceServers[%zu].urls[%zu]", &server, &url) != 2) return NULL;
  if (server >= setup->list.n || url >= setup->list.servers[server].n_urls) return NULL;
  return setup->list.servers[server].urls[url];
}
