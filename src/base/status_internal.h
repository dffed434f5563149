/* Filling a floe_error. */
#ifndef FLOE_BASE_STATUS_INTERNAL_H
#define FLOE_BASE_STATUS_INTERNAL_H

#include "floe/status.h"

/* Fills `why` (nullable) and returns `status`. `offset` may be FLOE_NO_OFFSET. */
floe_status floe__error_set(floe_error *why, floe_status status, const char *path, size_t offset, const char *format,
                            ...) FLOE_PRINTF(5, 6);

#endif
