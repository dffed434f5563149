#include "sctp/usrsctp_engine.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <usrsctp.h>

#include "base/assert.h"
#include "sctp/crc32c.h"
#include "sctp/packet_fifo.h"

/* Of usrsctp's netinet/sctp.h, which is not installed. */
#ifndef SCTP_INTERLEAVING_SUPPORTED
#define SCTP_INTERLEAVING_SUPPORTED 0x00001206
#endif
#ifndef SCTP_GET_SNDBUF_USE
#define SCTP_GET_SNDBUF_USE 0x00001101
struct sctp_sockstat {
  sctp_assoc_t ss_assoc_id;
  uint32_t ss_total_sndbuf;
  uint32_t ss_total_recv_buf;
};
#endif

#define COMMON_HEADER   12u                /* RFC 9260 3.1 */
#define SEND_SPACE      (4 * 1024 * 1024)  /* what may be on its way: a window of 4 MiB fills 320 Mbit/s at 100 ms */
#define RECEIVE_SPACE   (16 * 1024 * 1024) /* larger messages come in pieces */
#define CHUNK_HEADER    4u
#define ABORT_MAX       256u
#define QUANTUM_MS      5 /* usrsctp looks at every timer of the process each time that it is told the time */
#define INDEX_BITS      (sizeof(uintptr_t) * 4)
#define INIT_ATTEMPTS   8
#define MAX_RETRANSMITS 10
#define RTO_INITIAL_MS  1000
#define RTO_MIN_MS      100
#define RTO_MIN_BULK_MS 1000
#define RTO_MAX_MS      10000
#define INIT_RTO_MAX_MS 4000
#define SACK_DELAY_MS   10 /* what is older than the round trip and this may be taken for lost, see set_bulk */

struct floe__engine {
  uintptr_t id; /* what usrsctp knows of it: generation and index */
  struct socket *so;
  floe_time last_now, clock; /* of the last call: the env's time, and the engine's */
  bool has_now;
  bool connected;               /* usrsctp_connect was called */
  uint8_t own_abort[ABORT_MAX]; /* the chunk that was sent last */
  size_t own_abort_len;
  bool in_notification;   /* the last one read was longer than the buffer */
  floe__fifo out;         /* under the lock */
  floe__fifo taken;       /* the owner's own */
  atomic_bool has_packet; /* `out` is not empty */
  atomic_bool has_item;   /* usrsctp has called its upcall since the last empty read */
  uint16_t local, remote; /* ports, host order */
};

/* Everything that is one per process, under one lock: usrsctp itself, its clock, and who is who. */
static struct {
  pthread_mutex_t lock;
  bool started;
  floe_time clock;    /* the most that any association has seen go by */
  uint64_t ticked_ms; /* told to usrsctp */
  floe__engine **table;
  uint32_t *generations;
  size_t cap;
} process = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void lock(void) {
  int failed = pthread_mutex_lock(&process.lock);
  FLOE__ASSERT(failed == 0);
}

static void unlock(void) {
  int failed = pthread_mutex_unlock(&process.lock);
  FLOE__ASSERT(failed == 0);
}

/* The association that usrsctp means; NULL when it is gone. Under the lock, as every function that usrsctp calls. */
static floe__engine *find(const void *addr) {
  uintptr_t id = (uintptr_t)addr;
  size_t index = id & (((uintptr_t)1 << INDEX_BITS) - 1);
  if (index >= process.cap || process.table[index] == NULL) return NULL;
  return process.table[index]->id == id ? process.table[index] : NULL;
}

static void *as_address(uintptr_t id) {
  return (void *)id;
}

static void keep_abort(floe__engine *e, const uint8_t *packet, size_t len) {
  if (len <= COMMON_HEADER || packet[COMMON_HEADER] != SCTP_ABORT_ASSOCIATION) return;
  e->own_abort_len = len - COMMON_HEADER < ABORT_MAX ? len - COMMON_HEADER : ABORT_MAX;
  memcpy(e->own_abort, packet + COMMON_HEADER, e->own_abort_len);
}

