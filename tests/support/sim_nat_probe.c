#include "support/sim_nat_probe.h"

#include <stdio.h>

#include "support/sim_agent.h"
#include "support/sim_alloc.h"
#include "support/sim_dns.h"
#include "support/sim_text.h"

#define MAX_OUTPUTS 10000

typedef struct slot {
  sim_nat_probe *p;
  floe_sock_id id;
  floe_addr local;
  sim_udp *udp; /* NULL: not bound */
  bool is_open, is_closed;
  floe_net_error why;
  struct slot *next;
} slot;

struct sim_nat_probe {
  sim *s;
  sim_host *host;
  sim_env *env;
  floe_nat_probe *core; /* NULL: freed, or never made */
  floe_time wake_at;
  slot *slots;
  sim_text wire, text;
};

static void drain(sim_nat_probe *p);

void sim_nat_probe_feed(sim_nat_probe *p, const floe_input *in) {
  if (p->core == NULL) return;
  floe_nat_probe_input(p->core, sim_now(p->s), in);
  drain(p);
}

static void log_time(sim_nat_probe *p) {
  sim_text_add(&p->wire, "%.1f ", (double)sim_now(p->s) / (double)FLOE_MS);
}

/* --- sockets ---------------------------------------------------------------------------------------------------- */

static slot *slot_of(const sim_nat_probe *p, floe_sock_id id) {
  slot *t = p->slots;
  while (t != NULL && t->id != id) t = t->next;
  return t;
}

static void on_datagram(void *user, const floe_addr *from, floe_bytes data) {
  slot *t = user;
  sim_nat_probe_feed(t->p, &(floe_input){.type = FLOE_INPUT_DATAGRAM, .sock = t->id, .addr = *from, .data = data});
}

static void on_icmp(void *user, const floe_addr *to, uint8_t type, uint8_t code) {
  slot *t = user;
  sim_nat_probe_feed(
      t->p, &(floe_input){.type = FLOE_INPUT_ICMP, .sock = t->id, .addr = *to, .icmp_type = type, .icmp_code = code});
}

static void feed_failure(slot *t, floe_input_type type, const floe_addr *addr, floe_net_error error) {
  floe_input in = {.type = type, .sock = t->id, .net_error = error, .os_error = sim_errno(error)};
  if (addr != NULL) in.addr = *addr;
  in.os_error_text = sim_errno_text(error);
  sim_nat_probe_feed(t->p, &in);
}

static void on_send_failed(void *user, const floe_addr *to, floe_net_error error) {
  feed_failure(user, FLOE_INPUT_SEND_FAILED, to, error);
}

static const sim_udp_ops udp_ops = {.on_datagram = on_datagram, .on_icmp = on_icmp, .on_send_failed = on_send_failed};

static void tell_bound(void *user, void *payload) {
  (void)payload;
  slot *t = user;
  if (t->is_closed) return;
  if (t->udp == NULL) {
    t->is_closed = true;
    feed_failure(t, FLOE_INPUT_SOCKET_FAILED, NULL, t->why);
    return;
  }
  t->is_open = true;
  t->local = sim_udp_local(t->udp);
  sim_nat_probe_feed(t->p, &(floe_input){.type = FLOE_INPUT_SOCKET_OPENED, .sock = t->id, .addr = t->local});
}

static void open_socket(sim_nat_probe *p, const floe_output *out) {
  char local[FLOE_ADDR_TEXT];
  if (out->u.open.transport != FLOE_TRANSPORT_UDP) sim_fail(p->s, "the probe opens a socket that is not UDP");
  if (out->u.open.sock == 0 || slot_of(p, out->u.open.sock) != NULL) sim_fail(p->s, "OPEN names a socket again");
  slot *t = sim_keep(p->s, sizeof *t);
  *t = (slot){.p = p, .id = out->u.open.sock, .local = out->u.open.local, .next = p->slots};
  p->slots = t;
  log_time(p);
  sim_text_add(&p->wire, "open %s\n", floe_addr_format(&t->local, local));
  t->udp = sim_udp_open(p->host, &t->local, &udp_ops, t, &t->why);
  sim_after(p->s, 0, tell_bound, t, NULL);
}

static void close_socket(sim_nat_probe *p, floe_sock_id id) {
  char local[FLOE_ADDR_TEXT];
  slot *t = slot_of(p, id);
  if (t == NULL || t->is_closed) {
    sim_fail(p->s, "CLOSE names socket %u, which is not open", (unsigned)id);
    return;
  }
  log_time(p);
  sim_text_add(&p->wire, "close %s\n", floe_addr_format(&t->local, local));
  t->is_closed = true;
  if (t->udp != NULL) sim_udp_close(t->udp);
}

