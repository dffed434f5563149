/* A core without a protocol, for tests of the driver: what it asks for is pushed in by the test, what it is told can be
 * read back. Linked in place of src/ice. */
#ifndef TESTS_DRIVER_PARTS_FAKE_ICE_H
#define TESTS_DRIVER_PARTS_FAKE_ICE_H

#include <uv.h>

#include "floe/uv.h"

#define FAKE_TEXT 128

/* An input with copies of what it pointed at. */
typedef struct fake_input {
  floe_input in;
  char text[FAKE_TEXT];
  uint8_t *data; /* in.data.len bytes */
  floe_addr addrs[8];
  floe_interface *interfaces; /* in.n_interfaces */
} fake_input;

/* A call of the program's that the driver has passed on. */
typedef struct fake_call {
  const char *name; /* "restart" */
  floe_time now;    /* 0 for a call without a clock */
  char text[FAKE_TEXT];
  uint32_t number; /* role, length or code point */
} fake_call;

typedef struct fake_core {
  floe_ice_agent *agent;
  fake_input *inputs;
  size_t n_inputs;
  size_t n_gathers;
  size_t n_closes;
  size_t n_calls;
  fake_call call;            /* the last of them */
  floe_status reply;         /* what such calls return */
  floe_addr peer;            /* where floe_ice_agent_send sends to, out of socket 1 */
  floe_time wait_until;      /* of the WAIT outputs */
  bool holds_close;          /* floe_ice_agent_is_closed says no */
  floe_ice_parameters local; /* its ufrag is what the configuration points at, or "mine" */
  bool shared_sockets;       /* of the configuration */
  /* Called with each input, from inside floe_ice_agent_input; may push. */
  void (*on_input)(struct fake_core *fake, const floe_input *in);
  void *user;
} fake_core;

/* The core of the agent made last. Valid until the agent is freed. */
fake_core *fake_last(void);
fake_core *fake_of(floe_uv_ice_agent *agent);
/* How many cores there are. */
size_t fake_alive(void);

/* Copies `out` and what it points at. The driver takes it at its next drain. */
void fake_push(fake_core *fake, const floe_output *out);

void fake_open(fake_core *fake, floe_sock_id sock, floe_transport transport, const char *local, const char *remote);
/* A UDP socket of the multiplexer's. */
void fake_open_on_mux(fake_core *fake, floe_sock_id sock, const char *local);
/* `remote` NULL: listens. */
void fake_open_shared(fake_core *fake, floe_sock_id sock, const char *local, const char *remote);
void fake_listen(fake_core *fake, floe_sock_id sock, const char *local);
void fake_close(fake_core *fake, floe_sock_id sock);
void fake_transmit(fake_core *fake, floe_sock_id sock, const floe_addr *to, const void *data, size_t len);
void fake_transmit_marked(fake_core *fake, floe_sock_id sock, const floe_addr *to, const void *data, size_t len,
                          uint8_t dscp);
void fake_data(fake_core *fake, uint32_t candidate, const floe_addr *from, const void *data, size_t len);
void fake_interfaces(fake_core *fake);
void fake_resolve(fake_core *fake, floe_req_id req, const char *host, floe_family family);
void fake_resolve_multicast(fake_core *fake, floe_req_id req, const char *host, floe_family family);
void fake_publish(fake_core *fake, const char *name, const floe_addr *address, bool withdraw);
/* Returns the event, for the test to fill in. */
floe_event *fake_event(fake_core *fake, floe_event_type type);

/* The n-th input (from 0) of this type and this socket or look-up (0 = any), or NULL. */
const fake_input *fake_find(const fake_core *fake, floe_input_type type, uint32_t id, size_t n);
size_t fake_count(const fake_core *fake, floe_input_type type, uint32_t id);
/* The bytes of all STREAM inputs of a socket. */
size_t fake_stream_bytes(const fake_core *fake, floe_sock_id sock);

/* Runs the loop until done() says so; fails the test after ten seconds. */
void fake_run(uv_loop_t *loop, bool (*done)(void *user), void *user);
/* Runs the loop until that many inputs of the type have come for the socket or look-up (0 = any). Returns the last. */
const fake_input *fake_await(floe_uv_ice_agent *agent, uv_loop_t *loop, floe_input_type type, uint32_t id,
                             size_t count);

#endif
