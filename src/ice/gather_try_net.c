/* What the network says to a try: TCP, TLS and ICMP errors, streams, failed sends (the contract's section 5, "what the
 * network tells us is used at once"). */
#include <stdio.h>
#include <string.h>

#include "ice/gather_try_internal.h"
#include "ice/net_cause.h"

bool floe__try_uses_socket(const floe__try *t, floe_sock_id sock) {
  if (t->state == FLOE__TRY_ENDED || t->state == FLOE__TRY_NEW) return false;
  if (floe__try_is_stream(t)) return t->tcp == sock;
  return (t->owns_udp ? t->udp.id : t->setup.base->udp.id) == sock;
}

static void note_os_error(floe__try *t, const floe_input *in) {
  if (in->os_error == 0) return;
  t->os_error = in->os_error;
  (void)snprintf(t->os_error_text, sizeof t->os_error_text, "%s", in->os_error_text == NULL ? "" : in->os_error_text);
}

/* --- streams --------------------------------------------------------------------------------------------------- */

/* Bytes of a stream cannot be left out: without memory for them the connection is over. */
static void send_stream(floe__try *t, floe_bytes bytes) {
  if (t->tcp_broken || floe__io_transmit(t->setup.io, t->tcp, &t->server, bytes)) return;
  t->tcp_broken = true;
  if (floe__try_is_open(t) || t->state == FLOE__TRY_LIVE) t->late_loss = FLOE_CAUSE_SOCKET_FAILED;
}

void floe__try_flush_tls(floe__try *t) {
  for (;;) {
    floe_bytes out = floe__tls_output(t->tls);
    if (out.len == 0) return;
    send_stream(t, out);
    floe__tls_sent(t->tls, out.len);
  }
}

void floe__try_send(void *try_, floe_bytes message) {
  floe__try *t = try_;
  if (t->tls != NULL) {
    if (floe__tls_write(t->tls, message)) floe__try_flush_tls(t);
  } else if (floe__try_is_stream(t)) {
    send_stream(t, message);
  } else {
    const floe__udp_socket *udp = t->owns_udp ? &t->udp : &t->setup.base->udp;
    (void)floe__io_transmit(t->setup.io, udp->id, &t->server, message);
  }
}

/* The connection broke or ended. */
static floe__try_step lose_connection(floe__try *t, floe_cause cause) {
  bool allocated = t->turn != NULL && (t->state == FLOE__TRY_LIVE || t->state == FLOE__TRY_DELETING);
  if (!allocated) return floe__try_fail(t, cause, 0, NULL);
  bool deleting = t->state == FLOE__TRY_DELETING;
  floe__turn_abandon(t->turn);
  (void)floe__try_fail(t, cause, 0, NULL);
  t->failure.code = 0; /* a redirect that was followed to the end is no part of this */
  return deleting ? FLOE__TRY_STEP_DELETED : FLOE__TRY_STEP_LOST;
}

/* Success and loss may come in one read, and a call brings about one step: the success is told, the loss of an
 * allocation at the next deadline, which is now. A STUN server has done its part. */
static floe__try_step lose_after(floe__try *t, floe__try_step so_far, floe_cause cause) {
  if (so_far != FLOE__TRY_STEP_SUCCEEDED) return lose_connection(t, cause);
  if (t->turn != NULL) t->late_loss = cause;
  return so_far;
}

floe__try_step floe__try_lose_late(floe__try *t) {
  floe_cause cause = t->late_loss;
  t->late_loss = FLOE_CAUSE_NONE;
  return lose_connection(t, cause);
}

/* Nothing more is to be read: the try has ended, its allocation has been lost, or another connection took the place of
 * this one. */
static bool is_over(const floe__try *t, floe_sock_id tcp) {
  bool has_stun_answer = t->state == FLOE__TRY_LIVE && t->turn == NULL;
  return t->tcp != tcp || t->state == FLOE__TRY_ENDED || t->late_loss != FLOE_CAUSE_NONE || has_stun_answer;
}

/* Whole messages out of plain bytes. */
static floe__try_step on_plain(floe__try *t, floe_bytes in) {
  floe__try_step result = FLOE__TRY_STEP_NONE;
  floe_sock_id tcp = t->tcp;
  while (!is_over(t, tcp)) {
    floe_bytes message;
    /* ChannelData may still be on its way while the allocation is being deleted. */
    t->framer.channel_data = t->state == FLOE__TRY_LIVE || t->state == FLOE__TRY_DELETING;
    switch (floe__turn_framer_next(&t->framer, &in, &message)) {
      case FLOE__TURN_FRAME_MORE: return result;
      case FLOE__TURN_FRAME_BAD: return lose_after(t, result, FLOE_CAUSE_NOT_STUN);
      case FLOE__TURN_FRAME_NOMEM: return lose_after(t, result, FLOE_CAUSE_SOCKET_FAILED);
      case FLOE__TURN_FRAME_MESSAGE: break;
    }
    bool taken;
    floe_cause discard;
    floe__try_step step = floe__try_on_message(t, message, &taken, &discard);
    if (!taken) floe__try_count_discard(t, discard);
    if (step != FLOE__TRY_STEP_NONE) result = step;
  }
  return result;
}

/* Decrypted bytes in pieces. */
static floe__try_step on_decrypted(floe__try *t) {
  floe__try_step result = FLOE__TRY_STEP_NONE;
  floe_sock_id tcp = t->tcp;
  uint8_t buf[4096];
  while (!is_over(t, tcp)) {
    size_t n = floe__tls_read(t->tls, buf, sizeof buf);
    if (n == 0) break;
    floe__try_step step = on_plain(t, (floe_bytes){buf, n});
    if (step != FLOE__TRY_STEP_NONE) result = step;
  }
  return result;
}

