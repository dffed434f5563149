/* Another server, or another port: ALTERNATE-SERVER (RFC 8489 10) and 437 (RFC 8656 7.4), as the contract's section 3
 * bounds them. */
#include <string.h>

#include "ice/gather_try_internal.h"

static bool was_visited(const floe__try *t, const floe_addr *server) {
  for (uint32_t i = 0; i < t->n_visited; i++) {
    if (floe_addr_equal(&t->visited[i], server)) return true;
  }
  return false;
}

/* Copies what the 300 said, for it may still come to stand. False: no memory. */
static bool remember(floe__try *t) {
  floe_env *env = t->setup.io->env;
  char *reason = floe__strdup(env, t->turn->outcome.error.reason);
  if (reason == NULL) return false;
  floe__free(env, t->redirect_reason);
  t->redirect_reason = reason;
  if (t->turn->redirect_signed && t->turn->alternate_domain != NULL) {
    char *domain = floe__strdup(env, t->turn->alternate_domain);
    if (domain == NULL) return false;
    floe__free(env, t->alternate_domain);
    t->alternate_domain = domain;
  }
  return true;
}

floe__try_step floe__try_follow_redirect(floe__try *t) {
  const floe__stun_outcome *o = &t->turn->outcome;
  floe_addr alternate = t->turn->alternate;
  if (alternate.family == FLOE_FAMILY_NONE) {
    return floe__try_fail(t, FLOE_CAUSE_REDIRECT_REFUSED, o->code, o->error.reason);
  }
  if (alternate.port == 0) alternate.port = t->server.port;
  if (floe_addr_is_link_local(&alternate)) alternate.scope_id = t->setup.base->interface.addr.scope_id;
  if (t->redirects >= FLOE__MAX_REDIRECTS || was_visited(t, &alternate)) {
    return floe__try_fail(t, FLOE_CAUSE_REDIRECT_LOOP, o->code, o->error.reason);
  }
  if (!remember(t)) return floe__try_fail(t, FLOE_CAUSE_SOCKET_FAILED, o->code, o->error.reason);
  t->unauthenticated_redirect = t->unauthenticated_redirect || !t->turn->redirect_signed;
  t->redirects++;
  t->visited[t->n_visited++] = alternate;
  floe__try_disconnect(t); /* its last words still go to the former server */
  t->server = alternate;
  t->first_discard = FLOE_CAUSE_NONE; /* what was met at the former server says nothing of this one */
  t->soft_errors = 0;
  t->os_error = 0;
  t->os_error_text[0] = '\0';
  t->has_icmp = false;
  /* The attempt belongs to its base: an alternate that this base does not serve is not reached. */
  if (!floe__base_serves(t->setup.base, &alternate)) return floe__try_fail(t, FLOE_CAUSE_NO_LOCAL_ADDRESS, 0, NULL);
  return floe__try_connect(t);
}

floe__try_step floe__try_take_new_port(floe__try *t) {
  const floe__stun_outcome *o = &t->turn->outcome;
  if (t->new_ports >= FLOE__MAX_NEW_PORTS) {
    return floe__try_fail(t, FLOE_CAUSE_ALLOC_MISMATCH, o->code, o->error.reason);
  }
  char *reason = floe__strdup(t->setup.io->env, o->error.reason);
  if (reason == NULL) return floe__try_fail(t, FLOE_CAUSE_ALLOC_MISMATCH, o->code, o->error.reason);
  floe__free(t->setup.io->env, t->mismatch_reason);
  t->mismatch_reason = reason;
  t->new_ports++;
  floe__udp_socket former = t->udp; /* closed after the new one is open: so that it cannot be the same port again */
  bool has_former = t->owns_udp;
  t->owns_udp = false;
  floe__try_disconnect(t);
  t->owns_udp = true;
  memset(&t->udp, 0, sizeof t->udp);
  floe__try_step step = floe__try_connect(t);
  if (has_former) floe__udp_close(&former, t->setup.io);
  return step;
}
