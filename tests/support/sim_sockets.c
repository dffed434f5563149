#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/sim_agent_internal.h"
#include "support/sim_dns.h"
#include "support/sim_mdns.h"

static sim_slot *slot_of(const sim_agent *a, floe_sock_id id) {
  sim_slot *slot = a->slots;
  while (slot != NULL && slot->id != id) slot = slot->next;
  return slot;
}

size_t sim_agent_open_sockets(const sim_agent *a) {
  size_t n = 0;
  for (const sim_slot *slot = a->slots; slot != NULL; slot = slot->next) {
    n += slot->state == SIM_SLOT_OPENING || slot->state == SIM_SLOT_OPEN ? 1 : 0;
  }
  return n;
}

static void feed_failure(sim_slot *slot, floe_input_type type, const floe_addr *addr, floe_net_error error) {
  floe_input in = {.type = type, .sock = slot->id, .net_error = error};
  if (addr != NULL) in.addr = *addr;
  in.os_error = sim_errno(error);
  in.os_error_text = sim_errno_text(error);
  sim_agent_feed(slot->a, &in);
}

/* --- what the network tells -------------------------------------------------------------------------------------- */

static void on_datagram(void *user, const floe_addr *from, floe_bytes data) {
  sim_slot *slot = user;
  sim_agent_feed(slot->a, &(floe_input){.type = FLOE_INPUT_DATAGRAM, .sock = slot->id, .addr = *from, .data = data});
}

static void on_icmp(void *user, const floe_addr *to, uint8_t type, uint8_t code) {
  sim_slot *slot = user;
  sim_agent_feed(
      slot->a,
      &(floe_input){.type = FLOE_INPUT_ICMP, .sock = slot->id, .addr = *to, .icmp_type = type, .icmp_code = code});
}

static void on_send_failed(void *user, const floe_addr *to, floe_net_error error) {
  feed_failure(user, FLOE_INPUT_SEND_FAILED, to, error);
}

static void on_connected(void *user, const floe_addr *local) {
  sim_slot *slot = user;
  slot->state = SIM_SLOT_OPEN;
  slot->local = *local;
  sim_agent_feed(slot->a, &(floe_input){.type = FLOE_INPUT_SOCKET_OPENED, .sock = slot->id, .addr = *local});
}

static void on_failed(void *user, floe_net_error error) {
  sim_slot *slot = user;
  slot->state = SIM_SLOT_FAILED;
  if (slot->tcp != NULL) slot->local = sim_tcp_local(slot->tcp);
  feed_failure(user, FLOE_INPUT_SOCKET_FAILED, slot->tcp == NULL ? NULL : &slot->local, error);
}

static void on_bytes(void *user, floe_bytes data) {
  sim_slot *slot = user;
  sim_agent_feed(slot->a, &(floe_input){.type = FLOE_INPUT_STREAM, .sock = slot->id, .data = data});
}

static void on_end(void *user) {
  sim_slot *slot = user;
  sim_agent_feed(slot->a, &(floe_input){.type = FLOE_INPUT_STREAM_END, .sock = slot->id});
}

static const sim_udp_ops udp_ops = {.on_datagram = on_datagram, .on_icmp = on_icmp, .on_send_failed = on_send_failed};
static const sim_tcp_ops tcp_ops = {
    .on_connected = on_connected, .on_failed = on_failed, .on_bytes = on_bytes, .on_end = on_end};

/* The driver names an accepted connection. */
static void on_accept(void *user, sim_tcp *conn, const floe_addr *from) {
  sim_slot *listener = user;
  sim_agent *a = listener->a;
  if (!sim_agent_is_alive(a) || listener->state != SIM_SLOT_OPEN) {
    sim_tcp_reset(conn);
    return;
  }
  sim_slot *slot = sim_keep(a->s, sizeof *slot);
  *slot = (sim_slot){.a = a,
                     .id = a->c.accepted++,
                     .transport = FLOE_TRANSPORT_TCP,
                     .local = sim_tcp_local(conn),
                     .remote = *from,
                     .state = SIM_SLOT_OPEN,
                     .tcp = conn,
                     .next = a->slots};
  a->slots = slot;
  sim_tcp_set(conn, &tcp_ops, slot);
  sim_agent_feed(
      a, &(floe_input){.type = FLOE_INPUT_SOCKET_ACCEPTED, .sock = listener->id, .accepted = slot->id, .addr = *from});
}

