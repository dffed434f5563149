/* Who is let in and who is not: fingerprints, peers without a certificate, alerts, hostile bytes. */
#include <openssl/err.h>

#include "tls/dtls_internal.h"
#include "unit/tls/dtls_pair.h"

/* --- fingerprints ------------------------------------------------------------------------------------------------- */

#define MD5_OF_NOTHING "D4:1D:8C:D9:8F:00:B2:04:E9:80:09:98:EC:F8:42:7E"

/* A pair whose one end `judge` has this list. */
static pair *pair_judged_by(size_t judge, const floe__fingerprint *list, size_t n) {
  pair *p = pair_new_empty();
  pair_end e;
  for (size_t i = 0; i < 2; i++) {
    pair_end_init(&e, i == 0, pair_cert[i], pair_cert[1 - i]);
    if (i == judge) {
      e.cfg.fingerprints = list;
      e.cfg.n_fingerprints = n;
    }
    pair_add(p, &e);
  }
  pair_start(p);
  pair_run(p, START + 5 * FLOE_SECOND);
  return p;
}

static void check_refused(size_t judge, const floe__fingerprint *list, size_t n, const char *text) {
  pair *p = pair_judged_by(judge, list, n);
  const floe__dtls_info *own = floe__dtls_info_of(p->end[judge]);
  assert_int_equal(floe__dtls_state_of(p->end[judge]), FLOE__DTLS_FAILED);
  assert_int_equal(own->cause, FLOE_CAUSE_DTLS_FINGERPRINT);
  assert_string_equal(own->text, text);
  assert_true(own->has_alert_sent);
  assert_int_equal(own->alert_sent, SSL_AD_BAD_CERTIFICATE);
  assert_int_equal(X509_cmp(own->peer, pair_cert[1 - judge]->x509), 0);
  const floe__dtls_info *other = floe__dtls_info_of(p->end[1 - judge]);
  assert_int_equal(floe__dtls_state_of(p->end[1 - judge]), FLOE__DTLS_FAILED);
  assert_int_equal(other->cause, FLOE_CAUSE_DTLS_ALERT);
  assert_true(other->has_alert_received);
  assert_int_equal(other->alert_received, SSL_AD_BAD_CERTIFICATE);
  assert_string_equal(other->text, "the peer sent fatal alert 42 (bad certificate)");
  pair_free(p);
}

static void check_accepted(size_t judge, const floe__fingerprint *list, size_t n) {
  pair *p = pair_judged_by(judge, list, n);
  assert_true(pair_is_open(p));
  assert_null(floe__dtls_info_of(p->end[judge])->text);
  pair_free(p);
}

typedef struct prints {
  char sha1[FLOE_FINGERPRINT_TEXT], sha256[FLOE_FINGERPRINT_TEXT], sha512[FLOE_FINGERPRINT_TEXT];
  char md5[FLOE_FINGERPRINT_TEXT];
} prints;

static prints prints_of(const floe_certificate *cert) {
  prints p;
  assert_true(floe_certificate_fingerprint(cert, "sha-1", p.sha1));
  assert_true(floe_certificate_fingerprint(cert, "sha-256", p.sha256));
  assert_true(floe_certificate_fingerprint(cert, "sha-512", p.sha512));
  assert_true(floe_certificate_fingerprint(cert, "md5", p.md5));
  return p;
}

static void refuses_another_certificate(void **state) {
  (void)state;
  for (size_t judge = 0; judge < 2; judge++) {
    const prints own = prints_of(pair_cert[1 - judge]);
    const prints other = prints_of(pair_cert[judge]);
    char text[600];
    const floe__fingerprint wrong[] = {{"sha-256", other.sha256}};
    (void)snprintf(text, sizeof text, "sha-256: found %s, expected %s", own.sha256, other.sha256);
    check_refused(judge, wrong, 1, text);
    /* RFC 8122 5: only the strongest hash counts, however well a weaker one fits */
    const floe__fingerprint weaker_fits[] = {{"sha-256", own.sha256}, {"SHA-512", other.sha512}};
    (void)snprintf(text, sizeof text, "sha-512: found %s, expected %s", own.sha512, other.sha512);
    check_refused(judge, weaker_fits, 2, text);
    const floe__fingerprint several[] = {{"sha-256", other.sha256}, {"sha-1", own.sha1}, {"Sha-256", "AB:CD"}};
    (void)snprintf(text, sizeof text, "sha-256: found %s, expected %s or 1 other", own.sha256, other.sha256);
    check_refused(judge, several, 3, text);
  }
}

