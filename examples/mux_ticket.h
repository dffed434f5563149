/* What mux_echo and its clients have in common: a ticket. Who knows the secret (a web server, say) hands out user name
 * fragments, each with the password that goes with it; the echo server finds the password again and so keeps nothing.
 */
#ifndef MUX_TICKET_H
#define MUX_TICKET_H

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define TICKET_PASSWORD 32

/* HMAC-SHA-256 of the fragment under the secret, its first 24 bytes in base64: the characters of that are ice-chars. */
static inline void ticket_password(char out[TICKET_PASSWORD + 1], const char *secret, const char *ufrag) {
  unsigned char mac[EVP_MAX_MD_SIZE] = {0};
  (void)HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)ufrag, strlen(ufrag), mac, NULL);
  (void)EVP_EncodeBlock((unsigned char *)out, mac, TICKET_PASSWORD / 4 * 3);
}

#endif