static floe__try_step on_tls_bytes(floe__try *t, floe_bytes data) {
  floe_sock_id tcp = t->tcp;
  floe__tls_on_bytes(t->tls, data, t->setup.io->now);
  floe__try_flush_tls(t);
  if (t->state == FLOE__TRY_TLS && floe__tls_state_of(t->tls) == FLOE__TLS_OPEN) {
    t->step_deadline = FLOE_TIME_NEVER;
    t->times.secured_at = t->setup.io->now;
    floe__try_step step = floe__try_request(t);
    if (step != FLOE__TRY_STEP_NONE) return step;
  }
  floe__try_step step = on_decrypted(t);
  if (is_over(t, tcp)) return step;
  switch (floe__tls_state_of(t->tls)) {
    case FLOE__TLS_HANDSHAKE:
    case FLOE__TLS_OPEN: return step;
    case FLOE__TLS_ENDED: return lose_after(t, step, FLOE_CAUSE_TCP_CLOSED);
    case FLOE__TLS_FAILED: return lose_after(t, step, floe__tls_cause(t->tls));
  }
  return step;
}

floe__try_step floe__try_on_stream(floe__try *t, floe_bytes data) {
  if (t->state == FLOE__TRY_ENDED || t->state == FLOE__TRY_CONNECTING) return FLOE__TRY_STEP_NONE;
  return t->tls != NULL ? on_tls_bytes(t, data) : on_plain(t, data);
}

floe__try_step floe__try_on_stream_end(floe__try *t) {
  if (t->state == FLOE__TRY_ENDED) return FLOE__TRY_STEP_NONE;
  if (t->tls != NULL) floe__tls_on_end(t->tls);
  return lose_connection(t, FLOE_CAUSE_TCP_CLOSED);
}

static floe_cause cause_of_tcp_error(floe_net_error error, bool connecting) {
  switch (error) {
    case FLOE_NET_REFUSED: return FLOE_CAUSE_TCP_REFUSED;
    case FLOE_NET_RESET: return FLOE_CAUSE_TCP_RESET;
    case FLOE_NET_TIMED_OUT: return FLOE_CAUSE_TCP_TIMEOUT;
    case FLOE_NET_NET_UNREACHABLE: return FLOE_CAUSE_NET_UNREACHABLE;
    case FLOE_NET_HOST_UNREACHABLE: return FLOE_CAUSE_HOST_UNREACHABLE;
    case FLOE_NET_DENIED: return FLOE_CAUSE_SEND_DENIED;
    case FLOE_NET_ADDRESS_IN_USE:
    case FLOE_NET_ADDRESS_NOT_AVAILABLE:
    case FLOE_NET_MESSAGE_SIZE:
    case FLOE_NET_NO_RESOURCES:
    case FLOE_NET_OTHER: break;
  }
  return connecting ? FLOE_CAUSE_SOCKET_FAILED : FLOE_CAUSE_TCP_RESET;
}

floe__try_step floe__try_on_tcp_failed(floe__try *t, const floe_input *in) {
  if (t->state == FLOE__TRY_ENDED) return FLOE__TRY_STEP_NONE;
  note_os_error(t, in);
  t->tcp_broken = true; /* nothing can be sent on it any more, close_notify included */
  return lose_connection(t, cause_of_tcp_error(in->net_error, t->state == FLOE__TRY_CONNECTING));
}

/* --- datagrams ------------------------------------------------------------------------------------------------- */

floe__try_step floe__try_on_datagram(floe__try *t, floe_bytes data, bool *taken, floe_cause *discard) {
  return floe__try_on_message(t, data, taken, discard);
}

void floe__try_count_discard(floe__try *t, floe_cause cause) {
  if (cause == FLOE_CAUSE_NONE) return;
  t->discarded++;
  if (t->first_discard == FLOE_CAUSE_NONE) t->first_discard = cause;
}

/* RFC 1122 3.2.2.1: a soft error is a hint, not a proof. The second one for the address ends it. */
static floe__try_step on_soft_error(floe__try *t, floe_cause cause) {
  t->soft_cause = cause;
  if (++t->soft_errors < 2) return FLOE__TRY_STEP_NONE;
  return floe__try_fail(t, cause, 0, NULL);
}

static bool has_open_transaction(const floe__try *t) {
  return t->state == FLOE__TRY_REQUESTING && !floe__try_is_stream(t);
}

static floe__try_step apply(floe__try *t, floe__net_verdict v) {
  if (v.cause == FLOE_CAUSE_NONE) return FLOE__TRY_STEP_NONE;
  return v.hard ? floe__try_fail(t, v.cause, 0, NULL) : on_soft_error(t, v.cause);
}

floe__try_step floe__try_on_icmp(floe__try *t, const floe_input *in) {
  if (!has_open_transaction(t)) return FLOE__TRY_STEP_NONE;
  floe__net_verdict v = floe__net_judge_icmp(in);
  if (v.cause != FLOE_CAUSE_NONE) {
    note_os_error(t, in);
    t->has_icmp = true;
    t->icmp_type = in->icmp_type;
    t->icmp_code = in->icmp_code;
  }
  return apply(t, v);
}

floe__try_step floe__try_on_send_failed(floe__try *t, const floe_input *in) {
  if (!has_open_transaction(t)) return FLOE__TRY_STEP_NONE;
  floe__net_verdict v = floe__net_judge_send_error(in->net_error);
  if (v.cause != FLOE_CAUSE_NONE) note_os_error(t, in);
  return apply(t, v);
}