static void refuses_what_it_cannot_judge(void **state) {
  (void)state;
  const prints own = prints_of(pair_cert[0]);
  const floe__fingerprint md5[] = {{"md5", own.md5}};
  check_refused(1, md5, 1, "the description has no fingerprint of a known hash (md5)");
  const floe__fingerprint unknown[] = {{"sha3-256", own.sha256}, {"md2", "00"}};
  check_refused(1, unknown, 2, "the description has no fingerprint of a known hash (sha3-256)");
  check_refused(1, unknown, 0, "the description has no fingerprint of a known hash (none)");
  const floe__fingerprint wrong_hash[] = {{"sha-512", own.sha256}};
  char text[600];
  (void)snprintf(text, sizeof text, "sha-512: found %s, expected %s", own.sha512, own.sha256);
  check_refused(1, wrong_hash, 1, text);
}

static void accepts_one_of_several(void **state) {
  (void)state;
  for (size_t judge = 0; judge < 2; judge++) {
    const prints own = prints_of(pair_cert[1 - judge]);
    const prints other = prints_of(pair_cert[judge]);
    const floe__fingerprint of_hash[] = {{"sha-256", other.sha256}, {"sha-256", own.sha256}};
    check_accepted(judge, of_hash, 2);
    const floe__fingerprint of_hashes[] = {{"sha-1", other.sha1}, {"sha-512", own.sha512}, {"sha-256", other.sha256}};
    check_accepted(judge, of_hashes, 3);
    const floe__fingerprint beside_unknown[] = {{"md5", MD5_OF_NOTHING}, {"x", "y"}, {"sha-1", own.sha1}};
    check_accepted(judge, beside_unknown, 3);
  }
}

/* --- fingerprints that come later ----------------------------------------------------------------------------------
 */

static void takes_other_fingerprints_before_it_is_open(void **state) {
  (void)state;
  const prints right = prints_of(pair_cert[1]);
  const prints wrong = prints_of(pair_cert[0]);
  const floe__fingerprint good[] = {{"sha-256", right.sha256}};
  const floe__fingerprint bad[] = {{"sha-256", wrong.sha256}};
  for (int i = 0; i < 2; i++) {
    pair *p = pair_new_empty();
    pair_end e;
    pair_end_init(&e, true, pair_cert[0], pair_cert[1]);
    e.cfg.fingerprints = i == 0 ? bad : good;
    pair_add(p, &e);
    pair_end_init(&e, false, pair_cert[1], pair_cert[0]);
    pair_add(p, &e);
    assert_true(floe__dtls_update_fingerprints(p->end[0], i == 0 ? good : bad, 1));
    pair_start(p);
    pair_run(p, START + FLOE_SECOND);
    assert_int_equal(floe__dtls_state_of(p->end[0]), i == 0 ? FLOE__DTLS_OPEN : FLOE__DTLS_FAILED);
    pair_free(p);
  }
}

static bool drop_servers_finished(void *user, size_t from, uint8_t *bytes, size_t *len) {
  (void)user;
  (void)len;
  return from != 1 || bytes[0] != 20;
}

/* The certificate was judged by a provisional answer; the final one names another. */
static void judges_again_when_it_opens(void **state) {
  (void)state;
  const prints wrong = prints_of(pair_cert[0]);
  const floe__fingerprint bad[] = {{"sha-256", wrong.sha256}};
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  p->filter = drop_servers_finished;
  pair_start(p);
  pair_run(p, START + 100 * FLOE_MS);
  assert_non_null(floe__dtls_info_of(p->end[0])->peer);
  assert_false(floe__dtls_update_fingerprints(p->end[0], bad, 1));
  p->filter = NULL;
  pair_run(p, START + 5 * FLOE_SECOND);
  assert_int_equal(floe__dtls_state_of(p->end[0]), FLOE__DTLS_FAILED);
  assert_int_equal(floe__dtls_info_of(p->end[0])->cause, FLOE_CAUSE_DTLS_FINGERPRINT);
  assert_int_equal(floe__dtls_state_of(p->end[1]), FLOE__DTLS_CLOSED); /* it is told, if not why */
  pair_free(p);
}

