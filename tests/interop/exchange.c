#include "exchange.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { HEADER = 5, HASH = 32, MAX_CONTENT = 1100, WINDOW = 16, AGAIN_MS = 200 };

static size_t write_content(uint8_t *out, uint32_t number) {
  size_t len = 1 + (size_t)number * 97 % MAX_CONTENT;
  for (size_t i = 0; i < len; i++) out[i] = (uint8_t)((size_t)number * 31 + i * 7 + (i >> 8) * 13);
  return len;
}

static void write_header(uint8_t *out, char kind, uint32_t number) {
  out[0] = (uint8_t)kind;
  for (int i = 0; i < 4; i++) out[1 + i] = (uint8_t)(number >> (24 - 8 * i));
}

static bool hash(const uint8_t *data, size_t len, uint8_t out[HASH]) {
  return EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) == 1;
}

void exchange_init(exchange *x, exchange_send send, void *user) {
  memset(x, 0, sizeof *x);
  x->send = send;
  x->user = user;
}

bool exchange_begin(exchange *x, unsigned long count) {
  if (count > EXCHANGE_MAX - x->goal) return false;
  x->goal += (uint32_t)count;
  return true;
}

static void send_message(exchange *x, uint32_t number, uint64_t now_ms) {
  uint8_t packet[HEADER + MAX_CONTENT];
  write_header(packet, '1', number);
  size_t len = write_content(packet + HEADER, number);
  x->sent_at[number] = now_ms;
  x->send(packet, HEADER + len, x->user);
}

void exchange_tick(exchange *x, uint64_t now_ms) {
  for (uint32_t i = 0; i < x->next && x->n_open > 0; i++) {
    if (!x->is_acked[i] && now_ms - x->sent_at[i] >= AGAIN_MS) send_message(x, i, now_ms);
  }
  while (x->next < x->goal && x->n_open < WINDOW) {
    x->n_open++;
    send_message(x, x->next++, now_ms);
  }
}

static void take_message(exchange *x, uint32_t number, const uint8_t *content, size_t len) {
  uint8_t expected[MAX_CONTENT], packet[HEADER + HASH];
  size_t expected_len = write_content(expected, number);
  if (len != expected_len || memcmp(content, expected, len) != 0) x->is_wrong = true;
  if (!x->is_received[number]) x->n_received++;
  x->is_received[number] = true;
  write_header(packet, '2', number);
  if (hash(content, len, packet + HEADER)) x->send(packet, sizeof packet, x->user);
}

static void take_acknowledgement(exchange *x, uint32_t number, const uint8_t *digest, size_t len) {
  uint8_t sent[MAX_CONTENT], expected[HASH];
  size_t sent_len = write_content(sent, number);
  if (!hash(sent, sent_len, expected) || len != HASH || memcmp(digest, expected, HASH) != 0) x->is_wrong = true;
  if (number >= x->next || x->is_acked[number]) return;
  x->is_acked[number] = true;
  x->n_open--;
}

void exchange_take(exchange *x, const uint8_t *data, size_t len) {
  if (len < HEADER || (data[0] != '1' && data[0] != '2')) {
    x->n_strangers++;
    return;
  }
  uint32_t number = (uint32_t)data[1] << 24 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 8 | data[4];
  if (number >= EXCHANGE_MAX) {
    x->is_wrong = true;
  } else if (data[0] == '1') {
    take_message(x, number, data + HEADER, len - HEADER);
  } else {
    take_acknowledgement(x, number, data + HEADER, len - HEADER);
  }
}

bool exchange_is_done(const exchange *x) {
  return !x->is_wrong && x->next == x->goal && x->n_open == 0 && x->n_received >= x->goal;
}

bool exchange_fact(exchange *x, char *out, size_t cap) {
  if (x->told == x->goal || !(x->is_wrong || exchange_is_done(x))) return false;
  x->told = x->goal;
  if (x->is_wrong) {
    (void)snprintf(out, cap, "data wrong");
  } else {
    (void)snprintf(out, cap, "data ok %u", (unsigned)x->goal);
  }
  return true;
}
