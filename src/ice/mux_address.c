#include <string.h>

#include "base/addr.h"
#include "ice/mux_internal.h"

/* Family, port and scope in the first eight bytes, then the IP address: 12 or 24 bytes without what is unused. */
uint64_t floe__mux_address_hash(const floe_ice_mux *mux, const floe_addr *addr) {
  uint8_t key[24] = {addr->family, 0, (uint8_t)(addr->port >> 8), (uint8_t)addr->port};
  size_t ip_len = floe__addr_ip_len(addr);
  memcpy(key + 4, &addr->scope_id, sizeof addr->scope_id);
  memcpy(key + 8, addr->ip, ip_len);
  return floe__mux_hash(&mux->key, key, 8 + ip_len);
}

/* --- addresses -------------------------------------------------------------------------------------------------- */

static bool is_address(const floe__mux_link *link, const void *key) {
  return floe_addr_equal(&((const floe__mux_address *)(const void *)link)->addr, key);
}

floe__mux_address *floe__mux_address_find(const floe_ice_mux *mux, uint64_t hash, const floe_addr *addr) {
  return (floe__mux_address *)(void *)floe__mux_table_find(&mux->addresses, hash, is_address, addr);
}

/* NULL: no memory. */
static floe__mux_address *add_address(floe_ice_mux *mux, uint64_t hash, const floe_addr *addr) {
  floe__mux_address *address = floe__zalloc(mux->env, sizeof *address);
  if (address == NULL) return NULL;
  address->addr = *addr;
  address->link.hash = hash;
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
  const floe_addr *addr;
} path_key;

static bool is_path(const floe__mux_link *link, const void *key) {
  const floe__mux_path *path = (const void *)link;
  const path_key *wanted = key;
  return path->member == wanted->member && floe_addr_equal(&path->address->addr, wanted->addr);
}

floe__mux_path *floe__mux_path_find(const floe_ice_mux *mux, const floe__mux_member *member, uint64_t hash,
                                    const floe_addr *addr) {
  path_key key = {.member = member, .addr = addr};
  return (floe__mux_path *)(void *)floe__mux_table_find(&mux->paths, hash ^ member->salt, is_path, &key);
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

floe__mux_path *floe__mux_path_use(floe_ice_mux *mux, floe__mux_member *member, uint64_t hash, const floe_addr *addr) {
  floe__mux_path *path = floe__mux_path_find(mux, member, hash, addr);
  if (path != NULL) {
    if (member->paths.last == &path->of_member) return path;
    floe__mux_list_remove(&member->paths, &path->of_member);
    floe__mux_list_add_last(&member->paths, &path->of_member);
    return path;
  }
  if (member->paths.n >= mux->cfg.max_addresses) forget(mux, oldest_of(member));
  floe__mux_address *address = floe__mux_address_find(mux, hash, addr);
  if (address == NULL) address = add_address(mux, hash, addr);
  if (address == NULL) return NULL;
  path = add_path(mux, member, address);
  if (path == NULL) drop_unused(mux, address);
  return path;
}

void floe__mux_path_prove(floe__mux_path *path) {
  floe__mux_list *paths = &path->address->paths;
  if (paths->first == &path->of_address) return;
  floe__mux_list_remove(paths, &path->of_address);
  floe__mux_list_add_first(paths, &path->of_address);
}

void floe__mux_paths_forget(floe_ice_mux *mux, floe__mux_member *member) {
  while (member->paths.n > 0) forget(mux, oldest_of(member));
}

/* --- floe/mux.h ------------------------------------------------------------------------------------------------- */

floe_ice_agent *floe_ice_mux_next_at(const floe_ice_mux *mux, const floe_addr *addr, const floe_ice_agent *after) {
  uint64_t hash = floe__mux_address_hash(mux, addr);
  floe__mux_node *node = NULL;
  if (after == NULL) {
    const floe__mux_address *address = floe__mux_address_find(mux, hash, addr);
    node = address == NULL ? NULL : address->paths.first;
  } else {
    const floe__mux_member *member = floe__mux_find_member(mux, after);
    const floe__mux_path *path = member == NULL ? NULL : floe__mux_path_find(mux, member, hash, addr);
    node = path == NULL ? NULL : path->of_address.next;
  }
  if (node == NULL) return NULL;
  return FLOE__MUX_OF(floe__mux_path, of_address, node)->member->agent;
}
