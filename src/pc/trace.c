#include "pc/trace.h"

#include "base/trace.h"
#include "ice/agent_config.h"
#include "pc/pc_internal.h"

void floe__pc_trace_as(const floe_pc *pc) {
  pc->env->trace_agent = floe__agent_number(pc->transport.agent);
}

static const char *name_of_side(floe__side side) {
  return side == FLOE__LOCAL ? "local" : "remote";
}

/* Of the section that carries the data, beside the description of this side that is in force. */
static bool is_restart(const floe_pc *pc, floe__side side, const floe__description *d) {
  const floe__signaling *s = &pc->signaling;
  const floe__description *before = side == FLOE__LOCAL ? s->current_local : s->current_remote;
  return before != NULL && floe__jsep_is_restart(d->sdp, before->sdp);
}

static const char *name_of_setup(floe__sdp_setup setup) {
  switch (setup) {
    case FLOE__SETUP_NONE: return NULL;
    case FLOE__SETUP_ACTIVE: return "active";
    case FLOE__SETUP_PASSIVE: return "passive";
    case FLOE__SETUP_ACTPASS: return "actpass";
    case FLOE__SETUP_HOLDCONN: return "holdconn";
  }
  return NULL;
}

static void add_transport(floe__trace *t, const floe__description *d) {
  const floe__sdp_media *m = floe__description_transport(d);
  if (m == NULL) return;
  floe__trace_text(t, "setup", name_of_setup(m->setup));
  floe__trace_int(t, "candidates", (int64_t)m->n_candidates);
}

void floe__pc_trace_description(const floe_pc *pc, floe__side side, const floe__description *d) {
  floe__trace t;
  if (!floe__trace_begin(&t, pc->env, pc->now, "pc.description")) return;
  floe__trace_text(&t, "side", name_of_side(side));
  floe__trace_text(&t, "type", floe_sdp_type_name(d == NULL ? FLOE_SDP_ROLLBACK : d->pub.type));
  if (d != NULL) {
    floe__trace_int(&t, "sections", (int64_t)d->sdp->n_media);
    floe__trace_int(&t, "data", floe__description_data(d) != NULL);
    floe__trace_int(&t, "restart", is_restart(pc, side, d));
    add_transport(&t, d);
  }
  floe__trace_end(&t);
}

void floe__pc_trace_refused(const floe_pc *pc, floe__side side, floe_sdp_type type, floe_status status) {
  floe__trace t;
  if (!floe__trace_begin(&t, pc->env, pc->now, "pc.description.refused")) return;
  floe__trace_text(&t, "side", name_of_side(side));
  floe__trace_text(&t, "type", floe_sdp_type_name(type));
  floe__trace_text(&t, "status", floe_status_name(status));
  floe__trace_end(&t);
}

void floe__pc_trace_state(const floe_pc *pc, floe_pc_state to, floe_cause cause) {
  floe__trace t;
  if (!floe__trace_begin(&t, pc->env, pc->now, "pc.state")) return;
  floe__trace_text(&t, "from", floe_pc_state_name(pc->connection_state));
  floe__trace_text(&t, "to", floe_pc_state_name(to));
  if (cause != FLOE_CAUSE_NONE) floe__trace_text(&t, "cause", floe_cause_id(cause));
  floe__trace_end(&t);
}

void floe__pc_trace_channel(const floe_data_channel *c, bool by_peer) {
  floe__trace t;
  if (!floe__trace_begin(&t, c->pc->env, c->pc->now, "pc.channel.made")) return;
  floe__trace_int(&t, "channel", c->number);
  if (c->has_id) floe__trace_int(&t, "stream", c->id);
  floe__trace_text(&t, "by", by_peer ? "peer" : "us");
  floe__trace_int(&t, "negotiated", c->is_negotiated);
  floe__trace_int(&t, "ordered", !c->reliability.unordered);
  if (c->reliability.has_max_retransmits) floe__trace_int(&t, "max_retransmits", c->reliability.max_retransmits);
  if (c->reliability.has_max_lifetime) floe__trace_int(&t, "max_lifetime_ms", c->reliability.max_lifetime_ms);
  floe__trace_int(&t, "label_bytes", (int64_t)c->label_len);
  floe__trace_int(&t, "protocol_bytes", (int64_t)c->protocol_len);
  floe__trace_end(&t);
}

void floe__pc_trace_first_message(const floe_data_channel *c, bool sent, size_t len) {
  floe__trace t;
  if (!floe__trace_begin(&t, c->pc->env, c->pc->now, "pc.channel.message")) return;
  floe__trace_int(&t, "channel", c->number);
  floe__trace_text(&t, "first", sent ? "sent" : "received");
  floe__trace_int(&t, "bytes", (int64_t)len);
  floe__trace_end(&t);
}
