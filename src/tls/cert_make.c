#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/addr.h"
#include "base/rng.h"
#include "tls/cert.h"
#include "tls/tls_stream.h"

/* RFC 5280 4.1.2.2: positive and at most 20 octets; CA/B Forum: at least 64 random bits. */
static bool set_serial(floe_env *env, X509 *cert) {
  uint8_t serial[16];
  floe__random(env, serial, sizeof serial);
  serial[0] = (uint8_t)((serial[0] & 0x3F) | 0x40);
  BIGNUM *n = BN_bin2bn(serial, sizeof serial, NULL);
  const bool ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;
  BN_free(n);
  return ok;
}

static bool set_subject(X509 *cert, const char *cn) {
  X509_NAME *name = X509_get_subject_name(cert);
  return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) == 1;
}

static bool set_dates(X509 *cert, int64_t not_before, int64_t not_after) {
  return ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)not_before) != NULL &&
         ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)not_after) != NULL;
}

/* --- subjectAltName -------------------------------------------------------------------------------------------- */

static bool push_name(GENERAL_NAMES *names, int type, const void *bytes, size_t len) {
  GENERAL_NAME *name = GENERAL_NAME_new();
  ASN1_STRING *value = ASN1_STRING_type_new(type == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);
  if (name == NULL || value == NULL || ASN1_STRING_set(value, bytes, (int)len) != 1) {
    GENERAL_NAME_free(name);
    ASN1_STRING_free(value);
    return false;
  }
  GENERAL_NAME_set0_value(name, type, value);
  if (sk_GENERAL_NAME_push(names, name) > 0) return true;
  GENERAL_NAME_free(name);
  return false;
}

static bool push_item(GENERAL_NAMES *names, int type, const char *text, size_t len) {
  if (type == GEN_DNS) return push_name(names, type, text, len);
  floe_addr addr;
  return floe__addr_parse_ip(&addr, text, len) && push_name(names, type, addr.ip, floe__addr_ip_len(&addr));
}

/* `list`: nullable, separated by commas with or without spaces. */
static bool push_list(GENERAL_NAMES *names, int type, const char *list) {
  for (const char *at = list; at != NULL && *at != '\0';) {
    at += strspn(at, " ,");
    const size_t len = strcspn(at, " ,");
    if (len > 0 && !push_item(names, type, at, len)) return false;
    at += len;
  }
  return true;
}

static bool add_names(X509 *cert, const floe__cert_config *cfg) {
  GENERAL_NAMES *names = GENERAL_NAMES_new();
  if (names == NULL) return false;
  bool ok = push_list(names, GEN_DNS, cfg->dns_names) && push_list(names, GEN_IPADD, cfg->ip_names);
  if (ok && sk_GENERAL_NAME_num(names) > 0) {
    ok = X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
  }
  GENERAL_NAMES_free(names);
  return ok;
}

/* --- the other extensions (RFC 5280 4.2.1) ----------------------------------------------------------------------- */

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value) {
  X509V3_CTX ctx;
  X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
  X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
  if (ext == NULL) return false;
  const bool ok = X509_add_ext(cert, ext, -1) == 1;
  X509_EXTENSION_free(ext);
  return ok;
}

static bool add_extensions(X509 *cert, X509 *issuer, const floe__cert_config *cfg) {
  if (!add_extension(cert, issuer, NID_subject_key_identifier, "hash")) return false;
  if (!add_extension(cert, issuer, NID_authority_key_identifier, "keyid")) return false;
  if (cfg->is_ca) {
    return add_extension(cert, issuer, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  }
  return add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
         add_extension(cert, issuer, NID_ext_key_usage, "serverAuth") && add_names(cert, cfg);
}

/* --- putting it together ------------------------------------------------------------------------------------------ */

static bool fill(floe_env *env, X509 *cert, EVP_PKEY *key, X509 *issuer, const floe__cert_config *cfg) {
  return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(env, cert) && set_subject(cert, cfg->subject_cn) &&
         X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 &&
         set_dates(cert, cfg->not_before, cfg->not_after) && X509_set_pubkey(cert, key) == 1 &&
         add_extensions(cert, issuer, cfg);
}

static X509 *read_issuer(floe_bytes pem) {
  BIO *bio = floe__cert_bio_of(pem);
  if (bio == NULL) return NULL;
  X509 *cert = floe__cert_read_pem(bio);
  BIO_free(bio);
  return cert;
}

static X509 *make_cert(floe_env *env, const floe__cert_config *cfg, EVP_PKEY *key) {
  X509 *cert = X509_new();
  if (cert == NULL) return NULL;
  bool ok = false;
  if (cfg->issuer_cert_pem.len == 0) {
    ok = fill(env, cert, key, cert, cfg) && X509_sign(cert, key, EVP_sha256()) > 0;
  } else {
    X509 *issuer = read_issuer(cfg->issuer_cert_pem);
    EVP_PKEY *issuer_key = floe__cert_read_key(cfg->issuer_key_pem);
    ok = issuer != NULL && issuer_key != NULL && fill(env, cert, key, issuer, cfg) &&
         X509_sign(cert, issuer_key, EVP_sha256()) > 0;
    X509_free(issuer);
    EVP_PKEY_free(issuer_key);
  }
  if (ok) return cert;
  X509_free(cert);
  return NULL;
}

static char *copy_pem(floe_env *env, BIO *bio) {
  char *data = NULL;
  const long len = BIO_get_mem_data(bio, &data);
  return len <= 0 ? NULL : floe__strndup(env, data, (size_t)len);
}

static char *cert_to_pem(floe_env *env, X509 *cert) {
  BIO *bio = BIO_new(BIO_s_mem());
  char *pem = bio != NULL && PEM_write_bio_X509(bio, cert) == 1 ? copy_pem(env, bio) : NULL;
  BIO_free(bio);
  return pem;
}

static char *key_to_pem(floe_env *env, EVP_PKEY *key) {
  BIO *bio = BIO_new(BIO_s_secmem());
  const bool ok = bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
  char *pem = ok ? copy_pem(env, bio) : NULL;
  BIO_free(bio);
  return pem;
}

bool floe__cert_make(floe_env *env, const floe__cert_config *cfg, char **cert_pem, char **key_pem) {
  *cert_pem = NULL;
  *key_pem = NULL;
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *cert = key == NULL ? NULL : make_cert(env, cfg, key);
  if (cert != NULL) {
    *cert_pem = cert_to_pem(env, cert);
    *key_pem = key_to_pem(env, key);
  }
  X509_free(cert);
  EVP_PKEY_free(key);
  ERR_clear_error();
  if (*cert_pem != NULL && *key_pem != NULL) return true;
  floe__free(env, *cert_pem);
  if (*key_pem != NULL) floe__free_secret(env, *key_pem, strlen(*key_pem));
  *cert_pem = NULL;
  *key_pem = NULL;
  return false;
}
