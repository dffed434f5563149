/* One peer connection, and a program that calls it in any order with any text: descriptions of the peer from the input
 * itself, or known ones with lines that the input takes away or puts in; candidates, labels and
 * configurations. An argument that is text ends with a NUL or with the input. Nobody answers on the network.
 *
 * What must hold is checked as for two (support/pc_side.c). */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fixed_chance.h"
#include "support/pc_world.h"
#include "support/virtual_time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define MAX_STEPS 1500
#define TEXT_ROOM 4096

static floe_env *process_env;
static floe_certificate *certificate;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  fixed_chance_restart(1);
  FLOE__ASSERT(floe_env_new(&process_env, NULL) == FLOE_OK);
  floe_env_set_unix_time(process_env, 0, FLOE__TEST_CLOCK_ORIGIN_S * INT64_C(1000));
  FLOE__ASSERT(floe_certificate_generate(&certificate, process_env, 0, NULL, NULL) == FLOE_OK);
  return 0;
}

/* --- the input ---------------------------------------------------------------------------------------------------- */

static uint8_t take(pcw_side *s) {
  return pw_byte(&s->w->net);
}

static void take_text(pcw_side *s, char out[TEXT_ROOM]) {
  size_t n = 0;
  uint8_t c;
  while (floe__rd_left(&s->w->net.in) > 0 && (c = take(s)) != 0) {
    if (n + 1 < TEXT_ROOM) out[n++] = (char)c;
  }
  out[n] = '\0';
}

/* --- descriptions of the peer ------------------------------------------------------------------------------------- */

#define TOP "v=0\r\no=- 4962303333179871722 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
#define FINGERPRINT        \
  "a=fingerprint:sha-256 " \
  "F0:1D:AB:1E:00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B\r\n"
#define ICE  "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\na=ice-options:trickle\r\n"
#define DATA "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"
#define SCTP "a=sctp-port:5000\r\na=max-message-size:262144\r\n"

static const char *const known[] = {
    TOP "a=group:BUNDLE 0\r\n" FINGERPRINT ICE "a=setup:actpass\r\n" DATA "a=mid:0\r\n" SCTP,
    TOP "a=group:BUNDLE 0\r\n" DATA "a=mid:0\r\n" FINGERPRINT ICE "a=setup:active\r\n" SCTP
        "a=candidate:1 1 udp 2130706431 10.0.1.1 40000 typ host\r\na=end-of-candidates\r\n",
    TOP "a=group:BUNDLE a v d\r\n" FINGERPRINT
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=mid:a\r\n" ICE
        "a=setup:actpass\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=sendrecv\r\n"
        "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=bundle-only\r\na=mid:v\r\na=sendrecv\r\n"
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=bundle-only\r\na=mid:d\r\n" SCTP,
    TOP "m=application 9 DTLS/SCTP 5000\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n" FINGERPRINT ICE
        "a=setup:passive\r\na=sctpmap:5000 webrtc-datachannel 1024\r\n",
    TOP "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n",
    TOP FINGERPRINT "a=ice-lite\r\n" DATA
                    "a=mid:0\r\na=ice-ufrag:wxyz\r\na=ice-pwd:9876543210abcdefghijkl\r\n"
                    "a=setup:passive\r\n" SCTP,
    TOP,
    "",
};

static size_t length_of_line(const char *at) {
  const char *end = strchr(at, '\n');
  return end == NULL ? strlen(at) : (size_t)(end - at) + 1;
}

/* One line is taken away, another may come in its place. */
static void edit(pcw_side *s, char *text, size_t room) {
  char line[TEXT_ROOM], rest[TEXT_ROOM];
  uint8_t where = take(s), how = take(s);
  char *at = text;
  while (where-- > 0 && *at != '\0') at += length_of_line(at);
  (void)snprintf(rest, sizeof rest, "%s", (how & 1) != 0 ? at + length_of_line(at) : at);
  line[0] = '\0';
  if ((how & 6) == 2) (void)snprintf(line, sizeof line, "%.*s", (int)length_of_line(at), at);
  if ((how & 6) == 4) take_text(s, line);
  const char *end = (how & 6) == 4 ? "\r\n" : "";
  (void)snprintf(at, room - (size_t)(at - text), "%s%s%s", line, end, rest);
}

static void choose_text(pcw_side *s, uint8_t what, char out[TEXT_ROOM]) {
  if ((what & 3) == 0) {
    take_text(s, out);
    return;
  }
  uint8_t which = take(s);
  const pcw_text *own = &s->w->texts[which / 8 % PCW_TEXTS];
  bool is_own = (what & 3) == 3 && own->sdp != NULL;
  (void)snprintf(out, TEXT_ROOM, "%s", is_own ? own->sdp : known[which % 8]);
  for (int i = 0; i < (what >> 4 & 3); i++) edit(s, out, TEXT_ROOM);
}

static void set_remote(pcw_side *s, uint8_t what) {
  char text[TEXT_ROOM];
  floe_session_description d = {(floe_sdp_type)(what >> 6), text};
  choose_text(s, what, text);
  (void)!pcw_set_remote(s, &d);
}

