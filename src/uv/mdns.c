#include "uv/mdns.h"

#include <string.h>

#include "floe/mdns.h"
#include "uv/ifaces.h"
#include "uv/mdns_sock.h"
#include "uv/neterror.h"

/* The host's addresses are listed again when something new is asked for, and not more often than this. */
#define LIST_APART FLOE_SECOND

/* A name that an agent waits for, or one that it has published. */
typedef struct mdns_use mdns_use;
struct mdns_use {
  mdns_use *next;
  floe_uv_ice_agent *agent;
  uint32_t query; /* 0: published */
  floe_req_id req;
  floe_family family;
  char name[];
};

struct floe__uv_mdns {
  floe_uv *uv;
  floe_mdns *core;
  floe__uv_alarm alarm; /* the core's deadline */
  floe__uv_mdns_sock *socks;
  mdns_use *uses;
  bool is_ready;         /* there are outputs */
  bool include_loopback; /* an agent that has used this has loopback candidates */
  bool is_listed;        /* the core knows the host's addresses, of listed_at */
  floe_time listed_at;
};

static void wake(floe__uv_mdns *mdns) {
  mdns->is_ready = true;
  floe__uv_wake(mdns->uv);
}

static void on_deadline(floe__uv_alarm *alarm, floe_time now) {
  floe__uv_mdns *mdns = (void *)((char *)alarm - offsetof(floe__uv_mdns, alarm));
  floe_input in = {.type = FLOE_INPUT_TIMER};
  floe_mdns_input(mdns->core, now, &in);
  wake(mdns);
}

static void on_input(floe__uv_mdns_sock *sock, const floe_input *in) {
  floe__uv_mdns *mdns = sock->user;
  floe_mdns_input(mdns->core, floe_uv_now(mdns->uv), in);
  wake(mdns);
}

/* ---- making it ---- */

static bool start(floe__uv_mdns *mdns) {
  floe_mdns_config cfg;
  floe_mdns_config_init(&cfg, sizeof cfg);
  cfg.include_loopback = true; /* the list is cut here, see list_interfaces */
  if (!floe__uv_alarm_init(&mdns->uv->alarms, &mdns->uv->mem, &mdns->alarm, on_deadline)) return false;
  return floe_mdns_new(&mdns->core, mdns->uv->env, &cfg) == FLOE_OK;
}

static floe__uv_mdns *mdns_of(floe_uv *uv) {
  if (uv->mdns != NULL) return uv->mdns;
  floe__uv_mdns *mdns = floe__uv_zalloc(&uv->mem, sizeof *mdns);
  if (mdns == NULL) return NULL;
  mdns->uv = uv;
  if (!start(mdns)) {
    floe__uv_alarm_clear(&uv->alarms, &mdns->alarm);
    floe__uv_free(&uv->mem, mdns);
    return NULL;
  }
  uv->mdns = mdns;
  return mdns;
}

static void take_list(floe__uv_mdns *mdns, floe_interface *list, size_t n) {
  floe_time now = floe_uv_now(mdns->uv);
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    if (mdns->include_loopback || !list[i].is_loopback) list[kept++] = list[i];
  }
  if (floe_mdns_set_interfaces(mdns->core, now, list, kept) != FLOE_OK) return;
  mdns->is_listed = true;
  mdns->listed_at = now;
}

/* When the host's addresses cannot be listed, the last ones stay. */
static void list_interfaces(floe__uv_mdns *mdns, bool include_loopback) {
  const floe__uv_mem *mem = &mdns->uv->mem;
  floe_time now = floe_uv_now(mdns->uv);
  bool is_wider = include_loopback && !mdns->include_loopback;
  if (mdns->is_listed && !is_wider && now - mdns->listed_at < LIST_APART) return;
  floe_interface *list = NULL;
  size_t n = 0;
  mdns->include_loopback = mdns->include_loopback || include_loopback;
  if (floe__uv_list_interfaces(mem, &list, &n) != 0) return;
  take_list(mdns, list, n);
  floe__uv_free(mem, list);
}

