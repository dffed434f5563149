/* createDataChannel (webrtc-pc 6.1.1) and the establishment of channels (RFC 8832 5, 6). */
#include <string.h>

#include "base/sized.h"
#include "base/utf8.h"
#include "pc/channel_internal.h"
#include "pc/pc_internal.h"
#include "pc/trace.h"

#define TEXT_MAX         65535
#define PRIORITY_DEFAULT 256 /* RFC 8831 6.4: normal */
#define OPEN_HEADER      12

void floe_data_channel_init_init(floe_data_channel_init *init, size_t size) {
  memset(init, 0, size);
  init->size = (uint32_t)size;
}

/* --- checks ----------------------------------------------------------------------------------------------------------
 */

static floe_status check_text(const char *text, const char *path, floe_error *why) {
  if (text == NULL) return floe__pc_refuse(why, FLOE_E_TYPE, path, "is missing");
  size_t len = strlen(text), offset = 0;
  if (len > TEXT_MAX) return floe__pc_refuse(why, FLOE_E_TYPE, path, "is longer than 65,535 bytes");
  if (floe__utf8_is_valid((floe_bytes){(const uint8_t *)text, len}, &offset)) return FLOE_OK;
  floe_status st = floe__pc_refuse(why, FLOE_E_TYPE, path, "is not UTF-8");
  if (why != NULL) why->offset = offset;
  return st;
}

static floe_status check_id(const floe_pc *pc, const floe_data_channel_init *init, floe_error *why) {
  if (!init->negotiated) return FLOE_OK;
  if (!init->has_id) return floe__pc_refuse(why, FLOE_E_TYPE, "id", "is missing beside negotiated");
  if (init->id == 65535) return floe__pc_refuse(why, FLOE_E_TYPE, "id", "is above 65,534");
  if (floe__channels_find(pc, init->id) != NULL) {
    return floe__pc_refuse(why, FLOE_E_TOO_LARGE, "id", "is in use by another channel");
  }
  if (floe__transport_is_sctp_connected(pc) && init->id >= pc->transport.streams) {
    return floe__pc_refuse(why, FLOE_E_TOO_LARGE, "id", "is beyond the streams that were negotiated");
  }
  return FLOE_OK;
}

static floe_status check_init(const floe_pc *pc, const char *label, const floe_data_channel_init *init,
                              floe_error *why) {
  floe_status st = check_text(label, "label", why);
  if (st == FLOE_OK && init->protocol != NULL) st = check_text(init->protocol, "protocol", why);
  if (st != FLOE_OK) return st;
  if (init->has_max_packet_life_time && init->has_max_retransmits) {
    return floe__pc_refuse(why, FLOE_E_TYPE, "maxRetransmits", "and maxPacketLifeTime exclude each other");
  }
  return check_id(pc, init, why);
}

static floe_status check_room(const floe_pc *pc, floe_error *why) {
  const floe__channels *l = &pc->channels;
  size_t open = l->n_released;
  for (size_t i = 0; i < l->n; i++) open += l->list[i]->state != FLOE_DATA_CHANNEL_CLOSED ? 1 : 0;
  if (open < pc->settings.cfg.max_channels) return FLOE_OK;
  return floe__pc_refuse(why, FLOE_E_TOO_LARGE, "", "there are max_channels channels already");
}

/* --- made by the program
 * ------------------------------------------------------------------------------------------------ */

static void take_init(floe_data_channel *c, const floe_data_channel_init *init) {
  c->reliability = (floe__sctp_reliability){.unordered = init->unordered,
                                            .has_max_retransmits = init->has_max_retransmits,
                                            .has_max_lifetime = init->has_max_packet_life_time,
                                            .max_retransmits = init->max_retransmits,
                                            .max_lifetime_ms = init->max_packet_life_time};
  c->priority = init->priority == 0 ? PRIORITY_DEFAULT : init->priority;
  c->is_negotiated = init->negotiated;
  c->is_opener = !init->negotiated;
  if (init->negotiated) floe__channel_take_id(c, init->id);
}

