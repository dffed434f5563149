/* What an ended attempt tells: everything known is copied out of the machines that decided it, which then go. */
#include <string.h>

#include "ice/gather.h"

/* --- TLS ------------------------------------------------------------------------------------------------------- */

/* The strings of a floe_tls_info behind it, in one block. */
struct floe__tls_copy {
  floe_tls_info info;
  char text[];
};

static void for_each_text(floe_tls_info *info, void (*fn)(const char **text, void *user), void *user) {
  fn(&info->version, user);
  fn(&info->cipher, user);
  fn(&info->subject, user);
  fn(&info->issuer, user);
  fn(&info->names, user);
  fn(&info->alert_text, user);
  fn(&info->verify_text, user);
}

static void add_length(const char **text, void *user) {
  if (*text != NULL) *(size_t *)user += strlen(*text) + 1;
}

static void move_text(const char **text, void *user) {
  if (*text == NULL) return;
  char **at = user;
  size_t len = strlen(*text) + 1;
  memcpy(*at, *text, len);
  *text = *at;
  *at += len;
}

static struct floe__tls_copy *copy_tls(floe_env *env, const floe_tls_info *from) {
  floe_tls_info info = *from;
  size_t len = 0;
  for_each_text(&info, add_length, &len);
  struct floe__tls_copy *copy = floe__alloc(env, sizeof *copy + len);
  if (copy == NULL) return NULL;
  copy->info = info;
  char *at = copy->text;
  for_each_text(&copy->info, move_text, &at);
  return copy;
}

/* --- the parts ------------------------------------------------------------------------------------------------- */

static void describe_place(floe__attempt *a) {
  floe_attempt_detail *d = &a->report.detail;
  const floe__gather_server *s = a->server;
  d->server_index = s->config->server_index;
  d->url_index = s->config->url_index;
  d->transport = s->url.transport;
  d->family = a->family;
  if (s->url.addr.family == FLOE_FAMILY_NONE) d->server_name = s->url.host;
  if (a->n_addrs > 0) d->server_address = a->addrs[0];
  if (s->url.addr.family != FLOE_FAMILY_NONE) { /* a literal's is known without any base */
    d->server_address = s->url.addr;
    d->family = (floe_family)s->url.addr.family;
  }
  d->started_ms = floe__ms_between(a->gather->started_at, a->started_at);
  d->elapsed_ms = floe__ms_between(a->started_at, a->ended_at);
}

static void describe_lookup(floe__attempt *a) {
  floe__lookup *l = a->server->lookup;
  if (l == NULL) return;
  const floe__lookup_family *f = floe__lookup_of(l, a->family);
  if (f->state != FLOE__LOOKUP_ANSWERED) return;
  a->report.detail.has_dns_status = true;
  a->report.detail.dns_status = f->status;
  a->report.has_dns_ms = true;
  a->report.dns_ms = floe__ms_between(l->started_at, f->answered_at);
}

static void describe_times(floe__attempt *a, const floe__try *t) {
  floe_attempt_report *r = &a->report;
  const floe__times *times = &t->times;
  floe_time from = times->opened_at;
  if (a->server->url.transport != FLOE_TRANSPORT_UDP && from != FLOE_TIME_NEVER) {
    r->has_connect_ms = true;
    r->connect_ms = floe__ms_between(times->connecting_at, from);
  }
  if (times->secured_at != FLOE_TIME_NEVER) {
    r->has_tls_ms = true;
    r->tls_ms = floe__ms_between(from, times->secured_at);
  }
  if (times->requested_at != FLOE_TIME_NEVER && t->answered && times->ended_at != FLOE_TIME_NEVER) {
    r->has_request_ms = true;
    r->request_ms = floe__ms_between(times->requested_at, times->ended_at);
  }
}

static void describe_network(floe__attempt *a, const floe__try *t) {
  floe_env *env = a->gather->io->env;
  floe_attempt_detail *d = &a->report.detail;
  d->server_address = t->server;
  d->has_os_error = t->os_error != 0;
  d->os_error = t->os_error;
  if (t->os_error_text[0] != '\0') a->os_error_text = floe__strdup(env, t->os_error_text);
  d->os_error_text = a->os_error_text;
  d->has_icmp = t->has_icmp;
  d->icmp_type = t->icmp_type;
  d->icmp_code = t->icmp_code;
  d->attempts = floe__try_sent(t);
  d->has_rtt = floe__try_rtt(t, &d->rtt_ms);
  if (t->tls != NULL) a->tls = copy_tls(env, floe__tls_info_of(t->tls));
  d->tls = a->tls == NULL ? NULL : &a->tls->info;
}

