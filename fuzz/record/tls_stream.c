/* Writes the corpus of the fuzz target tls_stream: what servers of ours, good and bad, send to its client.
 *
 *   cc -std=c11 -Isrc -Iinclude -Ifuzz fuzz/record/tls_stream.c fuzz/support/fixed_tls.c LIBFLOE.a -lssl -lcrypto -o
 * rec
 *   ./rec fuzz/corpus/tls_stream
 *
 * The flights fit the client only with the same OpenSSL: another version may draw its randomness in another order. Then
 * they are seeds like any other; record them again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fixed_tls.h"

#define STREAM_MAX 65536

typedef struct server_kind {
  const char *file;
  unsigned flags;
  int version;
  const char *dns;
  int64_t not_after; /* days from today */
  bool self_signed;
  bool needs_client_cert;
  floe__tls_state ends;
  const char *cause;
} server_kind;

static const server_kind kinds[] = {
    {"tls13_good", 0, 0x0304, FIXED_NAME, 30, false, false, FLOE__TLS_ENDED, "none"},
    {"tls12_good", 0, 0x0303, FIXED_NAME, 30, false, false, FLOE__TLS_ENDED, "none"},
    {"tls13_by_ip", FIXED_BY_IP, 0x0304, NULL, 30, false, false, FLOE__TLS_ENDED, "none"},
    {"tls13_alpn", FIXED_ALPN, 0x0304, FIXED_NAME, 30, false, false, FLOE__TLS_ENDED, "none"},
    {"tls13_expired", 0, 0x0304, FIXED_NAME, 0, false, false, FLOE__TLS_FAILED, "tls_expired"},
    {"tls12_expired_later", FIXED_LATER, 0x0303, FIXED_NAME, 30, false, false, FLOE__TLS_FAILED, "tls_expired"},
    {"tls12_other_name", 0, 0x0303, "www.example.org", 30, false, false, FLOE__TLS_FAILED, "tls_name_mismatch"},
    {"tls13_self_signed", 0, 0x0304, FIXED_NAME, 30, true, false, FLOE__TLS_FAILED, "tls_untrusted"},
    {"tls12_self_signed", 0, 0x0303, FIXED_NAME, 30, true, false, FLOE__TLS_FAILED, "tls_untrusted"},
    {"tls13_insecure", FIXED_INSECURE, 0x0304, "x.example.org", 0, true, false, FLOE__TLS_ENDED, "none"},
    {"tls12_insecure", FIXED_INSECURE, 0x0303, "x.example.org", 0, true, false, FLOE__TLS_ENDED, "none"},
    {"tls13_rejects_late", 0, 0x0304, FIXED_NAME, 30, false, true, FLOE__TLS_FAILED, "tls_alert"},
    {"tls12_rejects", 0, 0x0303, FIXED_NAME, 30, false, true, FLOE__TLS_FAILED, "tls_alert"},
};

typedef struct stream {
  size_t len;
  uint8_t bytes[STREAM_MAX];
} stream;

static floe_bytes text_bytes(const char *text) {
  return (floe_bytes){(const uint8_t *)text, strlen(text)};
}

static floe__tls *make_server(const server_kind *k) {
  const fixed_tls *t = fixed_tls_get();
  fixed_role_restart(FIXED_SERVER);
  floe__cert_config cc = {.subject_cn = FIXED_NAME,
                          .dns_names = k->dns,
                          .ip_names = "192.0.2.1",
                          .not_before = FIXED_TODAY - 10 * (int64_t)86400,
                          .not_after = FIXED_TODAY + k->not_after * 86400 - 1};
  if (!k->self_signed) {
    cc.issuer_cert_pem = text_bytes(t->ca_pem);
    cc.issuer_key_pem = text_bytes(t->ca_key);
  }
  char *cert = NULL;
  char *key = NULL;
  if (!floe__cert_make(t->env, &cc, &cert, &key)) abort();
  const floe__tls_server_config cfg = {.cert_pem = text_bytes(cert),
                                       .key_pem = text_bytes(key),
                                       .only_version = k->version,
                                       .needs_client_cert = k->needs_client_cert};
  floe__tls *server = floe__tls_server_new_from(t->env, &cfg);
  if (server == NULL) abort();
  floe__free(t->env, cert);
  floe__free_secret(t->env, key, strlen(key));
  return server;
}