static void transmit(sim_nat_probe *p, const floe_output *out) {
  char local[FLOE_ADDR_TEXT], to[FLOE_ADDR_TEXT];
  slot *t = slot_of(p, out->u.transmit.sock);
  if (t == NULL || !t->is_open || t->is_closed) {
    sim_fail(p->s, "TRANSMIT names socket %u, which is not open", (unsigned)out->u.transmit.sock);
    return;
  }
  log_time(p);
  sim_text_add(&p->wire, "send %s > %s\n", floe_addr_format(&t->local, local),
               floe_addr_format(&out->u.transmit.to, to));
  sim_udp_send(t->udp, &out->u.transmit.to, out->u.transmit.data);
}

/* --- names and addresses ---------------------------------------------------------------------------------------- */

static void on_resolved(void *user, uint32_t req, floe_family family, floe_dns_status status, const floe_addr *addrs,
                        size_t n_addrs) {
  sim_nat_probe_feed(user, &(floe_input){.type = FLOE_INPUT_RESOLVED,
                                         .req = req,
                                         .family = family,
                                         .dns_status = status,
                                         .addrs = addrs,
                                         .n_addrs = n_addrs});
}

static void tell_interfaces(void *user, void *payload) {
  (void)payload;
  sim_nat_probe *p = user;
  floe_input in = {.type = FLOE_INPUT_INTERFACES};
  in.interfaces = sim_host_interfaces(p->host, &in.n_interfaces);
  sim_nat_probe_feed(p, &in);
}

/* --- outputs ---------------------------------------------------------------------------------------------------- */

static void on_timer(void *user, void *payload) {
  (void)payload;
  sim_nat_probe *p = user;
  if (p->core == NULL || sim_now(p->s) < p->wake_at) return; /* an earlier plan */
  p->wake_at = FLOE_TIME_NEVER;
  sim_nat_probe_feed(p, &(floe_input){.type = FLOE_INPUT_TIMER});
}

static void wait_until(sim_nat_probe *p, const floe_output *out) {
  floe_time until = out->u.wait.until;
  if (until <= sim_now(p->s)) sim_fail(p->s, "WAIT until a time that has passed, for %s", out->u.wait.reason);
  if (until != FLOE_TIME_NEVER && floe_nat_probe_result(p->core) != NULL) sim_fail(p->s, "a timer after the result");
  if (until == p->wake_at) return;
  p->wake_at = until;
  if (until != FLOE_TIME_NEVER) sim_at(p->s, until, on_timer, p, NULL);
}

static void handle_output(sim_nat_probe *p, const floe_output *out) {
  switch (out->type) {
    case FLOE_OUTPUT_WAIT: wait_until(p, out); return;
    case FLOE_OUTPUT_TRANSMIT: transmit(p, out); return;
    case FLOE_OUTPUT_OPEN: open_socket(p, out); return;
    case FLOE_OUTPUT_CLOSE: close_socket(p, out->u.close.sock); return;
    case FLOE_OUTPUT_RESOLVE:
      log_time(p);
      sim_text_add(&p->wire, "resolve %s %s\n", out->u.resolve.family == FLOE_FAMILY_IPV4 ? "A" : "AAAA",
                   out->u.resolve.host);
      sim_dns_resolve(p->s, out->u.resolve.host, out->u.resolve.family, out->u.resolve.req, on_resolved, p);
      return;
    case FLOE_OUTPUT_INTERFACES: sim_after(p->s, 0, tell_interfaces, p, NULL); return;
    case FLOE_OUTPUT_EVENT:
    case FLOE_OUTPUT_DATA:
    case FLOE_OUTPUT_PERMISSION:
    case FLOE_OUTPUT_PUBLISH: sim_fail(p->s, "an output that a probe does not have"); return;
  }
}

static void drain(sim_nat_probe *p) {
  for (int i = 0; i < MAX_OUTPUTS; i++) {
    floe_output out;
    floe_nat_probe_poll(p->core, &out);
    handle_output(p, &out);
    if (out.type == FLOE_OUTPUT_WAIT) return;
  }
  sim_fail(p->s, "poll does not end in WAIT");
}

/* --- the result as text ----------------------------------------------------------------------------------------- */

static const char *hairpin_of(const floe_nat_result *r) {
  if (!r->has_hairpin) return "not tried";
  return r->hairpin ? "yes" : "no";
}

const char *sim_nat_probe_summary(sim_nat_probe *p) {
  const floe_nat_result *r = p->core == NULL ? NULL : floe_nat_probe_result(p->core);
  sim_text_clear(&p->text);
  if (r == NULL) return "no result";
  sim_text_add(&p->text, "mapping %s %s, filtering %s %s, hairpin %s", floe_nat_behaviour_name(r->mapping),
               floe_nat_certainty_name(r->mapping_certainty), floe_nat_behaviour_name(r->filtering),
               floe_nat_certainty_name(r->filtering_certainty), hairpin_of(r));
  return sim_text_of(&p->text);
}

static const char *text_of(const floe_addr *addr, char *buf) {
  return addr->family == FLOE_FAMILY_NONE ? "-" : floe_addr_format(addr, buf);
}

