/* The host's addresses. */
#ifndef FLOE_UV_IFACES_H
#define FLOE_UV_IFACES_H

#include <stdint.h>

#include "uv/mem.h"

/* Those of interfaces that are up. Returns 0 or an errno. *out: caller frees with floe__uv_free; may be NULL. */
int floe__uv_list_interfaces(const floe__uv_mem *mem, floe_interface **out, size_t *n_out);

/* A number that is another one for another set of addresses, in whatever order; never 0. */
uint64_t floe__uv_interfaces_print(const floe_interface *list, size_t n);

#endif