/* usrsctp has a packet to send. A packet that cannot be kept is one that the network has lost. */
static int on_output(void *addr, void *buffer, size_t length, uint8_t tos, uint8_t set_df) {
  (void)tos;
  (void)set_df;
  floe__engine *e = find(addr);
  if (e == NULL) return 0;
  keep_abort(e, buffer, length);
  if (length >= COMMON_HEADER) floe__sctp_checksum_write(buffer, length);
  if (floe__fifo_push(&e->out, buffer, length)) atomic_store(&e->has_packet, true);
  return 0;
}

static void on_upcall(struct socket *so, void *arg, int flags) {
  (void)so;
  (void)flags;
  floe__engine *e = find(arg);
  if (e != NULL) atomic_store(&e->has_item, true);
}

static void start(void) {
  if (process.started) return;
  process.started = true;
  usrsctp_init_nothreads(0, on_output, NULL);
  usrsctp_enable_crc32c_offload();      /* we write and check them: src/sctp/crc32c.c */
  usrsctp_sysctl_set_sctp_blackhole(2); /* nothing is said to what belongs to no association */
  usrsctp_sysctl_set_sctp_ecn_enable(0);
  usrsctp_sysctl_set_sctp_asconf_enable(0);
  usrsctp_sysctl_set_sctp_auto_asconf(0);
  usrsctp_sysctl_set_sctp_auth_enable(0);
  usrsctp_sysctl_set_sctp_nrsack_enable(0);
  usrsctp_sysctl_set_sctp_pktdrop_enable(0);
  usrsctp_sysctl_set_sctp_pr_enable(1);
  usrsctp_sysctl_set_sctp_reconfig_enable(1);
  usrsctp_sysctl_set_sctp_vtag_time_wait(0); /* DTLS has let in no packet of an association that is gone */
  usrsctp_sysctl_set_sctp_asoc_free_resc_limit(0);
  usrsctp_sysctl_set_sctp_system_free_resc_limit(0);
  usrsctp_sysctl_set_sctp_enable_sack_immediately(1); /* RFC 7053: the last packet of a burst asks for its SACK */
  usrsctp_sysctl_set_sctp_delayed_sack_time_default(SACK_DELAY_MS);
  usrsctp_sysctl_set_sctp_initial_cwnd(10); /* as RFC 6928 has it for TCP */
  usrsctp_sysctl_set_sctp_max_burst_default(10);
  usrsctp_sysctl_set_sctp_max_chunks_on_queue(65536);
  usrsctp_sysctl_set_sctp_rto_initial_default(RTO_INITIAL_MS);
  usrsctp_sysctl_set_sctp_rto_min_default(RTO_MIN_MS);
  usrsctp_sysctl_set_sctp_rto_max_default(RTO_MAX_MS);
  usrsctp_sysctl_set_sctp_init_rto_max_default(INIT_RTO_MAX_MS);
  usrsctp_sysctl_set_sctp_init_rtx_max_default(INIT_ATTEMPTS);
  usrsctp_sysctl_set_sctp_assoc_rtx_max_default(MAX_RETRANSMITS);
  usrsctp_sysctl_set_sctp_max_retran_chunk(0); /* a probe of a closed window may go out any number of times */
  usrsctp_sysctl_set_sctp_diag_info_code(0);   /* its texts are not freed everywhere */
}

/* A place in the table, and an id that was never given out before (in 2^32 openings of one place). */
static bool enter(floe__engine *e) {
  size_t index = 1; /* no id is 0 */
  while (index < process.cap && process.table[index] != NULL) index++;
  if (index >= process.cap) {
    size_t cap = process.cap == 0 ? 16 : process.cap * 2;
    if (cap > ((size_t)1 << (INDEX_BITS - 1))) return false;
    floe__engine **table = realloc(process.table, cap * sizeof(*table));
    if (table == NULL) return false;
    process.table = table;
    uint32_t *generations = realloc(process.generations, cap * sizeof(*generations));
    if (generations == NULL) return false;
    process.generations = generations;
    for (size_t i = process.cap; i < cap; i++) {
      table[i] = NULL;
      generations[i] = 0;
    }
    if (process.cap == 0) index = 1;
    process.cap = cap;
  }
  process.generations[index]++;
  e->id = (uintptr_t)process.generations[index] << INDEX_BITS | index;
  process.table[index] = e;
  return true;
}

