/* Channels of a simulated peer connection, and messages that can be told from each other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/sim_pc_internal.h"

/* --- which there are ----------------------------------------------------------------------------------------------
 */

sim_channel *sim_pc_find(const sim_pc *x, const char *name) {
  sim_channel *c = x->channels;
  while (c != NULL && strcmp(c->name, name) != 0) c = c->next_channel;
  return c;
}

size_t sim_pc_n_channels(const sim_pc *x) {
  size_t n = 0;
  for (const sim_channel *c = x->channels; c != NULL; c = c->next_channel) n++;
  return n;
}

sim_channel *sim_pc_channel_of(const sim_pc *x, const floe_data_channel *handle) {
  sim_channel *c = x->channels;
  while (c != NULL && c->handle != handle) c = c->next_channel;
  if (c != NULL) return c;
  sim_fail(x->s, "%s: an event of a channel that was not announced", x->name);
  abort();
}

static void name_channel(sim_pc *x, sim_channel *c) {
  const char *label = floe_data_channel_label(c->handle);
  char name[64];
  (void)snprintf(name, sizeof name, "%.60s", label[0] == '\0' ? "<>" : label);
  (void)snprintf(c->name, sizeof c->name, "%s", name);
  for (unsigned i = 2; sim_pc_find(x, c->name) != NULL; i++) (void)snprintf(c->name, sizeof c->name, "%s#%u", name, i);
}

sim_channel *sim_pc_keep_channel(sim_pc *x, floe_data_channel *handle, bool is_ours) {
  sim_channel *c = sim_keep(x->s, sizeof *c);
  sim_channel **end = &x->channels;
  while (*end != NULL) end = &(*end)->next_channel;
  c->x = x;
  c->handle = handle;
  c->is_ours = is_ours;
  name_channel(x, c);
  *end = c;
  c->is_unreliable =
      floe_data_channel_max_retransmits(handle) >= 0 || floe_data_channel_max_packet_life_time(handle) >= 0;
  c->tag = (uint32_t)sim_hash(floe_data_channel_label(handle), strlen(floe_data_channel_label(handle)));
  return c;
}

void sim_pc_clear_channels(sim_pc *x) {
  for (sim_channel *c = x->channels; c != NULL; c = c->next_channel) {
    free(c->seen);
    c->seen = NULL;
    c->n_seen = 0;
    c->handle = NULL;
    c->flow_left = 0;
  }
}

sim_channel *sim_pc_channel(sim_pc *x, const char *label, const floe_data_channel_init *init) {
  floe_data_channel *handle = NULL;
  floe_status st = floe_pc_create_data_channel(x->core, sim_pc_now(x), label, init, &handle, &x->why);
  sim_channel *c = st == FLOE_OK ? sim_pc_keep_channel(x, handle, true) : NULL;
  sim_pc_drain(x);
  return c;
}

/* --- messages ------------------------------------------------------------------------------------------------------
 */

/* FNV-1a over words, then bytes: messages are large in bulk. */
uint64_t sim_hash(const void *data, size_t len) {
  const uint8_t *bytes = data;
  uint64_t h = 0xCBF29CE484222325u;
  for (; len >= 8; len -= 8, bytes += 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    h = (h ^ word) * 0x100000001B3u;
    h ^= h >> 29;
  }
  for (; len > 0; len--) h = (h ^ *bytes++) * 0x100000001B3u;
  return h;
}

static void fill(uint8_t *out, size_t len, uint64_t seed, bool text) {
  sim_rng rng = {.state = seed};
  for (size_t i = 0; i < len;) {
    uint64_t r = sim_rng_next(&rng);
    for (size_t k = 0; k < 8 && i < len; k++, i++, r >>= 8) {
      out[i] = text ? (uint8_t)('a' + (r & 15)) : (uint8_t)r;
    }
  }
}

static floe_status send_bytes(sim_channel *c, const void *data, size_t len, bool text) {
  floe_bytes bytes = {data, len};
  floe_time now = sim_pc_now(c->x);
  floe_status st =
      text ? floe_data_channel_send_text(c->handle, now, bytes) : floe_data_channel_send(c->handle, now, bytes);
  sim_pc_drain(c->x);
  return st;
}

