#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/status_internal.h"
#include "tls/cert.h"
#include "tls/certificate_internal.h"

#define MIN_RSA_BITS 1024
#define MAX_RSA_BITS 16384

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* libcrypto's default would ask on the terminal. That it asks at all says that the key is encrypted. */
static int note_question(char *buf, int size, int rwflag, void *was_asked) {
  (void)buf;
  (void)size;
  (void)rwflag;
  *(bool *)was_asked = true;
  return -1;
}

static floe_status read_cert(floe_bytes pem, X509 **out, floe_error *why) {
  BIO *bio = floe__cert_bio_of(pem);
  *out = bio == NULL ? NULL : floe__cert_read_pem(bio);
  BIO_free(bio);
  int64_t expires_s = 0;
  if (*out == NULL) {
    return floe__error_set(why, FLOE_E_SYNTAX, "certificate", FLOE_NO_OFFSET, "there is no certificate in PEM form");
  }
  if (!floe__cert_unix_time(X509_get0_notAfter(*out), &expires_s)) {
    return floe__error_set(why, FLOE_E_SYNTAX, "certificate", FLOE_NO_OFFSET, "the date of its expiry is no date");
  }
  return FLOE_OK;
}

static floe_status read_key(floe_bytes pem, EVP_PKEY **out, floe_error *why) {
  bool was_asked = false;
  BIO *bio = floe__cert_bio_of(pem);
  *out = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, note_question, &was_asked);
  BIO_free(bio);
  if (*out != NULL) return FLOE_OK;
  if (was_asked) return floe__error_set(why, FLOE_E_ACCESS, "key", FLOE_NO_OFFSET, "the key is encrypted");
  return floe__error_set(why, FLOE_E_SYNTAX, "key", FLOE_NO_OFFSET, "there is no private key in PEM form");
}

static bool is_p256(EVP_PKEY *key) {
  char group[32];
  return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
         strcmp(group, "prime256v1") == 0;
}

static bool is_rsa(EVP_PKEY *key) {
  return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= MIN_RSA_BITS && EVP_PKEY_get_bits(key) <= MAX_RSA_BITS;
}

static floe_status check_pair(X509 *x509, EVP_PKEY *key, floe_error *why) {
  if (!is_p256(key) && !is_rsa(key)) {
    return floe__error_set(why, FLOE_E_UNSUPPORTED, "key", FLOE_NO_OFFSET,
                           "it is neither ECDSA on P-256 nor RSA of %d bits or more", MIN_RSA_BITS);
  }
  if (X509_check_private_key(x509, key) == 1) return FLOE_OK;
  return floe__error_set(why, FLOE_E_ACCESS, "key", FLOE_NO_OFFSET, "the key is not the certificate's");
}

floe_status floe_certificate_from_pem(floe_certificate **out, floe_env *env, floe_bytes cert_pem, floe_bytes key_pem,
                                      floe_error *why) {
  *out = NULL;
  X509 *x509 = NULL;
  EVP_PKEY *key = NULL;
  floe_status st = read_cert(cert_pem, &x509, why);
  if (st == FLOE_OK) st = read_key(key_pem, &key, why);
  if (st == FLOE_OK) st = check_pair(x509, key, why);
  if (st == FLOE_OK) {
    *out = floe__certificate_new(env, x509, key);
    if (*out == NULL) {
      st = floe__error_set(why, FLOE_E_NOMEM, "", FLOE_NO_OFFSET, "%s", floe_status_text(FLOE_E_NOMEM));
    }
  }
  X509_free(x509);
  EVP_PKEY_free(key);
  ERR_clear_error();
  return st;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static size_t copy_text(BIO *bio, bool is_written, char *out, size_t cap) {
  char *data = NULL;
  const long len = bio != NULL && is_written ? BIO_get_mem_data(bio, &data) : 0;
  const size_t n = len <= 0 ? 0 : (size_t)len;
  if (cap > 0) {
    const size_t fits = n < cap ? n : cap - 1;
    if (fits > 0) memcpy(out, data, fits);
    out[fits] = '\0';
  }
  BIO_free(bio);
  ERR_clear_error();
  return n;
}

size_t floe_certificate_write_pem(const floe_certificate *cert, char *out, size_t cap) {
  BIO *bio = BIO_new(BIO_s_mem());
  const bool ok = bio != NULL && PEM_write_bio_X509(bio, cert->x509) == 1;
  return copy_text(bio, ok, out, cap);
}

size_t floe_certificate_write_key_pem(const floe_certificate *cert, char *out, size_t cap) {
  BIO *bio = BIO_new(BIO_s_secmem()); /* wiped when freed */
  const bool ok = bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, cert->key, NULL, NULL, 0, NULL, NULL) == 1;
  return copy_text(bio, ok, out, cap);
}
