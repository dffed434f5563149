#include "mem.h"

#include <openssl/crypto.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit_status.h"

static _Noreturn void die_of_memory(void) {
  (void)fputs("floe: out of memory\n", stderr);
  exit(FLOE__EXIT_OTHER);
}

void *floe__cli_alloc(size_t size) {
  void *p = calloc(1, size == 0 ? 1 : size);
  if (p == NULL) die_of_memory();
  return p;
}

char *floe__cli_strndup(const char *p, size_t len) {
  char *copy = floe__cli_alloc(len + 1);
  memcpy(copy, p, len);
  return copy;
}

char *floe__cli_strdup(const char *text) {
  return floe__cli_strndup(text, strlen(text));
}

void floe__cli_grow(void **array, size_t n, size_t size) {
  /* Capacities are powers of two, so n tells when the array is full. */
  if (n != 0 && (n & (n - 1)) != 0) return;
  size_t cap = n == 0 ? 1 : 2 * n;
  if (cap > SIZE_MAX / size) die_of_memory();
  void *p = realloc(*array, cap * size);
  if (p == NULL) die_of_memory();
  *array = p;
}

void floe__cli_wipe(void *p, size_t len) {
  OPENSSL_cleanse(p, len);
}

void floe__cli_wipe_text(char *text) {
  if (text != NULL) OPENSSL_cleanse(text, strlen(text));
}

void floe__cli_free_secret(char *text) {
  floe__cli_wipe_text(text);
  free(text);
}

/* The size is kept in front of the block; the union keeps what follows aligned for every type. */
typedef union block_head {
  size_t size;
  max_align_t align;
} block_head;

void *floe__cli_secret_malloc(size_t size) {
  if (size > SIZE_MAX - sizeof(block_head)) return NULL;
  block_head *head = malloc(sizeof *head + size);
  if (head == NULL) return NULL;
  head->size = size;
  return head + 1;
}

void floe__cli_secret_free(void *ptr) {
  if (ptr == NULL) return;
  block_head *head = (block_head *)ptr - 1;
  OPENSSL_cleanse(ptr, head->size);
  free(head);
}