/* Carries the bytes both ways until nothing moves; keeps what the server sent. */
static void pump(floe__tls *client, floe__tls *server, stream *s) {
  for (bool moved = true; moved;) {
    moved = false;
    floe_bytes out = floe__tls_output(client);
    if (out.len > 0) {
      moved = true;
      fixed_role_resume(FIXED_SERVER);
      floe__tls_on_bytes(server, out, 0);
      floe__tls_sent(client, out.len);
    }
    out = floe__tls_output(server);
    if (out.len > 0) {
      moved = true;
      if (out.len > STREAM_MAX - s->len) abort();
      memcpy(s->bytes + s->len, out.ptr, out.len);
      s->len += out.len;
      fixed_role_resume(FIXED_CLIENT);
      floe__tls_on_bytes(client, out, 0);
      floe__tls_sent(server, out.len);
    }
  }
}

static const uint8_t stun_header[20] = {1, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42};

static void record(const server_kind *k, stream *s) {
  uint8_t buf[256];
  floe__tls *server = make_server(k);
  floe__tls *client = fixed_client_new(k->flags);
  s->len = 0;
  floe__tls_start(client, 0);
  pump(client, server, s);
  fixed_role_resume(FIXED_SERVER);
  (void)floe__tls_write(server, (floe_bytes){stun_header, sizeof stun_header});
  floe__tls_shutdown(server);
  pump(client, server, s);
  while (floe__tls_read(client, buf, sizeof buf) > 0) continue;
  if (floe__tls_state_of(client) != k->ends || strcmp(floe_cause_id(floe__tls_cause(client)), k->cause) != 0) {
    fprintf(stderr, "%s: ended as %s\n", k->file, floe_cause_id(floe__tls_cause(client)));
    exit(1);
  }
  floe__tls_free(client);
  floe__tls_free(server);
}

static void write_seed(const char *folder, const char *name, const uint8_t head[2], floe_bytes bytes) {
  char path[512];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *f = fopen(path, "wb");
  if (f == NULL || fwrite(head, 1, 2, f) != 2 || fwrite(bytes.ptr, 1, bytes.len, f) != bytes.len || fclose(f) != 0) {
    perror(path);
    exit(1);
  }
}

typedef struct short_seed {
  const char *file;
  unsigned flags;
  const char *bytes;
  size_t len;
} short_seed;

#define SHORT(file, flags, bytes) \
  { file, flags, bytes, sizeof(bytes) - 1 }

static const short_seed shorts[] = {
    SHORT("http", FIXED_COMPARE, "HTTP/1.1 400 Bad Request\r\n\r\n"),
    SHORT("stun", FIXED_COMPARE, "\x01\x01\x00\x0c\x21\x12\xa4\x42"),
    SHORT("alert", FIXED_COMPARE, "\x15\x03\x03\x00\x02\x02\x28"),
    SHORT("warning", FIXED_COMPARE | FIXED_FIN, "\x15\x03\x03\x00\x02\x01\x70"),
    SHORT("close_notify", FIXED_COMPARE, "\x15\x03\x03\x00\x02\x01\x00"),
    SHORT("fin", FIXED_FIN, "\x16\x03\x03\x00\x7a\x02"),
    SHORT("hello_of_one_byte", FIXED_COMPARE, "\x16\x03\x03\x00\x05\x02\x00\x00\x01\x03"),
};

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  static stream s;
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    const server_kind *k = &kinds[i];
    record(k, &s);
    const uint8_t head[2] = {(uint8_t)(k->flags | FIXED_COMPARE), 64};
    write_seed(argv[1], k->file, head, (floe_bytes){s.bytes, s.len});
  }
  for (size_t i = 0; i < sizeof shorts / sizeof shorts[0]; i++) {
    const uint8_t head[2] = {(uint8_t)shorts[i].flags, 1};
    write_seed(argv[1], shorts[i].file, head, (floe_bytes){(const uint8_t *)shorts[i].bytes, shorts[i].len});
  }
  return 0;
}