static void leave(const floe__engine *e) {
  size_t index = e->id & (((uintptr_t)1 << INDEX_BITS) - 1);
  process.table[index] = NULL;
}

static bool set_option(floe__engine *e, int name, const void *value, size_t len) {
  return usrsctp_setsockopt(e->so, IPPROTO_SCTP, name, value, (socklen_t)len) == 0;
}

static bool set_assoc_value(floe__engine *e, int name, uint32_t value) {
  struct sctp_assoc_value v = {.assoc_id = SCTP_FUTURE_ASSOC, .assoc_value = value};
  return set_option(e, name, &v, sizeof v);
}

static bool set_flag(floe__engine *e, int name, int value) {
  return set_option(e, name, &value, sizeof value);
}

static struct sockaddr_conn address_of(const floe__engine *e, uint16_t port) {
  struct sockaddr_conn a = {0};
  a.sconn_family = AF_CONN;
  a.sconn_port = htons(port);
  a.sconn_addr = as_address(e->id);
  return a;
}

static bool set_path(floe__engine *e, size_t packet_max) {
  struct sctp_paddrparams p = {0};
  const struct sockaddr_conn remote = address_of(e, e->remote);
  if (e->connected)
    memcpy(&p.spp_address, &remote, sizeof remote); /* before there is an association: of those to come */
  p.spp_flags = SPP_HB_DISABLE | SPP_PMTUD_DISABLE; /* ICE's consent checks watch the path */
  p.spp_pathmtu = (uint32_t)(packet_max - COMMON_HEADER);
  /* The association ends by its own count. A path that failed before would get no data ever again, for what makes it
   * usable is a heartbeat. */
  p.spp_pathmaxrxt = UINT16_MAX;
  p.spp_assoc_id = SCTP_FUTURE_ASSOC;
  return set_option(e, SCTP_PEER_ADDR_PARAMS, &p, sizeof p);
}

static bool set_events(floe__engine *e) {
  static const uint16_t types[] = {SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT, SCTP_SEND_FAILED_EVENT,
                                   SCTP_PARTIAL_DELIVERY_EVENT};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    struct sctp_event on = {.se_assoc_id = SCTP_ALL_ASSOC, .se_type = types[i], .se_on = 1};
    if (!set_option(e, SCTP_EVENT, &on, sizeof on)) return false;
  }
  return true;
}

static bool set_buffers(floe__engine *e, const floe__sctp_config *cfg) {
  const int snd = SEND_SPACE;
  size_t window = cfg->receive_buffer > cfg->receive_max ? cfg->receive_buffer : cfg->receive_max;
  const int rcv = (int)(window < RECEIVE_SPACE ? window : RECEIVE_SPACE);
  const struct linger abortive = {.l_onoff = 1, .l_linger = 0};
  return usrsctp_setsockopt(e->so, SOL_SOCKET, SO_SNDBUF, &snd, sizeof snd) == 0 &&
         usrsctp_setsockopt(e->so, SOL_SOCKET, SO_RCVBUF, &rcv, sizeof rcv) == 0 &&
         usrsctp_setsockopt(e->so, SOL_SOCKET, SO_LINGER, &abortive, sizeof abortive) == 0;
}

static bool set_streams(floe__engine *e, const floe__sctp_config *cfg) {
  struct sctp_initmsg init = {.sinit_num_ostreams = cfg->streams,
                              .sinit_max_instreams = cfg->streams,
                              .sinit_max_attempts = INIT_ATTEMPTS,
                              .sinit_max_init_timeo = INIT_RTO_MAX_MS};
  return set_option(e, SCTP_INITMSG, &init, sizeof init) &&
         set_assoc_value(e, SCTP_ENABLE_STREAM_RESET, SCTP_ENABLE_RESET_STREAM_REQ | SCTP_ENABLE_CHANGE_ASSOC_REQ);
}

