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