static void add_server(sim_text *t, const floe_nat_server_result *r) {
  char server[FLOE_ADDR_TEXT], mapped[FLOE_ADDR_TEXT], other[FLOE_ADDR_TEXT];
  sim_text_add(t, "%s %s at %s mapped %s other %s%s", r->url, floe_cause_id(r->cause), text_of(&r->server, server),
               text_of(&r->mapped, mapped), text_of(&r->other, other), r->is_examined ? " examined" : "");
  if (r->has_rtt) sim_text_add(t, " rtt %.1f", r->rtt_ms);
  sim_text_add(t, "\n");
}

const char *sim_nat_probe_text(sim_nat_probe *p) {
  char local[FLOE_ADDR_TEXT], mapped[FLOE_ADDR_TEXT], summary[256];
  const floe_nat_result *r = p->core == NULL ? NULL : floe_nat_probe_result(p->core);
  (void)snprintf(summary, sizeof summary, "%s", sim_nat_probe_summary(p));
  sim_text_clear(&p->text);
  if (r == NULL) return "no result";
  sim_text_add(&p->text, "%s\nlocal %s %s mapped %s%s%s%s\n", summary, text_of(&r->local, local), r->interface,
               text_of(&r->mapped, mapped), r->port_preserved ? " port preserved" : "",
               r->same_port_parity ? " same parity" : "", r->has_loss ? " loss" : "");
  for (size_t i = 0; i < r->n_servers; i++) add_server(&p->text, &r->servers[i]);
  sim_text_add(&p->text, "after %.1f ms\n", r->elapsed_ms);
  return sim_text_of(&p->text);
}

const char *sim_nat_probe_wire(const sim_nat_probe *p) {
  return sim_text_of(&p->wire);
}

uint64_t sim_nat_probe_allocations(const sim_nat_probe *p) {
  return p->env->alloc.calls;
}

/* --- making, running and freeing one ---------------------------------------------------------------------------- */

static uint64_t clear_probe(sim_nat_probe *p) {
  floe_nat_probe_free(p->core);
  p->core = NULL;
  uint64_t leaks = sim_env_free(p->env);
  p->env = NULL;
  sim_text_clear(&p->wire);
  sim_text_clear(&p->text);
  return leaks;
}

static void check_closed(sim_nat_probe *p) {
  if (p->core == NULL || floe_nat_probe_result(p->core) == NULL) return;
  for (const slot *t = p->slots; t != NULL; t = t->next) {
    if (!t->is_closed) sim_fail(p->s, "socket %u is open though the result is there", (unsigned)t->id);
  }
}

void sim_nat_probe_free(sim_nat_probe *p) {
  if (p->env == NULL) return;
  check_closed(p);
  uint64_t leaks = clear_probe(p);
  if (leaks > 0) sim_fail(p->s, "the probe left %llu blocks", (unsigned long long)leaks);
}

static void free_at_the_end(void *user) {
  sim_nat_probe *p = user;
  if (p->env != NULL) (void)clear_probe(p);
}

static void dump(void *user) {
  sim_nat_probe *p = user;
  if (p->env == NULL) return;
  (void)fprintf(stderr, "wire:\n%strace:\n%s\nresult: %s\n", sim_nat_probe_wire(p),
                p->env->trace == NULL ? "" : p->env->trace, sim_nat_probe_text(p));
}

sim_nat_probe *sim_nat_probe_new(sim_host *h, const floe_nat_config *cfg, uint64_t fail_at) {
  sim *s = sim_host_sim(h);
  floe_error why = {0};
  sim_nat_probe *p = sim_keep(s, sizeof *p);
  *p = (sim_nat_probe){.s = s, .host = h, .wake_at = FLOE_TIME_NEVER};
  p->env = sim_env_new_failing(s, sim_next_stream(s), fail_at, 0);
  sim_on_free(s, free_at_the_end, p);
  sim_on_dump(s, dump, p);
  if (p->env->env == NULL) return p;
  floe_status st = floe_nat_probe_new(&p->core, p->env->env, cfg, &why);
  bool may_fail = st == FLOE_E_NOMEM && p->env->alloc.failed > 0;
  if (st != FLOE_OK && !may_fail) sim_fail(s, "%s: %s: %s", floe_status_name(st), why.path, why.message);
  return p;
}

void sim_nat_probe_start(sim_nat_probe *p) {
  if (p->core == NULL) return;
  floe_nat_probe_start(p->core, sim_now(p->s));
  drain(p);
}

static bool has_result(void *user) {
  const sim_nat_probe *p = user;
  return floe_nat_probe_result(p->core) != NULL;
}

const floe_nat_result *sim_nat_probe_run(sim_nat_probe *p, uint64_t limit_ms) {
  if (p->core == NULL) return NULL;
  (void)sim_run_until(p->s, sim_now(p->s) + limit_ms * FLOE_MS, has_result, p);
  return floe_nat_probe_result(p->core);
}
