#include "uv/mux.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "uv/ifaces.h"
#include "uv/neterror.h"
#include "uv/sized.h"

/* Checks of strangers that wait for the drain; further ones are lost, and come again. */
#define MAX_STRANGERS 64
/* A check has some 150 bytes. */
#define MAX_STRANGER_BYTES 1500
/* RFC 8839 5.4 */
#define UFRAG_MIN 4
#define UFRAG_MAX 256
/* A port that the system has chosen on one address may be in use on the next. */
#define PORT_TRIES 16

/* ---- sockets ---- */

static floe__uv_mux_sock *add_sock(floe_uv_ice_mux *mux, const floe_addr *local, int *err) {
  const floe__uv_mem *mem = &mux->uv->mem;
  void *socks = mux->socks;
  bool has_room = floe__uv_reserve(mem, &socks, &mux->cap_socks, sizeof(floe__uv_mux_sock *), mux->n_socks + 1);
  mux->socks = socks;
  floe__uv_mux_sock *sock = has_room ? floe__uv_zalloc(mem, sizeof *sock) : NULL;
  *err = ENOMEM;
  if (sock == NULL) return NULL;
  sock->mux = mux;
  floe_addr at = *local;
  at.port = mux->port;
  sock->sock = floe__uv_sock_open_shared(mux->uv, &at, floe__uv_mux_tell, sock, err);
  if (sock->sock != NULL) *err = floe__uv_sock_local(sock->sock, &sock->local);
  if (*err == 0) {
    mux->socks[mux->n_socks++] = sock;
    mux->port = sock->local.port;
    return sock;
  }
  if (sock->sock != NULL) floe__uv_sock_close(sock->sock);
  floe__uv_free(mem, sock);
  return NULL;
}

floe__uv_mux_sock *floe__uv_mux_sock_on(floe_uv_ice_mux *mux, const floe_addr *local, int *err) {
  for (size_t i = 0; i < mux->n_socks; i++) {
    if (floe_addr_equal_ip(&mux->socks[i]->local, local)) return mux->socks[i];
  }
  return add_sock(mux, local, err);
}

static void close_socks(floe_uv_ice_mux *mux) {
  while (mux->n_socks > 0) {
    floe__uv_mux_sock *sock = mux->socks[--mux->n_socks];
    floe__uv_sock_close(sock->sock);
    floe__uv_free(&mux->uv->mem, sock);
  }
}

/* ---- strangers ---- */

void floe__uv_mux_keep_stranger(floe_uv_ice_mux *mux, const floe__uv_mux_sock *sock, const floe_input *in) {
  bool is_wanted = mux->on_unknown_ufrag != NULL && in->data.len <= MAX_STRANGER_BYTES;
  if (!is_wanted || mux->n_strangers == MAX_STRANGERS) return;
  floe__uv_mux_stranger *s = floe__uv_alloc(&mux->uv->mem, sizeof *s + in->data.len);
  if (s == NULL) return;
  *s = (floe__uv_mux_stranger){.sock = sock, .from = in->addr, .len = in->data.len};
  memcpy(s->data, in->data.ptr, in->data.len);
  if (mux->last != NULL) {
    mux->last->next = s;
  } else {
    mux->first = s;
  }
  mux->last = s;
  mux->n_strangers++;
  floe__uv_alarm_set(&mux->uv->alarms, &mux->alarm, 0);
  floe__uv_wake(mux->uv);
}

static floe__uv_mux_stranger *take_stranger(floe_uv_ice_mux *mux) {
  floe__uv_mux_stranger *s = mux->first;
  mux->first = s->next;
  if (mux->first == NULL) mux->last = NULL;
  mux->n_strangers--;
  return s;
}

/* False: what is there cannot be an ICE peer's. */
static bool copy_ufrag(char out[UFRAG_MAX + 1], floe_bytes ufrag) {
  static const char ice_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (ufrag.len < UFRAG_MIN || ufrag.len > UFRAG_MAX) return false;
  memcpy(out, ufrag.ptr, ufrag.len);
  out[ufrag.len] = '\0';
  return strspn(out, ice_chars) == ufrag.len;
}

static void call_program(floe_uv_ice_mux *mux, const floe__uv_mux_stranger *s, const floe_ice_mux_match *request) {
  char local[UFRAG_MAX + 1];
  char remote[UFRAG_MAX + 1];
  if (!copy_ufrag(local, request->local_ufrag) || !copy_ufrag(remote, request->remote_ufrag)) return;
  floe_uv_ice_mux_request told = {
      .local_ufrag = local, .remote_ufrag = remote, .from = &s->from, .check = {.ptr = s->data, .len = s->len}};
  mux->state = FLOE__UV_MUX_CALLING;
  mux->on_unknown_ufrag(mux, &told, mux->user);
  if (mux->state == FLOE__UV_MUX_CALLING) mux->state = FLOE__UV_MUX_LIVE;
}