/* --- open and close ---------------------------------------------------------------------------------------------- */

static void log_open(sim_agent *a, const sim_slot *slot) {
  char local[FLOE_ADDR_TEXT], remote[FLOE_ADDR_TEXT];
  sim_text_add(&a->wire, "%.1f open %s %s%s%s%s%s\n", sim_agent_ms(a), floe_transport_name(slot->transport),
               floe_addr_format(&slot->local, local), slot->remote.family == FLOE_FAMILY_NONE ? "" : " > ",
               floe_addr_format(&slot->remote, remote), slot->listen ? " listen" : "", slot->shared ? " shared" : "");
}

/* The result of a bind is told as an input of its own, as a driver would. */
static void tell_bound(void *user, void *payload) {
  (void)payload;
  sim_slot *slot = user;
  if (slot->state == SIM_SLOT_CLOSED) return;
  if (slot->udp != NULL) {
    floe_addr local = sim_udp_local(slot->udp);
    on_connected(slot, &local);
  } else if (slot->listener != NULL) {
    floe_addr local = slot->local;
    on_connected(slot, &local);
  } else {
    on_failed(slot, slot->why);
  }
}

static void open_udp(sim_slot *slot) {
  slot->udp = sim_udp_open(slot->a->host, &slot->local, &udp_ops, slot, &slot->why);
  sim_after(slot->a->s, 0, tell_bound, slot, NULL);
}

/* A TCP socket has its port before it connects. */
static void tell_port(void *user, void *payload) {
  (void)payload;
  sim_slot *slot = user;
  if (slot->state == SIM_SLOT_CLOSED) return;
  slot->local = sim_tcp_local(slot->tcp);
  sim_agent_feed(slot->a, &(floe_input){.type = FLOE_INPUT_SOCKET_BOUND, .sock = slot->id, .addr = slot->local});
}

static void open_tcp(sim_slot *slot) {
  if (slot->listen) {
    slot->listener = sim_tcp_listen_at(slot->a->host, &slot->local, slot->shared, on_accept, slot, &slot->why);
    sim_after(slot->a->s, 0, tell_bound, slot, NULL);
    return;
  }
  slot->tcp = slot->shared
                  ? sim_tcp_connect_shared(slot->a->host, &slot->local, &slot->remote, &tcp_ops, slot, &slot->why)
                  : sim_tcp_connect(slot->a->host, &slot->local, &slot->remote, &tcp_ops, slot, &slot->why);
  if (slot->tcp != NULL) sim_after(slot->a->s, 0, tell_port, slot, NULL);
  if (slot->tcp == NULL) sim_after(slot->a->s, 0, tell_bound, slot, NULL);
}

void sim_agent_open(sim_agent *a, const floe_output *out) {
  if (out->u.open.sock == 0 || slot_of(a, out->u.open.sock) != NULL) {
    sim_fail(a->s, "OPEN names socket %u, which is 0 or was used before", (unsigned)out->u.open.sock);
    return;
  }
  sim_slot *slot = sim_keep(a->s, sizeof *slot);
  *slot = (sim_slot){.a = a,
                     .id = out->u.open.sock,
                     .transport = out->u.open.transport,
                     .local = out->u.open.local,
                     .remote = out->u.open.remote,
                     .listen = out->u.open.listen,
                     .shared = out->u.open.shared,
                     .next = a->slots};
  a->slots = slot;
  log_open(a, slot);
  switch (slot->transport) {
    case FLOE_TRANSPORT_UDP: open_udp(slot); return;
    case FLOE_TRANSPORT_TCP: open_tcp(slot); return;
    case FLOE_TRANSPORT_TLS:
    case FLOE_TRANSPORT_DTLS: sim_fail(a->s, "OPEN asks for neither UDP nor TCP"); return;
  }
}

