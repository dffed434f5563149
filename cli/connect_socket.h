/* TCP for tunnels: a listening socket, and connecting to a place whose name may have several addresses. */
#ifndef FLOE_CLI_CONNECT_SOCKET_H
#define FLOE_CLI_CONNECT_SOCKET_H

#include "connect_fd.h"
#include "connect_options.h"

/* Opens a socket that is to listen at the place, and does not yet. -1: `why` says why not. */
int floe__socket_bind(const floe__place *place, char *why, size_t cap);
/* "127.0.0.1:8080", of a socket of ours (`is_peer`: of the other side). `buf` holds FLOE_ADDR_TEXT bytes. */
const char *floe__socket_name(int fd, bool is_peer, char *buf);
/* Closes so that the other side sees that it was no end in order (RST). */
void floe__socket_reset(int fd);

typedef struct floe__dial floe__dial;

/* `fd` is connected and the handler's, or -1 and `why` says why not. The dial is gone after it. */
typedef void (*floe__dial_handler)(int fd, const char *why, void *user);

/* Looks the host up and tries its addresses one after the other. */
floe__dial *floe__dial_start(uv_loop_t *loop, const floe__place *place, floe__dial_handler handler, void *user);
/* The handler is not called any more. NULL is fine. */
void floe__dial_cancel(floe__dial *d);

#endif
