#include <stdio.h>
#include <string.h>

#include "tls/dtls_internal.h"
#include "tls/fingerprint.h"

void floe__dtls_set_text(floe__dtls *dtls, char *text) {
  floe__free(dtls->env, dtls->text);
  dtls->text = text;
  dtls->info.text = text;
}

/* --- the list ----------------------------------------------------------------------------------------------------- */

static const char *put_text(char **at, const char *text) {
  const size_t size = strlen(text) + 1;
  char *copy = *at;
  memcpy(copy, text, size);
  *at += size;
  return copy;
}

/* One block: the list, then its texts. */
bool floe__dtls_keep_fingerprints(floe__dtls *dtls, const floe__fingerprint *list, size_t n) {
  size_t size = n * sizeof *list;
  for (size_t i = 0; i < n; i++) size += strlen(list[i].hash) + strlen(list[i].value) + 2;
  floe__fingerprint *copy = floe__alloc(dtls->env, size);
  if (copy == NULL) return false;
  char *at = (char *)(copy + n);
  for (size_t i = 0; i < n; i++) {
    copy[i].hash = put_text(&at, list[i].hash);
    copy[i].value = put_text(&at, list[i].value);
  }
  floe__free(dtls->env, dtls->fingerprints);
  dtls->fingerprints = copy;
  dtls->n_fingerprints = n;
  return true;
}

/* --- judging ------------------------------------------------------------------------------------------------------ */

/* The first of the description's fingerprints that counted, and how many did. */
static const char *expected_of(const floe__dtls *dtls, const char *hash, size_t *n) {
  const char *first = "";
  *n = 0;
  for (size_t i = 0; i < dtls->n_fingerprints; i++) {
    const floe__fingerprint *fp = &dtls->fingerprints[i];
    if (floe__fingerprints_hash(fp, 1) != hash) continue;
    if ((*n)++ == 0) first = fp->value;
  }
  return first;
}

static void explain_mismatch(floe__dtls *dtls) {
  char text[2 * FLOE_FINGERPRINT_TEXT + 160];
  char found[FLOE_FINGERPRINT_TEXT];
  const char *hash = floe__fingerprints_hash(dtls->fingerprints, dtls->n_fingerprints);
  if (hash == NULL) {
    (void)snprintf(text, sizeof text, "the description has no fingerprint of a known hash (%.32s)",
                   dtls->n_fingerprints > 0 ? dtls->fingerprints[0].hash : "none");
    floe__dtls_set_text(dtls, floe__strdup(dtls->env, text));
    return;
  }
  size_t n = 0;
  (void)floe__fingerprint_of(dtls->peer, hash, found);
  const char *expected = expected_of(dtls, hash, &n);
  const int len =
      snprintf(text, sizeof text, "%s: found %s, expected %.*s", hash, found, FLOE_FINGERPRINT_TEXT - 1, expected);
  if (n > 1) {
    (void)snprintf(text + len, sizeof text - (size_t)len, " or %zu other%s", n - 1, n == 2 ? "" : "s");
  }
  floe__dtls_set_text(dtls, floe__strdup(dtls->env, text));
}

bool floe__dtls_judge(floe__dtls *dtls) {
  dtls->is_mismatch = !floe__fingerprints_match(dtls->peer, dtls->fingerprints, dtls->n_fingerprints);
  if (dtls->is_mismatch) explain_mismatch(dtls);
  return !dtls->is_mismatch;
}

/* RFC 8827 6.5: the certificate may be signed by anybody and may have expired; what counts is that it is the one of the
 * description. libssl makes bad_certificate of X509_V_ERR_CERT_REJECTED (RFC 8122 6.2). */
int floe__dtls_verify(X509_STORE_CTX *chain, void *unused) {
  (void)unused;
  const SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
  floe__dtls *dtls = SSL_get_app_data(ssl);
  X509 *cert = X509_STORE_CTX_get0_cert(chain);
  if (cert != NULL && X509_up_ref(cert) == 1) {
    X509_free(dtls->peer);
    dtls->peer = cert;
    dtls->info.peer = cert;
  }
  const bool fits = dtls->peer != NULL && floe__dtls_judge(dtls);
  X509_STORE_CTX_set_error(chain, fits ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
  return fits ? 1 : 0;
}