static void set_local(pcw_side *s, uint8_t what) {
  char text[TEXT_ROOM];
  if ((what & 12) == 0) {
    pcw_negotiate(s);
    return;
  }
  floe_session_description d = {(floe_sdp_type)(what >> 6), NULL};
  if ((what & 12) == 4) {
    choose_text(s, what, text);
    d.sdp = text;
  }
  if ((what & 12) == 8) d.sdp = s->w->texts[(s->w->n_texts - 1) % PCW_TEXTS].sdp;
  (void)!pcw_set_local(s, &d);
}

static void create(pcw_side *s, uint8_t what) {
  floe_error why = {0};
  const char *sdp;
  floe_offer_options options = {.ice_restart = (what & 2) != 0};
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

/* --- candidates --------------------------------------------------------------------------------------------------- */

static void add_candidate(pcw_side *s, uint8_t what) {
  char text[TEXT_ROOM], mid[TEXT_ROOM], ufrag[TEXT_ROOM];
  floe_error why = {0};
  floe_ice_candidate_init init = {0};
  if ((what & 1) != 0) {
    take_text(s, text);
    init.candidate = text;
  }
  if ((what & 2) != 0) {
    take_text(s, mid);
    init.sdp_mid = mid;
  }
  if ((what & 4) != 0) {
    take_text(s, ufrag);
    init.username_fragment = ufrag;
  }
  init.has_sdp_m_line_index = (what & 8) != 0;
  init.sdp_m_line_index = what >> 5;
  pcw_call(s);
  floe_status st = floe_pc_add_ice_candidate(s->pc, s->w->net.now, (what & 31) == 16 ? NULL : &init, &why);
  pcw_check_status(st, &why);
  FLOE__ASSERT(st == FLOE_E_STATE || floe_pc_remote_description(s->pc) != NULL || st == FLOE_E_TYPE);
  pw_after_call(s->h);
}

/* --- channels ----------------------------------------------------------------------------------------------------- */

static void open_channel(pcw_side *s, uint8_t what) {
  char suffix[TEXT_ROOM] = "", protocol[TEXT_ROOM] = "";
  struct {
    floe_data_channel_init known;
    uint8_t later[256]; /* members that a later version could have, all of them 0 */
  } program = {0};
  static const uint32_t sizes[] = {0, offsetof(floe_data_channel_init, protocol), sizeof program, 70000};
  floe_data_channel_init init;
  floe_data_channel_init_init(&init, sizeof init);
  if ((what & 1) != 0) take_text(s, suffix);
  suffix[300] = '\0';
  if ((what & 2) != 0) take_text(s, protocol);
  init.protocol = (what & 2) != 0 ? protocol : NULL;
  init.unordered = (what & 4) != 0;
  init.has_max_retransmits = (what & 8) != 0;
  init.has_max_packet_life_time = (what & 16) != 0;
  init.negotiated = (what & 32) != 0;
  init.has_id = (what & 64) != 0;
  if (init.has_id) init.id = (uint16_t)(take(s) * 257);
  if ((what & 128) != 0) init.size = sizes[take(s) % 4];
  bool refuses = (init.negotiated && (!init.has_id || init.id == 65535)) ||
                 (init.has_max_retransmits && init.has_max_packet_life_time);
  program.known = init;
  pcw_channel *c = pcw_open(s, &program.known, suffix);
  FLOE__ASSERT(c == NULL || !refuses || (what & 128) != 0);
}

static void use_channel(pcw_side *s, uint8_t what) {
  if (s->n_channels == 0) return;
  pcw_channel *c = &s->channels[take(s) % s->n_channels];
  if (c->handle == NULL) return;
  if ((what & 3) == 0) {
    pcw_free_channel(c);
  } else if ((what & 3) == 1) {
    pcw_call(s);
    floe_data_channel_close(c->handle, s->w->net.now);
    pw_after_call(s->h);
  } else {
    (void)pcw_send(c, what, (what & 4) != 0); /* nothing is ever open */
  }
}

/* --- configurations ----------------------------------------------------------------------------------------------- */

typedef struct configuration {
  floe_pc_config pc;
  floe_ice_config ice;
  floe_ice_server server;
  const char *url;
  const floe_certificate *certificate;
  char texts[2][TEXT_ROOM];
} configuration;

static void configure(pcw_side *s, configuration *c) {
  uint8_t a = take(s), b = take(s);
  floe_ice_config_init(&c->ice, sizeof c->ice);
  floe_pc_config_init(&c->pc, sizeof c->pc);
  c->pc.ice = &c->ice;
  c->ice.no_tcp = (a & 1) == 0;
  c->ice.mdns_hide_hosts = (a & 2) != 0;
  c->ice.ice_transport_policy = (floe_ice_transport_policy)((a >> 2 & 7) == 7 ? 1 + b % 3 : 0);
  c->certificate = certificate;
  c->pc.certificates = (a & 32) != 0 ? NULL : &c->certificate;
  c->pc.n_certificates = (a & 32) != 0 ? 0 : 1;
  if ((a & 64) != 0) {
    take_text(s, c->texts[0]);
    take_text(s, c->texts[1]);
    c->url = c->texts[0];
    c->server = (floe_ice_server){.urls = &c->url, .n_urls = 1, .username = c->texts[1], .credential = "secret"};
    c->ice.ice_servers = &c->server;
    c->ice.n_ice_servers = 1;
  }
  c->pc.bundle_policy = (floe_bundle_policy)(b & 3);
  c->pc.ice_candidate_pool_size = (b & 4) != 0 ? take(s) * 2u : 0;
  c->pc.max_channels = (b & 8) != 0 ? take(s) : 0;
  c->pc.mtu = (b & 16) != 0 ? (uint16_t)(take(s) * 257) : 0;
  c->pc.max_message_size = (b & 32) != 0 ? UINT64_C(1) << (take(s) & 63) : 0;
  c->pc.rtcp_mux_policy = (floe_rtcp_mux_policy)((b & 192) == 192 ? 1 : 0);
}

static void set_configuration(pcw_side *s) {
  configuration *c = calloc(1, sizeof *c);
  floe_error why = {0};
  FLOE__ASSERT(c != NULL);
  configure(s, c);
  pcw_call(s);
  floe_status st = floe_pc_set_configuration(s->pc, s->w->net.now, &c->pc, &why);
  free(c);
  pcw_check_status(st, &why);
  FLOE__ASSERT(st != FLOE_OK || !s->h->closed);
  pw_after_call(s->h);
}

/* --- the program -------------------------------------------------------------------------------------------------- */

static void inject(pcw_side *s, uint8_t what) {
  char bytes[TEXT_ROOM];
  take_text(s, bytes);
  const pw_sock *k = &s->h->socks[what % 4];
  pw_event e = {.kind = PW_DATAGRAM, .host = s->h->index, .id = k->id, .from = pw_ip("10.0.1.1:40000")};
  pw_add(&s->w->net, e, 0, (floe_bytes){(const uint8_t *)bytes, strlen(bytes)});
}

static void act(pcw_side *s, uint8_t op, uint8_t what) {
  switch (op) {
    case 0:
    case 1:
    case 2: set_remote(s, what); return;
    case 3:
    case 4: set_local(s, what); return;
    case 5: create(s, what); return;
    case 6: add_candidate(s, what); return;
    case 7: open_channel(s, what); return;
    case 8: use_channel(s, what); return;
    case 9: set_configuration(s); return;
    case 10:
      pcw_call(s);
      s->was_redirected = true;
      floe_pc_restart_ice(s->pc, s->w->net.now);
      pw_after_call(s->h);
      return;
    case 11: pcw_ask(s); return;
    case 12:
      s->h->fail_in = 1u + what;
      s->h->fail_times = 1u + take(s) % 16u;
      return;
    case 13: inject(s, what); return;
    case 14: pw_run(&s->w->net, (what & 128) != 0 ? what * FLOE_SECOND / 4 : what * FLOE_MS); return;
    default:
      if (what >= 192) pcw_close(s);
      return;
  }
}

static void run(pcw_side *s) {
  while (floe__rd_left(&s->w->net.in) > 0 && s->w->net.steps_left > 0) {
    uint8_t op = take(s), what = take(s);
    act(s, op % 16, what);
  }
}

static void begin(pcw_world *w) {
  pcw_side *s = &w->sides[0];
  s->w = w;
  configuration *c = calloc(1, sizeof *c);
  FLOE__ASSERT(c != NULL);
  uint8_t flags = pw_byte(&w->net);
  configure(s, c);
  w->net.hosts[0].interfaces = (flags & 1) != 0 ? 0x3f : 1;
  w->net.hosts[0].is_lazy = (flags & 2) != 0;
  w->net.no_signalling = true;
  pcw_begin(w, 0, &c->pc, &c->ice, 1);
  s->is_manual = true;
  w->net.is_traced = (flags & 4) != 0;
  free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 4 || size > 6000) return 0;
  pcw_world *w = calloc(1, sizeof *w);
  FLOE__ASSERT(w != NULL);
  fixed_chance_restart(2);
  w->net.in = floe__reader_of((floe_bytes){data, size});
  w->net.now = FLOE_SECOND;
  w->net.steps_left = MAX_STEPS;
  w->sides[1].h = &w->net.hosts[1];
  w->net.hosts[1].w = &w->net;
  w->net.hosts[1].index = 1;
  begin(w);
  pcw_side *s = &w->sides[0];
  if (s->pc != NULL) run(s);
  s->h->fail_in = 0;
  w->net.steps_left = MAX_STEPS;
  pw_run(&w->net, 5 * FLOE_SECOND);
  pcw_ask(s);
  pcw_close(s);
  pw_host_end(s->h);
  pcw_clear_signals(w);
  pw_clear(&w->net);
  free(w);
  return 0;
}
