/* OpenSSL 3 keeps RAND_METHOD only as deprecated; it is still the one way to replace the generator of a whole process.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif
#include "support/fixed_chance.h"

#include <dlfcn.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t stream;
static bool is_fixed;

/* splitmix64, by Sebastiano Vigna (public domain) */
static uint64_t draw(void) {
  stream += UINT64_C(0x9E3779B97F4A7C15);
  uint64_t z = stream;
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

static int draw_bytes(unsigned char *out, int len) {
  for (int i = 0; i < len; i++) out[i] = (unsigned char)draw();
  return 1;
}

static int is_seeded(void) {
  return 1;
}

static const RAND_METHOD fixed_method = {.bytes = draw_bytes, .pseudorand = draw_bytes, .status = is_seeded};

void fixed_chance_restart(uint64_t seed) {
  if (!is_fixed && RAND_set_rand_method(&fixed_method) != 1) abort();
  is_fixed = true;
  stream = seed;
}

/* In place of libc's: usrsctp draws its tags and numbers with it. */
__attribute__((visibility("default"))) long syscall(long number, ...) {
  static long (*real)(long, ...);
  long a[6];
  va_list args;
  va_start(args, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(args, long);
  va_end(args);
  if (is_fixed && number == SYS_getrandom) return draw_bytes((unsigned char *)a[0], (int)a[1]) == 1 ? a[1] : -1;
  if (real == NULL) *(void **)(void *)&real = dlsym(RTLD_NEXT, "syscall");
  return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