/* Asks the program, unless an agent has come in the meantime; then an agent may have. */
static void meet_stranger(floe_uv_ice_mux *mux, const floe__uv_mux_stranger *s) {
  floe_input in = {.type = FLOE_INPUT_DATAGRAM, .addr = s->from, .data = {.ptr = s->data, .len = s->len}};
  floe_time now = floe_uv_now(mux->uv);
  floe_ice_mux_match match;
  bool is_known = floe_ice_mux_route(mux->core, now, &s->sock->local, &in.addr, in.data, &match);
  if (!is_known) {
    call_program(mux, s, &match);
    if (mux->state == FLOE__UV_MUX_LEAVING) return;
    is_known = floe_ice_mux_route(mux->core, now, &s->sock->local, &in.addr, in.data, &match);
  }
  if (is_known) floe__uv_mux_deliver(s->sock, &match, &in);
}

static void free_mux(floe_uv_ice_mux *mux);

static void on_strangers(floe__uv_alarm *alarm, floe_time now) {
  (void)now;
  floe_uv_ice_mux *mux = (void *)((char *)alarm - offsetof(floe_uv_ice_mux, alarm));
  const floe_uv *uv = mux->uv;
  while (mux->first != NULL && mux->state == FLOE__UV_MUX_LIVE && uv->state == FLOE__UV_DRAINING) {
    floe__uv_mux_stranger *s = take_stranger(mux);
    meet_stranger(mux, s);
    floe__uv_free(&uv->mem, s);
  }
  if (mux->state == FLOE__UV_MUX_LEAVING) free_mux(mux);
}

/* ---- life ---- */

static void desert_agents(floe_uv_ice_mux *mux) {
  for (floe_uv_ice_agent *agent = mux->uv->agents; agent != NULL; agent = agent->next) {
    if (agent->place != NULL && agent->place->mux == mux) floe__uv_mux_desert(agent);
  }
}

/* Not for agents or the program any more. */
static void shut(floe_uv_ice_mux *mux) {
  mux->on_unknown_ufrag = NULL;
  desert_agents(mux);
  close_socks(mux);
  while (mux->first != NULL) floe__uv_free(&mux->uv->mem, take_stranger(mux));
}

static void free_mux(floe_uv_ice_mux *mux) {
  floe_uv *uv = mux->uv;
  if (mux->prev != NULL) mux->prev->next = mux->next;
  if (mux->next != NULL) mux->next->prev = mux->prev;
  if (uv->muxes == mux) uv->muxes = mux->next;
  floe__uv_alarm_clear(&uv->alarms, &mux->alarm);
  floe_ice_mux_free(mux->core);
  floe__uv_free(&uv->mem, mux->socks);
  floe__uv_free(&uv->mem, mux);
}

void floe__uv_muxes_close(floe_uv *uv) {
  while (uv->muxes != NULL) {
    floe_uv_ice_mux *mux = uv->muxes;
    shut(mux);
    free_mux(mux);
  }
}

static floe_status fail_open(floe_error *why, size_t i, int err) {
  char path[64];
  char text[FLOE__UV_ERROR_TEXT];
  floe_input in = {.type = FLOE_INPUT_SOCKET_FAILED};
  floe__uv_set_error(&in, err, text);
  (void)snprintf(path, sizeof path, "addresses[%zu]", i);
  return floe__uv_error_set(why, err == ENOMEM ? FLOE_E_NOMEM : FLOE_E_SYSTEM, path, in.os_error_text);
}

/* Returns an index past the last, or that of the address that failed. */
static size_t try_open(floe_uv_ice_mux *mux, const floe_addr *addresses, size_t n, int *err) {
  size_t i = 0;
  for (; i < n; i++) {
    if (floe__uv_mux_sock_on(mux, &addresses[i], err) == NULL) break;
  }
  return i;
}

static floe_status open_addresses(floe_uv_ice_mux *mux, const floe_addr *addresses, size_t n, floe_error *why) {
  uint16_t wanted = mux->port;
  for (int tries = 0;; tries++) {
    int err = 0;
    size_t i = try_open(mux, addresses, n, &err);
    if (i == n) return FLOE_OK;
    if (wanted != 0 || i == 0 || err != EADDRINUSE || tries == PORT_TRIES) return fail_open(why, i, err);
    close_socks(mux);
    mux->port = 0;
  }
}

