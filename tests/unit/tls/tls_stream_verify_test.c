/* What is wrong with a server's certificate: which cause, which words, which alert. */
#include <openssl/x509_vfy.h>
#include <stdio.h>

#include "tls/tls_stream.h"
#include "unit/tls/fixture.h"

static floe_env *env;
static identity ca, other_ca;

static int set_up(void **state) {
  (void)state;
  env = make_env();
  ca = make_identity(env, "Test CA", NULL, NULL, -10, 3650, NULL, true);
  other_ca = make_identity(env, "Other CA", NULL, NULL, -10, 3650, NULL, true);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  free_identity(env, &ca);
  free_identity(env, &other_ca);
  floe_env_free(env);
  return 0;
}

/* A client that trusts `ca` and expects `name`, or the address `name` when it is one. */
static floe__tls *make_client(floe_env *e, const char *name, const char *ca_pem, bool insecure) {
  floe_addr ip = {0};
  const bool is_ip = floe_addr_parse(&ip, name);
  const floe__tls_client_config cfg = {.server_name = is_ip ? NULL : name,
                                       .server_ip = is_ip ? &ip : NULL,
                                       .ca_pem = text_bytes(ca_pem),
                                       .insecure = insecure};
  return floe__tls_client_new(e, &cfg, 0);
}

static wire meet(floe__tls *client, const char *cert_pem, const char *key_pem, int version) {
  const floe__tls_server_config cfg = {
      .cert_pem = text_bytes(cert_pem), .key_pem = text_bytes(key_pem), .only_version = version};
  wire w = {.client = client, .server = floe__tls_server_new_from(env, &cfg)};
  start(&w);
  (void)pump(&w);
  return w;
}

/* What the client has to say of a server. */
typedef struct verdict {
  floe_cause cause; /* NONE: the session is open */
  int verify_error;
  const char *verify_text;
  uint8_t alert; /* sent to the server */
} verdict;

static void expect_verdict(const wire *w, const verdict *v) {
  const floe_tls_info *info = floe__tls_info_of(w->client);
  assert_string_equal(floe_cause_id(floe__tls_cause(w->client)), floe_cause_id(v->cause));
  assert_int_equal(info->has_verify_error, v->verify_error != X509_V_OK);
  if (v->verify_error == X509_V_OK) {
    assert_int_equal(floe__tls_state_of(w->client), FLOE__TLS_OPEN);
    assert_null(info->verify_text);
    assert_false(info->has_alert);
    return;
  }
  assert_int_equal(floe__tls_state_of(w->client), FLOE__TLS_FAILED);
  assert_int_equal(info->verify_error, v->verify_error);
  assert_string_equal(info->verify_text, v->verify_text);
  assert_true(info->has_alert);
  assert_int_equal(info->alert, v->alert);
  /* It reached the server. */
  assert_string_equal(floe_cause_id(floe__tls_cause(w->server)), "tls_alert");
  assert_int_equal(floe__tls_info_of(w->server)->alert, v->alert);
}

static void check_id(identity id, const char *name, verdict v) {
  const int versions[] = {0x0304, 0x0303};
  for (size_t i = 0; i < 2; i++) {
    wire w = meet(make_client(env, name, ca.cert, false), id.cert, id.key, versions[i]);
    expect_verdict(&w, &v);
    assert_string_equal(floe__tls_info_of(w.client)->version, i == 0 ? "TLSv1.3" : "TLSv1.2");
    assert_non_null(floe__tls_info_of(w.client)->cipher);
    free_wire(&w);
  }
  free_identity(env, &id);
}

#define NAME "turn.example.org"

static const verdict fine = {.cause = FLOE_CAUSE_NONE};
static const verdict wrong_host = {FLOE_CAUSE_TLS_NAME_MISMATCH, X509_V_ERR_HOSTNAME_MISMATCH, "hostname mismatch", 42};
static const verdict wrong_ip = {FLOE_CAUSE_TLS_NAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH, "IP address mismatch",
                                 42};

/* --- one thing wrong -------------------------------------------------------------------------------------------- */

static void an_expired_certificate(void **state) {
  (void)state;
  check_id(make_identity(env, NAME, NAME, NULL, -30, -1, &ca, false), NAME,
           (verdict){FLOE_CAUSE_TLS_EXPIRED, X509_V_ERR_CERT_HAS_EXPIRED, "certificate has expired", 45});
}