floe_status sim_channel_text(sim_channel *c, const char *text) {
  return send_bytes(c, text, strlen(text), true);
}

floe_status sim_channel_binary(sim_channel *c, const void *data, size_t len) {
  return send_bytes(c, data, len, false);
}

floe_status sim_channel_blob(sim_channel *c, size_t len, uint64_t seed, bool text, uint64_t *hash) {
  uint8_t *bytes = sim_must(malloc(len + 1));
  fill(bytes, len, seed, text);
  *hash = sim_hash(bytes, len);
  floe_status st = send_bytes(c, bytes, len, text);
  free(bytes);
  return st;
}

void sim_channel_close(sim_channel *c) {
  floe_data_channel_close(c->handle, sim_pc_now(c->x));
  sim_pc_drain(c->x);
}

void sim_channel_release(sim_channel *c) {
  floe_data_channel *handle = c->handle;
  c->handle = NULL;
  c->flow_left = 0;
  floe_data_channel_free(handle, sim_pc_now(c->x));
  sim_pc_drain(c->x);
}

/* --- numbered messages ---------------------------------------------------------------------------------------------
 */

#define HEADER "#%08x %08x %c%03x#" /* tag, number, kind, a check of the length */

static void write_numbered(uint8_t *out, size_t len, uint32_t tag, uint32_t number, bool text) {
  char header[SIM_NUMBERED_MIN + 8];
  (void)snprintf(header, sizeof header, HEADER, (unsigned)tag, (unsigned)number, text ? 't' : 'b',
                 (unsigned)(len & 0xFFF));
  memcpy(out, header, SIM_NUMBERED_MIN);
  fill(out + SIM_NUMBERED_MIN, len - SIM_NUMBERED_MIN, ((uint64_t)tag << 32 | number) ^ len, text);
}

floe_status sim_channel_send_numbered(sim_channel *c, size_t len, bool text) {
  uint8_t *bytes = sim_must(malloc(len));
  write_numbered(bytes, len, c->tag, c->sent, text);
  /* Counted before the outputs are taken: it may be there at once. */
  c->sent++;
  floe_status st = send_bytes(c, bytes, len, text);
  if (st != FLOE_OK) c->sent--;
  free(bytes);
  return st;
}

static bool is_numbered(floe_bytes data, uint32_t *tag, uint32_t *number) {
  char header[SIM_NUMBERED_MIN + 1] = "";
  unsigned t, n, check;
  char kind;
  if (data.len < SIM_NUMBERED_MIN || data.ptr[0] != '#' || data.ptr[SIM_NUMBERED_MIN - 1] != '#') return false;
  memcpy(header, data.ptr, SIM_NUMBERED_MIN);
  if (sscanf(header, HEADER, &t, &n, &kind, &check) != 4) return false;
  *tag = t;
  *number = n;
  return true;
}

static void mark_seen(sim_channel *c, uint32_t number) {
  size_t need = number / 8 + 1;
  if (need > c->n_seen) {
    size_t size = 2 * need + 64;
    c->seen = sim_must(realloc(c->seen, size));
    memset(c->seen + c->n_seen, 0, size - c->n_seen);
    c->n_seen = size;
  }
  uint8_t bit = (uint8_t)(1u << number % 8);
  if ((c->seen[number / 8] & bit) != 0) sim_fail(c->x->s, "%s: %s: message %u came twice", c->x->name, c->name, number);
  c->seen[number / 8] |= bit;
}

static void check_content(sim_channel *c, const floe_channel_message *m, uint32_t tag, uint32_t number) {
  uint8_t *expected = sim_must(malloc(m->data.len));
  write_numbered(expected, m->data.len, c->tag, number, !m->is_binary);
  bool same = tag == c->tag && memcmp(expected, m->data.ptr, m->data.len) == 0;
  free(expected);
  if (!same) sim_fail(c->x->s, "%s: %s: message %u is not as it was sent", c->x->name, c->name, number);
}

