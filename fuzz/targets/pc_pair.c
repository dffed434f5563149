/* Two whole peer connections and a hostile network between them: negotiation, DTLS, SCTP and channels, as programs use
 * them and as they do not. The first bytes choose the configurations; then each byte is a step: time, calls of either
 * program with descriptions and candidates that are real, stale, mixed up or mangled, packets that are ruined or
 * forged, memory that runs out. In the second mode both behave, and the input decides of each packet what becomes of
 * it.
 *
 * Checked all the while (support/pc_side.c, pc_channel.c): states follow each other as they may, events come in their
 * order and agree with what can be asked, nothing is told after close, each message arrives once, as it was sent, on
 * ordered channels in order and on reliable ones without a gap. At the end what was sent reliably over a connection
 * that is there has arrived, the channels of a connection whose peer has closed are closed, no socket is open and
 * nothing leaks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pc/pc_internal.h"
#include "sctp/dcep.h"
#include "support/fixed_chance.h"
#include "support/pc_world.h"
#include "support/virtual_time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define MAX_STEPS 3000 /* of the network, so that a run takes milliseconds */

static floe_env *process_env;
static floe_certificate *certificates[2];

static void make_certificates(void) {
  for (int i = 0; i < 2; i++) {
    FLOE__ASSERT(floe_certificate_generate(&certificates[i], process_env, 0, NULL, NULL) == FLOE_OK);
  }
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  fixed_chance_restart(1);
  FLOE__ASSERT(floe_env_new(&process_env, NULL) == FLOE_OK);
  floe_env_set_unix_time(process_env, 0, FLOE__TEST_CLOCK_ORIGIN_S * INT64_C(1000));
  make_certificates();
  return 0;
}

/* usrsctp is one per process. What is left of an association goes with its timers, and the clock's remainder with it:
 * the next run finds nothing of this one. */
static void calm_sctp(void) {
  const floe__sctp_config cfg = {.streams = 1};
  floe__sctp *s = floe__sctp_new(process_env, &cfg, 0);
  FLOE__ASSERT(s != NULL);
  floe__sctp_connect(s, FLOE_SECOND);
  floe__sctp_on_deadline(s, 200 * FLOE_SECOND);
  floe__sctp_free(s);
}

/* --- the input ---------------------------------------------------------------------------------------------------- */

static uint8_t take(pcw_world *w) {
  return pw_byte(&w->net);
}

static floe_bytes take_bytes(pcw_world *w) {
  size_t n = take(w);
  if (n > floe__rd_left(&w->net.in)) n = floe__rd_left(&w->net.in);
  return floe__rd_take(&w->net.in, n);
}

/* Up to 255 bytes of the input as a text. */
static void take_text(pcw_world *w, char out[256]) {
  floe_bytes b = take_bytes(w);
  if (b.len > 0) memcpy(out, b.ptr, b.len);
  out[b.len] = '\0';
}

/* Overwrites, cuts, or puts in. */
static char *mangle(pcw_world *w, const char *text) {
  char with[256];
  size_t len = strlen(text), at = (size_t)take(w) << 8;
  at = (at | take(w)) % (len + 1);
  uint8_t how = take(w);
  take_text(w, with);
  size_t n = strlen(with), drop = how % 64 < len - at ? how % 64 : len - at;
  char *out = malloc(len + n + 1);
  FLOE__ASSERT(out != NULL);
  memcpy(out, text, at);
  memcpy(out + at, with, n);
  memcpy(out + at + n, text + at + drop, len - at - drop);
  out[len + n - drop] = '\0';
  return out;
}

/* --- descriptions ------------------------------------------------------------------------------------------------- */