static bool set_options(floe__engine *e, const floe__sctp_config *cfg) {
  return set_buffers(e, cfg) && set_streams(e, cfg) && set_events(e) && set_path(e, cfg->packet_max) &&
         set_flag(e, SCTP_NODELAY, 1) && set_flag(e, SCTP_RECVRCVINFO, 1) && set_flag(e, SCTP_EXPLICIT_EOR, 1) &&
         set_flag(e, SCTP_FRAGMENT_INTERLEAVE, cfg->no_interleaving ? 1 : 2) &&
         set_assoc_value(e, SCTP_INTERLEAVING_SUPPORTED, cfg->no_interleaving ? 0 : 1) &&
         set_assoc_value(e, SCTP_PLUGGABLE_SS, SCTP_SS_ROUND_ROBIN);
}

static bool open_socket(floe__engine *e, const floe__sctp_config *cfg) {
  usrsctp_register_address(as_address(e->id));
  e->so = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
  if (e->so == NULL) return false;
  struct sockaddr_conn local = address_of(e, e->local);
  return usrsctp_set_non_blocking(e->so, 1) == 0 && set_options(e, cfg) &&
         usrsctp_bind(e->so, (struct sockaddr *)&local, sizeof local) == 0 &&
         usrsctp_set_upcall(e->so, on_upcall, as_address(e->id)) == 0;
}

/* Out of the table first: what usrsctp has to say on closing is said to nobody. */
static void close_socket(floe__engine *e) {
  leave(e);
  if (e->so != NULL) usrsctp_close(e->so);
  usrsctp_deregister_address(as_address(e->id));
}

floe__engine *floe__engine_open(const floe__sctp_config *cfg) {
  floe__engine *e = calloc(1, sizeof *e);
  if (e == NULL) return NULL;
  e->local = cfg->local_port;
  e->remote = cfg->remote_port;
  atomic_init(&e->has_packet, false);
  atomic_init(&e->has_item, false);
  lock();
  start();
  bool entered = enter(e);
  bool opened = entered && open_socket(e, cfg);
  if (entered && !opened) close_socket(e);
  unlock();
  if (opened) return e;
  free(e);
  return NULL;
}

void floe__engine_close(floe__engine *e) {
  if (e == NULL) return;
  lock();
  close_socket(e);
  unlock();
  floe__fifo_clear(&e->out);
  floe__fifo_clear(&e->taken);
  free(e);
}

void floe__engine_advance(floe__engine *e, floe_time now, bool active) {
  lock();
  floe_time passed = e->has_now && active && now > e->last_now ? now - e->last_now : 0;
  if (e->clock + passed > process.clock) process.clock = e->clock + passed;
  e->clock = process.clock;
  e->last_now = now;
  e->has_now = true;
  uint64_t ms = process.clock / FLOE_MS;
  if (ms >= process.ticked_ms + QUANTUM_MS) {
    uint64_t elapsed = ms - process.ticked_ms;
    process.ticked_ms = ms;
    usrsctp_handle_timers(elapsed > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)elapsed);
  }
  unlock();
}

floe__engine_result floe__engine_connect(floe__engine *e) {
  lock();
  struct sockaddr_conn remote = address_of(e, e->remote);
  int failed = usrsctp_connect(e->so, (struct sockaddr *)&remote, sizeof remote);
  bool under_way = failed == 0 || errno == EINPROGRESS;
  e->connected = true;
  unlock();
  return under_way ? FLOE__ENGINE_OK : FLOE__ENGINE_FAILED;
}

void floe__engine_input(floe__engine *e, floe_bytes packet) {
  lock();
  usrsctp_conninput(as_address(e->id), packet.ptr, packet.len, 0);
  unlock();
}