static void compares_fingerprints_of_an_open_session(void **state) {
  (void)state;
  const prints right = prints_of(pair_cert[1]);
  const prints wrong = prints_of(pair_cert[0]);
  const floe__fingerprint good[] = {{"SHA-1", right.sha1}};
  const floe__fingerprint bad[] = {{"sha-256", wrong.sha256}};
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_connect(p);
  assert_true(floe__dtls_update_fingerprints(p->end[0], good, 1));
  assert_false(floe__dtls_update_fingerprints(p->end[0], bad, 1));
  assert_false(floe__dtls_update_fingerprints(p->end[0], good, 0));
  assert_int_equal(floe__dtls_state_of(p->end[0]), FLOE__DTLS_OPEN);
  pair_free(p);
}

/* --- peers that are not ours: libssl as it is ----------------------------------------------------------------------
 */

typedef struct raw_peer {
  SSL_CTX *ctx;
  SSL *ssl;
  floe__dgram_pipe pipe;
  BIO_METHOD *method;
} raw_peer;

static int accept_any(X509_STORE_CTX *chain, void *unused) {
  (void)chain;
  (void)unused;
  return 1;
}

static void raw_init(raw_peer *r, floe_env *env, bool is_client, const floe_certificate *cert) {
  memset(r, 0, sizeof *r);
  r->pipe.env = env;
  r->method = floe__dgram_bio_method();
  r->ctx = SSL_CTX_new(DTLS_method());
  SSL_CTX_set_cert_verify_callback(r->ctx, accept_any, NULL);
  SSL_CTX_set_verify(r->ctx, SSL_VERIFY_PEER, NULL);
  r->ssl = SSL_new(r->ctx);
  if (cert != NULL) {
    assert_int_equal(SSL_use_certificate(r->ssl, cert->x509), 1);
    assert_int_equal(SSL_use_PrivateKey(r->ssl, cert->key), 1);
  }
  BIO *bio = floe__dgram_bio_new(r->method, &r->pipe);
  SSL_set_bio(r->ssl, bio, bio);
  (void)SSL_set_options(r->ssl, SSL_OP_NO_QUERY_MTU);
  (void)SSL_set_mtu(r->ssl, 1200);
  if (is_client) {
    SSL_set_connect_state(r->ssl);
  } else {
    SSL_set_accept_state(r->ssl);
  }
}

static void raw_clear(raw_peer *r) {
  SSL_free(r->ssl);
  SSL_CTX_free(r->ctx);
  BIO_meth_free(r->method);
  floe__dgram_queue_clear(r->pipe.env, &r->pipe.in);
  floe__dgram_queue_clear(r->pipe.env, &r->pipe.out);
  ERR_clear_error();
}

/* Until neither has anything to say. */
static void raw_pump(raw_peer *r, floe__dtls *dtls, floe_time now) {
  floe_bytes b;
  for (int i = 0; i < 20; i++) {
    ERR_clear_error();
    (void)SSL_do_handshake(r->ssl);
    ERR_clear_error();
    while ((b = floe__dgram_queue_peek(&r->pipe.out)).len > 0) {
      floe__dtls_on_datagram(dtls, b, now);
      floe__dgram_queue_drop(r->pipe.env, &r->pipe.out);
    }
    while (floe__dtls_next_datagram(dtls, &b)) assert_true(floe__dgram_queue_add(r->pipe.env, &r->pipe.in, b));
  }
}