static void create(pcw_side *s, uint8_t what) {
  floe_error why = {0};
  const char *sdp = NULL;
  floe_offer_options options = {.ice_restart = (what & 2) != 0};
  if (s->pc == NULL) return;
  pcw_call(s);
  bool offers = (what & 1) == 0;
  floe_status st = offers ? floe_pc_create_offer(s->pc, s->w->net.now, &options, &sdp, &why)
                          : floe_pc_create_answer(s->pc, s->w->net.now, &sdp, &why);
  pcw_check_status(st, &why);
  FLOE__ASSERT((st == FLOE_OK) == (sdp != NULL) && (st != FLOE_OK || !s->h->closed));
  floe_session_description d = {offers ? FLOE_SDP_OFFER : FLOE_SDP_ANSWER, sdp};
  if (sdp != NULL) pcw_keep_text(s->w, &d);
  pw_after_call(s->h);
}

/* One that is, or was, and as what it was or as something else. */
static void set_description(pcw_side *s, uint8_t what) {
  pcw_world *w = s->w;
  const pcw_text *t = &w->texts[take(w) % PCW_TEXTS];
  floe_session_description d = {t->type, t->sdp};
  char *mangled = NULL;
  if ((what & 1) != 0) d.type = (floe_sdp_type)(take(w) % 5);
  if ((what & 2) != 0 && d.sdp != NULL) d.sdp = mangled = mangle(w, d.sdp);
  if ((what & 4) != 0) d.sdp = "";
  if ((what & 8) != 0) {
    (void)!pcw_set_local(s, &d);
  } else {
    (void)!pcw_set_remote(s, &d);
  }
  free(mangled);
}

static void roll_back(pcw_side *s, uint8_t what) {
  floe_session_description d = {FLOE_SDP_ROLLBACK, NULL};
  if ((what & 1) != 0) {
    (void)!pcw_set_local(s, &d);
  } else {
    (void)!pcw_set_remote(s, &d);
  }
}

static void add_candidate(pcw_side *s, uint8_t what) {
  static const char *const lines[] = {"0\n\n",     "-\n\n",
                                      "#0\n\n",    "#1\n\nabc",
                                      "0\nzzzz\n", "0\n\ncandidate:1 1 udp 1 198.51.100.7 7 typ host",
                                      "-\n\nx",    "#0\n\ncandidate:1 1 tcp 1 10.0.1.1 9 typ host tcptype active"};
  pcw_world *w = s->w;
  floe_error why = {0};
  const char *line = w->lines[take(w) % PCW_LINES];
  if ((what & 1) != 0 || line == NULL) line = lines[take(w) % 8];
  if ((what & 2) != 0) {
    char *mangled = mangle(w, line);
    pcw_add_line(s, mangled);
    free(mangled);
  } else if ((what & 12) == 12 && pcw_is_live(s)) {
    pcw_call(s);
    pcw_check_status(floe_pc_add_ice_candidate(s->pc, w->net.now, NULL, &why), &why);
    pw_after_call(s->h);
  } else {
    pcw_add_line(s, line);
  }
}

static void restart(pcw_side *s) {
  if (s->pc == NULL) return;
  pcw_call(s);
  s->was_redirected = true;
  floe_pc_restart_ice(s->pc, s->w->net.now);
  pw_after_call(s->h);
}

/* --- channels ----------------------------------------------------------------------------------------------------- */

static pcw_channel *pick_channel(pcw_side *s) {
  uint8_t which = take(s->w);
  return s->n_channels == 0 ? NULL : &s->channels[which % s->n_channels];
}

static void open_channel(pcw_side *s, uint8_t what) {
  char suffix[256] = "", protocol[256] = "";
  pcw_world *w = s->w;
  floe_data_channel_init init;
  floe_data_channel_init_init(&init, sizeof init);
  init.unordered = (what & 1) != 0;
  init.has_max_retransmits = (what & 2) != 0;
  init.has_max_packet_life_time = (what & 4) != 0;
  init.max_retransmits = init.has_max_retransmits ? take(w) % 4 : 0;
  init.max_packet_life_time = init.has_max_packet_life_time ? take(w) : 0;
  init.negotiated = init.has_id = (what & 24) == 24;
  if (init.negotiated) init.id = (uint16_t)((what & 32) != 0 ? PCW_LOW_IDS + take(w) % 8 : take(w) * 257u % 65536u);
  if ((what & 64) != 0) take_text(w, suffix);
  if ((what & 128) != 0) take_text(w, protocol);
  init.protocol = protocol;
  (void)pcw_open(s, (what & 127) == 0 ? NULL : &init, suffix);
}

