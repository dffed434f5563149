#include "floe/mux.h"

#include <string.h>

#include "base/rng.h"
#include "base/sized.h"
#include "ice/mux_internal.h"

#define MAX_AGENTS       1000000
#define MAX_ADDRESSES    64
#define MAX_TRANSACTIONS 256

void floe_ice_mux_config_init(floe_ice_mux_config *cfg, size_t size) {
  memset(cfg, 0, size);
  cfg->size = (uint32_t)size;
}

floe_status floe_ice_mux_new(floe_ice_mux **out, floe_env *env, const floe_ice_mux_config *cfg) {
  *out = NULL;
  floe_ice_mux_config known;
  floe_ice_mux_config_init(&known, sizeof known);
  if (cfg != NULL && !floe__take_sized(&known, sizeof known, cfg)) return FLOE_E_TYPE;
  if (known.max_agents == 0) known.max_agents = MAX_AGENTS;
  if (known.max_addresses == 0) known.max_addresses = MAX_ADDRESSES;
  if (known.max_transactions == 0) known.max_transactions = MAX_TRANSACTIONS;
  floe_ice_mux *mux = floe__zalloc(env, sizeof *mux);
  if (mux == NULL) return FLOE_E_NOMEM;
  mux->env = env;
  mux->cfg = known;
  floe__random(env, &mux->key, sizeof mux->key);
  *out = mux;
  return FLOE_OK;
}

/* --- members ---------------------------------------------------------------------------------------------------- */

/* Addresses in memory are not the network's to choose: spreading them is enough. */
static uint64_t hash_agent(const floe_ice_agent *agent) {
  uint64_t h = (uint64_t)(uintptr_t)agent * 0x9E3779B97F4A7C15u;
  return h ^ h >> 32;
}

static bool is_agent(const floe__mux_link *link, const void *key) {
  return ((const floe__mux_member *)(const void *)link)->agent == key;
}

floe__mux_member *floe__mux_find_member(const floe_ice_mux *mux, const floe_ice_agent *agent) {
  return (floe__mux_member *)(void *)floe__mux_table_find(&mux->members, hash_agent(agent), is_agent, agent);
}

/* NULL: no memory. */
static floe__mux_member *add_member(floe_ice_mux *mux, floe_ice_agent *agent) {
  floe__mux_member *member = floe__zalloc(mux->env, sizeof *member);
  if (member == NULL) return NULL;
  member->agent = agent;
  member->link.hash = hash_agent(agent);
  floe__random(mux->env, &member->salt, sizeof member->salt);
  if (!floe__mux_table_add(&mux->members, mux->env, &member->link)) {
    floe__free(mux->env, member);
    return NULL;
  }
  floe__mux_list_add_last(&mux->all, &member->node);
  return member;
}

/* --- ufrags ----------------------------------------------------------------------------------------------------- */

static bool is_ufrag(const floe__mux_link *link, const void *key) {
  const floe__mux_ufrag *ufrag = (const void *)link;
  const floe_bytes *text = key;
  return ufrag->len == text->len && memcmp(ufrag->text, text->ptr, text->len) == 0;
}

const floe__mux_ufrag *floe__mux_find_ufrag(const floe_ice_mux *mux, floe_bytes text) {
  uint64_t hash = floe__mux_hash(&mux->key, text.ptr, text.len);
  return (const floe__mux_ufrag *)(const void *)floe__mux_table_find(&mux->ufrags, hash, is_ufrag, &text);
}

static void forget_ufrag(floe_ice_mux *mux, floe__mux_ufrag *ufrag) {
  floe__mux_list_remove(&ufrag->member->ufrags, &ufrag->node);
  floe__mux_table_remove(&mux->ufrags, mux->env, &ufrag->link);
  floe__free(mux->env, ufrag);
}

static void forget_oldest_ufrag(floe_ice_mux *mux, floe__mux_member *member) {
  forget_ufrag(mux, FLOE__MUX_OF(floe__mux_ufrag, node, member->ufrags.first));
}