static void describe(struct sctp_sendv_spa *spa, uint16_t stream, uint32_t ppid, bool end,
                     const floe__sctp_reliability *r) {
  memset(spa, 0, sizeof *spa);
  spa->sendv_flags = SCTP_SEND_SNDINFO_VALID;
  spa->sendv_sndinfo.snd_sid = stream;
  spa->sendv_sndinfo.snd_ppid = htonl(ppid);
  if (end) spa->sendv_sndinfo.snd_flags |= SCTP_EOR;
  if (r->unordered) spa->sendv_sndinfo.snd_flags |= SCTP_UNORDERED;
  if (!r->has_max_retransmits && !r->has_max_lifetime) return;
  spa->sendv_flags |= SCTP_SEND_PRINFO_VALID;
  spa->sendv_prinfo.pr_policy = r->has_max_retransmits ? SCTP_PR_SCTP_RTX : SCTP_PR_SCTP_TTL;
  spa->sendv_prinfo.pr_value = r->has_max_retransmits ? r->max_retransmits : r->max_lifetime_ms;
}

static floe__engine_result result_of(int error) {
  if (error == EWOULDBLOCK || error == EAGAIN || error == ENOMEM || error == ENOBUFS) return FLOE__ENGINE_AGAIN;
  bool is_gone = error == ENOTCONN || error == EPIPE || error == ECONNRESET || error == ECONNABORTED ||
                 error == ETIMEDOUT || error == ENOENT;
  return is_gone ? FLOE__ENGINE_FAILED : FLOE__ENGINE_NOT_DOABLE;
}

floe__engine_result floe__engine_send(floe__engine *e, uint16_t stream, uint32_t ppid, floe_bytes data, bool end,
                                      const floe__sctp_reliability *r, size_t *taken) {
  struct sctp_sendv_spa spa;
  describe(&spa, stream, ppid, end, r);
  lock();
  ssize_t n = usrsctp_sendv(e->so, data.ptr, data.len, NULL, 0, &spa, sizeof spa, SCTP_SENDV_SPA, 0);
  int error = n < 0 ? errno : 0;
  unlock();
  *taken = n > 0 ? (size_t)n : 0;
  if (n >= 0) return FLOE__ENGINE_OK;
  return result_of(error);
}

floe__engine_result floe__engine_reset(floe__engine *e, const uint16_t *streams, size_t n) {
  size_t len = sizeof(struct sctp_reset_streams) + n * sizeof(uint16_t);
  struct sctp_reset_streams *ask = calloc(1, len);
  if (ask == NULL) return FLOE__ENGINE_AGAIN;
  ask->srs_assoc_id = SCTP_ALL_ASSOC;
  ask->srs_flags = SCTP_STREAM_RESET_OUTGOING;
  ask->srs_number_streams = (uint16_t)n;
  memcpy(ask->srs_stream_list, streams, n * sizeof(uint16_t));
  lock();
  int failed = usrsctp_setsockopt(e->so, IPPROTO_SCTP, SCTP_RESET_STREAMS, ask, (socklen_t)len);
  int error = failed != 0 ? errno : 0;
  unlock();
  free(ask);
  if (error == 0) return FLOE__ENGINE_OK;
  return error == EOPNOTSUPP || error == EINVAL ? FLOE__ENGINE_NOT_DOABLE : FLOE__ENGINE_AGAIN;
}

static void read_assoc_change(const uint8_t *buf, size_t len, floe__engine_item *out) {
  struct sctp_assoc_change c;
  if (len < sizeof c) return;
  memcpy(&c, buf, sizeof c);
  const floe_bytes info = {.ptr = buf + sizeof c, .len = len - sizeof c};
  switch (c.sac_state) {
    case SCTP_COMM_UP:
      out->type = FLOE__ENGINE_UP;
      out->streams_in = c.sac_inbound_streams;
      out->streams_out = c.sac_outbound_streams;
      out->interleaving = info.len > 0 && memchr(info.ptr, SCTP_ASSOC_SUPPORTS_INTERLEAVING, info.len) != NULL;
      return;
    case SCTP_RESTART: out->type = FLOE__ENGINE_RESTARTED; return;
    case SCTP_SHUTDOWN_COMP: out->type = FLOE__ENGINE_SHUT_DOWN; return;
    case SCTP_COMM_LOST:
    case SCTP_CANT_STR_ASSOC:
      out->type = FLOE__ENGINE_LOST;
      out->abort = info;
      out->timed_out = info.len == 0 && c.sac_state == SCTP_CANT_STR_ASSOC;
      return;
    default: return;
  }
}

