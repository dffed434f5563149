/* The system's error numbers, in the words of floe/ice.h. */
#ifndef FLOE_UV_NETERROR_H
#define FLOE_UV_NETERROR_H

#include "floe/ice.h"

#define FLOE__UV_ERROR_TEXT 128

floe_net_error floe__uv_net_error(int os_error);

/* Sets net_error, os_error and os_error_text of `in`; `text` holds FLOE__UV_ERROR_TEXT bytes and must live as long. */
void floe__uv_set_error(floe_input *in, int os_error, char *text);

#endif
