/* UTF-8 as the Unicode standard has it: no overlong form, no surrogate, nothing above U+10FFFF. */
#ifndef FLOE_BASE_UTF8_H
#define FLOE_BASE_UTF8_H

#include "floe/types.h"

/* False: *offset is the first byte of the first sequence that is none. */
bool floe__utf8_is_valid(floe_bytes text, size_t *offset);

#endif
