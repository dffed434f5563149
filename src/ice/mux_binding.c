#include "ice/mux_internal.h"

/* An agent has as many names as there are local addresses, twice after a restart: a handful. */

static floe__mux_binding *binding_at(floe__mux_node *node) {
  return node == NULL ? NULL : FLOE__MUX_OF(floe__mux_binding, node, node);
}

const floe__mux_binding *floe__mux_find_binding(const floe__mux_member *member, floe_sock_id sock) {
  const floe__mux_binding *b = binding_at(member->bindings.first);
  while (b != NULL && b->sock != sock) b = binding_at(b->node.next);
  return b;
}

floe_sock_id floe__mux_name(const floe__mux_member *member, const floe_addr *local, floe_sock_id wanted) {
  floe_sock_id found = 0;
  for (const floe__mux_binding *b = binding_at(member->bindings.last); b != NULL; b = binding_at(b->node.prev)) {
    if (!floe_addr_equal(&b->local, local)) continue;
    if (b->sock == wanted) return wanted;
    if (found == 0) found = b->sock;
  }
  return found;
}

floe_sock_id floe__mux_name_in(const floe__mux_member *member, const floe_addr *local, uint32_t session) {
  floe_sock_id wanted = 0;
  for (const floe__mux_binding *b = binding_at(member->bindings.last); b != NULL; b = binding_at(b->node.prev)) {
    if (b->session == session && floe_addr_equal(&b->local, local)) wanted = b->sock;
  }
  return floe__mux_name(member, local, wanted);
}

static void forget(floe_ice_mux *mux, floe__mux_member *member, floe__mux_node *node) {
  floe__mux_list_remove(&member->bindings, node);
  floe__free(mux->env, binding_at(node));
}

void floe__mux_bindings_forget(floe_ice_mux *mux, floe__mux_member *member) {
  while (member->bindings.n > 0) forget(mux, member, member->bindings.first);
}

/* --- floe/mux.h ------------------------------------------------------------------------------------------------- */

void floe_ice_mux_unbind(floe_ice_mux *mux, const floe_ice_agent *agent, floe_sock_id sock) {
  floe__mux_member *member = floe__mux_find_member(mux, agent);
  floe__mux_node *node = member == NULL ? NULL : member->bindings.first;
  while (node != NULL && binding_at(node)->sock != sock) node = node->next;
  if (node != NULL) forget(mux, member, node);
}

floe_status floe_ice_mux_bind(floe_ice_mux *mux, const floe_ice_agent *agent, floe_sock_id sock,
                              const floe_addr *local) {
  floe__mux_member *member = floe__mux_find_member(mux, agent);
  if (member == NULL) return FLOE_E_NOT_FOUND;
  floe__mux_binding *b = floe__zalloc(mux->env, sizeof *b);
  if (b == NULL) return FLOE_E_NOMEM;
  floe_ice_mux_unbind(mux, agent, sock);
  b->sock = sock;
  b->local = *local;
  b->session = member->session;
  floe__mux_list_add_last(&member->bindings, &b->node);
  return FLOE_OK;
}
