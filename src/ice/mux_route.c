#include <string.h>

#include "ice/mux_internal.h"
#include "stun/integrity.h"

/* --- what comes ------------------------------------------------------------------------------------------------- */

static void set_match(floe_ice_mux_match *match, const floe__mux_member *member, floe_sock_id sock) {
  match->agent = member->agent;
  match->user = member->user;
  match->sock = sock;
}

static void by_address(const floe_ice_mux *mux, const floe__mux_ends *ends, floe_ice_mux_match *match) {
  const floe__mux_address *address = floe__mux_address_find(mux, ends);
  if (address == NULL) return;
  const floe__mux_path *path = FLOE__MUX_OF(floe__mux_path, of_address, address->paths.first);
  set_match(match, path->member, floe__mux_name(path->member, &ends->local, path->sock));
}

/* RFC 8445 7.2.2: the USERNAME of a check is the ufrag of whom it is sent to, a colon, and the sender's. No ice-char is
 * a colon. */
static bool read_check(const floe__stun_msg *m, floe_ice_mux_match *out) {
  floe_bytes name = floe__stun_get(m, FLOE__STUN_USERNAME);
  const uint8_t *colon = name.len == 0 ? NULL : memchr(name.ptr, ':', name.len);
  if (m->method != FLOE__STUN_BINDING || colon == NULL || colon == name.ptr) return false;
  size_t len = (size_t)(colon - name.ptr);
  out->local_ufrag = (floe_bytes){.ptr = name.ptr, .len = len};
  out->remote_ufrag = (floe_bytes){.ptr = colon + 1, .len = name.len - len - 1};
  return true;
}

static void on_request(const floe_ice_mux *mux, const floe__mux_ends *ends, const floe__stun_msg *m,
                       floe_ice_mux_match *match) {
  if (!read_check(m, match)) {
    by_address(mux, ends, match);
    return;
  }
  const floe__mux_ufrag *ufrag = floe__mux_find_ufrag(mux, match->local_ufrag);
  if (ufrag == NULL) return;
  set_match(match, ufrag->member, floe__mux_name_in(ufrag->member, &ends->local, ufrag->session));
}

static void on_response(const floe_ice_mux *mux, floe_time now, const floe__mux_ends *ends, const floe__stun_msg *m,
                        floe_ice_mux_match *match) {
  floe__mux_transaction *txn = floe__mux_transaction_find(mux, m->txn_id);
  if (txn == NULL) {
    /* Of no request that is known: that too is for an agent to say something about. */
    by_address(mux, ends, match);
    return;
  }
  /* Only who gets what is sent to the address knows the id. An answer from elsewhere, or a refusal, proves nothing
   * about an address; nor does a second answer, which anyone may have made of the first. */
  if (m->cls == FLOE__STUN_SUCCESS && !txn->is_answered && txn->ends_hash == ends->hash) {
    floe__mux_path *path = floe__mux_path_find(mux, txn->member, ends);
    if (path != NULL) floe__mux_path_prove(path, txn->sock);
  }
  floe__mux_transaction_answered(now, txn);
  set_match(match, txn->member, floe__mux_name(txn->member, &ends->local, txn->sock));
}

bool floe_ice_mux_route(floe_ice_mux *mux, floe_time now, const floe_addr *local, const floe_addr *from,
                        floe_bytes data, floe_ice_mux_match *match) {
  floe__stun_msg m;
  floe__mux_ends ends = floe__mux_ends_of(mux, local, from);
  *match = (floe_ice_mux_match){0};
  if (floe__stun_msg_parse(&m, data) == FLOE__STUN_NOT_STUN) {
    by_address(mux, &ends, match);
    return match->agent != NULL;
  }
  switch (m.cls) {
    case FLOE__STUN_REQUEST: on_request(mux, &ends, &m, match); break;
    case FLOE__STUN_SUCCESS:
    case FLOE__STUN_ERROR: on_response(mux, now, &ends, &m, match); break;
    case FLOE__STUN_INDICATION: by_address(mux, &ends, match); break;
  }
  return match->agent != NULL;
}

bool floe_ice_mux_check_is_signed(floe_bytes check, const char *password) {
  floe__stun_msg m;
  if (floe__stun_msg_parse(&m, check) != FLOE__STUN_OK) return false;
  floe__stun_key key;
  floe__stun_key_init(&key, password, strlen(password));
  bool is_signed = floe__stun_check_integrity(&m, &key) == FLOE__STUN_CHECK_OK;
  floe__stun_key_clear(&key);
  return is_signed;
}

/* --- what is sent ----------------------------------------------------------------------------------------------- */

/* A full agent answers every check that is signed, wherever it claims to come from: that proves nothing, and its own
 * check to that address will. A lite one makes none (RFC 8445 2.5). */
static bool is_proof(const floe__mux_member *member, const floe__stun_msg *m) {
  return m->cls == FLOE__STUN_SUCCESS && member->is_lite;
}

static void note_message(floe_ice_mux *mux, floe_time now, floe__mux_member *member, const floe__mux_ends *ends,
                         floe_sock_id sock, const floe__stun_msg *m) {
  /* Anyone can get an error response, at any source address: to remember these would let them push out the others. */
  if (m->cls == FLOE__STUN_ERROR) return;
  floe__mux_path *path = floe__mux_path_use(mux, member, ends, sock);
  if (path != NULL && is_proof(member, m)) floe__mux_path_prove(path, sock);
  if (m->cls == FLOE__STUN_REQUEST) floe__mux_transaction_note(mux, now, member, m->txn_id, sock, ends->hash);
}

/* Data goes only where a check was answered. */
static void note_data(floe_ice_mux *mux, floe__mux_member *member, const floe__mux_ends *ends, floe_sock_id sock) {
  floe__mux_path *path = floe__mux_path_use(mux, member, ends, sock);
  if (path != NULL) floe__mux_path_prove(path, sock);
}

bool floe_ice_mux_note(floe_ice_mux *mux, floe_time now, const floe_ice_agent *agent, const floe_output *out,
                       floe_addr *local) {
  floe__stun_msg m;
  floe_sock_id sock = out->u.transmit.sock;
  floe__mux_member *member = floe__mux_find_member(mux, agent);
  const floe__mux_binding *binding = member == NULL ? NULL : floe__mux_find_binding(member, sock);
  if (binding == NULL) return false;
  if (local != NULL) *local = binding->local;
  floe__mux_ends ends = floe__mux_ends_of(mux, &binding->local, &out->u.transmit.to);
  if (floe__stun_msg_parse(&m, out->u.transmit.data) == FLOE__STUN_NOT_STUN) {
    note_data(mux, member, &ends, sock);
  } else {
    note_message(mux, now, member, &ends, sock, &m);
  }
  return true;
}