/* webrtc-pc 6.1.1.3: a stream beyond those negotiated cannot be used. */
static void fail(floe_data_channel *c) {
  floe__channel_tell(c, FLOE__CHANNEL_ERROR);
  floe__channel_finish(c);
}

floe_status floe_pc_create_data_channel(floe_pc *pc, floe_time now, const char *label,
                                        const floe_data_channel_init *init, floe_data_channel **out, floe_error *why) {
  *out = NULL;
  floe__pc_advance(pc, now);
  if (floe__pc_is_closed(pc)) return floe__pc_refuse(why, FLOE_E_STATE, "", "the connection is closed");
  floe_data_channel_init known;
  floe_data_channel_init_init(&known, sizeof known);
  if (init != NULL && !floe__take_sized(&known, sizeof known, init)) {
    return floe__pc_refuse(why, FLOE_E_TYPE, "", "size is not set by floe_data_channel_init_init");
  }
  floe_status st = check_init(pc, label, &known, why);
  if (st == FLOE_OK) st = check_room(pc, why);
  if (st != FLOE_OK) return st;
  const char *protocol = known.protocol == NULL ? "" : known.protocol;
  floe_data_channel *c = floe__channel_new(pc, (floe_bytes){(const uint8_t *)label, strlen(label)},
                                           (floe_bytes){(const uint8_t *)protocol, strlen(protocol)});
  if (c == NULL) return floe__pc_refuse(why, FLOE_E_NOMEM, "", NULL);
  take_init(c, &known);
  floe__pc_trace_channel(c, false);
  *out = c;
  bool first = !pc->channels.was_used;
  pc->channels.was_used = true;
  if (pc->transport.dtls != NULL && pc->transport.plan.is_negotiated && !floe__channel_assign_id(c)) {
    if (pc->transport.sctp != NULL && !pc->transport.sctp_ended) {
      *out = NULL;
      floe_data_channel_free(c, now);
      return floe__pc_refuse(why, FLOE_E_TOO_LARGE, "id", "no stream is free");
    }
  }
  if (floe__transport_is_sctp_connected(pc)) floe__channel_open(c);
  /* The association is over on a session that goes on: there will be no other. */
  if (pc->transport.sctp_ended && pc->transport.dtls_state == FLOE_DTLS_TRANSPORT_CONNECTED) fail(c);
  if (first) {
    floe__signaling_outdate_offer(pc);
    floe__signaling_update_negotiation(pc);
  }
  floe__transport_pump(pc);
  return FLOE_OK;
}

void floe__channels_assign_ids(floe_pc *pc) {
  floe__channels *l = &pc->channels;
  for (size_t i = 0; i < l->n; i++) {
    if (l->list[i]->state == FLOE_DATA_CHANNEL_CONNECTING) (void)floe__channel_assign_id(l->list[i]);
  }
}

/* --- announcing
 * ----------------------------------------------------------------------------------------------------------- */

static bool owes(const floe_data_channel *c) {
  return c->owes_open || c->owes_ack;
}

/* DCEP messages go ordered and reliable (RFC 8832 6). */
static bool send_dcep(floe_data_channel *c, floe_bytes message) {
  return floe__sctp_send(c->pc->transport.sctp, c->id, FLOE__PPID_DCEP, message, NULL, c->pc->now) == FLOE_OK;
}

static bool send_open(floe_data_channel *c) {
  floe__dcep_open open = {.reliability = c->reliability,
                          .priority = c->priority,
                          .label = {(const uint8_t *)c->label, c->label_len},
                          .protocol = {(const uint8_t *)c->protocol, c->protocol_len}};
  size_t cap = OPEN_HEADER + c->label_len + c->protocol_len;
  uint8_t *buf = floe__alloc(c->pc->env, cap);
  if (buf == NULL) return false;
  size_t len = floe__dcep_write_open(&open, buf, cap);
  bool ok = send_dcep(c, (floe_bytes){buf, len});
  floe__free(c->pc->env, buf);
  return ok;
}