static void send_some(pcw_side *s, uint8_t what) {
  static const uint32_t lengths[] = {0, 1, 20, 100, 1000, 1200, 5000, 16384, 20000, 65535, 66000, 300, 9, 8, 40000, 2};
  pcw_channel *c = pick_channel(s);
  uint8_t how = take(s->w);
  if (c == NULL) return;
  uint32_t len = lengths[how % 16], n = (what & 1) == 0 ? 1 : 1u + how / (len > 2000 ? 64u : 16u);
  for (uint32_t i = 0; i < n; i++) {
    if (!pcw_send(c, len, (what & 2) != 0)) return;
  }
}

static void close_channel(pcw_side *s, uint8_t what) {
  pcw_channel *c = pick_channel(s);
  if (c == NULL || c->handle == NULL || s->pc == NULL) return;
  if ((what & 3) == 0) {
    pcw_free_channel(c);
  } else if ((what & 3) == 1) {
    floe_data_channel_set_buffered_amount_low_threshold(c->handle, (size_t)what * 50);
  } else {
    pcw_call(s);
    floe_data_channel_close(c->handle, s->w->net.now);
    FLOE__ASSERT(floe_data_channel_ready_state(c->handle) >= FLOE_DATA_CHANNEL_CLOSING);
    pw_after_call(s->h);
  }
}

/* What the calls refuse. */
static void send_wrong(pcw_side *s) {
  static const uint8_t no_text[] = {'a', 0xc3, 0x28};
  pcw_channel *c = pick_channel(s);
  if (c == NULL || c->handle == NULL || s->pc == NULL) return;
  pcw_call(s);
  FLOE__ASSERT(floe_data_channel_send_text(c->handle, s->w->net.now, (floe_bytes){no_text, 3}) == FLOE_E_SYNTAX);
  const floe_sctp_transport *t = floe_pc_sctp_transport(s->pc);
  if (t == NULL || t->max_message_size >= 66000) return;
  FLOE__ASSERT(!pcw_send(c, (uint32_t)t->max_message_size + 1 + 9, false));
}

/* What a peer of another make could send over the association: any message on any stream, any stream closed. */
static void be_evil(pcw_side *s, uint8_t what) {
  static const uint32_t ppids[] = {FLOE__PPID_DCEP,
                                   FLOE__PPID_STRING,
                                   FLOE__PPID_BINARY,
                                   FLOE__PPID_STRING_EMPTY,
                                   FLOE__PPID_BINARY_EMPTY,
                                   52,
                                   54,
                                   0};
  pcw_world *w = s->w;
  uint16_t stream = take(w);
  uint8_t buf[256];
  floe_bytes data = take_bytes(w);
  if (!pcw_is_live(s) || s->pc->transport.sctp == NULL) return;
  floe__sctp *sctp = s->pc->transport.sctp;
  w->is_evil = true;
  pcw_call(s);
  floe__pc_advance(s->pc, w->net.now);
  if ((what & 15) == 15) {
    (void)!floe__sctp_reset_stream(sctp, stream, w->net.now);
  } else if ((what & 15) == 14) {
    floe__sctp_abort(sctp, "evil", w->net.now);
  } else if (floe__sctp_state_of(sctp) == FLOE__SCTP_CONNECTED) {
    buf[0] = 0;
    if (data.len > 0) memcpy(buf, data.ptr, data.len);
    if (data.len == 0) data.len = 1;
    floe__sctp_reliability r = {.unordered = (what & 16) != 0};
    (void)!floe__sctp_send(sctp, stream, ppids[what & 7], (floe_bytes){buf, data.len}, &r, w->net.now);
  }
  pw_after_call(s->h);
}

/* --- packets ------------------------------------------------------------------------------------------------------ */

static pw_sock *pick_sock(pcw_side *s) {
  size_t which = take(s->w);
  for (size_t i = 0; i < PW_SOCKS; i++) {
    pw_sock *k = &s->h->socks[(which + i) % PW_SOCKS];
    if (k->id != 0 && k->open && !k->is_tcp) return k;
  }
  return NULL;
}