static void a_certificate_not_yet_valid(void **state) {
  (void)state;
  check_id(make_identity(env, NAME, NAME, NULL, 1, 30, &ca, false), NAME,
           (verdict){FLOE_CAUSE_TLS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID, "certificate is not yet valid", 42});
}

static void a_self_signed_certificate(void **state) {
  (void)state;
  check_id(make_identity(env, NAME, NAME, NULL, -1, 30, NULL, false), NAME,
           (verdict){FLOE_CAUSE_TLS_UNTRUSTED, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "self-signed certificate", 48});
}

static void an_unknown_authority(void **state) {
  (void)state;
  check_id(make_identity(env, NAME, NAME, NULL, -1, 30, &other_ca, false), NAME,
           (verdict){FLOE_CAUSE_TLS_UNTRUSTED, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                     "unable to get local issuer certificate", 48});
}

static void another_name(void **state) {
  (void)state;
  check_id(make_identity(env, "www.example.org", "www.example.org", NULL, -1, 30, &ca, false), NAME, wrong_host);
}

/* A leaf that was issued to be an authority cannot be a server. */
static void a_certificate_for_another_purpose(void **state) {
  (void)state;
  identity id = make_identity(env, NAME, NULL, NULL, -1, 30, &ca, true);
  wire w = meet(make_client(env, NAME, ca.cert, false), id.cert, id.key, 0);
  assert_int_equal(floe__tls_state_of(w.client), FLOE__TLS_FAILED);
  free_wire(&w);
  free_identity(env, &id);
}

/* --- names and addresses ------------------------------------------------------------------------------------------ */

static void a_name_that_fits(void **state) {
  (void)state;
  check_id(make_identity(env, "x", "a.example.org, " NAME ",b.example.org", NULL, -1, 30, &ca, false), NAME, fine);
  check_id(make_identity(env, "x", NAME, NULL, -1, 30, &ca, false), "TURN.Example.ORG", fine);
  check_id(make_identity(env, "x", NAME, NULL, -1, 30, &ca, false), NAME ".", fine);
}

static void wildcards(void **state) {
  (void)state;
  check_id(make_identity(env, "x", "*.example.org", NULL, -1, 30, &ca, false), NAME, fine);
  check_id(make_identity(env, "x", "*.org", NULL, -1, 30, &ca, false), NAME, wrong_host);
  check_id(make_identity(env, "x", "tu*.example.org", NULL, -1, 30, &ca, false), NAME, wrong_host);
  check_id(make_identity(env, "x", "*.example.org", NULL, -1, 30, &ca, false), "a.turn.example.org", wrong_host);
}

/* RFC 9525 6.3 */
static void a_name_only_in_the_subject(void **state) {
  (void)state;
  check_id(make_identity(env, NAME, NULL, NULL, -1, 30, &ca, false), NAME, wrong_host);
  check_id(make_identity(env, "192.0.2.1", NULL, NULL, -1, 30, &ca, false), "192.0.2.1", wrong_ip);
}

static void addresses(void **state) {
  (void)state;
  check_id(make_identity(env, "x", NULL, "192.0.2.1", -1, 30, &ca, false), "192.0.2.1", fine);
  check_id(make_identity(env, "x", NULL, "192.0.2.1, 2001:db8::1", -1, 30, &ca, false), "2001:db8::1", fine);
  check_id(make_identity(env, "x", NULL, "192.0.2.2", -1, 30, &ca, false), "192.0.2.1", wrong_ip);
  check_id(make_identity(env, "x", NULL, "192.0.2.1", -1, 30, &ca, false), "2001:db8::1", wrong_ip);
  check_id(make_identity(env, "x", NAME, NULL, -1, 30, &ca, false), "192.0.2.1", wrong_ip);
  /* An address written as a DNS name is none. */
  check_id(make_identity(env, "x", "192.0.2.1", NULL, -1, 30, &ca, false), "192.0.2.1", wrong_ip);
}

static bool hello_holds(const char *name, const char *bytes, size_t len) {
  floe__tls *tls = make_client(env, name, NULL, false);
  assert_non_null(tls);
  floe__tls_start(tls, 0);
  const floe_bytes hello = floe__tls_output(tls);
  bool found = false;
  for (size_t i = 0; i + len <= hello.len; i++) {
    if (memcmp(hello.ptr + i, bytes, len) == 0) found = true;
  }
  floe__tls_free(tls);
  return found;
}

