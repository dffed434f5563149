/* A file that is being received: under a name of its own until it is whole and on the disk. */
#ifndef FLOE_CLI_CONNECT_PART_H
#define FLOE_CLI_CONNECT_PART_H

#include "connect_hash.h"
#include "connect_name.h"

typedef struct floe__part {
  int directory; /* borrowed */
  int fd;        /* -1: closed */
  char name[FLOE__NAME_MAX + 1];
  char part_name[FLOE__NAME_MAX + sizeof FLOE__PART_SUFFIX];
  uint64_t size, at; /* bytes of the whole, bytes there are */
} floe__part;

/* Opens, or opens again, the part of a file called `name` (sanitised). NULL: fine, and `at` says how much is there;
 * else what is wrong. The code for the other side is in `*code`. */
const char *floe__part_open(floe__part *p, int directory, const char *name, uint64_t size, bool force, uint8_t *code);
/* Begins anew. False: errno. */
bool floe__part_restart(floe__part *p);
/* Adds bytes at the end. False: errno. */
bool floe__part_add(floe__part *p, const void *bytes, size_t len);
/* The whole is there and right: onto the disk, and under its own name, which is only taken from another file with
 * `force`. NULL: fine. */
const char *floe__part_publish(floe__part *p, bool force, uint8_t *code);
/* Lets go of it. What is there is kept for another time, unless that is nothing or `is_bad`. */
void floe__part_close(floe__part *p, bool is_bad);

#endif