/* From the address that the peer has, so that it gets to DTLS. */
static floe_addr peer_address(pcw_side *s) {
  const floe_ice_candidate *local, *remote;
  bool by_pair = (take(s->w) & 1) == 0;
  if (!by_pair || s->h->agent == NULL) return pw_addr(&s->w->net);
  if (floe_ice_agent_selected_pair(s->h->agent, &local, &remote)) return remote->address;
  return pw_ip("198.51.100.8:8");
}

static void inject(pcw_side *s, uint8_t what) {
  pcw_world *w = s->w;
  const pw_sock *k = pick_sock(s);
  floe_addr from = peer_address(s);
  size_t i = what % PW_SEEN;
  floe_bytes data = {w->net.seen[i].bytes, w->net.seen[i].len};
  if ((what & 128) != 0) data = take_bytes(w);
  pw_event e = {.kind = PW_DATAGRAM, .host = s->h->index, .from = from};
  if (k == NULL || data.len == 0) return;
  e.id = k->id;
  pw_add(&w->net, e, 0, data);
}

static void change_interfaces(pcw_side *s, uint8_t what) {
  s->h->interfaces = what & 0x7f;
  s->h->fail_opens = take(s->w) & 3;
  if (pcw_is_live(s)) pw_input_interfaces(s->h);
}

/* --- configurations ----------------------------------------------------------------------------------------------- */

/* Everything that takes half a minute takes a second or two, so that a run sees the end of it. */
static const floe_ice_timing quick = {.ta_ms = 5,
                                      .rto_ms = 50,
                                      .transmissions = 3,
                                      .udp_timeout_ms = 300,
                                      .stream_timeout_ms = 300,
                                      .connect_timeout_ms = 300,
                                      .tls_timeout_ms = 300,
                                      .dns_timeout_ms = 300,
                                      .server_timeout_ms = 900,
                                      .gathering_timeout_ms = 900,
                                      .close_timeout_ms = 100,
                                      .check_rto_ms = 50,
                                      .check_transmissions = 3,
                                      .patience_ms = 1000,
                                      .nomination_ms = 50,
                                      .consent_interval_ms = 1000,
                                      .consent_timeout_ms = 6000,
                                      .disconnected_ms = 2500,
                                      .keepalive_ms = 2000};

static const char *const urls[] = {"stun:192.0.2.1", "stun:192.0.2.99", "turn:192.0.2.1?transport=udp"};

typedef struct configuration {
  floe_pc_config pc;
  floe_ice_config ice;
  floe_ice_server server;
  const floe_certificate *certificate;
} configuration;

static void configure_ice(pcw_world *w, configuration *c, uint8_t a) {
  floe_ice_config_init(&c->ice, sizeof c->ice);
  c->ice.timing = quick;
  c->ice.no_tcp = (a & 1) == 0;
  c->ice.mdns_hide_hosts = (a & 2) != 0;
  c->ice.continual_gathering = (a & 4) != 0;
  c->server = (floe_ice_server){.username = "user", .credential = "password"};
  if ((a & 8) == 0) return;
  uint8_t b = take(w);
  c->server.urls = &urls[b % 3];
  c->server.n_urls = 1;
  c->ice.ice_servers = &c->server;
  c->ice.n_ice_servers = 1;
  if ((b & 24) == 24) c->ice.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
}

