/* What a file is called here that the other side calls `name`. */
#ifndef FLOE_CLI_CONNECT_NAME_H
#define FLOE_CLI_CONNECT_NAME_H

#include "floe/types.h"

/* What a file that is not complete yet is called: its name with this after it. */
#define FLOE__PART_SUFFIX ".floe-part"

enum { FLOE__NAME_MAX = 240 }; /* bytes, so that the suffix still fits into what file systems take (255) */

/* A name of one file in one directory, whatever `name` was: only its last part, no control characters, nothing that is
 * no UTF-8, no dot or dash at its beginning, not ours for incomplete files. `out` holds FLOE__NAME_MAX + 1 bytes. */
void floe__name_sanitise(char *out, floe_bytes name);

#endif