/* RFC 6066 3 */
static void indicates_names_and_no_addresses(void **state) {
  (void)state;
  /* extension server_name: list, entry of type host_name, name */
  const char sni[] = "\x00\x00\x00\x15\x00\x13\x00\x00\x10" NAME;
  assert_true(hello_holds(NAME, sni, sizeof sni - 1));
  assert_true(hello_holds(NAME ".", sni, sizeof sni - 1));
  assert_false(hello_holds(NAME ".", NAME ".", strlen(NAME ".")));
  assert_false(hello_holds("192.0.2.1", "192.0.2.1", 9));
}

static void refuses_an_impossible_name(void **state) {
  (void)state;
  char name[400];
  memset(name, 'a', sizeof name);
  name[sizeof name - 1] = '\0';
  assert_null(make_client(env, name, NULL, false));
  assert_null(make_client(env, "", NULL, false));
}

/* --- several things wrong: the contract's order, the later says more -------------------------------------------------
 */

static void the_dates_before_the_trust(void **state) {
  (void)state;
  check_id(make_identity(env, NAME, NAME, NULL, -30, -1, NULL, false), NAME,
           (verdict){FLOE_CAUSE_TLS_EXPIRED, X509_V_ERR_CERT_HAS_EXPIRED,
                     "certificate has expired; also: self-signed certificate", 45});
}

static void the_name_before_the_dates(void **state) {
  (void)state;
  check_id(make_identity(env, "x", "x.example.org", NULL, -30, -1, &ca, false), NAME,
           (verdict){FLOE_CAUSE_TLS_NAME_MISMATCH, X509_V_ERR_HOSTNAME_MISMATCH,
                     "hostname mismatch; also: certificate has expired", 42});
}

static void the_name_before_everything(void **state) {
  (void)state;
  check_id(make_identity(env, "x", "x.example.org", NULL, -30, -1, NULL, false), NAME,
           (verdict){FLOE_CAUSE_TLS_NAME_MISMATCH, X509_V_ERR_HOSTNAME_MISMATCH,
                     "hostname mismatch; also: self-signed certificate, certificate has expired", 42});
}

/* --- chains and CA files
 * ----------------------------------------------------------------------------------------------- */

static char *join(const char *a, const char *b) {
  char *text = malloc(strlen(a) + strlen(b) + 1);
  assert_non_null(text);
  strcpy(text, a);
  strcat(text, b);
  return text;
}

static floe_cause cause_with_ca(const char *ca_pem, const char *cert_pem, const char *key_pem) {
  wire w = meet(make_client(env, NAME, ca_pem, false), cert_pem, key_pem, 0);
  const floe_cause cause = floe__tls_cause(w.client);
  free_wire(&w);
  return cause;
}

static void a_ca_file_with_two_certificates(void **state) {
  (void)state;
  identity id = make_identity(env, NAME, NAME, NULL, -1, 30, &other_ca, false);
  char *both = join(ca.cert, other_ca.cert);
  assert_int_equal(cause_with_ca(ca.cert, id.cert, id.key), FLOE_CAUSE_TLS_UNTRUSTED);
  assert_int_equal(cause_with_ca(both, id.cert, id.key), FLOE_CAUSE_NONE);
  assert_int_equal(cause_with_ca(other_ca.cert, id.cert, id.key), FLOE_CAUSE_NONE);
  assert_int_equal(cause_with_ca(NULL, id.cert, id.key), FLOE_CAUSE_TLS_UNTRUSTED);
  free(both);
  free_identity(env, &id);
}

static void a_chain_with_an_intermediate(void **state) {
  (void)state;
  identity middle = make_identity(env, "Middle CA", NULL, NULL, -1, 300, &ca, true);
  identity id = make_identity(env, NAME, NAME, NULL, -1, 30, &middle, false);
  char *chain = join(id.cert, middle.cert);
  assert_int_equal(cause_with_ca(ca.cert, chain, id.key), FLOE_CAUSE_NONE);
  assert_int_equal(cause_with_ca(ca.cert, id.cert, id.key), FLOE_CAUSE_TLS_UNTRUSTED); /* left out by the server */
  assert_int_equal(cause_with_ca(middle.cert, id.cert, id.key), FLOE_CAUSE_NONE);      /* trusted itself */
  free(chain);
  free_identity(env, &id);
  free_identity(env, &middle);
}