static floe_status open_all(floe_uv_ice_mux *mux, floe_error *why) {
  const floe__uv_mem *mem = &mux->uv->mem;
  floe_interface *list = NULL;
  size_t n = 0;
  int err = floe__uv_list_interfaces(mem, &list, &n);
  if (err != 0) return fail_open(why, 0, err);
  floe_addr *addresses = floe__uv_alloc(mem, n * sizeof *addresses);
  for (size_t i = 0; i < n && addresses != NULL; i++) addresses[i] = list[i].addr;
  floe_status st = addresses == NULL ? fail_open(why, 0, ENOMEM) : open_addresses(mux, addresses, n, why);
  floe__uv_free(mem, addresses);
  floe__uv_free(mem, list);
  return st;
}

static floe_status check_addresses(const floe_uv_ice_mux_config *cfg, floe_error *why) {
  for (size_t i = 0; i < cfg->n_addresses; i++) {
    const floe_addr *a = &cfg->addresses[i];
    bool is_ip = a->family == FLOE_FAMILY_IPV4 || a->family == FLOE_FAMILY_IPV6;
    if (is_ip && !floe_addr_is_any(a)) continue;
    char path[64];
    (void)snprintf(path, sizeof path, "addresses[%zu]", i);
    return floe__uv_error_set(why, FLOE_E_TYPE, path, "is not one address of this host");
  }
  return FLOE_OK;
}

static floe_status start(floe_uv_ice_mux *mux, const floe_uv_ice_mux_config *cfg, floe_error *why) {
  floe_status st = floe_ice_mux_new(&mux->core, mux->uv->env, cfg->limits);
  if (st != FLOE_OK) return floe__uv_error_set(why, st, "limits", floe_status_text(st));
  mux->port = cfg->port;
  mux->on_unknown_ufrag = cfg->on_unknown_ufrag;
  mux->user = cfg->user;
  if (cfg->n_addresses > 0) return open_addresses(mux, cfg->addresses, cfg->n_addresses, why);
  return mux->on_unknown_ufrag == NULL ? FLOE_OK : open_all(mux, why);
}

/* ---- floe/uv.h ---- */

void floe_uv_ice_mux_config_init(floe_uv_ice_mux_config *cfg, size_t size) {
  memset(cfg, 0, size);
  cfg->size = (uint32_t)size;
}

floe_status floe_uv_ice_mux_new(floe_uv_ice_mux **out, floe_uv *uv, const floe_uv_ice_mux_config *given,
                                floe_error *why) {
  *out = NULL;
  floe_uv_ice_mux_config cfg;
  floe_uv_ice_mux_config_init(&cfg, sizeof cfg);
  if (given != NULL && !floe__uv_take_sized(&cfg, sizeof cfg, given)) {
    return floe__uv_error_set(why, FLOE_E_TYPE, "size", "the size is not one that this library knows");
  }
  floe_status st = check_addresses(&cfg, why);
  if (st != FLOE_OK) return st;
  floe_uv_ice_mux *mux = floe__uv_zalloc(&uv->mem, sizeof *mux);
  if (mux == NULL || !floe__uv_alarm_init(&uv->alarms, &uv->mem, &mux->alarm, on_strangers)) {
    floe__uv_free(&uv->mem, mux);
    return floe__uv_error_set(why, FLOE_E_NOMEM, "", floe_status_text(FLOE_E_NOMEM));
  }
  mux->uv = uv;
  mux->next = uv->muxes;
  if (mux->next != NULL) mux->next->prev = mux;
  uv->muxes = mux;
  st = start(mux, &cfg, why);
  if (st == FLOE_OK) {
    *out = mux;
    return FLOE_OK;
  }
  shut(mux);
  free_mux(mux);
  return st;
}

void floe_uv_ice_mux_close(floe_uv_ice_mux *mux) {
  if (mux == NULL || mux->state == FLOE__UV_MUX_LEAVING) return;
  shut(mux);
  if (mux->state == FLOE__UV_MUX_CALLING) {
    mux->state = FLOE__UV_MUX_LEAVING;
  } else {
    free_mux(mux);
  }
}

uint16_t floe_uv_ice_mux_port(const floe_uv_ice_mux *mux) {
  return mux->port;
}

size_t floe_uv_ice_mux_agents(const floe_uv_ice_mux *mux) {
  return floe_ice_mux_agents(mux->core);
}
