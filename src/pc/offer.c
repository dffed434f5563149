/* createOffer and createAnswer (webrtc-pc 4.4.1, RFC 9429 5.2 and 5.3): what of the connection's state descriptions
 * show. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "ice/agent_config.h"
#include "ice/parameters.h"
#include "pc/pc_internal.h"

typedef struct draft {
  floe__jsep_local local;
  floe__sdp_fingerprint fingerprint;
  char value[FLOE_FINGERPRINT_TEXT];
} draft;

/* RFC 9429 5.2.1: a number of 63 random bits. */
static const char *session_id(floe_pc *pc) {
  if (pc->signaling.session_id[0] == '\0') {
    uint64_t id;
    floe__random(pc->env, &id, sizeof id);
    (void)snprintf(pc->signaling.session_id, sizeof pc->signaling.session_id, "%" PRIu64, id >> 1);
  }
  return pc->signaling.session_id;
}

/* RFC 8445 5.3, as the agent draws its own. */
static void draw_next(floe_pc *pc) {
  floe__signaling *s = &pc->signaling;
  floe__ice_chars_draw(pc->env, s->next_ufrag, floe__agent_config(pc->transport.agent)->shared_sockets ? 8 : 4);
  floe__ice_chars_draw(pc->env, s->next_pwd, 24);
}

static void fill_credentials(floe_pc *pc, bool restarts, floe__jsep_local *local) {
  const floe_ice_parameters *now = floe_ice_agent_local_parameters(pc->transport.agent);
  pc->signaling.next_ufrag[0] = '\0';
  if (restarts) draw_next(pc);
  local->ufrag = restarts ? pc->signaling.next_ufrag : now->ufrag;
  local->pwd = restarts ? pc->signaling.next_pwd : now->pwd;
  local->ice_lite = now->lite;
}

static floe_status begin(floe_pc *pc, draft *d, bool restarts, floe_error *why) {
  const floe_certificate *cert = floe__pc_certificate(pc);
  if (cert == NULL) return floe__pc_refuse(why, FLOE_E_NOMEM, "", NULL);
  if (!floe_certificate_fingerprint(cert, "sha-256", d->value)) return floe__pc_refuse(why, FLOE_E_NOMEM, "", NULL);
  d->fingerprint = (floe__sdp_fingerprint){"sha-256", d->value};
  const floe_pc_config *cfg = &pc->settings.cfg;
  d->local = (floe__jsep_local){.session_id = session_id(pc),
                                .session_version = ++pc->signaling.session_version,
                                .fingerprints = &d->fingerprint,
                                .n_fingerprints = 1,
                                .sctp_port = cfg->sctp_port,
                                .max_message_size = cfg->max_message_size,
                                .wants_data = pc->channels.was_used};
  fill_credentials(pc, restarts, &d->local);
  return FLOE_OK;
}

/* A data section that was rejected and is used again is a new transport (RFC 9429 5.2.2): new credentials. */
static bool is_recycled(const floe_pc *pc) {
  return floe_ice_agent_remote_parameters(pc->transport.agent) != NULL && !pc->transport.plan.is_negotiated;
}

floe_status floe__pc_make_offer(floe_pc *pc, bool ice_restart, char **out, floe_error *why) {
  const floe__signaling *s = &pc->signaling;
  /* RFC 9429 5.2.2: only what has been shown can be replaced. */
  bool shown = s->current_local != NULL || s->pending_local != NULL;
  bool restarts = shown && (ice_restart || floe__signaling_wants_restart(pc) || is_recycled(pc));
  draft d;
  floe_status st = begin(pc, &d, restarts, why);
  if (st != FLOE_OK) return st;
  d.local.setup = FLOE__SETUP_ACTPASS; /* RFC 8842 5.2: in later offers, too */
  const floe__sdp *local = s->current_local == NULL ? NULL : s->current_local->sdp;
  const floe__sdp *remote = s->current_remote == NULL ? NULL : s->current_remote->sdp;
  if (!floe__jsep_write_offer(pc->env, &d.local, local, remote, out))
    return floe__pc_refuse(why, FLOE_E_NOMEM, "", NULL);
  return FLOE_OK;
}

/* RFC 8842 5.3: the role of a session that exists stays; else active is the faster choice. */
static floe__sdp_setup choose_setup(const floe_pc *pc, const floe__sdp_media *offered) {
  if (offered != NULL && offered->setup == FLOE__SETUP_ACTIVE) return FLOE__SETUP_PASSIVE;
  if (offered != NULL && offered->setup == FLOE__SETUP_PASSIVE) return FLOE__SETUP_ACTIVE;
  if (pc->transport.dtls != NULL && !pc->transport.is_client) return FLOE__SETUP_PASSIVE;
  return FLOE__SETUP_ACTIVE;
}

/* RFC 8839 4.4.1.1.1: a restart of the peer is answered by one of ours. A provisional answer has done so before. */
static bool is_restart(const floe_pc *pc, const floe__sdp_media *offered) {
  const floe_ice_parameters *known = floe_ice_agent_remote_parameters(pc->transport.agent);
  if (known == NULL || offered == NULL) return false;
  return strcmp(known->ufrag, offered->ufrag) != 0 || strcmp(known->pwd, offered->pwd) != 0;
}

floe_status floe__pc_make_answer(floe_pc *pc, char **out, floe_error *why) {
  const floe__signaling *s = &pc->signaling;
  const floe__description *offer = s->pending_remote;
  bool restarts = is_restart(pc, floe__description_transport(offer));
  draft d;
  floe_status st = begin(pc, &d, restarts, why);
  if (st != FLOE_OK) return st;
  d.local.setup = choose_setup(pc, floe__description_transport(offer));
  if (!floe__jsep_write_answer(pc->env, &d.local, offer->sdp, out)) return floe__pc_refuse(why, FLOE_E_NOMEM, "", NULL);
  return FLOE_OK;
}
