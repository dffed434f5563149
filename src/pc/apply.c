/* What a description that was set means for the transport (RFC 9429 5.9 to 5.11). */
#include <string.h>

#include "ice/agent_config.h"
#include "pc/pc_internal.h"

/* --- this side -----------------------------------------------------------------------------------------------------
 */

static void set_role(floe_pc *pc, floe_ice_role role) {
  floe__agent_tell_time(pc->transport.agent, pc->now);
  /* Once checks have begun the role is the agent's own affair: a restart keeps it (RFC 8839 4.4.1). */
  if (floe_ice_agent_set_role(pc->transport.agent, role) != FLOE_OK) return;
}

static floe_status gather(floe_pc *pc) {
  if (pc->transport.has_gathered) return FLOE_OK;
  floe_status st = floe_ice_agent_gather(pc->transport.agent, pc->now);
  if (st != FLOE_OK) return st;
  pc->transport.has_gathered = true;
  pc->transport.is_used = true;
  if (pc->started_at == 0) pc->started_at = pc->now;
  return FLOE_OK;
}

/* The credentials that our description shows are in use, by a restart if they are others. */
static floe_status use_credentials(floe_pc *pc, const floe__sdp_media *m) {
  floe_ice_agent *agent = pc->transport.agent;
  if (strcmp(floe_ice_agent_local_parameters(agent)->ufrag, m->ufrag) == 0) return FLOE_OK;
  floe_ice_parameters params = {.ufrag = m->ufrag, .pwd = m->pwd};
  floe_status st = floe_ice_agent_restart_with(agent, pc->now, &params, NULL);
  if (st != FLOE_OK) return st;
  pc->transport.has_gathered = false;
  return FLOE_OK;
}

static floe_status start_local(floe_pc *pc, const floe__description *d, floe_ice_role role) {
  const floe__sdp_media *m = floe__description_transport(d);
  if (m == NULL) return FLOE_OK; /* nothing is to be transported */
  set_role(pc, role);
  floe_status st = use_credentials(pc, m);
  return st == FLOE_OK ? gather(pc) : st;
}

floe_status floe__pc_apply_local_offer(floe_pc *pc, const floe__description *offer) {
  return start_local(pc, offer, FLOE_ICE_ROLE_CONTROLLING);
}

/* --- the peer -------------------------------------------------------------------------------------------------------
 */

static void add_candidates(floe_pc *pc, const floe__description *d, const floe__sdp_media *m) {
  floe_ice_agent *agent = pc->transport.agent;
  /* What one candidate says wrong concerns no other; addIceCandidate has checked those that came one by one. */
  for (size_t i = 0; i < m->n_candidates; i++) {
    (void)!floe_ice_agent_add_remote_candidate(agent, pc->now, m->candidates[i], NULL);
  }
  for (size_t i = 0; i < d->n_candidates; i++) {
    (void)!floe_ice_agent_add_remote_candidate(agent, pc->now, d->candidates[i], NULL);
  }
  if (m->end_of_candidates || d->is_ended) floe_ice_agent_end_of_remote_candidates(agent, pc->now);
}

static floe_status start_remote(floe_pc *pc, const floe__description *d, const floe__sdp_media *m, floe_error *why) {
  floe_ice_parameters params = {.ufrag = m->ufrag, .pwd = m->pwd, .lite = m->ice_lite || d->sdp->ice_lite};
  if (params.lite) set_role(pc, FLOE_ICE_ROLE_CONTROLLING); /* RFC 8445 6.1.1 */
  floe_status st = floe_ice_agent_set_remote_parameters(pc->transport.agent, pc->now, &params, why);
  if (st == FLOE_OK) add_candidates(pc, d, m);
  return st;
}

/* RFC 8842 5.4, 5.5: who is the client is what the answer says. Absent is active (RFC 8842 5.1 has it mandatory). */
static bool is_client(const floe__description *local, const floe__description *remote, bool we_offered) {
  const floe__sdp_media *m = floe__description_transport(we_offered ? remote : local);
  bool answerer_is_client = m->setup != FLOE__SETUP_PASSIVE;
  return answerer_is_client != we_offered;
}

