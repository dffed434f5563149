#include "uv/ifaces.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "uv/os.h"
#include "uv/sockaddr.h"

static bool read_interface(floe_interface *out, const uv_interface_address_t *from) {
  memset(out, 0, sizeof *out);
  floe__uv_sockaddr_read(&out->addr, (const struct sockaddr *)&from->address);
  if (out->addr.family == FLOE_FAMILY_NONE) return false;
  out->addr.port = 0;
  (void)snprintf(out->name, sizeof out->name, "%s", from->name);
  out->index = if_nametoindex(from->name);
  out->is_loopback = from->is_internal != 0;
  return true;
}

int floe__uv_list_interfaces(const floe__uv_mem *mem, floe_interface **out, size_t *n_out) {
  *out = NULL;
  *n_out = 0;
  uv_interface_address_t *found = NULL;
  int n_found = 0;
  int err = uv_interface_addresses(&found, &n_found);
  if (err != 0) return -err;
  floe_interface *list = n_found == 0 ? NULL : floe__uv_alloc(mem, (size_t)n_found * sizeof *list);
  size_t n = 0;
  for (int i = 0; list != NULL && i < n_found; i++) {
    if (read_interface(&list[n], &found[i])) n++;
  }
  uv_free_interface_addresses(found, n_found);
  if (list != NULL) n = floe__uv_os_review_interfaces(list, n);
  *out = list;
  *n_out = n;
  return list == NULL && n_found > 0 ? ENOMEM : 0;
}

/* FNV-1a. */
static uint64_t mix(uint64_t print, const void *data, size_t len) {
  const uint8_t *p = data;
  for (size_t i = 0; i < len; i++) print = (print ^ p[i]) * 0x100000001b3u;
  return print;
}

/* Field by field: between the members there may be anything. */
static uint64_t print_of(const floe_interface *f) {
  uint8_t flags = (uint8_t)((f->is_loopback ? 1 : 0) | (f->is_temporary ? 2 : 0) | (f->is_deprecated ? 4 : 0));
  uint64_t print = mix(0xcbf29ce484222325u, f->name, strnlen(f->name, sizeof f->name));
  print = mix(print, &f->index, sizeof f->index);
  print = mix(print, &f->addr.family, sizeof f->addr.family);
  print = mix(print, f->addr.ip, sizeof f->addr.ip);
  print = mix(print, &f->addr.scope_id, sizeof f->addr.scope_id);
  return mix(print, &flags, sizeof flags);
}

uint64_t floe__uv_interfaces_print(const floe_interface *list, size_t n) {
  uint64_t sum = n;
  for (size_t i = 0; i < n; i++) sum += print_of(&list[i]);
  return sum == 0 ? 1 : sum;
}
