#include "support/sim_responder.h"

#include <string.h>

static void take_request(sim_responder *r, floe_bytes data) {
  floe__stun_msg request;
  if (floe__stun_msg_parse(&request, data) != FLOE__STUN_OK) {
    sim_fail(r->s, "the responder got what is no request");
    return;
  }
  r->respond(r, &request, r->n++);
}

static void on_datagram(void *user, const floe_addr *from, floe_bytes data) {
  sim_responder *r = user;
  r->from = *from;
  take_request(r, data);
}

static void on_bytes(void *user, floe_bytes data) {
  take_request(user, data);
}

static void on_failed(void *user, floe_net_error error) {
  (void)error;
  sim_responder *r = user;
  r->tcp = NULL;
}

static void on_end(void *user) {
  sim_responder *r = user;
  if (r->tcp != NULL) sim_tcp_close(r->tcp);
  r->tcp = NULL;
}

static const sim_udp_ops udp_ops = {.on_datagram = on_datagram};
static const sim_tcp_ops tcp_ops = {.on_failed = on_failed, .on_bytes = on_bytes, .on_end = on_end};

static void on_accept(void *user, sim_tcp *conn, const floe_addr *from) {
  sim_responder *r = user;
  r->tcp = conn;
  r->from = *from;
  sim_tcp_set(conn, &tcp_ops, r);
}

static sim_responder *make(sim_host *h, sim_respond_fn respond) {
  uint8_t key[FLOE__STUN_MAX_KEY];
  sim_responder *r = sim_keep(sim_host_sim(h), sizeof *r);
  r->s = sim_host_sim(h);
  r->respond = respond;
  size_t len = floe__stun_derive_key(key, FLOE__STUN_ALGORITHM_MD5, "user", "floe.test", "secret");
  floe__stun_key_init(&r->key, key, len);
  return r;
}

sim_responder *sim_responder_udp(sim_host *h, const char *local, sim_respond_fn respond) {
  floe_net_error why;
  floe_addr addr = sim_addr(local);
  sim_responder *r = make(h, respond);
  r->udp = sim_must(sim_udp_open(h, &addr, &udp_ops, r, &why));
  return r;
}

sim_responder *sim_responder_tcp(sim_host *h, const char *local, sim_respond_fn respond) {
  floe_addr addr = sim_addr(local);
  sim_responder *r = make(h, respond);
  if (!sim_tcp_listen(h, &addr, on_accept, r)) sim_fail(r->s, "cannot listen at %s", local);
  return r;
}

/* --- answers ---------------------------------------------------------------------------------------------------- */

floe__stun_builder *sim_responder_begin(sim_responder *r, const floe__stun_msg *request, floe__stun_class cls) {
  floe__stun_begin(&r->answer, r->buf, sizeof r->buf, cls, request->method, request->txn_id);
  return &r->answer;
}

void sim_responder_send_bytes(sim_responder *r, floe_bytes bytes) {
  if (r->udp != NULL) {
    sim_udp_send(r->udp, &r->from, bytes);
  } else if (r->tcp != NULL) {
    sim_tcp_send(r->tcp, bytes);
  }
}

void sim_responder_send(sim_responder *r) {
  sim_responder_send_bytes(r, floe__stun_end(&r->answer));
}

void sim_responder_send_signed(sim_responder *r) {
  floe__stun_put_integrity(&r->answer, &r->key);
  sim_responder_send(r);
}

void sim_responder_error(sim_responder *r, const floe__stun_msg *request, unsigned code, const char *reason) {
  floe__stun_put_error(sim_responder_begin(r, request, FLOE__STUN_ERROR), code, reason);
}

void sim_responder_challenge(sim_responder *r, const floe__stun_msg *request) {
  sim_responder_error(r, request, 401, "Unauthenticated");
  floe__stun_put_text(&r->answer, FLOE__STUN_REALM, "floe.test");
  floe__stun_put_text(&r->answer, FLOE__STUN_NONCE, "a nonce");
  sim_responder_send(r);
}

void sim_responder_success(sim_responder *r, const floe__stun_msg *request) {
  floe__stun_builder *b = sim_responder_begin(r, request, FLOE__STUN_SUCCESS);
  floe_addr relayed = sim_addr("192.0.2.1:49152");
  if (request->method == FLOE__STUN_ALLOCATE) {
    floe__stun_put_xor_addr(b, FLOE__STUN_XOR_RELAYED_ADDRESS, &relayed);
    floe__stun_put_u32(b, FLOE__STUN_LIFETIME, 600);
  }
  if (request->method == FLOE__STUN_REFRESH) floe__stun_put_u32(b, FLOE__STUN_LIFETIME, 0);
  floe__stun_put_xor_addr(b, FLOE__STUN_XOR_MAPPED_ADDRESS, &r->from);
}
