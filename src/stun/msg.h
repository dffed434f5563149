/* STUN messages (RFC 8489 5, 14): a parsed view over received bytes, and a builder.
 *
 * Parsing copies nothing and allocates nothing: an attribute is a slice of the packet. The view keeps the first
 * occurrence of each attribute that Floe knows (RFC 8489 14: "if an attribute appears more than once, only the first
 * occurrence needs to be processed") and ignores what follows MESSAGE-INTEGRITY but MESSAGE-INTEGRITY-SHA256 and
 * FINGERPRINT, and what follows FINGERPRINT. */
#ifndef FLOE_STUN_MSG_H
#define FLOE_STUN_MSG_H

#include "base/reader.h"
#include "base/writer.h"
#include "floe/types.h"

#define FLOE__STUN_HEADER 20
#define FLOE__STUN_COOKIE 0x2112A442u
#define FLOE__STUN_TXN_ID 12

/* RFC 8489 5: class and method are interleaved in the type. */
typedef enum floe__stun_class {
  FLOE__STUN_REQUEST = 0,
  FLOE__STUN_INDICATION = 1,
  FLOE__STUN_SUCCESS = 2,
  FLOE__STUN_ERROR = 3
} floe__stun_class;

typedef enum floe__stun_method {
  FLOE__STUN_BINDING = 0x001,
  FLOE__STUN_ALLOCATE = 0x003, /* RFC 8656 17 */
  FLOE__STUN_REFRESH = 0x004,
  FLOE__STUN_SEND = 0x006,
  FLOE__STUN_DATA_METHOD = 0x007, /* the attribute has the plain name */
  FLOE__STUN_CREATE_PERMISSION = 0x008,
  FLOE__STUN_CHANNEL_BIND = 0x009
} floe__stun_method;

/* One row per attribute: enumerator (index into the view), type on the wire, name. RFC 8489, RFC 8656, RFC 8445 and
 * RFC 5780. */
#define FLOE__STUN_ATTR_MAP(X)                                      \
  X(MAPPED_ADDRESS, 0x0001, "MAPPED-ADDRESS")                       \
  X(CHANGE_REQUEST, 0x0003, "CHANGE-REQUEST")                       \
  X(USERNAME, 0x0006, "USERNAME")                                   \
  X(MESSAGE_INTEGRITY, 0x0008, "MESSAGE-INTEGRITY")                 \
  X(ERROR_CODE, 0x0009, "ERROR-CODE")                               \
  X(UNKNOWN_ATTRIBUTES, 0x000A, "UNKNOWN-ATTRIBUTES")               \
  X(CHANNEL_NUMBER, 0x000C, "CHANNEL-NUMBER")                       \
  X(LIFETIME, 0x000D, "LIFETIME")                                   \
  X(XOR_PEER_ADDRESS, 0x0012, "XOR-PEER-ADDRESS")                   \
  X(DATA, 0x0013, "DATA")                                           \
  X(REALM, 0x0014, "REALM")                                         \
  X(NONCE, 0x0015, "NONCE")                                         \
  X(XOR_RELAYED_ADDRESS, 0x0016, "XOR-RELAYED-ADDRESS")             \
  X(REQUESTED_ADDRESS_FAMILY, 0x0017, "REQUESTED-ADDRESS-FAMILY")   \
  X(EVEN_PORT, 0x0018, "EVEN-PORT")                                 \
  X(REQUESTED_TRANSPORT, 0x0019, "REQUESTED-TRANSPORT")             \
  X(DONT_FRAGMENT, 0x001A, "DONT-FRAGMENT")                         \
  X(MESSAGE_INTEGRITY_SHA256, 0x001C, "MESSAGE-INTEGRITY-SHA256")   \
  X(PASSWORD_ALGORITHM, 0x001D, "PASSWORD-ALGORITHM")               \
  X(USERHASH, 0x001E, "USERHASH")                                   \
  X(XOR_MAPPED_ADDRESS, 0x0020, "XOR-MAPPED-ADDRESS")               \
  X(RESERVATION_TOKEN, 0x0022, "RESERVATION-TOKEN")                 \
  X(PRIORITY, 0x0024, "PRIORITY")                                   \
  X(USE_CANDIDATE, 0x0025, "USE-CANDIDATE")                         \
  X(PADDING, 0x0026, "PADDING")                                     \
  X(RESPONSE_PORT, 0x0027, "RESPONSE-PORT")                         \
  X(ADDITIONAL_ADDRESS_FAMILY, 0x8000, "ADDITIONAL-ADDRESS-FAMILY") \
  X(ADDRESS_ERROR_CODE, 0x8001, "ADDRESS-ERROR-CODE")               \
  X(PASSWORD_ALGORITHMS, 0x8002, "PASSWORD-ALGORITHMS")             \
  X(ALTERNATE_DOMAIN, 0x8003, "ALTERNATE-DOMAIN")                   \
  X(ICMP, 0x8004, "ICMP")                                           \
  X(SOFTWARE, 0x8022, "SOFTWARE")                                   \
  X(ALTERNATE_SERVER, 0x8023, "ALTERNATE-SERVER")                   \
  X(FINGERPRINT, 0x8028, "FINGERPRINT")                             \
  X(ICE_CONTROLLED, 0x8029, "ICE-CONTROLLED")                       \
  X(ICE_CONTROLLING, 0x802A, "ICE-CONTROLLING")                     \
  X(RESPONSE_ORIGIN, 0x802B, "RESPONSE-ORIGIN")                     \
  X(OTHER_ADDRESS, 0x802C, "OTHER-ADDRESS")