static bool send_ack(floe_data_channel *c) {
  uint8_t buf[1];
  return send_dcep(c, (floe_bytes){buf, floe__dcep_write_ack(buf, sizeof buf)});
}

/* False: not now. */
static bool pay(floe_data_channel *c) {
  if (c->owes_open) c->owes_open = !send_open(c);
  if (c->owes_ack) c->owes_ack = !send_ack(c);
  if (!owes(c)) c->pc->channels.n_owing--;
  return !owes(c);
}

void floe__channels_pay(floe_pc *pc) {
  floe__channels *l = &pc->channels;
  if (l->n_owing == 0 || !floe__transport_is_sctp_connected(pc)) return;
  for (size_t i = 0; i < l->n_ids; i++) {
    if (owes(l->by_id[i]) && !pay(l->by_id[i])) return; /* the queue is one for all */
  }
}

static void incur(floe_data_channel *c, bool *debt) {
  if (!owes(c)) c->pc->channels.n_owing++;
  *debt = true;
  (void)pay(c);
}

/* --- opening
 * --------------------------------------------------------------------------------------------------------------- */

void floe__channel_open(floe_data_channel *c) {
  if (!floe__channel_assign_id(c) || c->id >= c->pc->transport.streams) {
    fail(c);
    return;
  }
  floe__channel_go(c, FLOE_DATA_CHANNEL_OPEN);
  if (c->is_opener) {
    incur(c, &c->owes_open);
  } else {
    c->is_acknowledged = true;
  }
  floe__channel_tell(c, FLOE__CHANNEL_OPENED);
}

void floe__channels_on_connected(floe_pc *pc) {
  floe__channels *l = &pc->channels;
  for (size_t i = 0; i < l->n; i++) {
    if (l->list[i]->state == FLOE_DATA_CHANNEL_CONNECTING) floe__channel_open(l->list[i]);
  }
}

/* --- announced by the peer
 * --------------------------------------------------------------------------------------------------- */

static void reject_stream(floe_pc *pc, uint16_t stream) {
  if (floe__sctp_reset_stream(pc->transport.sctp, stream, pc->now) != FLOE_OK) return; /* nothing else to be done */
}

static void on_open(floe_pc *pc, uint16_t stream, const floe__dcep_open *open) {
  if (floe__channels_find(pc, stream) != NULL) return; /* RFC 8832 6: an error of the peer's; what is open stays */
  floe_data_channel *c = check_room(pc, NULL) == FLOE_OK ? floe__channel_new(pc, open->label, open->protocol) : NULL;
  if (c == NULL) {
    reject_stream(pc, stream);
    return;
  }
  c->reliability = open->reliability;
  c->priority = open->priority;
  c->is_acknowledged = true;
  pc->channels.was_used = true;
  floe__channel_take_id(c, stream);
  floe__pc_trace_channel(c, true);
  floe__channel_go(c, FLOE_DATA_CHANNEL_OPEN);
  incur(c, &c->owes_ack);
  floe__channel_tell(c, FLOE__CHANNEL_ANNOUNCED);
  floe__channel_tell(c, FLOE__CHANNEL_OPENED);
}

void floe__channels_on_dcep(floe_pc *pc, uint16_t stream, floe_bytes data) {
  floe__dcep_msg msg;
  if (!floe__dcep_parse(&msg, data)) {
    /* RFC 8832 6: the channel cannot be used. */
    if (floe__channels_find(pc, stream) == NULL) reject_stream(pc, stream);
    return;
  }
  floe_data_channel *c = floe__channels_find(pc, stream);
  switch (msg.type) {
    case FLOE__DCEP_OPEN: on_open(pc, stream, &msg.open); break;
    case FLOE__DCEP_ACK:
      if (c != NULL) c->is_acknowledged = true;
      break;
  }
}
