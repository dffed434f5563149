/* The host's addresses. */
#ifndef FLOE_UV_IFACES_H
#define FLOE_UV_IFACES_H

#include "uv/mem.h"

/* Those of interfaces that are up. Returns 0 or an errno. *out: caller frees with floe__uv_free; may be NULL. */
int floe__uv_list_interfaces(const floe__uv_mem *mem, floe_interface **out, size_t *n_out);

#endif
