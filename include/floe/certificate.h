/* floe/certificate.h - the certificate that a peer connection shows to its peer (W3C RTCCertificate).
 *
 * Peers do not trust an authority: each names the fingerprint of its certificate in its description, and the other
 * compares (RFC 8827 6.5). A peer connection makes one by itself; a program that wants to keep one, so that peers
 * know it again, makes it here and stores both PEM texts:
 *
 *     floe_certificate *cert;
 *     if (floe_certificate_generate(&cert, env, now, NULL, &why) != FLOE_OK) ...
 *     char pem[FLOE_CERTIFICATE_PEM_MAX];
 *     floe_certificate_write_pem(cert, pem, sizeof pem);
 */
#ifndef FLOE_CERTIFICATE_H
#define FLOE_CERTIFICATE_H

#include "floe/env.h"

/** @file
 *  Certificates of DTLS (RFC 8122, RFC 8827, webrtc-pc RTCCertificate). */

/** Opaque: a certificate with its private key. Immutable; may be given to any number of peer connections. */
typedef struct floe_certificate floe_certificate;

/** Room for the PEM text of a certificate or a key as made by floe_certificate_generate. */
#define FLOE_CERTIFICATE_PEM_MAX 8192
/** Room for a fingerprint as text, of any hash: "AB:CD:...". */
#define FLOE_FINGERPRINT_TEXT 200

/** Which key is made. */
typedef enum floe_key_type {
  FLOE_KEY_ECDSA_P256 = 0, /**< the default of browsers, and ours */
  FLOE_KEY_RSA = 1         /**< RSASSA-PKCS1-v1_5 with SHA-256 */
} floe_key_type;

/** What floe_certificate_generate makes. Zero in a field is its default. */
typedef struct floe_certificate_options {
  uint32_t size;           /**< sizeof the struct, set by floe_certificate_options_init */
  floe_key_type key_type;  /**< [ECDSA P-256] */
  uint32_t rsa_bits;       /**< [2048] 1024 to 8192; RSA only */
  uint64_t expires_ms;     /**< [30 days] milliseconds from now until it expires; at most 365 days, more is cut as W3C
                                says */
  const char *common_name; /**< copies; nullable [random]: 1 to 64 bytes of UTF-8; the peer sees it */
} floe_certificate_options;

/** Zeroes `options` and sets its size. */
FLOE_API void floe_certificate_options_init(floe_certificate_options *options, size_t size);

/** Makes a key and a self-signed certificate for it. ECDSA takes less than a millisecond, RSA some hundred.
 *  @param out     out: freed with floe_certificate_free
 *  @param env     keeps: must outlive the certificate
 *  @param now     the time, for the wall clock (floe_env_set_unix_time; without that, libcrypto's)
 *  @param options copies; nullable
 *  @param why     out, nullable: path "rsaBits", "commonName", ...
 *  @return FLOE_OK, FLOE_E_TYPE, FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_certificate_generate(floe_certificate **out, floe_env *env, floe_time now,
                                                             const floe_certificate_options *options, floe_error *why);

/** Takes a certificate and its key from PEM texts. The first certificate counts; the key must be the certificate's, not
 *  encrypted, and ECDSA or RSA.
 *  @param out      out: freed with floe_certificate_free
 *  @param env      keeps: must outlive the certificate
 *  @param cert_pem borrowed
 *  @param key_pem  borrowed; may be the same text as `cert_pem`
 *  @param why      out, nullable: path "certificate" or "key"
 *  @return FLOE_OK; FLOE_E_SYNTAX (no PEM, or broken); FLOE_E_ACCESS (the key is not the certificate's, or is
 *          encrypted); FLOE_E_UNSUPPORTED (another kind of key); FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_certificate_from_pem(floe_certificate **out, floe_env *env, floe_bytes cert_pem,
                                                             floe_bytes key_pem, floe_error *why);

/** Frees it; peer connections that were given it keep what they need. NULL is fine. */
FLOE_API void floe_certificate_free(floe_certificate *cert);

/** When it expires, in milliseconds since 1970 (W3C `expires`). */
FLOE_API int64_t floe_certificate_expires(const floe_certificate *cert);

/** Which kind of key it has. */
FLOE_API floe_key_type floe_certificate_key_type(const floe_certificate *cert);

/** Writes the fingerprint as a description has it: upper-case hexadecimal with colons (RFC 8122 5).
 *  @param hash "sha-256", "sha-1", "sha-224", "sha-384", "sha-512", "md5" or "md2" as the system's libcrypto has it; in
 *              any case of letters
 *  @param out  out: FLOE_FINGERPRINT_TEXT bytes
 *  @return false, and "" in `out`, when the hash is not known */
FLOE_API bool floe_certificate_fingerprint(const floe_certificate *cert, const char *hash, char *out);

/** Writes the certificate as PEM.
 *  @param out nullable when cap is 0: NUL-terminated, cut when it does not fit
 *  @return the length that the whole has, without the NUL; 0: out of memory */
FLOE_API size_t floe_certificate_write_pem(const floe_certificate *cert, char *out, size_t cap);

/** Writes the private key as unencrypted PEM (PKCS #8). Wipe the text when it is stored.
 *  @return as floe_certificate_write_pem */
FLOE_API size_t floe_certificate_write_key_pem(const floe_certificate *cert, char *out, size_t cap);

#endif