void floe__uv_mdns_on_interfaces_changed(floe_uv *uv, const floe_interface *list, size_t n) {
  floe__uv_mdns *mdns = uv->mdns;
  if (mdns == NULL || !mdns->is_listed) return; /* it lists them when it is asked for something */
  floe_interface *copy = floe__uv_alloc(&uv->mem, n == 0 ? 1 : n * sizeof *copy);
  if (copy == NULL) return;
  if (n > 0) memcpy(copy, list, n * sizeof *copy);
  take_list(mdns, copy, n);
  floe__uv_free(&uv->mem, copy);
  wake(mdns);
}

/* ---- what agents ask for ---- */

static mdns_use *add_use(floe__uv_mdns *mdns, floe_uv_ice_agent *agent, const char *name) {
  size_t len = strlen(name);
  mdns_use *use = floe__uv_zalloc(&mdns->uv->mem, sizeof *use + len + 1);
  if (use == NULL) return NULL;
  use->agent = agent;
  memcpy(use->name, name, len + 1);
  use->next = mdns->uses;
  mdns->uses = use;
  return use;
}

static void drop_use(floe__uv_mdns *mdns, mdns_use **at) {
  mdns_use *use = *at;
  *at = use->next;
  floe__uv_free(&mdns->uv->mem, use);
}

static bool ask(floe_uv_ice_agent *agent, const floe_output *out) {
  floe__uv_mdns *mdns = mdns_of(agent->uv);
  mdns_use *use = mdns == NULL ? NULL : add_use(mdns, agent, out->u.resolve.host);
  if (use == NULL) return false;
  use->req = out->u.resolve.req;
  use->family = out->u.resolve.family;
  list_interfaces(mdns, agent->include_loopback);
  floe_status st = floe_mdns_resolve(mdns->core, floe_uv_now(agent->uv), use->name, use->family, &use->query);
  if (st != FLOE_OK) drop_use(mdns, &mdns->uses);
  wake(mdns);
  return st == FLOE_OK;
}

void floe__uv_mdns_resolve(floe_uv_ice_agent *agent, const floe_output *out) {
  floe_input in = {.type = FLOE_INPUT_RESOLVED,
                   .req = out->u.resolve.req,
                   .family = out->u.resolve.family,
                   .dns_status = FLOE_DNS_FAILED};
  if (!ask(agent, out)) floe__uv_agent_input(agent, &in);
}

static void withdraw(floe_uv_ice_agent *agent, const char *name) {
  floe__uv_mdns *mdns = agent->uv->mdns;
  for (mdns_use **at = mdns == NULL ? NULL : &mdns->uses; at != NULL && *at != NULL; at = &(*at)->next) {
    if ((*at)->agent != agent || (*at)->query != 0 || strcmp((*at)->name, name) != 0) continue;
    floe_mdns_unregister(mdns->core, floe_uv_now(mdns->uv), name);
    drop_use(mdns, at);
    wake(mdns);
    return;
  }
}

/* A name that cannot be answered for stays in the candidate all the same (the draft's section 3.1.1: "even if ... mDNS
 * registration fails"), so nobody is told. */
void floe__uv_mdns_publish(floe_uv_ice_agent *agent, const floe_output *out) {
  if (out->u.publish.withdraw) {
    withdraw(agent, out->u.publish.name);
    return;
  }
  floe__uv_mdns *mdns = mdns_of(agent->uv);
  mdns_use *use = mdns == NULL ? NULL : add_use(mdns, agent, out->u.publish.name);
  if (use == NULL) return;
  floe_addr addr = out->u.publish.address;
  list_interfaces(mdns, agent->include_loopback);
  if (floe_mdns_register(mdns->core, floe_uv_now(agent->uv), use->name, &addr) != FLOE_OK) {
    drop_use(mdns, &mdns->uses);
  }
  wake(mdns);
}

static void end_use(floe__uv_mdns *mdns, const mdns_use *use) {
  if (use->query != 0) {
    floe_mdns_cancel(mdns->core, use->query);
  } else {
    floe_mdns_unregister(mdns->core, floe_uv_now(mdns->uv), use->name);
  }
  wake(mdns);
}

void floe__uv_mdns_forget(floe_uv_ice_agent *agent) {
  floe__uv_mdns *mdns = agent->uv->mdns;
  mdns_use **at = mdns == NULL ? NULL : &mdns->uses;
  while (at != NULL && *at != NULL) {
    if ((*at)->agent == agent) {
      end_use(mdns, *at);
      drop_use(mdns, at);
    } else {
      at = &(*at)->next;
    }
  }
}

