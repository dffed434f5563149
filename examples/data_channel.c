/* Two C programs and a data channel. Start one with "offer" and one with "answer", and hand what each prints, up to the
 * empty line, to the other's standard input: by copy and paste, by e-mail, or by a script:
 *
 *     data_channel offer        data_channel answer
 *
 * The one that offers says hello; the other answers in capitals, and both end. */
#include <ctype.h>
#include <floe/uv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static floe_uv *driver;
static floe_uv_pc *pc;
static floe_data_channel *channel;
static bool offers;
static int status = 1;

static void die(const char *what, const floe_error *why) {
  fprintf(stderr, "%s: %s %s (line %u)\n", what, why->path, why->message, (unsigned)why->line);
  exit(2);
}

static void on_closed(void *user) {
  (void)user;
  floe_uv_close(driver);
}

static void on_connection(const floe_event *e, void *user) {
  (void)user;
  fprintf(stderr, "%s\n", floe_pc_state_name(e->u.pc.state));
  if (e->u.pc.state != FLOE_PC_FAILED) return;
  fprintf(stderr, "why: %s. Try: %s\n", floe_cause_sentence(e->u.pc.cause), floe_cause_hint(e->u.pc.cause));
  floe_uv_pc_close(pc, on_closed, NULL);
}

/* The peer has closed the channel: all that was sent has arrived. */
static void on_close(const floe_event *e, void *user) {
  (void)e;
  (void)user;
  floe_uv_pc_close(pc, on_closed, NULL);
}

static void on_message(const floe_event *e, void *user) {
  (void)user;
  floe_bytes text = e->u.message.data;
  printf("%.*s\n", (int)text.len, (const char *)text.ptr);
  status = 0;
  if (offers) {
    floe_uv_data_channel_close(channel);
    return;
  }
  char loud[256];
  size_t n = text.len < sizeof loud ? text.len : sizeof loud;
  for (size_t i = 0; i < n; i++) loud[i] = (char)toupper(text.ptr[i]);
  if (floe_uv_data_channel_send_text(e->u.message.channel, (floe_bytes){(const uint8_t *)loud, n}) != FLOE_OK) exit(3);
}

static void on_open(const floe_event *e, void *user) {
  (void)user;
  static const char hello[] = "hello from C";
  floe_bytes text = {(const uint8_t *)hello, sizeof hello - 1};
  if (floe_uv_data_channel_send_text(e->u.channel, text) != FLOE_OK) exit(3);
}

static void on_datachannel(const floe_event *e, void *user) {
  (void)user;
  floe_uv_data_channel_on_message(e->u.channel, on_message, NULL);
  floe_uv_data_channel_on_close(e->u.channel, on_close, NULL);
}

static void read_description(floe_sdp_type type) {
  static char text[65536];
  size_t len = 0;
  while (len + 1 < sizeof text && fgets(text + len, (int)(sizeof text - len), stdin) != NULL) {
    if (text[len] == '\n' || text[len] == '\r') break;
    len += strlen(text + len);
  }
  text[len] = '\0';
  floe_session_description description = {.type = type, .sdp = text};
  floe_error why;
  if (floe_uv_pc_set_remote_description(pc, &description, &why) != FLOE_OK) die("the peer's description", &why);
}

/* Gathering is over: the description holds all candidates. */
static void on_gathering(const floe_event *e, void *user) {
  (void)user;
  if (e->u.gathering_state != FLOE_ICE_GATHERING_COMPLETE) return;
  printf("%s\n", floe_uv_pc_local_description(pc)->sdp);
  fflush(stdout);
  if (offers) read_description(FLOE_SDP_ANSWER);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s offer|answer\n", argv[0]);
    return 2;
  }
  offers = strcmp(argv[1], "offer") == 0;
  floe_error why;
  floe_ice_config ice;
  floe_ice_config_init(&ice, sizeof ice);
  ice.include_loopback = true; /* so that it works on a host without a network, too */
  floe_pc_config cfg;
  floe_pc_config_init(&cfg, sizeof cfg);
  cfg.ice = &ice;
  if (floe_uv_new(&driver, uv_default_loop(), NULL, &why) != FLOE_OK) die("driver", &why);
  if (floe_uv_pc_new(&pc, driver, &cfg, &why) != FLOE_OK) die("peer connection", &why);
  floe_uv_pc_on_connectionstatechange(pc, on_connection, NULL);
  floe_uv_pc_on_icegatheringstatechange(pc, on_gathering, NULL);
  if (offers) {
    if (floe_uv_pc_create_data_channel(pc, "greeting", NULL, &channel, &why) != FLOE_OK) die("channel", &why);
    floe_uv_data_channel_on_open(channel, on_open, NULL);
    floe_uv_data_channel_on_message(channel, on_message, NULL);
    floe_uv_data_channel_on_close(channel, on_close, NULL);
  } else {
    floe_uv_pc_on_datachannel(pc, on_datachannel, NULL);
    read_description(FLOE_SDP_OFFER);
  }
  if (floe_uv_pc_set_local_description(pc, NULL, &why) != FLOE_OK) die("description", &why);
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  return status;
}