static void plan_sctp(floe_pc *pc, const floe__sdp_media *remote_data) {
  floe__sctp_plan *plan = &pc->transport.plan;
  if (!plan->is_negotiated) floe__transport_renew_sctp(pc);
  plan->is_negotiated = true;
  plan->local_port = pc->settings.cfg.sctp_port;
  plan->remote_port = remote_data->sctp_port;
  plan->remote_max_message_size = remote_data->max_message_size;
}

/* Credentials of the peer that the ICE session in use does not know, and no restart of ours that begins another: told
 * before anything of the answer counts. */
static bool has_other_credentials(const floe_pc *pc, const floe__sdp_media *ours, const floe__sdp_media *theirs) {
  const floe_ice_agent *agent = pc->transport.agent;
  const floe_ice_parameters *known = floe_ice_agent_remote_parameters(agent);
  if (known == NULL || strcmp(floe_ice_agent_local_parameters(agent)->ufrag, ours->ufrag) != 0) return false;
  return strcmp(known->ufrag, theirs->ufrag) != 0 || strcmp(known->pwd, theirs->pwd) != 0;
}

static floe_status refuse_credentials(floe_error *why) {
  return floe__pc_refuse(why, FLOE_E_ACCESS, "sdp", "has other ICE credentials than before without an ICE restart");
}

floe_status floe__pc_apply_answer(floe_pc *pc, floe__description *local, floe__description *remote, bool we_offered,
                                  floe_error *why) {
  const floe__sdp_media *ours = floe__description_data(local), *theirs = floe__description_data(remote);
  if (ours == NULL || theirs == NULL) {
    /* An offer of ours without data is no reason to end anything; a data section that was rejected is. */
    if (ours != NULL || pc->transport.plan.is_negotiated) floe__transport_drop_sctp(pc);
    return FLOE_OK;
  }
  const floe__sdp_media *m = floe__description_transport(remote);
  if (has_other_credentials(pc, floe__description_transport(local), m)) return refuse_credentials(why);
  /* Another peer is refused before anything of its description counts. */
  floe_status st = floe__transport_set_dtls(pc, is_client(local, remote, we_offered), m);
  if (st == FLOE_E_ACCESS) {
    return floe__pc_refuse(why, st, "sdp", "has another certificate than the session that is established");
  }
  if (st == FLOE_OK && !we_offered) st = start_local(pc, local, FLOE_ICE_ROLE_CONTROLLED);
  if (st != FLOE_OK) return floe__pc_refuse(why, st, "", NULL);
  st = start_remote(pc, remote, m, why);
  if (st != FLOE_OK) return st;
  plan_sctp(pc, theirs);
  floe__channels_assign_ids(pc);
  return FLOE_OK;
}

/* --- rollback -------------------------------------------------------------------------------------------------------
 */

/* The current descriptions say how things are again. A session that had failed is gone, and begins anew; one that goes
 * on hears of the candidates that came for it in the meantime. */
static floe_status resume(floe_pc *pc, const floe__sdp_media *local) {
  floe_status st = use_credentials(pc, local);
  const floe__description *d = pc->signaling.current_remote;
  const floe__sdp_media *m = floe__description_transport(d);
  const floe_ice_parameters *remote = floe_ice_agent_remote_parameters(pc->transport.agent);
  if (m != NULL && remote != NULL && strcmp(remote->ufrag, m->ufrag) == 0) add_candidates(pc, d, m);
  return st;
}

floe_status floe__pc_apply_rollback(floe_pc *pc, bool of_ours) {
  if (!of_ours || !pc->transport.has_gathered) return FLOE_OK;
  const floe__signaling *s = &pc->signaling;
  const floe__sdp_media *m = floe__description_transport(s->pending_local);
  const floe__sdp_media *before = floe__description_transport(s->current_local);
  if (m == NULL || (before != NULL && strcmp(m->ufrag, before->ufrag) == 0)) return FLOE_OK;
  floe_status st = floe_ice_agent_rollback(pc->transport.agent, pc->now);
  if (st == FLOE_OK && before != NULL) st = resume(pc, before);
  if (st != FLOE_OK) return st;
  pc->transport.gathering = floe_ice_agent_gathering_state(pc->transport.agent);
  if (before != NULL) return FLOE_OK;
  pc->transport.has_gathered = false;
  pc->transport.is_used = false;
  pc->transport.ice = FLOE_ICE_CONNECTION_NEW;
  pc->transport.ice_cause = FLOE_CAUSE_NONE;
  return FLOE_OK;
}