static void take_numbered(sim_channel *c, const floe_channel_message *m, uint32_t tag, uint32_t number) {
  check_content(c, m, tag, number);
  mark_seen(c, number);
  c->got++;
  bool is_ordered = floe_data_channel_ordered(c->handle);
  if (is_ordered && number < c->next) {
    sim_fail(c->x->s, "%s: %s: message %u after %u", c->x->name, c->name, number, c->next - 1);
  }
  if (is_ordered && !c->is_unreliable && number != c->next) {
    sim_fail(c->x->s, "%s: %s: message %u came, %u did not", c->x->name, c->name, number, c->next);
  }
  if (number >= c->next) c->next = number + 1;
}

static void describe(sim_channel *c, const floe_channel_message *m) {
  char hex[33] = "";
  if (!m->is_binary && m->data.len <= 64) {
    sim_pc_line(c->x, "%s text \"%.*s\"", c->name, (int)m->data.len, m->data.len == 0 ? "" : (const char *)m->data.ptr);
    return;
  }
  if (m->is_binary && m->data.len <= 16) {
    for (size_t i = 0; i < m->data.len; i++) (void)snprintf(hex + 2 * i, 3, "%02x", m->data.ptr[i]);
    sim_pc_line(c->x, "%s binary %zu bytes%s%s", c->name, m->data.len, m->data.len == 0 ? "" : " ", hex);
    return;
  }
  sim_pc_line(c->x, "%s %s %zu bytes #%08x", c->name, m->is_binary ? "binary" : "text", m->data.len,
              (unsigned)(uint32_t)sim_hash(m->data.ptr, m->data.len));
}

void sim_channel_take(sim_channel *c, const floe_channel_message *m) {
  uint32_t tag, number;
  c->n_texts += m->is_binary ? 0 : 1;
  c->n_binaries += m->is_binary ? 1 : 0;
  c->last_len = m->data.len;
  c->last_hash = sim_hash(m->data.ptr, m->data.len);
  c->bytes_received += m->data.len;
  if (is_numbered(m->data, &tag, &number)) {
    take_numbered(c, m, tag, number);
  } else {
    describe(c, m);
  }
}

void sim_channel_expect_all(const sim_channel *to, const sim_channel *from) {
  if (to->got == from->sent) return;
  uint32_t missing = 0;
  while (missing / 8 < to->n_seen && (to->seen[missing / 8] >> missing % 8 & 1) != 0) missing++;
  sim_fail(to->x->s, "%s: %s: %u of %u messages came; %u is the first that did not", to->x->name, to->name, to->got,
           from->sent, missing);
}

/* --- many of them --------------------------------------------------------------------------------------------------
 */

static size_t next_len(const sim_channel *c) {
  sim_rng rng = {.state = (uint64_t)c->tag << 32 | c->sent};
  return c->flow_min + (size_t)(sim_rng_next(&rng) % (c->flow_max - c->flow_min + 1));
}

static void pump(void *user, void *payload) {
  (void)payload;
  sim_channel *c = user;
  c->flow_planned = false;
  while (c->flow_left > 0 && c->handle != NULL) {
    if (floe_data_channel_ready_state(c->handle) != FLOE_DATA_CHANNEL_OPEN) return;
    floe_status st = sim_channel_send_numbered(c, next_len(c), c->flow_text);
    if (st == FLOE_E_AGAIN) {
      c->flow_waits++;
      return;
    }
    if (st == FLOE_E_NOMEM && c->x->a->env->alloc.failed > 0) return;
    if (st != FLOE_OK) sim_fail(c->x->s, "%s: %s: %s", c->x->name, c->name, floe_status_name(st));
    c->flow_left--;
  }
}

void sim_channel_resume(sim_channel *c) {
  if (c->flow_left == 0 || c->flow_planned) return;
  c->flow_planned = true;
  sim_after(c->x->s, 0, pump, c, NULL);
}

void sim_channel_flow(sim_channel *c, uint32_t n, size_t min_len, size_t max_len, bool text) {
  c->flow_left += n;
  c->flow_min = min_len;
  c->flow_max = max_len;
  c->flow_text = text;
  sim_channel_resume(c);
}
