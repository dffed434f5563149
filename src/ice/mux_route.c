#include <string.h>

#include "ice/mux_internal.h"
#include "stun/integrity.h"

/* --- what comes ------------------------------------------------------------------------------------------------- */

static floe__mux_member *first_at(const floe_ice_mux *mux, const floe_addr *from) {
  const floe__mux_address *address = floe__mux_address_find(mux, floe__mux_address_hash(mux, from), from);
  return address == NULL ? NULL : FLOE__MUX_OF(floe__mux_path, of_address, address->paths.first)->member;
}

/* RFC 8445 7.2.2: the USERNAME of a check is the ufrag of whom it is sent to, a colon, and the sender's. No ice-char is
 * a colon. */
static bool read_check(const floe__stun_msg *m, floe_ice_mux_request *out) {
  floe_bytes name = floe__stun_get(m, FLOE__STUN_USERNAME);
  const uint8_t *colon = name.len == 0 ? NULL : memchr(name.ptr, ':', name.len);
  if (m->method != FLOE__STUN_BINDING || colon == NULL || colon == name.ptr) return false;
  size_t len = (size_t)(colon - name.ptr);
  out->local_ufrag = (floe_bytes){.ptr = name.ptr, .len = len};
  out->remote_ufrag = (floe_bytes){.ptr = colon + 1, .len = name.len - len - 1};
  return true;
}

static floe__mux_member *on_response(const floe_ice_mux *mux, floe_time now, const floe_addr *from,
                                     const floe__stun_msg *m) {
  floe__mux_transaction *txn = floe__mux_transaction_find(mux, m->txn_id);
  /* Of no request that is known: that too is for an agent to say something about. */
  if (txn == NULL) return first_at(mux, from);
  uint64_t hash = floe__mux_address_hash(mux, from);
  /* Only who gets what is sent to the address knows the id. An answer from elsewhere, or a refusal, proves nothing
   * about an address; nor does a second answer, which anyone may have made of the first. */
  if (m->cls == FLOE__STUN_SUCCESS && !txn->is_answered && txn->to_hash == hash) {
    floe__mux_path *path = floe__mux_path_find(mux, txn->member, hash, from);
    if (path != NULL) floe__mux_path_prove(path);
  }
  floe__mux_transaction_answered(now, txn);
  return txn->member;
}

static floe__mux_member *find(const floe_ice_mux *mux, floe_time now, const floe_addr *from, floe_bytes data,
                              floe_ice_mux_request *request) {
  floe__stun_msg m;
  if (floe__stun_msg_parse(&m, data) == FLOE__STUN_NOT_STUN) return first_at(mux, from);
  switch (m.cls) {
    case FLOE__STUN_REQUEST:
      return read_check(&m, request) ? floe__mux_find_ufrag(mux, request->local_ufrag) : first_at(mux, from);
    case FLOE__STUN_SUCCESS:
    case FLOE__STUN_ERROR: return on_response(mux, now, from, &m);
    case FLOE__STUN_INDICATION: return first_at(mux, from);
  }
  return NULL;
}

floe_ice_agent *floe_ice_mux_route(floe_ice_mux *mux, floe_time now, const floe_addr *from, floe_bytes data,
                                   floe_ice_mux_request *request) {
  floe_ice_mux_request unused;
  if (request == NULL) request = &unused;
  *request = (floe_ice_mux_request){0};
  floe__mux_member *member = find(mux, now, from, data, request);
  return member == NULL ? NULL : member->agent;
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

static void note_message(floe_ice_mux *mux, floe_time now, floe__mux_member *member, const floe_addr *to,
                         const floe__stun_msg *m) {
  /* Anyone can get an error response, at any source address: to remember these would let them push out the others. */
  if (m->cls == FLOE__STUN_ERROR) return;
  uint64_t hash = floe__mux_address_hash(mux, to);
  floe__mux_path *path = floe__mux_path_use(mux, member, hash, to);
  if (path != NULL && is_proof(member, m)) floe__mux_path_prove(path);
  if (m->cls == FLOE__STUN_REQUEST) floe__mux_transaction_note(mux, now, member, m->txn_id, hash);
}

/* Data goes only where a check was answered. */
static void note_data(floe_ice_mux *mux, floe__mux_member *member, const floe_addr *to) {
  floe__mux_path *path = floe__mux_path_use(mux, member, floe__mux_address_hash(mux, to), to);
  if (path != NULL) floe__mux_path_prove(path);
}

void floe_ice_mux_note(floe_ice_mux *mux, floe_time now, const floe_ice_agent *agent, const floe_addr *to,
                       floe_bytes data) {
  floe__stun_msg m;
  floe__mux_member *member = floe__mux_find_member(mux, agent);
  if (member == NULL) return;
  if (floe__stun_msg_parse(&m, data) == FLOE__STUN_NOT_STUN) {
    note_data(mux, member, to);
  } else {
    note_message(mux, now, member, to, &m);
  }
}