/* RFC 8827 6.5: both sides have a certificate. */
static void wants_a_certificate_of_clients(void **state) {
  (void)state;
  pair *p = pair_new_empty();
  pair_end e;
  pair_end_init(&e, false, pair_cert[1], pair_cert[0]);
  pair_add(p, &e);
  floe__dtls_start(p->end[1], p->now);
  raw_peer r;
  raw_init(&r, p->env, true, NULL);
  raw_pump(&r, p->end[1], p->now);
  const floe__dtls_info *info = floe__dtls_info_of(p->end[1]);
  assert_int_equal(floe__dtls_state_of(p->end[1]), FLOE__DTLS_FAILED);
  assert_int_equal(info->cause, FLOE_CAUSE_DTLS_ALERT);
  assert_true(info->has_alert_sent);
  assert_int_equal(info->alert_sent, SSL_AD_HANDSHAKE_FAILURE);
  assert_string_equal(info->text, "peer did not return a certificate");
  assert_null(info->peer);
  raw_clear(&r);
  pair_free(p);
}

/* RFC 5764: some peers give up a handshake that names no profile, though there is no RTP. */
static void agrees_on_an_srtp_profile(void **state) {
  (void)state;
  for (int is_client = 0; is_client < 2; is_client++) {
    pair *p = pair_new_empty();
    pair_end e;
    pair_end_init(&e, is_client == 0, pair_cert[1], pair_cert[0]);
    pair_add(p, &e);
    floe__dtls *dtls = p->end[is_client];
    floe__dtls_start(dtls, p->now);
    raw_peer r;
    raw_init(&r, p->env, is_client == 1, pair_cert[0]);
    assert_int_equal(SSL_set_tlsext_use_srtp(r.ssl, "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM"), 0);
    raw_pump(&r, dtls, p->now);
    assert_int_equal(floe__dtls_state_of(dtls), FLOE__DTLS_OPEN);
    const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(r.ssl);
    assert_non_null(profile);
    assert_string_equal(profile->name, "SRTP_AES128_CM_SHA1_80");
    raw_clear(&r);
    pair_free(p);
  }
}

static void check_no_agreement(raw_peer *r, pair *p, uint8_t alert) {
  pair_end e;
  pair_end_init(&e, false, pair_cert[1], pair_cert[0]);
  pair_add(p, &e);
  floe__dtls_start(p->end[1], p->now);
  raw_pump(r, p->end[1], p->now);
  const floe__dtls_info *info = floe__dtls_info_of(p->end[1]);
  assert_int_equal(info->cause, FLOE_CAUSE_DTLS_ALERT);
  assert_true(info->has_alert_sent);
  assert_int_equal(info->alert_sent, alert);
  assert_non_null(info->text);
  raw_clear(r);
  pair_free(p);
}

static void agrees_to_nothing_old(void **state) {
  (void)state;
  pair *p = pair_new_empty();
  raw_peer r;
  raw_init(&r, p->env, true, pair_cert[0]);
  SSL_set_security_level(r.ssl, 0);
  assert_int_equal(SSL_set_min_proto_version(r.ssl, DTLS1_VERSION), 1);
  assert_int_equal(SSL_set_max_proto_version(r.ssl, DTLS1_VERSION), 1);
  check_no_agreement(&r, p, SSL_AD_PROTOCOL_VERSION);
  p = pair_new_empty();
  raw_init(&r, p->env, true, pair_cert[0]);
  assert_int_equal(SSL_set_cipher_list(r.ssl, "AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA"), 1);
  check_no_agreement(&r, p, SSL_AD_HANDSHAKE_FAILURE);
  p = pair_new_empty();
  raw_init(&r, p->env, true, pair_cert[0]);
  int groups[] = {NID_X448, NID_secp521r1};
  assert_int_equal(SSL_set1_groups(r.ssl, groups, 2), 1);
  check_no_agreement(&r, p, SSL_AD_HANDSHAKE_FAILURE);
}

static void names_the_group(void **state) {
  (void)state;
  static const struct {
    int nid;
    const char *name;
  } groups[] = {{NID_X25519, "x25519"}, {NID_X9_62_prime256v1, "secp256r1"}, {NID_secp384r1, "secp384r1"}};
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
    for (size_t end = 0; end < 2; end++) {
      pair *p = pair_new_empty();
      pair_end e;
      pair_end_init(&e, end == 0, pair_cert[3], pair_cert[2]); /* RSA: P-256 is not needed for a certificate */
      pair_add(p, &e);
      floe__dtls_start(p->end[end], p->now);
      raw_peer r;
      raw_init(&r, p->env, end == 1, pair_cert[2]);
      int only[] = {groups[i].nid};
      assert_int_equal(SSL_set1_groups(r.ssl, only, 1), 1);
      raw_pump(&r, p->end[end], p->now);
      assert_int_equal(floe__dtls_state_of(p->end[end]), FLOE__DTLS_OPEN);
      assert_string_equal(floe__dtls_info_of(p->end[end])->group, groups[i].name);
      raw_clear(&r);
      pair_free(p);
    }
  }
}