/* The authority comes along, but nobody here knows it. */
static void a_chain_with_its_unknown_root(void **state) {
  (void)state;
  identity id = make_identity(env, NAME, NAME, NULL, -1, 30, &other_ca, false);
  char *chain = join(id.cert, other_ca.cert);
  wire w = meet(make_client(env, NAME, ca.cert, false), chain, id.key, 0);
  expect_verdict(&w, &(verdict){FLOE_CAUSE_TLS_UNTRUSTED, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
                                "self-signed certificate in certificate chain", 48});
  free_wire(&w);
  free(chain);
  free_identity(env, &id);
}

static void an_expired_intermediate(void **state) {
  (void)state;
  identity middle = make_identity(env, "Middle CA", NULL, NULL, -9, -1, &ca, true);
  identity id = make_identity(env, NAME, NAME, NULL, -1, 30, &middle, false);
  char *chain = join(id.cert, middle.cert);
  assert_int_equal(cause_with_ca(ca.cert, chain, id.key), FLOE_CAUSE_TLS_EXPIRED);
  free(chain);
  free_identity(env, &id);
  free_identity(env, &middle);
}

/* The server's own certificate as CA file. */
static void a_self_signed_certificate_that_is_trusted(void **state) {
  (void)state;
  identity id = make_identity(env, NAME, NAME, NULL, -1, 30, NULL, false);
  assert_int_equal(cause_with_ca(id.cert, id.cert, id.key), FLOE_CAUSE_NONE);
  free_identity(env, &id);
}

/* --- insecure
 * ------------------------------------------------------------------------------------------------------------ */

static void goes_on_when_insecure_and_says_what_is_wrong(void **state) {
  (void)state;
  identity id = make_identity(env, "x", "x.example.org", NULL, -30, -1, NULL, false);
  for (int version = 0x0303; version <= 0x0304; version++) {
    wire w = meet(make_client(env, NAME, NULL, true), id.cert, id.key, version);
    const floe_tls_info *info = floe__tls_info_of(w.client);
    assert_int_equal(floe__tls_state_of(w.client), FLOE__TLS_OPEN);
    assert_true(info->insecure);
    assert_true(info->has_verify_error);
    assert_int_equal(info->verify_error, X509_V_ERR_HOSTNAME_MISMATCH);
    assert_string_equal(info->verify_text, "hostname mismatch; also: self-signed certificate, certificate has expired");
    assert_string_equal(info->names, "x.example.org");
    assert_false(info->has_alert);
    assert_true(floe__tls_write(w.server, text_bytes("hello")));
    (void)pump(&w);
    uint8_t buf[8];
    assert_int_equal(floe__tls_read(w.client, buf, sizeof buf), 5);
    free_wire(&w);
  }
  free_identity(env, &id);
}

static void has_nothing_to_say_when_insecure_and_all_is_well(void **state) {
  (void)state;
  identity id = make_identity(env, NAME, NAME, NULL, -1, 30, &ca, false);
  wire w = meet(make_client(env, NAME, ca.cert, true), id.cert, id.key, 0);
  assert_int_equal(floe__tls_state_of(w.client), FLOE__TLS_OPEN);
  assert_true(floe__tls_info_of(w.client)->insecure);
  assert_false(floe__tls_info_of(w.client)->has_verify_error);
  free_wire(&w);
  free_identity(env, &id);
}

/* A bad certificate that was accepted is not the reason for what fails later. */
static void fails_for_its_own_reason_when_insecure(void **state) {
  (void)state;
  identity id = make_identity(env, NAME, NAME, NULL, -30, -1, NULL, false);
  const floe__tls_server_config cfg = {.cert_pem = text_bytes(id.cert),
                                       .key_pem = text_bytes(id.key),
                                       .only_version = 0x0303,
                                       .needs_client_cert = true};
  wire w = {.client = make_client(env, NAME, NULL, true)};
  w.server = floe__tls_server_new_from(env, &cfg);
  start(&w);
  (void)pump(&w);
  assert_string_equal(floe_cause_id(floe__tls_cause(w.client)), "tls_alert");
  assert_int_equal(floe__tls_info_of(w.client)->alert, 40);
  assert_int_equal(floe__tls_info_of(w.client)->verify_error, X509_V_ERR_CERT_HAS_EXPIRED);
  free_wire(&w);
  free_identity(env, &id);
}

