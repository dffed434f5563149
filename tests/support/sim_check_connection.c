/* What holds in every world that connects. */
#include <string.h>

#include "support/sim_agent_internal.h"

/* So often a timer may wake an agent in one second of virtual time: Ta is 5 ms, and requests of many servers and pairs
 * are sent again beside it. */
#define MAX_WAKES 3000
/* The same for a connection that is completed: consent, keepalives of up to 100 pairs and refreshes. */
#define MAX_IDLE_WAKES 100

/* --- the state ---------------------------------------------------------------------------------------------------- */

/* W3C RTCIceTransportState: from each state the ones that may follow. A restart without a pair in use makes it `new`.
 */
static bool may_follow(floe_ice_connection_state from, floe_ice_connection_state to, bool restarted) {
  static const uint8_t next[] = {
#define BIT(state) (1u << FLOE_ICE_CONNECTION_##state)
      [FLOE_ICE_CONNECTION_NEW] = BIT(CHECKING) | BIT(FAILED),
      [FLOE_ICE_CONNECTION_CHECKING] = BIT(CONNECTED) | BIT(COMPLETED) | BIT(FAILED),
      [FLOE_ICE_CONNECTION_CONNECTED] = BIT(COMPLETED) | BIT(DISCONNECTED) | BIT(FAILED) | BIT(CHECKING),
      [FLOE_ICE_CONNECTION_COMPLETED] = BIT(CONNECTED) | BIT(DISCONNECTED) | BIT(FAILED) | BIT(CHECKING),
      [FLOE_ICE_CONNECTION_DISCONNECTED] = BIT(CONNECTED) | BIT(COMPLETED) | BIT(FAILED) | BIT(CHECKING),
      [FLOE_ICE_CONNECTION_FAILED] = 0,
      [FLOE_ICE_CONNECTION_CLOSED] = 0,
#undef BIT
  };
  if (to == FLOE_ICE_CONNECTION_NEW) return restarted;
  return (next[from] >> to & 1) != 0;
}

void sim_check_connection_change(sim_agent *a, const floe_connection_change *change) {
  const char *from = floe_ice_connection_state_name(a->c.told), *to = floe_ice_connection_state_name(change->state);
  /* Without memory for each step the last one is told alone. */
  bool may_skip = a->env->alloc.failed > 0;
  if (!may_skip && !may_follow(a->c.told, change->state, a->c.restarted)) sim_fail(a->s, "`%s` became `%s`", from, to);
  bool needs_cause = change->state == FLOE_ICE_CONNECTION_FAILED || change->state == FLOE_ICE_CONNECTION_DISCONNECTED;
  if (needs_cause != (change->cause != FLOE_CAUSE_NONE)) {
    sim_fail(a->s, "`%s` with cause %s", to, change->cause == FLOE_CAUSE_NONE ? "none" : floe_cause_id(change->cause));
  }
}

void sim_check_pair_change(sim_agent *a, const floe_pair_change *change) {
  if ((change->local == NULL) != (change->remote == NULL)) sim_fail(a->s, "half a pair was told");
  if (change->local == NULL) return;
  if (change->local->id == 0) sim_fail(a->s, "a selected candidate has id 0");
  if (change->local->address.family != change->remote->address.family) sim_fail(a->s, "a pair of two families");
  if (change->local->transport != change->remote->transport) sim_fail(a->s, "a pair of two transports");
  bool only_relay = a->cfg.ice_transport_policy == FLOE_ICE_TRANSPORT_POLICY_RELAY;
  if (only_relay && change->local->type != FLOE_CANDIDATE_RELAY) sim_fail(a->s, "a pair against the relay-only policy");
}

/* What can be asked agrees with what was told, whenever all was told. */
void sim_check_after_drain(sim_agent *a) {
  if (a->closed) return;
  floe_ice_connection_state now = floe_ice_agent_connection_state(a->core);
  if (now != a->c.told && a->env->alloc.failed == 0) {
    sim_fail(a->s, "the connection is `%s`, told was `%s`", floe_ice_connection_state_name(now),
             floe_ice_connection_state_name(a->c.told));
  }
  const floe_ice_candidate *local = NULL, *remote = NULL;
  bool has_pair = floe_ice_agent_selected_pair(a->core, &local, &remote);
  if (has_pair != (local != NULL) || has_pair != (remote != NULL)) sim_fail(a->s, "half a pair is selected");
  if (has_pair != a->c.has_pair)
    sim_fail(a->s, "a pair is %s, and was told otherwise", has_pair ? "selected" : "not selected");
  if (sim_agent_is_connected(a) && !has_pair) sim_fail(a->s, "connected without a pair");
}

/* --- data --------------------------------------------------------------------------------------------------------- */

void sim_check_data(sim_agent *a, const floe_output *out) {
  if (a->closed) sim_fail(a->s, "DATA after close");
  if (out->u.data.data.len == 0) sim_fail(a->s, "DATA of nothing");
  if (out->u.data.from.family == FLOE_FAMILY_NONE) sim_fail(a->s, "DATA from nobody");
  if (a->told_state == FLOE_ICE_GATHERING_NEW && !a->c.restarted) sim_fail(a->s, "DATA before gathering");
}

/* --- timers ------------------------------------------------------------------------------------------------------- */

void sim_check_wake(sim_agent *a) {
  a->c.timers++;
  floe_time second = sim_now(a->s) / FLOE_SECOND;
  bool is_idle = a->c.told == FLOE_ICE_CONNECTION_COMPLETED;
  if (second != a->c.second) {
    a->c.second = second;
    a->c.wakes = 0;
    a->c.was_idle = is_idle;
  }
  a->c.was_idle = a->c.was_idle && is_idle;
  a->c.wakes++;
  uint32_t most = a->c.was_idle ? MAX_IDLE_WAKES : MAX_WAKES;
  if (a->c.wakes > most) sim_fail(a->s, "%u timers in one second: something spins", (unsigned)a->c.wakes);
}
