/* A multiplexer beside a plain model of its rules: the input is a list of steps, one byte each, with operands behind
 * them. Few agents, addresses, ufrags and transactions, so that they meet often. Once memory has failed, or bytes of
 * the input were taken for an answer, only what never happens is asserted: a datagram for an agent that is not there.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "ice/mux_internal.h"

#define AGENTS    6
#define UFRAGS    16
#define ADDRESSES 16 /* 2 local ones times 8 */
#define REQUESTS  16
#define STEPS_MAX 300

typedef struct request {
  int agent; /* -1: not sent */
  size_t address;
  bool is_answered;
} request;

typedef struct world {
  floe_env *env;
  floe_ice_mux *mux;
  floe__reader in;
  size_t live;      /* blocks */
  uint32_t fail_in; /* this many calls for memory from now one fails; 0 = none */
  uint8_t next_random;
  bool is_lossy;
  uint8_t buf[FLOE__STUN_HEADER + 600];
  /* the model */
  bool is_there[AGENTS];
  bool is_lite[AGENTS];
  int whose_ufrag[UFRAGS];   /* -1: nobody's */
  uint32_t given_at[UFRAGS]; /* the oldest of an agent's gives way */
  uint32_t given;
  int at[ADDRESSES][AGENTS + 1]; /* who has sent there, -1 ends; the first one gets what comes */
  request requests[REQUESTS];
} world;

static max_align_t places[AGENTS];

static floe_ice_agent *agent_of(int i) {
  return (floe_ice_agent *)(void *)&places[i];
}

static void *reallocate(void *user, void *ptr, size_t size) {
  world *w = user;
  if (size == 0) {
    if (ptr != NULL) w->live--;
    free(ptr);
    return NULL;
  }
  if (w->fail_in > 0 && --w->fail_in == 0) {
    w->is_lossy = true;
    return NULL;
  }
  if (ptr == NULL) w->live++;
  return realloc(ptr, size);
}

static void fill_random(void *user, uint8_t *out, size_t len) {
  world *w = user;
  for (size_t i = 0; i < len; i++) out[i] = w->next_random++;
}

/* --- the model --------------------------------------------------------------------------------------------------- */

static int place_of(const int list[AGENTS + 1], int agent) {
  int i = 0;
  while (list[i] >= 0 && list[i] != agent) i++;
  return i;
}

static void model_remove(int list[AGENTS + 1], int agent) {
  int i = place_of(list, agent);
  for (; list[i] >= 0; i++) list[i] = list[i + 1];
}

static void model_use(int list[AGENTS + 1], int agent) {
  int i = place_of(list, agent);
  if (list[i] >= 0) return;
  list[i] = agent;
  list[i + 1] = -1;
}

static void model_prove(int list[AGENTS + 1], int agent) {
  if (list[place_of(list, agent)] < 0) return;
  model_remove(list, agent);
  memmove(list + 1, list, AGENTS * sizeof list[0]);
  list[0] = agent;
}

static void model_detach(world *w, int agent) {
  w->is_there[agent] = false;
  for (size_t i = 0; i < UFRAGS; i++) {
    if (w->whose_ufrag[i] == agent) w->whose_ufrag[i] = -1;
  }
  for (size_t i = 0; i < ADDRESSES; i++) model_remove(w->at[i], agent);
  for (size_t i = 0; i < REQUESTS; i++) {
    if (w->requests[i].agent == agent) w->requests[i].agent = -1;
  }
}

static void model_attach(world *w, int agent, size_t ufrag) {
  size_t n = 0;
  size_t oldest = ufrag;
  if (w->whose_ufrag[ufrag] == agent) return;
  w->whose_ufrag[ufrag] = agent;
  w->given_at[ufrag] = ++w->given;
  for (size_t i = 0; i < UFRAGS; i++) {
    if (w->whose_ufrag[i] != agent) continue;
    n++;
    if (w->given_at[i] < w->given_at[oldest]) oldest = i;
  }
  if (n > FLOE__MUX_UFRAGS) w->whose_ufrag[oldest] = -1;
}

/* --- addresses, messages ----------------------------------------------------------------------------------------- */

static floe_addr local_of(size_t i) {
  return (floe_addr){.family = FLOE_FAMILY_IPV4, .ip = {198, 51, 100, (uint8_t)(i / 8)}, .port = 3478};
}

static floe_addr remote_of(size_t i) {
  floe_addr a = {.family = i % 2 == 0 ? FLOE_FAMILY_IPV4 : FLOE_FAMILY_IPV6, .ip = {192, 0, 2, (uint8_t)(i / 4 % 2)}};
  a.port = (uint16_t)(1000 + i / 2 % 2);
  return a;
}

static floe_sock_id sock_of(int agent, size_t address) {
  return (floe_sock_id)(1 + (size_t)agent * 2 + address / 8);
}

static void id_of(uint8_t out[FLOE__STUN_TXN_ID], size_t request) {
  memset(out, 0x5a, FLOE__STUN_TXN_ID);
  out[0] = (uint8_t)request;
}