static void read_stream_reset(const uint8_t *buf, size_t len, floe__engine_item *out) {
  struct sctp_stream_reset_event r;
  if (len < sizeof r) return;
  memcpy(&r, buf, sizeof r);
  out->type = FLOE__ENGINE_RESET;
  out->incoming = (r.strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN) != 0;
  out->outgoing = (r.strreset_flags & SCTP_STREAM_RESET_OUTGOING_SSN) != 0;
  out->denied = (r.strreset_flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED)) != 0;
  out->streams = buf + sizeof r;
  out->n_streams = (len - sizeof r) / sizeof(uint16_t);
}

static void read_send_failed(const uint8_t *buf, size_t len, floe__engine_item *out) {
  struct sctp_send_failed_event f;
  if (len < sizeof f) return;
  memcpy(&f, buf, sizeof f);
  if ((f.ssfe_flags & SCTP_DATA_SENT) != 0 || f.ssfe_length < sizeof f) return;
  out->type = FLOE__ENGINE_UNSENT;
  out->stream = f.ssfe_info.snd_sid;
  out->len = f.ssfe_length - sizeof f;
}

static void read_partial_delivery(const uint8_t *buf, size_t len, floe__engine_item *out) {
  struct sctp_pdapi_event p;
  if (len < sizeof p) return;
  memcpy(&p, buf, sizeof p);
  out->type = FLOE__ENGINE_DROPPED;
  out->stream = (uint16_t)p.pdapi_stream;
}

static void read_notification(const uint8_t *buf, size_t len, floe__engine_item *out) {
  uint16_t type;
  if (len < sizeof(struct sctp_tlv)) return;
  memcpy(&type, buf, sizeof type);
  switch (type) {
    case SCTP_ASSOC_CHANGE: read_assoc_change(buf, len, out); return;
    case SCTP_STREAM_RESET_EVENT: read_stream_reset(buf, len, out); return;
    case SCTP_SEND_FAILED_EVENT: read_send_failed(buf, len, out); return;
    case SCTP_PARTIAL_DELIVERY_EVENT: read_partial_delivery(buf, len, out); return;
    default: return;
  }
}

/* usrsctp itself ended it: what it told the peer says why. */
static void tell_own_abort(uint8_t *buf, size_t cap, const uint8_t *chunk, size_t len, floe__engine_item *out) {
  if (len > cap) return;
  memcpy(buf, chunk, len);
  out->abort = (floe_bytes){.ptr = buf, .len = len};
  out->abort_is_ours = true;
  if (len <= CHUNK_HEADER) out->timed_out = true; /* usrsctp names a cause for everything else */
}

void floe__engine_receive(floe__engine *e, uint8_t *buf, size_t cap, floe__engine_item *out) {
  struct sctp_rcvinfo info = {0};
  socklen_t info_len = sizeof info, from_len = 0;
  unsigned int info_type = 0;
  int flags = 0;
  memset(out, 0, sizeof *out);
  lock();
  atomic_store(&e->has_item, false);
  ssize_t n = usrsctp_recvv(e->so, buf, cap, NULL, &from_len, &info, &info_len, &info_type, &flags);
  if (n > 0) atomic_store(&e->has_item, true);
  uint8_t own_abort[ABORT_MAX];
  size_t own_abort_len = e->own_abort_len;
  memcpy(own_abort, e->own_abort, own_abort_len);
  unlock();
  if (n <= 0) return;
  out->more = true;
  if ((flags & MSG_NOTIFICATION) != 0) {
    bool is_rest = e->in_notification;
    e->in_notification = (flags & MSG_EOR) == 0;
    if (!is_rest) read_notification(buf, (size_t)n, out);
    if (out->type == FLOE__ENGINE_LOST && out->abort.len == 0) tell_own_abort(buf, cap, own_abort, own_abort_len, out);
    return;
  }
  out->type = FLOE__ENGINE_PIECE;
  out->stream = info.rcv_sid;
  out->ppid = ntohl(info.rcv_ppid);
  out->end = (flags & MSG_EOR) != 0;
  out->len = (size_t)n;
}

