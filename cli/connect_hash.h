/* SHA-256 of files, in pieces, so that the connection is looked after meanwhile. */
#ifndef FLOE_CLI_CONNECT_HASH_H
#define FLOE_CLI_CONNECT_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connect_frame.h"

typedef struct floe__hash {
  void *md; /* EVP_MD_CTX */
} floe__hash;

void floe__hash_init(floe__hash *h); /* also begins anew */
void floe__hash_add(floe__hash *h, const void *bytes, size_t len);
/* The hash of what was added so far; more may be added. */
void floe__hash_get(const floe__hash *h, uint8_t *out);
void floe__hash_clear(floe__hash *h);

/* Adds the next bytes of the file at `offset`, up to `max`. Returns how many, 0 at the end, -1 with errno. */
long floe__hash_add_file(floe__hash *h, int fd, uint64_t offset, size_t max);

/* As text, 64 digits. `buf` holds FLOE__HASH_TEXT bytes; returns it. */
enum { FLOE__HASH_TEXT = 2 * FLOE__HASH_LEN + 1 };
const char *floe__hash_text(const uint8_t *hash, char *buf);

#endif