/* --- time
 * ------------------------------------------------------------------------------------------------------------------ */

static floe_cause cause_at(int64_t unix_s, floe_time now, const identity *id) {
  floe_env *e = NULL;
  assert_int_equal(floe_env_new(&e, NULL), FLOE_OK);
  floe_env_set_unix_time(e, 5 * FLOE_SECOND, unix_s * 1000);
  const floe__tls_client_config cfg = {.server_name = NAME, .ca_pem = text_bytes(ca.cert)};
  wire w = meet(floe__tls_client_new(e, &cfg, now), id->cert, id->key, 0);
  const floe_cause cause = floe__tls_cause(w.client);
  free_wire(&w);
  floe_env_free(e);
  return cause;
}

static void the_env_tells_the_time(void **state) {
  (void)state;
  identity id = make_identity(env, NAME, NAME, NULL, -1, 30, &ca, false);
  const floe_time then = 5 * FLOE_SECOND;
  assert_int_equal(cause_at(TODAY, then, &id), FLOE_CAUSE_NONE);
  assert_int_equal(cause_at(TODAY - 2 * DAY, then, &id), FLOE_CAUSE_TLS_EXPIRED);
  assert_int_equal(cause_at(TODAY + 31 * DAY, then, &id), FLOE_CAUSE_TLS_EXPIRED);
  /* The last second, and the one after it, by the monotonic clock. */
  const int64_t last = TODAY + 30 * DAY;
  assert_int_equal(cause_at(last - 1, then, &id), FLOE_CAUSE_NONE);
  assert_int_equal(cause_at(last - 1, then + 2 * FLOE_SECOND, &id), FLOE_CAUSE_TLS_EXPIRED);
  free_identity(env, &id);
}

/* Without a wall clock libcrypto's own decides. */
static void libcrypto_tells_the_time_otherwise(void **state) {
  (void)state;
  floe_env *e = NULL;
  assert_int_equal(floe_env_new(&e, NULL), FLOE_OK);
  identity old = make_identity(env, NAME, NAME, NULL, -7300, -3650, NULL, false);
  identity lasting = make_identity(env, NAME, NAME, NULL, -3650, 36500, NULL, false);
  wire w = meet(make_client(e, NAME, old.cert, false), old.cert, old.key, 0);
  assert_int_equal(floe__tls_cause(w.client), FLOE_CAUSE_TLS_EXPIRED);
  free_wire(&w);
  w = meet(make_client(e, NAME, lasting.cert, false), lasting.cert, lasting.key, 0);
  assert_int_equal(floe__tls_cause(w.client), FLOE_CAUSE_NONE);
  free_wire(&w);
  free_identity(env, &old);
  free_identity(env, &lasting);
  floe_env_free(e);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_expired_certificate),
      cmocka_unit_test(a_certificate_not_yet_valid),
      cmocka_unit_test(a_self_signed_certificate),
      cmocka_unit_test(an_unknown_authority),
      cmocka_unit_test(another_name),
      cmocka_unit_test(a_certificate_for_another_purpose),
      cmocka_unit_test(a_name_that_fits),
      cmocka_unit_test(wildcards),
      cmocka_unit_test(a_name_only_in_the_subject),
      cmocka_unit_test(addresses),
      cmocka_unit_test(indicates_names_and_no_addresses),
      cmocka_unit_test(refuses_an_impossible_name),
      cmocka_unit_test(the_dates_before_the_trust),
      cmocka_unit_test(the_name_before_the_dates),
      cmocka_unit_test(the_name_before_everything),
      cmocka_unit_test(a_ca_file_with_two_certificates),
      cmocka_unit_test(a_chain_with_an_intermediate),
      cmocka_unit_test(a_chain_with_its_unknown_root),
      cmocka_unit_test(an_expired_intermediate),
      cmocka_unit_test(a_self_signed_certificate_that_is_trusted),
      cmocka_unit_test(goes_on_when_insecure_and_says_what_is_wrong),
      cmocka_unit_test(has_nothing_to_say_when_insecure_and_all_is_well),
      cmocka_unit_test(fails_for_its_own_reason_when_insecure),
      cmocka_unit_test(the_env_tells_the_time),
      cmocka_unit_test(libcrypto_tells_the_time_otherwise),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
