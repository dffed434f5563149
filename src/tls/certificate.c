#include "tls/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "base/sized.h"
#include "base/status_internal.h"
#include "tls/cert.h"
#include "tls/certificate_internal.h"

#define DAY_S             86400
#define DEFAULT_EXPIRY_MS (UINT64_C(30) * DAY_S * 1000)
/* webrtc-pc 4.9, generateCertificate: more than 31536000000 ms is cut to that. */
#define MAX_EXPIRY_MS    (UINT64_C(365) * DAY_S * 1000)
#define DEFAULT_RSA_BITS 2048
#define MIN_RSA_BITS     1024
#define MAX_RSA_BITS     8192
/* RFC 5280 A.1, ub-common-name. */
#define COMMON_NAME_MAX 64

void floe_certificate_options_init(floe_certificate_options *options, size_t size) {
  memset(options, 0, size);
  options->size = (uint32_t)size;
}

/* --- what the caller wants ---------------------------------------------------------------------------------------- */

static bool is_utf8(const char *text, size_t len) {
  for (size_t i = 0; i < len;) {
    unsigned long c = 0;
    const int n = UTF8_getc((const unsigned char *)text + i, (int)(len - i), &c);
    if (n <= 0 || c > 0x10FFFF) return false;
    i += (size_t)n;
  }
  return true;
}

static floe_status check_options(floe_certificate_options *o, floe_error *why) {
  if (o->key_type != FLOE_KEY_ECDSA_P256 && o->key_type != FLOE_KEY_RSA) {
    return floe__error_set(why, FLOE_E_TYPE, "keyType", FLOE_NO_OFFSET, "there is no key type %d", (int)o->key_type);
  }
  if (o->rsa_bits == 0) o->rsa_bits = DEFAULT_RSA_BITS;
  if (o->rsa_bits < MIN_RSA_BITS || o->rsa_bits > MAX_RSA_BITS) {
    return floe__error_set(why, FLOE_E_TYPE, "rsaBits", FLOE_NO_OFFSET, "%u is not in %d to %d", (unsigned)o->rsa_bits,
                           MIN_RSA_BITS, MAX_RSA_BITS);
  }
  if (o->expires_ms == 0) o->expires_ms = DEFAULT_EXPIRY_MS;
  if (o->expires_ms > MAX_EXPIRY_MS) o->expires_ms = MAX_EXPIRY_MS;
  if (o->common_name == NULL) return FLOE_OK;
  const size_t len = strlen(o->common_name);
  if (len >= 1 && len <= COMMON_NAME_MAX && is_utf8(o->common_name, len)) return FLOE_OK;
  return floe__error_set(why, FLOE_E_TYPE, "commonName", FLOE_NO_OFFSET, "it is not 1 to %d bytes of UTF-8",
                         COMMON_NAME_MAX);
}

/* --- making it ---------------------------------------------------------------------------------------------------- */

/* RFC 5280 4.1.2.2: positive and at most 20 octets. Random, as the name is: nothing in it tells who the user is
 * (RFC 8827 6.5). */
static bool set_serial(floe_env *env, X509 *x509) {
  uint8_t serial[16];
  floe__random(env, serial, sizeof serial);
  serial[0] = (uint8_t)((serial[0] & 0x3F) | 0x40);
  BIGNUM *n = BN_bin2bn(serial, sizeof serial, NULL);
  const bool ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x509)) != NULL;
  BN_free(n);
  return ok;
}

static bool set_names(floe_env *env, X509 *x509, const char *common_name) {
  uint64_t number = 0;
  char random_name[17];
  floe__random(env, &number, sizeof number);
  (void)snprintf(random_name, sizeof random_name, "%016llx", (unsigned long long)number);
  const unsigned char *cn = (const unsigned char *)(common_name != NULL ? common_name : random_name);
  X509_NAME *name = X509_get_subject_name(x509);
  return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, cn, -1, -1, 0) == 1 &&
         X509_set_issuer_name(x509, name) == 1;
}

