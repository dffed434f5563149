/* The ticket of `floe connect`: what a session description says, as short as it goes, on one line that survives copying
 * and tells where it did not.
 *
 *     floe1:AACAxQwB...
 *
 * After the prefix stand groups of up to 31 characters of base64url (RFC 4648 5), each followed by one that checks it.
 * They hold: flags (1 byte; bit 0: the payload is deflated), the payload's length (2), the payload, and the CRC-32 of
 * all of it (4). */
#ifndef FLOE_CLI_CONNECT_TICKET_H
#define FLOE_CLI_CONNECT_TICKET_H

#include "floe/event.h"

/* What a side is there for. The values are on the wire. */
typedef enum floe__connect_mode {
  FLOE__CONNECT_PIPE = 0,
  FLOE__CONNECT_SEND = 1,
  FLOE__CONNECT_RECEIVE = 2,
  FLOE__CONNECT_EXPOSE = 3,
  FLOE__CONNECT_FORWARD = 4
} floe__connect_mode;

enum { FLOE__CONNECT_MODES = 5 };

/* RFC 8842 5: a=setup. */
typedef enum floe__ticket_setup {
  FLOE__TICKET_ACTPASS = 0,
  FLOE__TICKET_ACTIVE = 1,
  FLOE__TICKET_PASSIVE = 2
} floe__ticket_setup;

/* Of the candidates of a description those with the highest priorities are taken. */
enum { FLOE__TICKET_CANDIDATES = 48, FLOE__TICKET_FINGERPRINT = 64 };
/* Room for any ticket and its NUL; what a terminal takes as one line (4,095 bytes) is less. */
enum { FLOE__TICKET_TEXT = 4000 };

typedef struct floe__ticket_candidate {
  floe_candidate_type type;
  floe_tcp_type tcp_type; /* NONE: UDP */
  uint8_t foundation;     /* equal for those of one foundation; what the text was does not matter */
  uint32_t priority;
  floe_addr address; /* family 0: `name` */
  uint16_t port;
  char name[65]; /* of multicast DNS */
} floe__ticket_candidate;

typedef struct floe__ticket {
  bool is_answer, is_lite;
  floe__connect_mode mode;
  floe__ticket_setup setup;
  char ufrag[257], pwd[257];
  uint16_t answers; /* an answer: the tag of the offer that it is for */
  uint8_t hash;     /* as floe__ticket_hash_name counts */
  uint8_t fingerprint[FLOE__TICKET_FINGERPRINT];
  char mid[17];
  uint16_t sctp_port;
  uint64_t max_message_size;
  size_t n_candidates;
  floe__ticket_candidate candidates[FLOE__TICKET_CANDIDATES];
} floe__ticket;

/* The fingerprint's hash: "sha-256" is 0. NULL: there is none with this number. */
const char *floe__ticket_hash_name(uint8_t hash);
/* Length of such a fingerprint in bytes. */
size_t floe__ticket_hash_len(uint8_t hash);

/* Tells offers apart: an answer to another one is known as such. */
uint16_t floe__ticket_tag(const floe__ticket *offer);

/* The payload as bytes. Returns the length, 0 when it does not fit. */
size_t floe__ticket_pack(const floe__ticket *t, uint8_t *out, size_t cap);
/* False: these bytes are no ticket. Nothing in `out` can break a line of a description. */
bool floe__ticket_unpack(floe__ticket *out, floe_bytes payload);

/* The text, NUL-terminated. Returns its length, 0 when it does not fit. */
size_t floe__ticket_write(const floe__ticket *t, char *out, size_t cap);

typedef enum floe__ticket_end {
  FLOE__TICKET_OK = 0,
  FLOE__TICKET_INCOMPLETE, /* right so far, and more is to come */
  FLOE__TICKET_BAD
} floe__ticket_end;

typedef struct floe__ticket_error {
  size_t offset;     /* where in the text it begins to be wrong */
  char message[200]; /* a sentence without a full stop; names the place */
} floe__ticket_error;

/* Reads a ticket; white space anywhere and quotes around it do not matter, so that a line that was broken in a mail
 * still counts. `why` is filled unless it is OK. */
floe__ticket_end floe__ticket_read(floe__ticket *out, const char *text, floe__ticket_error *why);

/* True when the text begins like a ticket of any version. */
bool floe__ticket_is_meant(const char *text);

#endif
