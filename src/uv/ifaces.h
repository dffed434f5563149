/* The host's addresses. */
#ifndef FLOE_UV_IFACES_H
#define FLOE_UV_IFACES_H

#include "uv/mem.h"

/* Those of interfaces that are up. Returns how many; none when the system does not tell.
 * *out: caller frees with floe__uv_free; may be NULL. */
size_t floe__uv_list_interfaces(const floe__uv_mem *mem, floe_interface **out);

#endif
