#include <string.h>

#include "ice/mux_internal.h"

static bool is_transaction(const floe__mux_link *link, const void *key) {
  return memcmp(((const floe__mux_transaction *)(const void *)link)->id, key, FLOE__STUN_TXN_ID) == 0;
}

floe__mux_transaction *floe__mux_transaction_find(const floe_ice_mux *mux, const uint8_t id[FLOE__STUN_TXN_ID]) {
  uint64_t hash = floe__mux_hash(&mux->key, id, FLOE__STUN_TXN_ID);
  return (floe__mux_transaction *)(void *)floe__mux_table_find(&mux->transactions, hash, is_transaction, id);
}

static void forget(floe_ice_mux *mux, floe__mux_transaction *txn) {
  floe__mux_list_remove(&txn->member->transactions, &txn->node);
  floe__mux_table_remove(&mux->transactions, mux->env, &txn->link);
  floe__free(mux->env, txn);
}

static floe__mux_transaction *oldest_of(const floe__mux_member *member) {
  return FLOE__MUX_OF(floe__mux_transaction, node, member->transactions.first);
}

static void forget_old(floe_ice_mux *mux, floe_time now, floe__mux_member *member) {
  while (member->transactions.n > 0) {
    floe__mux_transaction *txn = oldest_of(member);
    if (now < txn->forget_at && member->transactions.n < mux->cfg.max_transactions) return;
    forget(mux, txn);
  }
}

/* NULL: no memory. */
static floe__mux_transaction *add(floe_ice_mux *mux, floe__mux_member *member, const uint8_t *id) {
  floe__mux_transaction *txn = floe__zalloc(mux->env, sizeof *txn);
  if (txn == NULL) return NULL;
  memcpy(txn->id, id, FLOE__STUN_TXN_ID);
  txn->link.hash = floe__mux_hash(&mux->key, id, FLOE__STUN_TXN_ID);
  if (!floe__mux_table_add(&mux->transactions, mux->env, &txn->link)) {
    floe__free(mux->env, txn);
    return NULL;
  }
  txn->member = member;
  floe__mux_list_add_last(&member->transactions, &txn->node);
  return txn;
}

void floe__mux_transaction_note(floe_ice_mux *mux, floe_time now, floe__mux_member *member,
                                const uint8_t id[FLOE__STUN_TXN_ID], floe_sock_id sock, uint64_t ends_hash) {
  floe__mux_transaction *txn = floe__mux_transaction_find(mux, id);
  /* Ids have 96 random bits: another member's is a program that feeds the multiplexer itself. The last one has it. */
  if (txn != NULL && txn->member != member) {
    forget(mux, txn);
    txn = NULL;
  }
  if (txn == NULL) {
    forget_old(mux, now, member);
    txn = add(mux, member, id);
    if (txn == NULL) return;
  } else {
    floe__mux_list_remove(&member->transactions, &txn->node);
    floe__mux_list_add_last(&member->transactions, &txn->node);
  }
  txn->sock = sock;
  txn->ends_hash = ends_hash;
  txn->is_answered = false;
  txn->forget_at = now + FLOE__MUX_UNANSWERED;
}

void floe__mux_transaction_answered(floe_time now, floe__mux_transaction *txn) {
  if (!txn->is_answered) txn->forget_at = now + FLOE__MUX_ANSWERED;
  txn->is_answered = true;
}

void floe__mux_transactions_forget(floe_ice_mux *mux, floe__mux_member *member) {
  while (member->transactions.n > 0) forget(mux, oldest_of(member));
}
