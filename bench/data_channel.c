/* Floe's side of bench/data_channel.py, which measures data channels of several stacks, two processes each:
 *
 *   bench_data_channel offer|answer flood|ping SIZE     one of the two; the script has the lines that they speak
 *   bench_data_channel many PAIRS                       bytes of memory for each connection of so many pairs
 *
 * Without arguments: the memory of pairs in this process alone, a moment's smoke test. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "floe/floe.h"
#include "floe/uv.h"

/* What is kept in bufferedAmount, as at the other stacks. */
enum { HIGH = 1 << 20, LOW = 1 << 18 };

static void die(const char *what) {
  fprintf(stderr, "bench_data_channel: %s\n", what);
  exit(1);
}

static void check(floe_status status, const floe_error *why, const char *what) {
  if (status == FLOE_OK) return;
  fprintf(stderr, "bench_data_channel: %s: %s %s\n", what, floe_status_name(status), why->message);
  exit(1);
}

/* --- one side ----------------------------------------------------------------------------------------------------- */

typedef struct side {
  uv_loop_t *loop;
  floe_uv *uv;
  floe_uv_pc *pc;
  floe_data_channel *channel;
  uint8_t *data;
  size_t size;
  bool is_offerer, is_ping, has_told;
  uint64_t n, bytes; /* received */
  uint64_t sent_at;
  double *took; /* round trips, microseconds */
  size_t n_took, cap_took;
  char *sdp; /* of the other side, as far as it has come */
  size_t sdp_len;
  bool is_in_sdp;
  char line[4096];
  size_t line_len;
} side;

static void say(const char *line) {
  (void)puts(line);
  (void)fflush(stdout);
}

static void send_one(side *s) {
  s->sent_at = uv_hrtime();
  if (floe_uv_data_channel_send(s->channel, (floe_bytes){s->data, s->size}) != FLOE_OK) die("cannot send");
}

static void fill(side *s) {
  while (floe_data_channel_buffered_amount(s->channel) < HIGH) {
    floe_status status = floe_uv_data_channel_send(s->channel, (floe_bytes){s->data, s->size});
    if (status == FLOE_E_AGAIN) return;
    if (status != FLOE_OK) die("cannot send");
  }
}

static void on_low(const floe_event *event, void *user) {
  (void)event;
  side *s = user;
  if (!s->is_ping) fill(s);
}

static void on_open(const floe_event *event, void *user) {
  (void)event;
  side *s = user;
  if (!s->is_offerer) return;
  say("open");
  floe_data_channel_set_buffered_amount_low_threshold(s->channel, LOW);
  if (s->is_ping) {
    send_one(s);
  } else {
    fill(s);
  }
}

static void note_trip(side *s) {
  if (s->n_took == s->cap_took) {
    s->cap_took = s->cap_took == 0 ? 1024 : 2 * s->cap_took;
    s->took = realloc(s->took, s->cap_took * sizeof *s->took);
    if (s->took == NULL) die("no memory");
  }
  s->took[s->n_took++] = (double)(uv_hrtime() - s->sent_at) / 1e3;
}

static void on_message(const floe_event *event, void *user) {
  side *s = user;
  if (s->is_offerer) {
    note_trip(s);
    send_one(s);
    return;
  }
  if (s->n++ == 0) say("first");
  s->bytes += event->u.message.data.len;
  if (s->is_ping && floe_uv_data_channel_send(s->channel, event->u.message.data) != FLOE_OK) die("cannot answer");
}

static void listen_to(side *s, floe_data_channel *channel) {
  s->channel = channel;
  if (floe_uv_data_channel_on_open(channel, on_open, s) != FLOE_OK ||
      floe_uv_data_channel_on_message(channel, on_message, s) != FLOE_OK ||
      floe_uv_data_channel_on_bufferedamountlow(channel, on_low, s) != FLOE_OK)
    die("no listener");
}

static void on_datachannel(const floe_event *event, void *user) {
  listen_to(user, event->u.channel);
}

/* --- descriptions ------------------------------------------------------------------------------------------------- */

static void tell_description(side *s) {
  const char *at = floe_uv_pc_local_description(s->pc)->sdp;
  say("sdp");
  for (; *at != '\0'; at++) {
    if (*at != '\r') (void)putchar(*at);
  }
  say(".");
  s->has_told = true;
}

static void on_gathering(const floe_event *event, void *user) {
  side *s = user;
  if (event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE && !s->has_told) tell_description(s);
}