/* ---- what the core asks for ---- */

static floe__uv_mdns_sock **place_of(floe__uv_mdns *mdns, floe_sock_id id) {
  floe__uv_mdns_sock **at = &mdns->socks;
  while (*at != NULL && (*at)->id != id) at = &(*at)->next;
  return at;
}

static void open_sock(floe__uv_mdns *mdns, const floe_mdns_output *out) {
  int err;
  char text[FLOE__UV_ERROR_TEXT];
  floe_input in = {.type = FLOE_INPUT_SOCKET_OPENED, .sock = out->u.open.sock, .addr = out->u.open.local};
  floe__uv_mdns_sock *sock = floe__uv_mdns_sock_open(mdns->uv, out, on_input, mdns, &err);
  if (sock != NULL) {
    sock->next = mdns->socks;
    mdns->socks = sock;
  } else {
    in.type = FLOE_INPUT_SOCKET_FAILED;
    floe__uv_set_error(&in, err, text);
  }
  floe_mdns_input(mdns->core, floe_uv_now(mdns->uv), &in);
}

static void close_sock(floe__uv_mdns_sock **at) {
  floe__uv_mdns_sock *sock = *at;
  *at = sock->next;
  floe__uv_mdns_sock_close(sock);
}

static void hand_over(floe__uv_mdns *mdns, const floe_mdns_output *out) {
  mdns_use **at = &mdns->uses;
  while (*at != NULL && (*at)->query != out->u.resolved.query) at = &(*at)->next;
  if (*at == NULL) return;
  floe_uv_ice_agent *agent = (*at)->agent;
  bool is_found = out->u.resolved.status == FLOE_DNS_OK;
  floe_addr addr = out->u.resolved.address;
  floe_input in = {.type = FLOE_INPUT_RESOLVED,
                   .req = (*at)->req,
                   .family = (*at)->family,
                   .dns_status = out->u.resolved.status,
                   .addrs = &addr,
                   .n_addrs = is_found ? 1 : 0};
  drop_use(mdns, at);
  floe__uv_agent_input(agent, &in);
}

static void take_output(floe__uv_mdns *mdns, const floe_mdns_output *out) {
  floe__uv_mdns_sock **at;
  switch (out->type) {
    case FLOE_MDNS_OUTPUT_WAIT: floe__uv_alarm_set(&mdns->uv->alarms, &mdns->alarm, out->u.wait.until); break;
    case FLOE_MDNS_OUTPUT_OPEN: open_sock(mdns, out); break;
    case FLOE_MDNS_OUTPUT_CLOSE:
      at = place_of(mdns, out->u.close.sock);
      if (*at != NULL) close_sock(at);
      break;
    case FLOE_MDNS_OUTPUT_TRANSMIT:
      at = place_of(mdns, out->u.transmit.sock);
      if (*at != NULL) floe__uv_mdns_sock_send(*at, &out->u.transmit.to, out->u.transmit.data);
      break;
    case FLOE_MDNS_OUTPUT_RESOLVED: hand_over(mdns, out); break;
  }
}

/* ---- the driver's drain and end ---- */

bool floe__uv_mdns_is_ready(const floe_uv *uv) {
  return uv->mdns != NULL && uv->mdns->is_ready;
}

void floe__uv_mdns_drain(floe_uv *uv) {
  floe__uv_mdns *mdns = uv->mdns;
  if (mdns == NULL || !mdns->is_ready) return;
  mdns->is_ready = false;
  floe_mdns_output out;
  do {
    floe_mdns_poll(mdns->core, &out);
    take_output(mdns, &out);
  } while (out.type != FLOE_MDNS_OUTPUT_WAIT);
}

void floe__uv_mdns_close(floe_uv *uv) {
  floe__uv_mdns *mdns = uv->mdns;
  if (mdns == NULL) return;
  while (mdns->uses != NULL) {
    end_use(mdns, mdns->uses);
    drop_use(mdns, &mdns->uses);
  }
  mdns->is_ready = true;
  floe__uv_mdns_drain(uv);
  while (mdns->socks != NULL) close_sock(&mdns->socks);
  floe__uv_alarm_clear(&uv->alarms, &mdns->alarm);
  floe_mdns_free(mdns->core);
  floe__uv_free(&uv->mem, mdns);
  uv->mdns = NULL;
}