void sim_agent_close_socket(sim_agent *a, floe_sock_id id) {
  sim_slot *slot = slot_of(a, id);
  if (slot == NULL || slot->state == SIM_SLOT_CLOSED) {
    if (!a->lenient) sim_fail(a->s, "CLOSE names socket %u, which is not open", (unsigned)id);
    return;
  }
  char local[FLOE_ADDR_TEXT];
  sim_text_add(&a->wire, "%.1f close %s %s\n", sim_agent_ms(a), floe_transport_name(slot->transport),
               floe_addr_format(&slot->local, local));
  slot->state = SIM_SLOT_CLOSED;
  if (slot->udp != NULL) sim_udp_close(slot->udp);
  if (slot->tcp != NULL) sim_tcp_close(slot->tcp);
  if (slot->listener != NULL) sim_tcp_unlisten(slot->listener);
}

/* --- transmit ---------------------------------------------------------------------------------------------------- */

/* RFC 8445 7.1.2: USE-CANDIDATE. */
static bool has_use_candidate(floe_bytes data) {
  for (size_t i = 20; i + 4 <= data.len; i += 4 + (((size_t)data.ptr[i + 2] << 8 | data.ptr[i + 3]) + 3) / 4 * 4) {
    if (data.ptr[i] == 0x00 && data.ptr[i + 1] == 0x25) return true;
  }
  return false;
}

/* RFC 6347 4.1. */
static const char *name_of_record(uint8_t type) {
  switch (type) {
    case 20: return "DTLS ChangeCipherSpec";
    case 21: return "DTLS Alert";
    case 22: return "DTLS Handshake";
    case 23: return "DTLS Data";
    default: return "bytes";
  }
}

/* RFC 8489 5 and RFC 8656 17. */
static const char *name_of_message(floe_bytes data) {
  static const struct {
    uint16_t type;
    const char *name;
  } names[] = {{0x0001, "Binding"},           {0x0003, "Allocate"},       {0x0004, "Refresh"},
               {0x0008, "CreatePermission"},  {0x0009, "ChannelBind"},    {0x0016, "Send"},
               {0x0011, "BindingIndication"}, {0x0101, "BindingSuccess"}, {0x0111, "BindingError"}};
  if (data.len >= 4 && (data.ptr[0] & 0xC0) == 0x40) return "ChannelData";
  if (data.len >= 13 && data.ptr[1] == 0xFE) return name_of_record(data.ptr[0]);
  if (data.len < 20 || data.ptr[4] != 0x21 || data.ptr[5] != 0x12) return "bytes";
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if ((data.ptr[0] << 8 | data.ptr[1]) != names[i].type) continue;
    return names[i].type == 0x0001 && has_use_candidate(data) ? "Binding nominate" : names[i].name;
  }
  return "STUN";
}

static void log_transmit(sim_agent *a, const sim_slot *slot, const floe_output *out) {
  char local[FLOE_ADDR_TEXT], to[FLOE_ADDR_TEXT];
  if (a->options.no_wire) return;
  sim_text_add(&a->wire, "%.1f send %s %s > %s %s", sim_agent_ms(a), floe_transport_name(slot->transport),
               floe_addr_format(&slot->local, local), floe_addr_format(&out->u.transmit.to, to),
               name_of_message(out->u.transmit.data));
  if (out->u.transmit.dscp != 0) sim_text_add(&a->wire, " dscp=%u", (unsigned)out->u.transmit.dscp);
  sim_text_add(&a->wire, "\n");
}