static floe_bytes message(world *w, floe__stun_class cls, size_t request, const char *username /* nullable */) {
  uint8_t id[FLOE__STUN_TXN_ID];
  floe__stun_builder b;
  id_of(id, request);
  floe__stun_begin(&b, w->buf, sizeof w->buf, cls, FLOE__STUN_BINDING, id);
  if (username != NULL) floe__stun_put_text(&b, FLOE__STUN_USERNAME, username);
  return floe__stun_end(&b);
}

static const floe_bytes data = {(const uint8_t *)"\x16\xfe\xfd", 3};

static floe_ice_mux_match route(world *w, size_t address, floe_bytes packet) {
  floe_addr local = local_of(address);
  floe_addr remote = remote_of(address);
  floe_ice_mux_match match;
  bool found = floe_ice_mux_route(w->mux, 0, &local, &remote, packet, &match);
  FLOE__ASSERT(found == (match.agent != NULL));
  if (!found) return match;
  int i = 0;
  while (i < AGENTS && agent_of(i) != match.agent) i++;
  FLOE__ASSERT(i < AGENTS && w->is_there[i] && match.user == &places[i]);
  FLOE__ASSERT(match.sock == 0 || match.sock == sock_of(i, address));
  return match;
}

static void expect(const world *w, const floe_ice_mux_match *match, int agent) {
  if (w->is_lossy) return;
  FLOE__ASSERT(match->agent == (agent < 0 ? NULL : agent_of(agent)));
}