/* Its member is set by the caller. NULL: no memory. */
static floe__mux_ufrag *add_ufrag(floe_ice_mux *mux, floe_bytes text) {
  floe__mux_ufrag *ufrag = floe__zalloc(mux->env, sizeof *ufrag + text.len);
  if (ufrag == NULL) return NULL;
  ufrag->len = text.len;
  memcpy(ufrag->text, text.ptr, text.len);
  ufrag->link.hash = floe__mux_hash(&mux->key, text.ptr, text.len);
  if (floe__mux_table_add(&mux->ufrags, mux->env, &ufrag->link)) return ufrag;
  floe__free(mux->env, ufrag);
  return NULL;
}

/* --- floe/mux.h ------------------------------------------------------------------------------------------------- */

static void forget_member(floe_ice_mux *mux, floe__mux_member *member) {
  while (member->ufrags.n > 0) forget_oldest_ufrag(mux, member);
  floe__mux_bindings_forget(mux, member);
  floe__mux_transactions_forget(mux, member);
  floe__mux_paths_forget(mux, member);
  floe__mux_list_remove(&mux->all, &member->node);
  floe__mux_table_remove(&mux->members, mux->env, &member->link);
  floe__free(mux->env, member);
}

/* The member's next session has this ufrag. */
static void begin_session(floe_ice_mux *mux, floe__mux_member *member, floe__mux_ufrag *ufrag, bool is_lite) {
  member->is_lite = is_lite;
  ufrag->member = member;
  ufrag->session = ++member->session;
  floe__mux_list_add_last(&member->ufrags, &ufrag->node);
  if (member->ufrags.n > FLOE__MUX_UFRAGS) forget_oldest_ufrag(mux, member);
}

floe_status floe__mux_add(floe_ice_mux *mux, floe_ice_agent *agent, const floe_ice_parameters *params, void *user) {
  floe_bytes text = {.ptr = (const uint8_t *)params->ufrag, .len = strlen(params->ufrag)};
  floe__mux_member *member = floe__mux_find_member(mux, agent);
  const floe__mux_ufrag *known = floe__mux_find_ufrag(mux, text);
  if (known != NULL && known->member != member) return FLOE_E_STATE;
  if (member == NULL && mux->members.n >= mux->cfg.max_agents) return FLOE_E_TOO_LARGE;
  if (known == NULL) {
    floe__mux_ufrag *ufrag = add_ufrag(mux, text);
    if (ufrag == NULL) return FLOE_E_NOMEM;
    if (member == NULL) member = add_member(mux, agent);
    if (member == NULL) {
      floe__mux_table_remove(&mux->ufrags, mux->env, &ufrag->link);
      floe__free(mux->env, ufrag);
      return FLOE_E_NOMEM;
    }
    begin_session(mux, member, ufrag, params->lite);
  }
  member->user = user;
  return FLOE_OK;
}

void floe_ice_mux_detach(floe_ice_mux *mux, floe_ice_agent *agent) {
  floe__mux_member *member = floe__mux_find_member(mux, agent);
  if (member != NULL) forget_member(mux, member);
}

size_t floe_ice_mux_agents(const floe_ice_mux *mux) {
  return mux->members.n;
}

void floe_ice_mux_free(floe_ice_mux *mux) {
  if (mux == NULL) return;
  while (mux->all.n > 0) forget_member(mux, FLOE__MUX_OF(floe__mux_member, node, mux->all.first));
  floe__mux_table_clear(&mux->members, mux->env);
  floe__mux_table_clear(&mux->ufrags, mux->env);
  floe__mux_table_clear(&mux->transactions, mux->env);
  floe__mux_table_clear(&mux->addresses, mux->env);
  floe__mux_table_clear(&mux->paths, mux->env);
  floe__wipe(&mux->key, sizeof mux->key);
  floe__free(mux->env, mux);
}