static void resumes_nothing(void **state) {
  (void)state;
  pair *p = pair_new_empty();
  SSL_SESSION *session = NULL;
  for (int i = 0; i < 2; i++) {
    pair_end e;
    pair_end_init(&e, false, pair_cert[1], pair_cert[0]);
    pair_add(p, &e);
    floe__dtls_start(p->end[1], p->now);
    raw_peer r;
    raw_init(&r, p->env, true, pair_cert[0]);
    if (session != NULL) assert_int_equal(SSL_set_session(r.ssl, session), 1);
    raw_pump(&r, p->end[1], p->now);
    assert_int_equal(floe__dtls_state_of(p->end[1]), FLOE__DTLS_OPEN);
    assert_int_equal(SSL_session_reused(r.ssl), 0);
    if (session == NULL) session = SSL_get1_session(r.ssl);
    raw_clear(&r);
    floe__dtls_free(p->end[1]);
  }
  SSL_SESSION_free(session);
  p->end[1] = NULL;
  pair_free(p);
}

/* --- alerts of an open session -------------------------------------------------------------------------------------
 */

/* A peer that wants to renegotiate is told no, and gives up with an alert. */
static void ends_by_a_fatal_alert(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_connect(p);
  pair_rest(p);
  SSL *ssl = p->end[0]->ssl;
  assert_int_equal(SSL_alloc_buffers(ssl), 1);
  (void)SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
  assert_int_equal(SSL_renegotiate(ssl), 1);
  (void)SSL_do_handshake(ssl);
  pair_send(p, 0);
  p->end[0]->idle_at = p->now + FLOE_SECOND; /* as its buffers are there */
  pair_run(p, p->now + 500 * FLOE_MS);
  const floe__dtls_info *info = floe__dtls_info_of(p->end[1]);
  assert_int_equal(floe__dtls_state_of(p->end[1]), FLOE__DTLS_FAILED);
  assert_int_equal(info->cause, FLOE_CAUSE_DTLS_ALERT);
  assert_true(info->has_alert_received);
  assert_int_equal(info->alert_received, SSL_AD_HANDSHAKE_FAILURE);
  assert_string_equal(info->text, "the peer sent fatal alert 40 (handshake failure)");
  assert_false(info->has_alert_sent); /* the refusal was a warning */
  assert_false(floe__dtls_write(p->end[1], pair_text("x"), p->now));
  assert_int_equal(floe__dtls_deadline(p->end[1]).at, FLOE_TIME_NEVER);
  pair_free(p);
}

/* --- hostile bytes -------------------------------------------------------------------------------------------------
 */

static const uint8_t plain_alert[] = {21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40};
static const uint8_t plain_close[] = {21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0};

/* RFC 6347 4.1.2.7 leaves it to the implementation; libssl believes a plain alert as long as nothing is encrypted.
 * Whoever can send from the peer's address can so end a handshake: docs/causes/dtls_alert.md says it. */
static void believes_a_plain_alert_in_the_handshake(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_start(p);
  floe__dtls_on_datagram(p->end[0], (floe_bytes){plain_alert, sizeof plain_alert}, p->now);
  assert_int_equal(floe__dtls_state_of(p->end[0]), FLOE__DTLS_FAILED);
  assert_int_equal(floe__dtls_info_of(p->end[0])->alert_received, 40);
  floe__dtls_on_datagram(p->end[1], (floe_bytes){plain_close, sizeof plain_close}, p->now);
  const floe__dtls_info *info = floe__dtls_info_of(p->end[1]);
  assert_int_equal(floe__dtls_state_of(p->end[1]), FLOE__DTLS_FAILED);
  assert_int_equal(info->cause, FLOE_CAUSE_DTLS_ALERT);
  assert_int_equal(info->alert_received, 0);
  assert_string_equal(info->text, "the peer sent alert 0 (close notify)");
  pair_free(p);
}