/* notBefore lies a day back, as browsers set it: the peer's clock may be behind. */
static bool set_dates(floe_env *env, X509 *x509, floe_time now, uint64_t expires_ms) {
  int64_t unix_ms = 0;
  if (floe__env_unix_ms(env, now, &unix_ms)) {
    const int64_t until_ms = unix_ms + (int64_t)expires_ms;
    return ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)(unix_ms / 1000 - DAY_S)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)(until_ms / 1000)) != NULL;
  }
  return X509_gmtime_adj(X509_getm_notBefore(x509), -DAY_S) != NULL &&
         X509_gmtime_adj(X509_getm_notAfter(x509), (long)(expires_ms / 1000)) != NULL;
}

static X509 *make_x509(floe_env *env, floe_time now, const floe_certificate_options *o, EVP_PKEY *key) {
  X509 *x509 = X509_new();
  if (x509 == NULL) return NULL;
  if (X509_set_version(x509, X509_VERSION_3) == 1 && set_serial(env, x509) && set_names(env, x509, o->common_name) &&
      set_dates(env, x509, now, o->expires_ms) && X509_set_pubkey(x509, key) == 1 &&
      X509_sign(x509, key, EVP_sha256()) > 0) {
    return x509;
  }
  X509_free(x509);
  return NULL;
}

floe_certificate *floe__certificate_new(floe_env *env, X509 *x509, EVP_PKEY *key) {
  int64_t expires_s = 0;
  if (!floe__cert_unix_time(X509_get0_notAfter(x509), &expires_s)) return NULL;
  floe_certificate *cert = floe__zalloc(env, sizeof *cert);
  if (cert == NULL) return NULL;
  cert->env = env;
  cert->x509 = x509;
  cert->key = key;
  cert->expires_ms = expires_s * 1000;
  (void)X509_up_ref(x509);
  (void)EVP_PKEY_up_ref(key);
  return cert;
}

floe_status floe_certificate_generate(floe_certificate **out, floe_env *env, floe_time now,
                                      const floe_certificate_options *options, floe_error *why) {
  *out = NULL;
  floe_certificate_options o;
  floe_certificate_options_init(&o, sizeof o);
  if (options != NULL && !floe__take_sized(&o, sizeof o, options)) {
    return floe__error_set(why, FLOE_E_TYPE, "", FLOE_NO_OFFSET, "the size of the options makes no sense");
  }
  const floe_status st = check_options(&o, why);
  if (st != FLOE_OK) return st;
  EVP_PKEY *key = o.key_type == FLOE_KEY_RSA ? EVP_RSA_gen(o.rsa_bits) : EVP_EC_gen("P-256");
  X509 *x509 = key == NULL ? NULL : make_x509(env, now, &o, key);
  if (x509 != NULL) *out = floe__certificate_new(env, x509, key);
  X509_free(x509);
  EVP_PKEY_free(key);
  ERR_clear_error();
  if (*out != NULL) return FLOE_OK;
  return floe__error_set(why, FLOE_E_NOMEM, "", FLOE_NO_OFFSET, "%s", floe_status_text(FLOE_E_NOMEM));
}

/* --- handles ------------------------------------------------------------------------------------------------------ */

void floe_certificate_free(floe_certificate *cert) {
  if (cert == NULL) return;
  X509_free(cert->x509);
  EVP_PKEY_free(cert->key); /* wiped by libcrypto with its last reference */
  floe__free(cert->env, cert);
}

floe_certificate *floe__certificate_copy(floe_env *env, const floe_certificate *cert) {
  return floe__certificate_new(env, cert->x509, cert->key);
}

bool floe__certificate_equal(const floe_certificate *a, const floe_certificate *b) {
  if (a->x509 == b->x509) return true;
  unsigned char *der_a = NULL;
  unsigned char *der_b = NULL;
  const int len_a = i2d_X509(a->x509, &der_a);
  const int len_b = i2d_X509(b->x509, &der_b);
  const bool is_equal = len_a > 0 && len_a == len_b && memcmp(der_a, der_b, (size_t)len_a) == 0;
  OPENSSL_free(der_a);
  OPENSSL_free(der_b);
  ERR_clear_error();
  return is_equal;
}

int64_t floe_certificate_expires(const floe_certificate *cert) {
  return cert->expires_ms;
}

floe_key_type floe_certificate_key_type(const floe_certificate *cert) {
  return EVP_PKEY_is_a(cert->key, "RSA") ? FLOE_KEY_RSA : FLOE_KEY_ECDSA_P256;
}