void sim_agent_transmit(sim_agent *a, const floe_output *out) {
  sim_slot *slot = slot_of(a, out->u.transmit.sock);
  /* Queued before the failure was told: legal when the outputs are taken late. */
  if (slot != NULL && slot->state == SIM_SLOT_FAILED && a->options.lazy_drain > 0) return;
  if (slot == NULL || slot->state != SIM_SLOT_OPEN) {
    if (!a->lenient) sim_fail(a->s, "TRANSMIT names socket %u, which is not open", (unsigned)out->u.transmit.sock);
    return;
  }
  if (out->u.transmit.data.len == 0) sim_fail(a->s, "TRANSMIT of nothing");
  if (out->u.transmit.dscp > 63) sim_fail(a->s, "TRANSMIT with DSCP %u", (unsigned)out->u.transmit.dscp);
  log_transmit(a, slot, out);
  if (slot->tcp != NULL) {
    if (!floe_addr_equal(&slot->remote, &out->u.transmit.to)) sim_fail(a->s, "TRANSMIT to another peer over TCP");
    sim_tcp_send(slot->tcp, out->u.transmit.data);
    return;
  }
  if (out->u.transmit.to.family != slot->local.family) sim_fail(a->s, "TRANSMIT to the other family");
  sim_udp_send(slot->udp, &out->u.transmit.to, out->u.transmit.data);
}

/* --- names and interfaces ---------------------------------------------------------------------------------------- */

static void on_resolved(void *user, uint32_t req, floe_family family, floe_dns_status status, const floe_addr *addrs,
                        size_t n_addrs) {
  sim_lookup *lookup = user;
  if (lookup->answered) sim_fail(lookup->a->s, "a look-up is answered twice");
  lookup->answered = true;
  sim_agent_feed(lookup->a, &(floe_input){.type = FLOE_INPUT_RESOLVED,
                                          .req = req,
                                          .family = family,
                                          .dns_status = status,
                                          .addrs = addrs,
                                          .n_addrs = n_addrs});
}

void sim_agent_resolve(sim_agent *a, const floe_output *out) {
  floe_req_id req = out->u.resolve.req;
  for (const sim_lookup *l = a->lookups; l != NULL; l = l->next) {
    if (l->req == req) sim_fail(a->s, "RESOLVE names look-up %u again", (unsigned)req);
  }
  if (req == 0) sim_fail(a->s, "RESOLVE names look-up 0");
  sim_lookup *lookup = sim_keep(a->s, sizeof *lookup);
  *lookup = (sim_lookup){.a = a, .req = req, .next = a->lookups};
  a->lookups = lookup;
  sim_text_add(&a->wire, "%.1f resolve%s %s %s\n", sim_agent_ms(a), out->u.resolve.multicast ? " multicast" : "",
               out->u.resolve.family == FLOE_FAMILY_IPV4 ? "A" : "AAAA", out->u.resolve.host);
  if (out->u.resolve.multicast) {
    sim_mdns_resolve(a->host, out->u.resolve.host, out->u.resolve.family, req, on_resolved, lookup);
    return;
  }
  sim_dns_resolve(a->s, out->u.resolve.host, out->u.resolve.family, req, on_resolved, lookup);
}

void sim_agent_publish(sim_agent *a, const floe_output *out) {
  char address[FLOE_ADDR_TEXT];
  sim_text_add(&a->wire, "%.1f %s %s %s\n", sim_agent_ms(a), out->u.publish.withdraw ? "withdraw" : "publish",
               out->u.publish.name, floe_addr_format(&out->u.publish.address, address));
  if (out->u.publish.withdraw) {
    sim_mdns_withdraw(a->host, out->u.publish.name);
    return;
  }
  if (a->closed) sim_fail(a->s, "PUBLISH after close");
  if (out->u.publish.address.port != 0) sim_fail(a->s, "PUBLISH of an address with a port");
  sim_mdns_publish(a->host, out->u.publish.name, &out->u.publish.address);
}

static void tell_interfaces(void *user, void *payload) {
  (void)payload;
  sim_agent *a = user;
  floe_input in = {.type = FLOE_INPUT_INTERFACES};
  in.interfaces = sim_host_interfaces(a->host, &in.n_interfaces);
  sim_agent_feed(a, &in);
}

void sim_agent_list_interfaces(sim_agent *a) {
  sim_after(a->s, 0, tell_interfaces, a, NULL);
}