static void ignores_plain_records_once_open(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_connect(p);
  for (size_t i = 0; i < 2; i++) {
    floe__dtls_on_datagram(p->end[i], (floe_bytes){plain_alert, sizeof plain_alert}, p->now);
    floe__dtls_on_datagram(p->end[i], (floe_bytes){plain_close, sizeof plain_close}, p->now);
    pair_settle(p, i);
    assert_int_equal(floe__dtls_state_of(p->end[i]), FLOE__DTLS_OPEN);
    assert_false(floe__dtls_info_of(p->end[i])->has_alert_received);
  }
  pair_free(p);
}

/* In every state, at both ends; what comes of a session depends on the bytes, but it ends well. */
static void outlives_garbage(void **state) {
  (void)state;
  size_t n_open = 0;
  for (uint64_t seed = 1; seed <= 300; seed++) {
    pair *p = pair_new(pair_cert[0], pair_cert[1], 400);
    p->net.seed = seed * UINT64_C(0x9E3779B97F4A7C15);
    const uint32_t when = pair_random(p, 12);
    uint8_t noise[64];
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)pair_random(p, 256);
    noise[0] = (uint8_t)(20 + pair_random(p, 8));
    noise[1] = 254;
    noise[2] = 253;
    noise[3] = noise[4] = 0;
    noise[11] = 0;
    noise[12] = (uint8_t)pair_random(p, 52);
    pair_start(p);
    for (uint32_t i = 0; i < 40 && pair_step(p, START + FLOE_SECOND); i++) {
      if (i != when) continue;
      floe__dtls_on_datagram(p->end[i % 2], (floe_bytes){noise, sizeof noise}, p->now);
      pair_settle(p, i % 2);
    }
    n_open += pair_is_open(p) ? 1 : 0;
    pair_free(p);
  }
  assert_true(n_open > 30 && n_open < 300);
}

/* Each byte of each datagram of a handshake changed, once. */
static bool flip_one(void *user, size_t from, uint8_t *bytes, size_t *len) {
  size_t *at = user;
  (void)from;
  if (*at < *len) bytes[*at] ^= 0x55;
  *at = *at < *len ? SIZE_MAX : *at - *len;
  return true;
}

static void outlives_changed_handshakes(void **state) {
  (void)state;
  for (size_t at = 0; at < 1400; at += 7) {
    pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
    size_t left = at;
    p->filter = flip_one;
    p->filter_user = &left;
    pair_start(p);
    pair_run(p, START + 31 * FLOE_SECOND);
    for (size_t i = 0; i < 2; i++) {
      const floe__dtls_state s = floe__dtls_state_of(p->end[i]);
      assert_true(s == FLOE__DTLS_OPEN || s == FLOE__DTLS_FAILED);
      assert_true((s == FLOE__DTLS_FAILED) == (floe__dtls_info_of(p->end[i])->cause != FLOE_CAUSE_NONE));
    }
    pair_free(p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refuses_another_certificate),
      cmocka_unit_test(refuses_what_it_cannot_judge),
      cmocka_unit_test(accepts_one_of_several),
      cmocka_unit_test(takes_other_fingerprints_before_it_is_open),
      cmocka_unit_test(judges_again_when_it_opens),
      cmocka_unit_test(compares_fingerprints_of_an_open_session),
      cmocka_unit_test(wants_a_certificate_of_clients),
      cmocka_unit_test(agrees_on_an_srtp_profile),
      cmocka_unit_test(agrees_to_nothing_old),
      cmocka_unit_test(names_the_group),
      cmocka_unit_test(resumes_nothing),
      cmocka_unit_test(ends_by_a_fatal_alert),
      cmocka_unit_test(believes_a_plain_alert_in_the_handshake),
      cmocka_unit_test(ignores_plain_records_once_open),
      cmocka_unit_test(outlives_garbage),
      cmocka_unit_test(outlives_changed_handshakes),
  };
  return cmocka_run_group_tests(tests, pair_make_certs, pair_free_certs);
}
