/* DNS messages (RFC 1035 4) as far as multicast DNS for ICE candidates needs them: names of the form "label.local",
 * questions for their addresses, and answers with A, AAAA and NSEC records. Everything else in a message is read over.
 */
#ifndef FLOE_MDNS_DNS_MSG_H
#define FLOE_MDNS_DNS_MSG_H

#include "base/reader.h"
#include "floe/types.h"

/* RFC 6762 17: a message is at most 9000 bytes, of which the IP and UDP headers take some. */
#define FLOE__DNS_MAX 9000
/* The largest message written here: a question, an answer and an NSEC record of one name. */
#define FLOE__DNS_WRITE_MAX 256
#define FLOE__DNS_LABEL_MAX 63

/* Record types, numbered as on the wire. */
#define FLOE__DNS_A    1u
#define FLOE__DNS_AAAA 28u
#define FLOE__DNS_NSEC 47u
#define FLOE__DNS_ANY  255u

/* "label.local". */
typedef struct floe__dns_name {
  uint8_t len; /* of the label; 0 = a name of another form */
  uint8_t label[FLOE__DNS_LABEL_MAX];
} floe__dns_name;

/* False when `text` is not a label of 1 to 63 bytes and ".local". */
bool floe__dns_name_parse(floe__dns_name *out, const char *text);
/* <0, 0, >0: an order in which names that differ in ASCII case are the same (RFC 4343 3). */
int floe__dns_name_compare(const floe__dns_name *a, const floe__dns_name *b);

typedef struct floe__dns_question {
  floe__dns_name name;
  uint16_t type;
  bool is_internet; /* class IN or ANY */
  bool is_unicast;  /* the QU bit (RFC 6762 5.4) */
} floe__dns_question;

typedef struct floe__dns_record {
  floe__dns_name name;
  uint16_t type;
  bool is_internet;    /* class IN */
  bool is_cache_flush; /* RFC 6762 10.2 */
  uint32_t ttl;        /* s */
  floe_addr addr;      /* A, AAAA: port 0; else, or when it has the wrong length, family 0 */
  bool denies_ipv4;    /* NSEC (RFC 6762 6.1): there is no A record */
  bool denies_ipv6;    /* and no AAAA record */
} floe__dns_record;

/* A message being read. */
typedef struct floe__dns_msg {
  floe_bytes packet;
  floe__reader r;
  uint16_t id;
  bool is_response;
  unsigned opcode, rcode;
  unsigned n_questions, n_answers, n_others; /* that have not been read yet; others: authority and additional */
} floe__dns_msg;

/* Walks over all of it once: false when it is malformed or too long, so that nothing of such a message is used. Bytes
 * after the last record are ignored. Borrows `packet`. */
bool floe__dns_msg_open(floe__dns_msg *m, floe_bytes packet);
/* The next question; false when there is none left. */
bool floe__dns_next_question(floe__dns_msg *m, floe__dns_question *out);
/* The next record of the answer section, or, when `others` is set, of any; false when there is none left. Questions
 * must have been read before. */
bool floe__dns_next_record(floe__dns_msg *m, floe__dns_record *out, bool others);

/* A question for one family of a name. Returns what was written to `buf`. */
floe_bytes floe__dns_write_question(uint8_t buf[FLOE__DNS_WRITE_MAX], const floe__dns_name *name, floe_family family);

/* An answer with the one address that a name stands for. */
typedef struct floe__dns_answer {
  const floe__dns_name *name;
  floe_addr addr;
  uint32_t ttl;    /* s; 0 is a goodbye (RFC 6762 10.1) */
  bool is_denial;  /* of the other family: the NSEC record comes first */
  bool is_legacy;  /* to a plain DNS resolver (RFC 6762 6.7): with its id and question, without the cache-flush bit */
  uint16_t id;     /* legacy */
  uint16_t q_type; /* legacy: the question's type */
} floe__dns_answer;

/* Returns what was written to `buf`. */
floe_bytes floe__dns_write_answer(uint8_t buf[FLOE__DNS_WRITE_MAX], const floe__dns_answer *answer);

#endif
