#include "tls/cert.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* --- PEM ------------------------------------------------------------------------------------------------------ */

/* libcrypto's default would ask on the terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *user) {
  (void)buf;
  (void)size;
  (void)rwflag;
  (void)user;
  return -1;
}

BIO *floe__cert_bio_of(floe_bytes bytes) {
  if (bytes.len == 0 || bytes.len > INT_MAX) return NULL;
  return BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
}

X509 *floe__cert_read_pem(BIO *bio) {
  return PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
}

EVP_PKEY *floe__cert_read_key(floe_bytes pem) {
  BIO *bio = floe__cert_bio_of(pem);
  if (bio == NULL) return NULL;
  EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
  BIO_free(bio);
  return key;
}

/* --- text that is safe to show ---------------------------------------------------------------------------------- */

typedef struct line {
  char *buf;
  size_t len;
  size_t max; /* without the final NUL */
  bool cut;   /* sticky: something did not fit */
} line;

static void add_whole(line *l, const char *text, size_t len) {
  if (l->cut || len > l->max - l->len) {
    l->cut = true;
    return;
  }
  memcpy(l->buf + l->len, text, len);
  l->len += len;
}

static void add_escaped_byte(line *l, uint8_t byte) {
  char hex[4];
  (void)snprintf(hex, sizeof hex, "\\%02X", byte);
  add_whole(l, hex, 3);
}

/* The length of the well-formed UTF-8 sequence at the front (Unicode 15, table 3-7), 0 when there is none. */
static size_t read_utf8(const uint8_t *p, size_t left, uint32_t *out) {
  if (p[0] < 0x80) {
    *out = p[0];
    return 1;
  }
  const size_t len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
  if (p[0] < 0xC2 || p[0] > 0xF4 || len > left) return 0;
  uint32_t c = p[0] & (0xFFU >> (len + 1));
  for (size_t i = 1; i < len; i++) {
    if ((p[i] & 0xC0) != 0x80) return 0;
    c = c << 6 | (p[i] & 0x3F);
  }
  static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
  if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return 0;
  *out = c;
  return len;
}

/* C0, DEL, C1; line and paragraph separators; the marks, embeddings and isolates of Unicode's bidi algorithm. */
static bool can_show(uint32_t c) {
  if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C) return false;
  return !(c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069));
}

static void add_text(line *l, const uint8_t *text, size_t len) {
  for (size_t i = 0; i < len && !l->cut;) {
    uint32_t c = 0;
    const size_t n = read_utf8(text + i, len - i, &c);
    if (n > 0 && can_show(c)) {
      add_whole(l, (const char *)text + i, n);
      i += n;
      continue;
    }
    for (size_t end = i + (n == 0 ? 1 : n); i < end; i++) add_escaped_byte(l, text[i]);
  }
}

/* `dots` stand for what did not fit; the caller kept room for them beyond `max`. */
static char *copy_line(floe_env *env, line *l, const char *dots) {
  if (l->cut) {
    memcpy(l->buf + l->len, dots, strlen(dots));
    l->len += strlen(dots);
  }
  return floe__strndup(env, l->buf, l->len);
}

/* --- describing ------------------------------------------------------------------------------------------------- */

/* RFC 2253, readable: UTF-8 stays as it is, and what claims to be UTF-8 comes as it is. add_text does the escaping. */
#define READABLE (XN_FLAG_RFC2253 & ~(unsigned long)(ASN1_STRFLGS_ESC_MSB | ASN1_STRFLGS_ESC_CTRL))

static char *describe_name(floe_env *env, const X509_NAME *name) {
  char buf[FLOE__CERT_NAME_MAX + 1];
  line l = {.buf = buf, .max = FLOE__CERT_NAME_MAX - 3};
  BIO *bio = BIO_new(BIO_s_mem());
  if (bio == NULL) return NULL;
  (void)X509_NAME_print_ex(bio, name, 0, READABLE);
  char *text = NULL;
  const long len = BIO_get_mem_data(bio, &text);
  if (len > 0) add_text(&l, (const uint8_t *)text, (size_t)len);
  BIO_free(bio);
  ERR_clear_error();
  return copy_line(env, &l, "...");
}

/* A comma inside a name would read as two names. */
static void add_dns_name(line *l, const ASN1_STRING *name) {
  const uint8_t *p = ASN1_STRING_get0_data(name);
  const int len = ASN1_STRING_length(name);
  for (int i = 0; i < len && !l->cut; i++) {
    if (p[i] <= ' ' || p[i] > '~' || p[i] == ',' || p[i] == '\\') {
      add_escaped_byte(l, p[i]);
    } else {
      add_whole(l, (const char *)p + i, 1);
    }
  }
}

static void add_ip_name(line *l, const ASN1_STRING *name) {
  floe_addr addr = {0};
  char text[FLOE_ADDR_TEXT];
  const int len = ASN1_STRING_length(name);
  if (len == 4) addr.family = FLOE_FAMILY_IPV4;
  if (len == 16) addr.family = FLOE_FAMILY_IPV6;
  if (addr.family == FLOE_FAMILY_NONE) return;
  memcpy(addr.ip, ASN1_STRING_get0_data(name), (size_t)len);
  (void)floe_addr_format_ip(&addr, text);
  add_whole(l, text, strlen(text));
}

/* A name that does not fit is left out whole: half a name would be another name. */
static void add_general_name(line *l, const GENERAL_NAME *name) {
  const size_t before = l->len;
  int type = 0;
  const void *value = GENERAL_NAME_get0_value(name, &type);
  if (type != GEN_DNS && type != GEN_IPADD) return;
  if (before > 0) add_whole(l, ", ", 2);
  const size_t start = l->len;
  if (type == GEN_DNS) {
    add_dns_name(l, value);
  } else {
    add_ip_name(l, value);
  }
  if (l->cut || l->len == start) l->len = before;
}

static char *describe_names(floe_env *env, X509 *cert) {
  GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
  if (names == NULL) {
    ERR_clear_error();
    return NULL;
  }
  char buf[FLOE__CERT_NAMES_MAX + 1];
  line l = {.buf = buf, .max = FLOE__CERT_NAMES_MAX - 5};
  for (int i = 0; i < sk_GENERAL_NAME_num(names) && !l.cut; i++) add_general_name(&l, sk_GENERAL_NAME_value(names, i));
  GENERAL_NAMES_free(names);
  if (l.len == 0 && !l.cut) return NULL;
  return copy_line(env, &l, l.len == 0 ? "..." : ", ...");
}

bool floe__cert_unix_time(const ASN1_TIME *t, int64_t *out) {
  ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
  int days = 0;
  int seconds = 0;
  const bool ok = epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, t) == 1;
  ASN1_TIME_free(epoch);
  *out = ok ? (int64_t)days * 86400 + seconds : 0;
  return ok;
}

void floe__cert_describe(floe_env *env, X509 *cert, floe__cert_text *out) {
  *out = (floe__cert_text){0};
  out->subject = describe_name(env, X509_get_subject_name(cert));
  out->issuer = describe_name(env, X509_get_issuer_name(cert));
  out->names = describe_names(env, cert);
  out->has_validity = floe__cert_unix_time(X509_get0_notBefore(cert), &out->not_before) &&
                      floe__cert_unix_time(X509_get0_notAfter(cert), &out->not_after);
}

void floe__cert_text_clear(floe_env *env, floe__cert_text *text) {
  floe__free(env, text->subject);
  floe__free(env, text->issuer);
  floe__free(env, text->names);
  *text = (floe__cert_text){0};
}
