#include "uv/neterror.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

floe_net_error floe__uv_net_error(int os_error) {
  switch (os_error) {
    case ECONNREFUSED: return FLOE_NET_REFUSED;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE: return FLOE_NET_RESET;
    case ETIMEDOUT: return FLOE_NET_TIMED_OUT;
    case ENETUNREACH:
    case ENETDOWN: return FLOE_NET_NET_UNREACHABLE;
    case EHOSTUNREACH:
#ifdef EHOSTDOWN
    case EHOSTDOWN:
#endif
      return FLOE_NET_HOST_UNREACHABLE;
    case EPERM:
    case EACCES: return FLOE_NET_DENIED;
    case EADDRINUSE: return FLOE_NET_ADDRESS_IN_USE;
    case EADDRNOTAVAIL: return FLOE_NET_ADDRESS_NOT_AVAILABLE;
    case EMSGSIZE: return FLOE_NET_MESSAGE_SIZE;
    case ENOBUFS:
    case ENOMEM:
    case EMFILE:
    case ENFILE: return FLOE_NET_NO_RESOURCES;
    default: return FLOE_NET_OTHER;
  }
}

void floe__uv_set_error(floe_input *in, int os_error, char *text) {
  in->net_error = floe__uv_net_error(os_error);
  in->os_error = os_error;
  in->os_error_text = NULL;
  if (os_error == 0) return;
  if (strerror_r(os_error, text, FLOE__UV_ERROR_TEXT) != 0) {
    (void)snprintf(text, FLOE__UV_ERROR_TEXT, "error %d", os_error);
  }
  in->os_error_text = text;
}