static void configure(pcw_world *w, configuration *c, int index) {
  static const uint32_t channels[] = {300, 2, 6, 120};
  static const uint32_t sizes[] = {0, 1000, 20000, 100000};
  static const uint32_t buffers[] = {0, 3000, 20000, 100000};
  uint8_t a = take(w), b = take(w);
  configure_ice(w, c, a);
  floe_pc_config_init(&c->pc, sizeof c->pc);
  c->pc.ice = &c->ice;
  c->certificate = certificates[index];
  c->pc.certificates = &c->certificate;
  c->pc.n_certificates = (a & 0xe0) == 0xe0 ? 0 : 1;
  c->pc.ice_candidate_pool_size = (a & 16) != 0 ? 1 : 0;
  c->pc.bundle_policy = (floe_bundle_policy)((a >> 5) % 3);
  c->pc.max_channels = channels[b & 3];
  c->pc.max_message_size = sizes[b >> 2 & 3];
  c->pc.max_buffered_amount = buffers[b >> 4 & 3];
  c->pc.no_interleaving = (b & 64) != 0;
  if ((b & 128) != 0) {
    c->pc.mtu = (uint16_t)(576 + 4 * take(w));
    c->pc.dtls_timeout_ms = 2000;
    c->pc.sctp_port = (uint16_t)(1 + take(w) * 257);
  }
}

static void set_configuration(pcw_side *s) {
  configuration c;
  floe_error why = {0};
  configure(s->w, &c, s->h->index);
  if (s->pc == NULL) return;
  pcw_call(s);
  pcw_check_status(floe_pc_set_configuration(s->pc, s->w->net.now, &c.pc, &why), &why);
  pw_after_call(s->h);
}

/* --- the program -------------------------------------------------------------------------------------------------- */

static void run_out_of_memory(pcw_side *s) {
  s->h->fail_in = 1u + take(s->w);
  s->h->fail_times = 1u + take(s->w) % 16u;
}

static void end_one(pcw_side *s, uint8_t what) {
  if ((what & 0xf0) == 0xf0) {
    pcw_free(s);
  } else if ((what & 0xc0) == 0x40) {
    pcw_close(s);
  }
}

static void act(pcw_side *s, uint8_t op, uint8_t what) {
  pcw_world *w = s->w;
  switch (op) {
    case 0: w->net.hostile_left = what; return;
    case 1: inject(s, what); return;
    case 2: create(s, what); return;
    case 3: set_description(s, what); return;
    case 4: roll_back(s, what); return;
    case 5: add_candidate(s, what); return;
    case 6: restart(s); return;
    case 7: set_configuration(s); return;
    case 8: open_channel(s, what); return;
    case 9:
    case 10:
    case 11: send_some(s, what); return;
    case 12:
    case 13: close_channel(s, what); return;
    case 14: end_one(s, what); return;
    case 15: pcw_ask(s); return;
    case 16: run_out_of_memory(s); return;
    case 17: be_evil(s, what); return;
    case 18: change_interfaces(s, what); return;
    case 19: pcw_negotiate(s); return;
    case 20: send_wrong(s); return;
    case 21: s->is_manual = (what & 1) != 0; return;
    case 22: w->net.no_signalling = (what & 1) != 0; return;
    default: pcw_tell_description(s); return;
  }
}

#define N_ACTS 24

static void step(pcw_world *w) {
  static const uint32_t times_ms[] = {1, 5, 20, 50, 100, 250, 500, 1000, 2, 10, 30, 75, 150, 350, 2000, 5000};
  uint8_t op = take(w);
  if (op < 64) {
    pw_run(&w->net, times_ms[op & 15] * FLOE_MS);
    return;
  }
  uint8_t what = take(w);
  pcw_side *s = &w->sides[op & 1];
  if (s->h->env != NULL) act(s, (uint8_t)((op - 64) / 2 % N_ACTS), what);
}

static void run_program(pcw_world *w) {
  while (floe__rd_left(&w->net.in) > 0 && w->net.steps_left > 0) step(w);
}