static void probe(world *w, size_t address) {
  floe_ice_mux_match match = route(w, address, data);
  expect(w, &match, w->at[address][0]);
  floe_addr local = local_of(address);
  floe_addr remote = remote_of(address);
  floe_ice_mux_match next = {0};
  size_t n = 0;
  for (; floe_ice_mux_next_at(w->mux, &local, &remote, &next); n++) {
    expect(w, &next, w->is_lossy ? 0 : w->at[address][n]);
    FLOE__ASSERT(n < AGENTS);
  }
  FLOE__ASSERT(w->is_lossy || w->at[address][n] < 0);
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

static void attach(world *w) {
  int agent = floe__rd_u8(&w->in) % AGENTS;
  size_t u = floe__rd_u8(&w->in) % UFRAGS;
  char ufrag[] = "ufr0";
  ufrag[3] = (char)('a' + u);
  floe_ice_parameters params = {.ufrag = ufrag, .pwd = "", .lite = agent == 5};
  floe_status st = floe__mux_add(w->mux, agent_of(agent), &params, &places[agent]);
  bool is_anothers = w->whose_ufrag[u] >= 0 && w->whose_ufrag[u] != agent;
  FLOE__ASSERT(w->is_lossy || st == (is_anothers ? FLOE_E_STATE : FLOE_OK));
  if (st != FLOE_OK) return;
  w->is_there[agent] = true;
  w->is_lite[agent] = agent == 5;
  model_attach(w, agent, u);
  for (size_t i = 0; i < ADDRESSES; i += 8) {
    floe_addr local = local_of(i);
    st = floe_ice_mux_bind(w->mux, agent_of(agent), sock_of(agent, i), &local);
    FLOE__ASSERT(st == FLOE_OK || w->is_lossy);
  }
}

static void detach(world *w) {
  int agent = floe__rd_u8(&w->in) % AGENTS;
  floe_ice_mux_detach(w->mux, agent_of(agent));
  model_detach(w, agent);
}

static void unbind(world *w) {
  int agent = floe__rd_u8(&w->in) % AGENTS;
  floe_ice_mux_unbind(w->mux, agent_of(agent), sock_of(agent, floe__rd_u8(&w->in) % ADDRESSES));
  w->is_lossy = true; /* what it then sends is no matter of the multiplexer */
}

static void note(world *w, int agent, size_t address, floe_bytes packet) {
  floe_output out = {.type = FLOE_OUTPUT_TRANSMIT};
  out.u.transmit.sock = sock_of(agent, address);
  out.u.transmit.to = remote_of(address);
  out.u.transmit.data = packet;
  bool is_bound = floe_ice_mux_note(w->mux, 0, agent_of(agent), &out, NULL);
  FLOE__ASSERT(is_bound == w->is_there[agent] || w->is_lossy);
}

static void send_request(world *w, int agent, size_t address) {
  size_t r = floe__rd_u8(&w->in) % REQUESTS;
  note(w, agent, address, message(w, FLOE__STUN_REQUEST, r, NULL));
  if (!w->is_there[agent]) return;
  model_use(w->at[address], agent);
  w->requests[r] = (request){.agent = agent, .address = address};
}

static void send(world *w, uint8_t kind) {
  int agent = floe__rd_u8(&w->in) % AGENTS;
  size_t address = floe__rd_u8(&w->in) % ADDRESSES;
  bool is_there = w->is_there[agent];
  switch (kind % 5) {
    case 0: send_request(w, agent, address); return;
    case 1:
      note(w, agent, address, data);
      if (is_there) model_use(w->at[address], agent);
      if (is_there) model_prove(w->at[address], agent);
      return;
    case 2:
      note(w, agent, address, message(w, FLOE__STUN_SUCCESS, 99, NULL));
      if (is_there) model_use(w->at[address], agent);
      if (is_there && w->is_lite[agent]) model_prove(w->at[address], agent);
      return;
    case 3:
      note(w, agent, address, message(w, FLOE__STUN_INDICATION, 99, NULL));
      if (is_there) model_use(w->at[address], agent);
      return;
    default: note(w, agent, address, message(w, FLOE__STUN_ERROR, 99, NULL)); return;
  }
}

static void check_comes(world *w, size_t address) {
  size_t u = floe__rd_u8(&w->in) % UFRAGS;
  char username[] = "ufr0:peer";
  username[3] = (char)('a' + u);
  floe_ice_mux_match match = route(w, address, message(w, FLOE__STUN_REQUEST, 98, username));
  expect(w, &match, w->whose_ufrag[u]);
  FLOE__ASSERT(match.local_ufrag.len == 4 && memcmp(match.local_ufrag.ptr, username, 4) == 0);
}

static void answer_comes(world *w, size_t address, floe__stun_class cls) {
  size_t r = floe__rd_u8(&w->in) % REQUESTS;
  request *q = &w->requests[r];
  floe_ice_mux_match match = route(w, address, message(w, cls, r, NULL));
  expect(w, &match, q->agent < 0 ? w->at[address][0] : q->agent);
  if (q->agent < 0) return;
  bool proves = cls == FLOE__STUN_SUCCESS && !q->is_answered && q->address == address;
  if (proves) model_prove(w->at[address], q->agent);
  q->is_answered = true;
}

static bool is_success(floe_bytes packet) {
  floe__stun_msg m;
  return floe__stun_msg_parse(&m, packet) != FLOE__STUN_NOT_STUN && m.cls == FLOE__STUN_SUCCESS;
}

/* Bytes of the input, as they are or behind a header that fits. */
static void bytes_come(world *w, size_t address, bool has_header) {
  size_t len = floe__rd_u8(&w->in) / 4u * 4u;
  if (len > floe__rd_left(&w->in)) len = floe__rd_left(&w->in) / 4 * 4;
  floe__writer out = floe__writer_of(w->buf, sizeof w->buf);
  if (has_header) {
    floe__wr_u16(&out, floe__rd_u16(&w->in) & 0x3FFF);
    floe__wr_u16(&out, (uint16_t)len);
    floe__wr_u32(&out, FLOE__STUN_COOKIE);
    floe__wr_zeros(&out, FLOE__STUN_TXN_ID);
  }
  floe_bytes body = floe__rd_take(&w->in, len);
  floe__wr_bytes(&out, body.ptr, body.len);
  floe_bytes packet = floe__wr_done(&out);
  if (is_success(packet)) w->is_lossy = true;
  (void)route(w, address, packet);
}

static void come(world *w, uint8_t kind) {
  size_t address = floe__rd_u8(&w->in) % ADDRESSES;
  switch (kind % 5) {
    case 0: check_comes(w, address); return;
    case 1: answer_comes(w, address, FLOE__STUN_SUCCESS); return;
    case 2: answer_comes(w, address, FLOE__STUN_ERROR); return;
    case 3: bytes_come(w, address, false); return;
    default: bytes_come(w, address, true); return;
  }
}

static void step(world *w, uint8_t kind) {
  switch (kind % 16) {
    case 0:
    case 1:
    case 2: attach(w); return;
    case 3: detach(w); return;
    case 4: w->fail_in = floe__rd_u8(&w->in) % 16u; return;
    case 5: unbind(w); return;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10: send(w, kind / 16); return;
    default: come(w, kind / 16); return;
  }
}

static void init(world *w) {
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = w;
  cfg.reallocate = reallocate;
  cfg.random = fill_random;
  FLOE__ASSERT(floe_env_new(&w->env, &cfg) == FLOE_OK);
  FLOE__ASSERT(floe_ice_mux_new(&w->mux, w->env, NULL) == FLOE_OK);
  for (size_t i = 0; i < UFRAGS; i++) w->whose_ufrag[i] = -1;
  for (size_t i = 0; i < ADDRESSES; i++) w->at[i][0] = -1;
  for (size_t i = 0; i < REQUESTS; i++) w->requests[i].agent = -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size) {
  static world w;
  w = (world){.in = floe__reader_of((floe_bytes){in, size})};
  init(&w);
  for (size_t i = 0; i < STEPS_MAX && floe__rd_left(&w.in) > 0; i++) {
    step(&w, floe__rd_u8(&w.in));
    probe(&w, i % ADDRESSES);
  }
  for (size_t i = 0; i < ADDRESSES; i++) probe(&w, i);
  w.fail_in = 0;
  for (int i = 0; i < AGENTS; i++) {
    floe_ice_mux_detach(w.mux, agent_of(i));
    model_detach(&w, i);
  }
  FLOE__ASSERT(w.live == 2); /* the multiplexer and its env */
  floe_ice_mux_free(w.mux);
  floe_env_free(w.env);
  FLOE__ASSERT(w.live == 0);
  return 0;
}