static void set_local(side *s) {
  floe_error why;
  check(floe_uv_pc_set_local_description(s->pc, NULL, &why), &why, "local description");
}

static void take_description(side *s) {
  floe_error why;
  floe_session_description d = {.type = s->is_offerer ? FLOE_SDP_ANSWER : FLOE_SDP_OFFER, .sdp = s->sdp};
  check(floe_uv_pc_set_remote_description(s->pc, &d, &why), &why, "remote description");
  if (!s->is_offerer) set_local(s);
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void tell_times(side *s) {
  size_t n = s->n_took;
  if (n == 0) {
    say("times 0 nan nan nan");
    return;
  }
  qsort(s->took, n, sizeof *s->took, by_value);
  printf("times %zu %.1f %.1f %.1f\n", n, s->took[(n - 1) / 2], s->took[(n - 1) * 99 / 100], s->took[n - 1]);
  (void)fflush(stdout);
  s->n_took = 0;
}

static void add_sdp_line(side *s) {
  s->sdp = realloc(s->sdp, s->sdp_len + s->line_len + 3);
  if (s->sdp == NULL) die("no memory");
  memcpy(s->sdp + s->sdp_len, s->line, s->line_len);
  memcpy(s->sdp + s->sdp_len + s->line_len, "\r\n", 3);
  s->sdp_len += s->line_len + 2;
}

static void take_line(side *s) {
  s->line[s->line_len] = '\0';
  if (s->is_in_sdp && strcmp(s->line, ".") == 0) {
    s->is_in_sdp = false;
    take_description(s);
  } else if (s->is_in_sdp) {
    add_sdp_line(s);
  } else if (strcmp(s->line, "sdp") == 0) {
    s->is_in_sdp = true;
  } else if (strcmp(s->line, "count") == 0) {
    printf("count %llu %llu\n", (unsigned long long)s->n, (unsigned long long)s->bytes);
    (void)fflush(stdout);
  } else if (strcmp(s->line, "times") == 0) {
    tell_times(s);
  } else {
    exit(0);
  }
  s->line_len = 0;
}

static void lend(uv_handle_t *handle, size_t size, uv_buf_t *buf) {
  static char chunk[65536];
  (void)handle;
  (void)size;
  *buf = uv_buf_init(chunk, sizeof chunk);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  side *s = stream->data;
  if (n < 0) exit(0);
  for (ssize_t i = 0; i < n; i++) {
    if (buf->base[i] == '\n') {
      take_line(s);
    } else if (s->line_len + 1 < sizeof s->line) {
      s->line[s->line_len++] = buf->base[i];
    }
  }
}

/* --- the two modes ------------------------------------------------------------------------------------------------ */

static floe_uv_pc *open_pc(floe_uv *uv) {
  floe_ice_config ice;
  floe_pc_config cfg;
  floe_uv_pc *pc;
  floe_error why;
  floe_ice_config_init(&ice, sizeof ice);
  ice.no_ipv6 = true;
  ice.no_tcp = true;
  floe_pc_config_init(&cfg, sizeof cfg);
  cfg.ice = &ice;
  check(floe_uv_pc_new(&pc, uv, &cfg, &why), &why, "peer connection");
  return pc;
}

static int meet(bool is_offerer, bool is_ping, size_t size) {
  static uv_loop_t loop;
  static uv_pipe_t input;
  static side s;
  floe_error why;
  s = (side){.loop = &loop, .is_offerer = is_offerer, .is_ping = is_ping, .size = size, .data = calloc(1, size + 1)};
  if (s.data == NULL || uv_loop_init(&loop) != 0) die("no memory");
  check(floe_uv_new(&s.uv, &loop, NULL, &why), &why, "driver");
  s.pc = open_pc(s.uv);
  if (floe_uv_pc_on_icegatheringstatechange(s.pc, on_gathering, &s) != FLOE_OK ||
      floe_uv_pc_on_datachannel(s.pc, on_datachannel, &s) != FLOE_OK)
    die("no listener");
  if (is_offerer) {
    floe_data_channel *channel;
    check(floe_uv_pc_create_data_channel(s.pc, "bench", NULL, &channel, &why), &why, "channel");
    listen_to(&s, channel);
    set_local(&s);
  }
  input.data = &s;
  if (uv_pipe_init(&loop, &input, 0) != 0 || uv_pipe_open(&input, 0) != 0) die("no standard input");
  if (uv_read_start((uv_stream_t *)&input, lend, on_read) != 0) die("cannot read");
  return uv_run(&loop, UV_RUN_DEFAULT);
}

static size_t heap(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

static size_t resident(void) {
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%*u %lu", &pages) != 1) die("/proc/self/statm");
  (void)fclose(file);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void count_gathered(const floe_event *event, void *user) {
  if (event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE) ++*(size_t *)user;
}

static void count_channel(const floe_event *event, void *user) {
  (void)event;
  ++*(size_t *)user;
}

static void run_until(uv_loop_t *loop, const size_t *n, size_t wanted) {
  while (*n < wanted) {
    if (uv_run(loop, UV_RUN_ONCE) == 0) die("nothing happens any more");
  }
}

static void hand_over(floe_uv_pc *from, floe_uv_pc *to) {
  floe_error why;
  check(floe_uv_pc_set_remote_description(to, floe_uv_pc_local_description(from), &why), &why, "remote description");
}

static void connect_pair(uv_loop_t *loop, floe_uv *uv, floe_uv_pc **pair) {
  size_t gathered = 0, channels = 0;
  floe_data_channel *channel;
  floe_error why;
  for (int i = 0; i < 2; i++) {
    pair[i] = open_pc(uv);
    if (floe_uv_pc_on_icegatheringstatechange(pair[i], count_gathered, &gathered) != FLOE_OK) die("no listener");
  }
  if (floe_uv_pc_on_datachannel(pair[1], count_channel, &channels) != FLOE_OK) die("no listener");
  check(floe_uv_pc_create_data_channel(pair[0], "bench", NULL, &channel, &why), &why, "channel");
  if (floe_uv_data_channel_on_open(channel, count_channel, &channels) != FLOE_OK) die("no listener");
  check(floe_uv_pc_set_local_description(pair[0], NULL, &why), &why, "offer");
  run_until(loop, &gathered, 1);
  hand_over(pair[0], pair[1]);
  check(floe_uv_pc_set_local_description(pair[1], NULL, &why), &why, "answer");
  run_until(loop, &gathered, 2);
  hand_over(pair[1], pair[0]);
  run_until(loop, &channels, 2);
  for (int i = 0; i < 2; i++) (void)floe_uv_pc_on_icegatheringstatechange(pair[i], NULL, NULL);
  (void)floe_uv_pc_on_datachannel(pair[1], NULL, NULL);
  (void)floe_uv_data_channel_on_open(channel, NULL, NULL);
}

static void close_pair(floe_uv_pc **pair) {
  for (int i = 0; i < 2; i++) floe_uv_pc_close(pair[i], NULL, NULL);
}

static void stop(uv_timer_t *timer) {
  uv_stop(timer->loop);
}

/* Both of a pair are in this process. What is there once only, such as tables of libssl, is there before. */
static void many(size_t pairs) {
  uv_loop_t loop;
  uv_timer_t timer;
  floe_uv *uv;
  floe_error why;
  floe_uv_pc *first[2], **all = calloc(2 * pairs, sizeof *all);
  if (all == NULL || uv_loop_init(&loop) != 0 || uv_timer_init(&loop, &timer) != 0) die("no memory");
  check(floe_uv_new(&uv, &loop, NULL, &why), &why, "driver");
  connect_pair(&loop, uv, first);
  (void)uv_timer_start(&timer, stop, 1500, 0); /* until what a handshake needs is given back */
  (void)uv_run(&loop, UV_RUN_DEFAULT);
  size_t heap_before = heap(), resident_before = resident();
  for (size_t i = 0; i < pairs; i++) connect_pair(&loop, uv, all + 2 * i);
  (void)uv_timer_start(&timer, stop, 1500, 0);
  (void)uv_run(&loop, UV_RUN_DEFAULT);
  printf("memory %.0f %.0f\n", (double)(resident() - resident_before) / (double)(2 * pairs),
         (double)(heap() - heap_before) / (double)(2 * pairs));
  close_pair(first);
  for (size_t i = 0; i < pairs; i++) close_pair(all + 2 * i);
  floe_uv_close(uv);
  uv_close((uv_handle_t *)&timer, NULL);
  (void)uv_run(&loop, UV_RUN_DEFAULT);
  if (uv_loop_close(&loop) != 0) die("the loop is not empty");
  free(all);
}

int main(int argc, char **argv) {
  struct rlimit limit;
  (void)getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
  if (argc == 4) {
    return meet(strcmp(argv[1], "offer") == 0, strcmp(argv[2], "ping") == 0, (size_t)strtoul(argv[3], NULL, 10));
  }
  many(argc == 3 ? (size_t)strtoul(argv[2], NULL, 10) : 5);
  return 0;
}
