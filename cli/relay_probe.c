#include "relay_probe.h"

#include <math.h>
#include <string.h>

/* The layout, in bytes: "floe" 4, kind 1 ('P' or 'E'), sending end 1, sequence number 2, key 8, time of sending 8, and
 * padding up to FLOE__PROBE_LEN. Both ends are this process, so the numbers are in its own byte order. */
typedef struct probe {
  char magic[4];
  uint8_t kind, end;
  uint16_t seq;
  uint64_t key;
  floe_time sent_at;
} probe;

static const char magic[4] = {'f', 'l', 'o', 'e'};

static void put(const probe *p, uint8_t *out) {
  memset(out, 0, FLOE__PROBE_LEN);
  memcpy(out, p, sizeof *p);
}

void floe__probe_write(floe__probe_log *log, floe__probe_end end, floe_time now, uint8_t *out) {
  probe p = {.kind = 'P', .end = (uint8_t)end, .seq = (uint16_t)log->sent[end], .key = log->key, .sent_at = now};
  memcpy(p.magic, magic, sizeof magic);
  log->sent[end]++;
  put(&p, out);
}

static bool is_ours(const floe__probe_log *log, const probe *p) {
  if (memcmp(p->magic, magic, sizeof magic) != 0 || p->key != log->key) return false;
  return p->end <= FLOE__PROBE_BACK && p->seq < FLOE__PROBE_COUNT && p->seq < log->sent[p->end];
}

bool floe__probe_read(floe__probe_log *log, floe__probe_end at, floe_time now, floe_bytes data, uint8_t *echo) {
  probe p;
  if (data.len != FLOE__PROBE_LEN) return false;
  memcpy(&p, data.ptr, sizeof p);
  if (!is_ours(log, &p)) return false;
  if (p.kind == 'P' && p.end != at) {
    if (log->arrived[p.end][p.seq]) return false;
    log->arrived[p.end][p.seq] = true;
    p.kind = 'E';
    put(&p, echo);
    return true;
  }
  if (p.kind == 'E' && p.end == at && !log->echoed[p.end][p.seq] && now >= p.sent_at) {
    log->echoed[p.end][p.seq] = true;
    log->rtt_ms[log->n_rtt++] = (double)(now - p.sent_at) / (double)FLOE_MS;
  }
  return false;
}

static uint32_t count(const bool *flags) {
  uint32_t n = 0;
  for (size_t i = 0; i < FLOE__PROBE_COUNT; i++) n += flags[i] ? 1 : 0;
  return n;
}

bool floe__probe_is_complete(const floe__probe_log *log) {
  return log->n_rtt == 2 * FLOE__PROBE_COUNT;
}

static void judge_rtt(const floe__probe_log *log, floe__relay_result *out) {
  double sum = 0, steps = 0;
  out->n_rtt = log->n_rtt;
  for (uint32_t i = 0; i < log->n_rtt; i++) {
    double rtt = log->rtt_ms[i];
    if (i == 0 || rtt < out->rtt_min_ms) out->rtt_min_ms = rtt;
    if (i == 0 || rtt > out->rtt_max_ms) out->rtt_max_ms = rtt;
    if (i > 0) steps += fabs(rtt - log->rtt_ms[i - 1]);
    sum += rtt;
  }
  if (log->n_rtt > 0) out->rtt_avg_ms = sum / log->n_rtt;
  if (log->n_rtt > 1) out->jitter_ms = steps / (log->n_rtt - 1);
}

void floe__probe_judge(const floe__probe_log *log, floe__relay_result *out) {
  out->sent = log->sent[FLOE__PROBE_OUT];
  out->arrived_out = count(log->arrived[FLOE__PROBE_OUT]);
  out->arrived_back = count(log->arrived[FLOE__PROBE_BACK]);
  judge_rtt(log, out);
  bool flows = out->arrived_out > 0 && out->arrived_back > 0;
  out->outcome = flows ? FLOE__RELAY_FLOWS : FLOE__RELAY_NO_DATA;
  out->cause = flows ? FLOE_CAUSE_NONE : FLOE_CAUSE_RELAY_NO_DATA;
}