/* The input is what becomes of the packets, one after the other. */
static void run_packets(pcw_world *w) {
  w->net.hostile_left = UINT32_MAX;
  for (int i = 0; i < 12 && floe__rd_left(&w->net.in) > 0; i++) {
    pw_run(&w->net, 250 * FLOE_MS);
    for (int k = 0; k < 2; k++) {
      if (w->sides[k].n_channels > 0) (void)pcw_send(&w->sides[k].channels[0], 2000, i % 2 == 0);
    }
  }
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

static bool is_up(const pcw_side *s) {
  if (!pcw_is_live(s) || s->h->was_short || s->w->net.steps_left == 0) return false;
  return floe_pc_connection_state(s->pc) == FLOE_PC_CONNECTED && floe__transport_is_sctp_connected(s->pc);
}

/* The other side knows the ICE session that this one is in. */
static bool is_known(const pcw_side *s) {
  const floe_ice_parameters *known = floe_ice_agent_remote_parameters(pcw_other(s)->h->agent);
  return known != NULL && strcmp(known->ufrag, floe_ice_agent_local_parameters(s->h->agent)->ufrag) == 0;
}

static bool are_up(const pcw_world *w) {
  const pcw_side *a = &w->sides[0], *b = &w->sides[1];
  return is_up(a) && is_up(b) && is_known(a) && is_known(b) && !w->is_evil;
}

/* A retransmission is ten seconds late at the most. */
static void check_all_there(pcw_world *w) {
  for (int i = 0; i < 8 && are_up(w) && !pcw_is_all_there(w); i++) pw_run(&w->net, 4 * FLOE_SECOND);
  FLOE__ASSERT(!are_up(w) || pcw_is_all_there(w));
}

/* close() is told to the peer. */
static void check_close(pcw_world *w, int first) {
  if (!are_up(w)) return;
  pcw_side *s = &w->sides[first], *o = pcw_other(s);
  pcw_close(s);
  pw_run(&w->net, FLOE_SECOND);
  if (w->net.steps_left == 0) return;
  FLOE__ASSERT(floe_pc_connection_state(o->pc) != FLOE_PC_NEW);
  FLOE__ASSERT(floe_pc_sctp_transport(o->pc)->state == FLOE_SCTP_TRANSPORT_CLOSED);
  for (uint32_t i = 0; i < o->n_channels; i++) {
    const pcw_channel *c = &o->channels[i];
    FLOE__ASSERT(c->handle == NULL || floe_data_channel_ready_state(c->handle) == FLOE_DATA_CHANNEL_CLOSED);
  }
}

static void finish(pcw_world *w, int first) {
  w->net.hostile_left = 0;
  if (w->net.steps_left < MAX_STEPS / 2) w->net.steps_left = MAX_STEPS / 2;
  for (int i = 0; i < 2; i++) w->sides[i].h->fail_in = 0;
  pw_run(&w->net, 3 * FLOE_SECOND);
  check_all_there(w);
  for (int i = 0; i < 2; i++) pcw_ask(&w->sides[i]);
  check_close(w, first);
  w->net.steps_left = MAX_STEPS;
  pcw_end(w);
}

static void begin(pcw_world *w, uint8_t flags) {
  if ((flags & 1) != 0) pw_serve(&w->net, take(w));
  for (int i = 0; i < 2; i++) {
    configuration c;
    configure(w, &c, i);
    w->net.hosts[i].interfaces = (flags & 2) != 0 ? take(w) & 0x3f : 1;
    w->net.hosts[i].nat = (flags & 4) != 0 ? (pw_nat)(take(w) % 3) : PW_NAT_NONE;
    w->net.hosts[i].is_lazy = (flags & 8) != 0;
    pcw_begin(w, i, &c.pc, &c.ice, (uint8_t)(1 + i));
  }
  w->net.is_traced = (flags & 32) != 0;
  for (int i = 0; i < 2; i++) w->sides[i].is_manual = (flags & 16) != 0;
  (void)pcw_open(&w->sides[0], NULL, "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 6 || size > 2000) return 0;
  pcw_world *w = calloc(1, sizeof *w);
  FLOE__ASSERT(w != NULL);
  fixed_chance_restart(2);
  w->net.in = floe__reader_of((floe_bytes){data, size});
  w->net.now = FLOE_SECOND;
  w->net.steps_left = MAX_STEPS;
  uint8_t flags = take(w);
  begin(w, flags);
  if ((flags & 64) != 0) {
    run_packets(w);
  } else {
    run_program(w);
  }
  finish(w, flags >> 7);
  pcw_clear_signals(w);
  pw_clear(&w->net);
  free(w);
  calm_sctp();
  return 0;
}