void floe__engine_abort(floe__engine *e, const char *text) {
  struct sctp_sendv_spa spa;
  memset(&spa, 0, sizeof spa);
  spa.sendv_flags = SCTP_SEND_SNDINFO_VALID;
  spa.sendv_sndinfo.snd_flags = SCTP_ABORT;
  lock();
  (void)usrsctp_sendv(e->so, text, strlen(text), NULL, 0, &spa, sizeof spa, SCTP_SENDV_SPA, 0);
  unlock();
}

void floe__engine_set_bulk(floe__engine *e, bool is_bulk) {
  const struct sctp_rtoinfo rto = {.srto_assoc_id = SCTP_FUTURE_ASSOC,
                                   .srto_initial = RTO_INITIAL_MS,
                                   .srto_max = RTO_MAX_MS,
                                   .srto_min = is_bulk ? RTO_MIN_BULK_MS : RTO_MIN_MS};
  lock();
  (void)set_option(e, SCTP_RTOINFO, &rto, sizeof rto);
  unlock();
}

void floe__engine_set_blocked(floe__engine *e, bool is_blocked) {
  const struct sctp_assocparams a = {.sasoc_assoc_id = SCTP_FUTURE_ASSOC,
                                     .sasoc_asocmaxrxt = is_blocked ? UINT16_MAX : MAX_RETRANSMITS};
  lock();
  (void)set_option(e, SCTP_ASSOCINFO, &a, sizeof a);
  unlock();
}

void floe__engine_set_packet_max(floe__engine *e, size_t packet_max) {
  lock();
  (void)set_path(e, packet_max);
  unlock();
}

bool floe__engine_status_of(floe__engine *e, floe__engine_status *out) {
  struct sctp_status s = {0};
  struct sctp_sockstat use = {0};
  socklen_t len = sizeof s, use_len = sizeof use;
  lock();
  bool ok = usrsctp_getsockopt(e->so, IPPROTO_SCTP, SCTP_STATUS, &s, &len) == 0 &&
            usrsctp_getsockopt(e->so, IPPROTO_SCTP, SCTP_GET_SNDBUF_USE, &use, &use_len) == 0;
  unlock();
  if (!ok) return false;
  *out = (floe__engine_status){.congestion_window = s.sstat_primary.spinfo_cwnd,
                               .receiver_window = s.sstat_rwnd,
                               .path_mtu = s.sstat_primary.spinfo_mtu + COMMON_HEADER,
                               .unacknowledged = s.sstat_unackdata,
                               .smoothed_rtt_ms = s.sstat_primary.spinfo_srtt,
                               .queued = use.ss_total_sndbuf};
  return true;
}

bool floe__engine_has_packet(const floe__engine *e) {
  return e->taken.at != e->taken.len || atomic_load(&e->has_packet);
}

bool floe__engine_has_item(const floe__engine *e) {
  return atomic_load(&e->has_item);
}

bool floe__engine_next_packet(floe__engine *e, floe_bytes *out) {
  if (floe__fifo_pop(&e->taken, out)) return true;
  if (!atomic_load(&e->has_packet)) return false;
  lock();
  floe__fifo empty = floe__fifo_emptied(e->taken);
  e->taken = e->out;
  e->out = empty;
  atomic_store(&e->has_packet, false);
  unlock();
  return floe__fifo_pop(&e->taken, out);
}

void floe__engine_trim(floe__engine *e) {
  floe__fifo_trim(&e->taken);
  lock();
  floe__fifo_trim(&e->out);
  unlock();
}
