#include <string.h>

#include "base/addr.h"
#include "ice/mux_internal.h"

/* Family, port and scope in eight bytes, then the IP address. Returns how many it wrote, up to 24. */
static size_t write_key(uint8_t *out, const floe_addr *addr) {
  size_t ip_len = floe__addr_ip_len(addr);
  out[0] = addr->family;
  out[1] = 0;
  memcpy(out + 2, &addr->port, sizeof addr->port);
  memcpy(out + 4, &addr->scope_id, sizeof addr->scope_id);
  memcpy(out + 8, addr->ip, ip_len);
  return 8 + ip_len;
}

floe__mux_ends floe__mux_ends_of(const floe_ice_mux *mux, const floe_addr *local, const floe_addr *remote) {
  uint8_t key[48];
  size_t len = write_key(key, local);
  len += write_key(key + len, remote);
  return (floe__mux_ends){.local = *local, .remote = *remote, .hash = floe__mux_hash(&mux->key, key, len)};
}

static bool is_at(const floe__mux_address *address, const floe__mux_ends *ends) {
  return floe_addr_equal(&address->remote, &ends->remote) && floe_addr_equal(&address->local, &ends->local);
}

/* --- addresses -------------------------------------------------------------------------------------------------- */

static bool is_address(const floe__mux_link *link, const void *key) {
  return is_at((const floe__mux_address *)(const void *)link, key);
}

floe__mux_address *floe__mux_address_find(const floe_ice_mux *mux, const floe__mux_ends *ends) {
  return (floe__mux_address *)(void *)floe__mux_table_find(&mux->addresses, ends->hash, is_address, ends);
}

/* NULL: no memory. */
static floe__mux_address *add_address(floe_ice_mux *mux, const floe__mux_ends *ends) {
  floe__mux_address *address = floe__zalloc(mux->env, sizeof *address);
  if (address == NULL) return NULL;
  address->local = ends->local;
  address->remote = ends->remote;
  address->link.hash = ends->hash;
  if (floe__mux_table_add(&mux->addresses, mux->env, &address->link)) return address;
  floe__free(mux->env, address);
  return NULL;
}

static void drop_unused(floe_ice_mux *mux, floe__mux_address *address) {
  if (address->paths.n > 0) return;
  floe__mux_table_remove(&mux->addresses, mux->env, &address->link);
  floe__free(mux->env, address);
}

/* --- paths ------------------------------------------------------------------------------------------------------ */

typedef struct path_key {
  const floe__mux_member *member;
  const floe__mux_ends *ends;
} path_key;

static bool is_path(const floe__mux_link *link, const void *key) {
  const floe__mux_path *path = (const void *)link;
  const path_key *wanted = key;
  return path->member == wanted->member && is_at(path->address, wanted->ends);
}

floe__mux_path *floe__mux_path_find(const floe_ice_mux *mux, const floe__mux_member *member,
                                    const floe__mux_ends *ends) {
  path_key key = {.member = member, .ends = ends};
  return (floe__mux_path *)(void *)floe__mux_table_find(&mux->paths, ends->hash ^ member->salt, is_path, &key);
}

static void forget(floe_ice_mux *mux, floe__mux_path *path) {
  floe__mux_address *address = path->address;
  floe__mux_list_remove(&path->member->paths, &path->of_member);
  floe__mux_list_remove(&address->paths, &path->of_address);
  floe__mux_table_remove(&mux->paths, mux->env, &path->link);
  floe__free(mux->env, path);
  drop_unused(mux, address);
}

static floe__mux_path *oldest_of(const floe__mux_member *member) {
  return FLOE__MUX_OF(floe__mux_path, of_member, member->paths.first);
}

/* NULL: no memory. */
static floe__mux_path *add_path(floe_ice_mux *mux, floe__mux_member *member, floe__mux_address *address) {
  floe__mux_path *path = floe__zalloc(mux->env, sizeof *path);
  if (path == NULL) return NULL;
  path->link.hash = address->link.hash ^ member->salt;
  if (!floe__mux_table_add(&mux->paths, mux->env, &path->link)) {
    floe__free(mux->env, path);
    return NULL;
  }
  path->member = member;
  path->address = address;
  floe__mux_list_add_last(&member->paths, &path->of_member);
  /* Whoever was there first stays first until this one has proved more. */
  floe__mux_list_add_last(&address->paths, &path->of_address);
  return path;
}

static floe__mux_path *make_path(floe_ice_mux *mux, floe__mux_member *member, const floe__mux_ends *ends) {
  if (member->paths.n >= mux->cfg.max_addresses) forget(mux, oldest_of(member));
  floe__mux_address *address = floe__mux_address_find(mux, ends);
  if (address == NULL) address = add_address(mux, ends);
  if (address == NULL) return NULL;
  floe__mux_path *path = add_path(mux, member, address);
  if (path == NULL) drop_unused(mux, address);
  return path;
}

floe__mux_path *floe__mux_path_use(floe_ice_mux *mux, floe__mux_member *member, const floe__mux_ends *ends,
                                   floe_sock_id sock) {
  floe__mux_path *path = floe__mux_path_find(mux, member, ends);
  if (path == NULL) {
    path = make_path(mux, member, ends);
    if (path != NULL) path->sock = sock;
  } else if (member->paths.last != &path->of_member) {
    floe__mux_list_remove(&member->paths, &path->of_member);
    floe__mux_list_add_last(&member->paths, &path->of_member);
  }
  return path;
}

void floe__mux_path_prove(floe__mux_path *path, floe_sock_id sock) {
  floe__mux_list *paths = &path->address->paths;
  path->sock = sock;
  if (paths->first == &path->of_address) return;
  floe__mux_list_remove(paths, &path->of_address);
  floe__mux_list_add_first(paths, &path->of_address);
}

void floe__mux_paths_forget(floe_ice_mux *mux, floe__mux_member *member) {
  while (member->paths.n > 0) forget(mux, oldest_of(member));
}

/* --- floe/mux.h ------------------------------------------------------------------------------------------------- */

static floe__mux_node *next_node(const floe_ice_mux *mux, const floe__mux_ends *ends, const floe_ice_agent *after) {
  if (after == NULL) {
    const floe__mux_address *address = floe__mux_address_find(mux, ends);
    return address == NULL ? NULL : address->paths.first;
  }
  const floe__mux_member *member = floe__mux_find_member(mux, after);
  const floe__mux_path *path = member == NULL ? NULL : floe__mux_path_find(mux, member, ends);
  return path == NULL ? NULL : path->of_address.next;
}

bool floe_ice_mux_next_at(const floe_ice_mux *mux, const floe_addr *local, const floe_addr *to,
                          floe_ice_mux_match *match) {
  floe__mux_ends ends = floe__mux_ends_of(mux, local, to);
  floe__mux_node *node = next_node(mux, &ends, match->agent);
  *match = (floe_ice_mux_match){0};
  if (node == NULL) return false;
  const floe__mux_path *path = FLOE__MUX_OF(floe__mux_path, of_address, node);
  match->agent = path->member->agent;
  match->user = path->member->user;
  match->sock = floe__mux_name(path->member, local, path->sock);
  return true;
}
