/* Hash tables and lists whose links live in their members: adding one that exists costs no memory but, now and then,
 * that of a larger array. Without it the table goes on with longer chains.
 *
 * A table grows and shrinks a few buckets at a time, so that no packet waits for all of them. Its keys come from the
 * network: hash them with floe__mux_hash and a random key. */
#ifndef FLOE_ICE_MUX_TABLE_H
#define FLOE_ICE_MUX_TABLE_H

#include "base/alloc.h"

/* --- SipHash-1-3 ------------------------------------------------------------------------------------------------ */

typedef struct floe__mux_key {
  uint64_t k[2];
} floe__mux_key;

/* Who does not know the key cannot choose two inputs that meet in a bucket. */
uint64_t floe__mux_hash(const floe__mux_key *key, const void *bytes, size_t len);

/* --- a table ---------------------------------------------------------------------------------------------------- */

typedef struct floe__mux_link {
  struct floe__mux_link *next;
  uint64_t hash;
} floe__mux_link;

typedef struct floe__mux_table {
  floe__mux_link **buckets; /* NULL without members */
  size_t n_buckets;         /* a power of two */
  floe__mux_link **old;     /* nullable: the array whose members are being moved to `buckets` */
  size_t n_old;
  size_t moved; /* buckets of `old` that are empty already, from the first on */
  size_t n;     /* members */
} floe__mux_table;

/* Adds a member with its hash set. False: no memory for the first array; while there are members it cannot fail. */
bool floe__mux_table_add(floe__mux_table *table, floe_env *env, floe__mux_link *link);
/* Removes a member that is there. */
void floe__mux_table_remove(floe__mux_table *table, floe_env *env, floe__mux_link *link);
/* The member with this hash of which `is` says that it has the key, or NULL. */
floe__mux_link *floe__mux_table_find(const floe__mux_table *table, uint64_t hash,
                                     bool (*is)(const floe__mux_link *link, const void *key), const void *key);
/* Frees the arrays; members stay. */
void floe__mux_table_clear(floe__mux_table *table, floe_env *env);

/* --- a list ----------------------------------------------------------------------------------------------------- */

typedef struct floe__mux_node {
  struct floe__mux_node *prev, *next;
} floe__mux_node;

typedef struct floe__mux_list {
  floe__mux_node *first, *last;
  size_t n;
} floe__mux_list;

void floe__mux_list_add_first(floe__mux_list *list, floe__mux_node *node);
void floe__mux_list_add_last(floe__mux_list *list, floe__mux_node *node);
void floe__mux_list_remove(floe__mux_list *list, floe__mux_node *node);

#endif