typedef enum floe__stun_attr {
#define FLOE__ROW(id, wire, name) FLOE__STUN_##id,
  FLOE__STUN_ATTR_MAP(FLOE__ROW)
#undef FLOE__ROW
      FLOE__STUN_ATTR_COUNT
} floe__stun_attr;
_Static_assert(FLOE__STUN_ATTR_COUNT <= 64, "one bit of floe__stun_msg.present each");

uint16_t floe__stun_attr_type(floe__stun_attr attr);
const char *floe__stun_attr_name(floe__stun_attr attr);

typedef enum floe__stun_parse {
  FLOE__STUN_OK = 0,
  FLOE__STUN_NOT_STUN, /* first two bits, cookie, length not a multiple of 4 or not that of the packet */
  FLOE__STUN_OVERRUN,  /* a STUN header, but an attribute reaches past the message: the header fields are valid */
} floe__stun_parse;

/* A parsed message. Slices point into the packet, which must outlive it. Only the offsets of attributes present are
 * set: `present` has one bit per floe__stun_attr, so that a message costs no clearing of a table. */
typedef struct floe__stun_msg {
  floe_bytes packet; /* the whole message */
  floe__stun_class cls;
  uint16_t method;
  const uint8_t *txn_id;               /* 12 bytes in the packet */
  uint64_t present;                    /* bit i: attribute i is there */
  uint32_t at[FLOE__STUN_ATTR_COUNT];  /* offset of the value in the packet (up to 65,552); valid when present */
  uint16_t len[FLOE__STUN_ATTR_COUNT]; /* length of the value */
  /* Comprehension-required attributes that we do not know, the first eight. CHANGE-REQUEST, PADDING and RESPONSE-PORT
   * are here and kept as well: who understands them (RFC 5780) passes them over. */
  uint16_t unknown[8];
  uint8_t n_unknown; /* how many of them, at most 8 */
} floe__stun_msg;

floe__stun_parse floe__stun_msg_parse(floe__stun_msg *out, floe_bytes packet);

/* True when the bytes may be a STUN message: at least a header, two zero bits, cookie, length. (RFC 7983 demux.) */
bool floe__stun_is_message(floe_bytes packet);

static inline bool floe__stun_has(const floe__stun_msg *m, floe__stun_attr attr) {
  return (m->present >> attr & 1) != 0;
}
/* The value, empty when absent. */
static inline floe_bytes floe__stun_get(const floe__stun_msg *m, floe__stun_attr attr) {
  if (!floe__stun_has(m, attr)) return (floe_bytes){0};
  return (floe_bytes){m->packet.ptr + m->at[attr], m->len[attr]};
}
bool floe__stun_get_u32(const floe__stun_msg *m, floe__stun_attr attr,
                        uint32_t *out); /* false: absent or not 4 bytes */
bool floe__stun_get_u64(const floe__stun_msg *m, floe__stun_attr attr,
                        uint64_t *out); /* false: absent or not 8 bytes */
/* MAPPED-ADDRESS, ALTERNATE-SERVER. False: absent, wrong length or unknown family. */
bool floe__stun_get_addr(const floe__stun_msg *m, floe__stun_attr attr, floe_addr *out);
/* XOR-MAPPED-ADDRESS, XOR-PEER-ADDRESS, XOR-RELAYED-ADDRESS. */
bool floe__stun_get_xor_addr(const floe__stun_msg *m, floe__stun_attr attr, floe_addr *out);
/* The n-th (from 0) occurrence of an attribute that may be there several times, before any integrity attribute:
 * XOR-RELAYED-ADDRESS of a dual allocation, XOR-PEER-ADDRESS in CreatePermission. Empty when there are fewer; `*found`
 * tells. */
floe_bytes floe__stun_get_nth(const floe__stun_msg *m, floe__stun_attr attr, unsigned n, bool *found);
/* XOR-decodes one value found with floe__stun_get_nth. */
bool floe__stun_decode_xor_addr(const floe__stun_msg *m, floe_bytes value, floe_addr *out);

/* --- building ------------------------------------------------------------------------------------------------- */

typedef struct floe__stun_builder {
  floe__writer w;        /* sticky `bad` when it did not fit */
  const uint8_t *txn_id; /* in the buffer */
} floe__stun_builder;

/* Writes the header. `buf` must outlive the builder. */
void floe__stun_begin(floe__stun_builder *b, uint8_t *buf, size_t cap, floe__stun_class cls, uint16_t method,
                      const uint8_t txn_id[FLOE__STUN_TXN_ID]);
void floe__stun_put(floe__stun_builder *b, floe__stun_attr attr, const void *value, size_t len);
void floe__stun_put_text(floe__stun_builder *b, floe__stun_attr attr, const char *text);
void floe__stun_put_flag(floe__stun_builder *b, floe__stun_attr attr);
void floe__stun_put_u32(floe__stun_builder *b, floe__stun_attr attr, uint32_t v);
void floe__stun_put_u64(floe__stun_builder *b, floe__stun_attr attr, uint64_t v);
void floe__stun_put_addr(floe__stun_builder *b, floe__stun_attr attr, const floe_addr *addr);
void floe__stun_put_xor_addr(floe__stun_builder *b, floe__stun_attr attr, const floe_addr *addr);
void floe__stun_put_error(floe__stun_builder *b, unsigned code, const char *reason);
/* Any attribute by its number on the wire: for what Floe itself never sends. */
void floe__stun_put_raw(floe__stun_builder *b, uint16_t type, const void *value, size_t len);
/* Patches the length and returns the message; empty when it did not fit. */
floe_bytes floe__stun_end(floe__stun_builder *b);

#endif
