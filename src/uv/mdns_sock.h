/* A multicast DNS socket: shares its port with whatever else on this host speaks multicast DNS. */
#ifndef FLOE_UV_MDNS_SOCK_H
#define FLOE_UV_MDNS_SOCK_H

#include "floe/mdns.h"
#include "uv/loop.h"

typedef struct floe__uv_mdns_sock floe__uv_mdns_sock;
struct floe__uv_mdns_sock {
  uv_poll_t poll;
  floe_uv *uv;
  floe__uv_mdns_sock *next; /* for its owner */
  floe_sock_id id;
  int fd;                                                           /* -1 when the handle is closing */
  void (*on_input)(floe__uv_mdns_sock *sock, const floe_input *in); /* datagrams */
  void *user;
};

/* As an OPEN output asks for it. Returns NULL and sets *os_error when that fails. Closed with floe__uv_mdns_sock_close,
 * after which the struct is gone. */
floe__uv_mdns_sock *floe__uv_mdns_sock_open(floe_uv *uv, const floe_mdns_output *open,
                                            void (*on_input)(floe__uv_mdns_sock *sock, const floe_input *in),
                                            void *user, int *os_error);
/* At once. What the system does not take is lost. */
void floe__uv_mdns_sock_send(floe__uv_mdns_sock *sock, const floe_addr *to, floe_bytes data);
void floe__uv_mdns_sock_close(floe__uv_mdns_sock *sock);

#endif