static void describe_server(floe__attempt *a, const floe__try *t) {
  floe_env *env = a->gather->io->env;
  floe_attempt_report *r = &a->report;
  r->discarded = t->discarded + (t->binding != NULL ? t->binding->discarded : 0);
  r->redirects = t->redirects;
  r->unauthenticated_redirect = t->unauthenticated_redirect;
  r->mapped = t->mapped;
  if (t->realm != NULL) a->realm = floe__strdup(env, t->realm);
  if (t->software != NULL) a->software = floe__strdup(env, t->software);
  r->detail.realm = a->realm;
  r->detail.software = a->software;
  const floe__turn *turn = t->turn;
  if (turn == NULL) return;
  r->discarded += turn->request.discarded;
  r->mapped = turn->mapped;
  r->relayed = turn->relayed;
  r->relayed_additional = turn->relayed_additional;
  r->additional_error = turn->additional_error;
  r->has_lifetime = r->outcome == FLOE_ATTEMPT_CANDIDATE;
  r->lifetime_s = r->has_lifetime ? turn->lifetime_s : 0;
  if (turn->auth.realm != NULL) {
    size_t len = strlen(turn->auth.realm);
    a->realm = floe__alloc(env, 3 * len + 1); /* a byte that is no UTF-8 becomes three */
    if (a->realm != NULL) {
      (void)floe__stun_decode_text(a->realm, 3 * len + 1, (floe_bytes){(const uint8_t *)turn->auth.realm, len});
    }
  }
  if (turn->software != NULL) a->software = floe__strdup(env, turn->software);
  r->detail.realm = a->realm;
  r->detail.software = a->software;
}

static void describe_failure(floe__attempt *a, const floe__try *t) {
  floe_attempt_report *r = &a->report;
  if (t != NULL && r->outcome == FLOE_ATTEMPT_ERROR) {
    r->detail.cause = t->failure.cause;
    r->detail.phase = t->failure.phase;
    r->error_code = t->failure.code;
    if (t->failure.reason != NULL) a->reason = floe__strdup(a->gather->io->env, t->failure.reason);
  }
  if (r->outcome == FLOE_ATTEMPT_CANDIDATE) {
    r->detail.cause = FLOE_CAUSE_NONE;
    r->detail.phase = a->server->url.is_turn ? FLOE_PHASE_ALLOCATE : FLOE_PHASE_BINDING;
    return;
  }
  if (r->outcome == FLOE_ATTEMPT_CANCELLED) return;
  if (r->error_code == 0) {
    r->error_code = 701;
    r->error_text = floe__gather_error_text(r->detail.cause);
  } else {
    r->error_text = a->reason != NULL ? a->reason : floe__stun_reason(r->error_code);
  }
  const char *hint = floe_cause_hint(r->detail.cause);
  r->detail.hint = hint[0] == '\0' ? NULL : hint;
}

void floe__attempt_describe(floe__attempt *a, const floe__try *t) {
  describe_place(a);
  describe_lookup(a);
  if (t != NULL) {
    describe_times(a, t);
    describe_network(a, t);
    describe_server(a, t);
  }
  describe_failure(a, t);
}

void floe__attempt_hide(floe__attempt *a) {
  if (a->frozen) return;
  floe_attempt_detail *d = &a->report.detail;
  /* W3C: port is absent exactly when address is; so an address whose port is not known is not told. */
  bool told = a->base != NULL && a->local.port != 0 && floe__candidate_exposes(a->gather->candidates, &a->local);
  d->local_address = told ? a->local : (floe_addr){0};
  d->interface = told ? a->base->interface.name : NULL;
}

void floe__attempt_forget(floe__attempt *a) {
  floe_env *env = a->gather->io->env;
  floe__free(env, a->reason);
  floe__free(env, a->realm);
  floe__free(env, a->software);
  floe__free(env, a->os_error_text);
  floe__free(env, a->tls);
  floe__free(env, a->told);
}
