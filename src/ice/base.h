/* Local bases: the host's addresses that may be used, and the UDP sockets on them (RFC 8445 5.1.1.1). */
#ifndef FLOE_ICE_BASE_H
#define FLOE_ICE_BASE_H

#include "floe/cause.h"
#include "ice/io.h"

/* --- one socket bound to a port of ours, with its port range ---------------------------------------------------- */

typedef enum floe__socket_kind {
  FLOE__SOCKET_UDP = 0,
  FLOE__SOCKET_SHARED_UDP,  /* the multiplexer's: it has chosen the port */
  FLOE__SOCKET_LISTENER,    /* TCP, for passive candidates */
  FLOE__SOCKET_SO_LISTENER, /* TCP, whose port connects too */
} floe__socket_kind;

typedef enum floe__udp_state {
  FLOE__UDP_IDLE = 0, /* never asked for */
  FLOE__UDP_OPENING,
  FLOE__UDP_OPEN,
  FLOE__UDP_FAILED, /* cause, os_error */
  FLOE__UDP_CLOSED
} floe__udp_state;

typedef struct floe__udp_socket {
  floe__socket_kind kind;
  floe__udp_state state;
  floe_sock_id id;
  floe_addr local;        /* with its port once OPEN */
  floe_cause cause;       /* FAILED: port_range_exhausted or socket_failed */
  int os_error;           /* FAILED; 0 = none */
  char os_error_text[40]; /* FAILED; the system's words, cut */
  uint32_t ports_left;    /* of a port range: how many are still to be tried */
  uint16_t next_port;
} floe__udp_socket;

/* Asks for it. `local` has the address to bind to. */
void floe__udp_open(floe__udp_socket *s, floe__io *io, const floe_addr *local, floe__socket_kind kind);
/* The driver's answers; the caller has matched the id. */
void floe__udp_on_opened(floe__udp_socket *s, const floe_addr *local);
/* Tries the next port of the range when this one is in use. */
void floe__udp_on_failed(floe__udp_socket *s, floe__io *io, const floe_input *in);
void floe__udp_close(floe__udp_socket *s, floe__io *io);

/* --- bases ------------------------------------------------------------------------------------------------------ */

typedef enum floe__base_kind { FLOE__BASE_ORDINARY = 0, FLOE__BASE_LOOPBACK, FLOE__BASE_LINK_LOCAL } floe__base_kind;

typedef struct floe__base {
  floe_interface interface;
  floe__base_kind kind;
  bool surfaces;        /* a host candidate is made of it */
  bool is_gone;         /* the host does not have the address any more: nothing is done with it */
  floe__udp_socket udp; /* opened at the start when it surfaces, else when an attempt needs it */
  uint32_t rank;        /* place among the bases, for the local preference */
  char *mdns_name;      /* nullable: published for the address; owned by the gathering */
} floe__base;

typedef struct floe__base_list {
  floe__base *items;
  size_t n;
} floe__base_list;

/* A TCP socket that waits for peers (RFC 6544 4.1). */
typedef struct floe__listener {
  floe__udp_socket sock; /* its kind tells for which candidates */
  floe__base *base;
} floe__listener;

floe__base_kind floe__addr_kind(const floe_addr *addr);

/* Those of the host's addresses that the settings let us use. False: no memory. */
bool floe__base_list_make(floe__base_list *list, const floe__io *io, const floe_interface *interfaces, size_t n);

/* Its UDP socket is a multiplexer's: others receive on it too. */
bool floe__base_is_shared(const floe__base *b, const floe__io *io);
void floe__base_open_udp(floe__base *b, floe__io *io);

/* The contract's section 2.4: a loopback base serves only loopback servers, a link-local base only link-local servers
 * of its interface, every other base every other server of its family. */
bool floe__base_serves(const floe__base *base, const floe_addr *server);

/* A family that names are looked up for: some ordinary base has it; on a host with none, any base. */
bool floe__base_list_has_family(const floe__base_list *list, floe_family family);

#endif
