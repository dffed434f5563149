/* Writes the corpus of the fuzz target stun_msg: messages as clients and servers send them, and some that none should.
 *
 *   cc -std=c11 -Isrc -Iinclude fuzz/record/stun_msg.c LIBFLOE.a -lcrypto -lunistring -o rec
 *   ./rec fuzz/corpus/stun_msg
 *
 * The RFC's own messages (rfc5769_*, rfc8489_b1) are not written: they are the bytes of tests/vectors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stun/integrity.h"

static const uint8_t txn_id[FLOE__STUN_TXN_ID] = {0xB7, 0xE7, 0xA7, 0x01, 0xBC, 0x34,
                                                  0xD6, 0x86, 0xFA, 0x87, 0xDF, 0xAE};

typedef struct output {
  uint8_t buf[4096];
  floe__stun_builder b;
  floe__stun_key key;
  floe_addr v4, v6;
} output;

static void begin(output *o, floe__stun_class cls, uint16_t method) {
  floe__stun_begin(&o->b, o->buf, sizeof o->buf, cls, method, txn_id);
}

static void put_challenge(output *o, const char *nonce) {
  floe__stun_put_text(&o->b, FLOE__STUN_REALM, "example.org");
  floe__stun_put_text(&o->b, FLOE__STUN_NONCE, nonce);
}

static void put_algorithms(output *o) {
  floe__stun_put(&o->b, FLOE__STUN_PASSWORD_ALGORITHMS, "\0\2\0\0\0\1\0\0", 8);
}

/* --- the messages ----------------------------------------------------------------------------------------------- */

static void binding_request(output *o) {
  begin(o, FLOE__STUN_REQUEST, FLOE__STUN_BINDING);
}
static void ice_check(output *o) {
  begin(o, FLOE__STUN_REQUEST, FLOE__STUN_BINDING);
  floe__stun_put_u32(&o->b, FLOE__STUN_PRIORITY, 0x6E0001FF);
  floe__stun_put_u64(&o->b, FLOE__STUN_ICE_CONTROLLING, 0x932FF9B151263B36);
  floe__stun_put_flag(&o->b, FLOE__STUN_USE_CANDIDATE);
  floe__stun_put_text(&o->b, FLOE__STUN_USERNAME, "evtj:h6vY");
  floe__stun_put_integrity(&o->b, &o->key);
  floe__stun_put_fingerprint(&o->b);
}
static void binding_success(output *o) {
  begin(o, FLOE__STUN_SUCCESS, FLOE__STUN_BINDING);
  floe__stun_put_xor_addr(&o->b, FLOE__STUN_XOR_MAPPED_ADDRESS, &o->v4);
  floe__stun_put_addr(&o->b, FLOE__STUN_MAPPED_ADDRESS, &o->v4);
  floe__stun_put_text(&o->b, FLOE__STUN_SOFTWARE, "a server");
  floe__stun_put_fingerprint(&o->b);
}
static void challenge(output *o) {
  begin(o, FLOE__STUN_ERROR, FLOE__STUN_ALLOCATE);
  floe__stun_put_error(&o->b, 401, "Unauthorized");
  put_challenge(o, "adl7W7PeDU4hKE72");
}
static void challenge_sha256(output *o) {
  begin(o, FLOE__STUN_ERROR, FLOE__STUN_ALLOCATE);
  floe__stun_put_error(&o->b, 401, "");
  put_challenge(o, "obMatJos2wAAAadl7W7Pe");
  put_algorithms(o);
}
static void challenge_bid_down(output *o) {
  begin(o, FLOE__STUN_ERROR, FLOE__STUN_ALLOCATE);
  floe__stun_put_error(&o->b, 401, "");
  put_challenge(o, "obMatJos2gAAAadl7W7Pe");
}
static void stale_nonce(output *o) {
  begin(o, FLOE__STUN_ERROR, FLOE__STUN_REFRESH);
  floe__stun_put_error(&o->b, 438, "Stale Nonce");
  put_challenge(o, "next");
  floe__stun_put_integrity(&o->b, &o->key);
}
static void try_alternate(output *o) {
  begin(o, FLOE__STUN_ERROR, FLOE__STUN_ALLOCATE);
  floe__stun_put_error(&o->b, 300, "Try Alternate");
  floe__stun_put_addr(&o->b, FLOE__STUN_ALTERNATE_SERVER, &o->v6);
  floe__stun_put_text(&o->b, FLOE__STUN_ALTERNATE_DOMAIN, "turn.example.org");
}
static void unknown_attributes(output *o) {
  begin(o, FLOE__STUN_ERROR, FLOE__STUN_ALLOCATE);
  floe__stun_put_error(&o->b, 420, "");
  floe__stun_put(&o->b, FLOE__STUN_UNKNOWN_ATTRIBUTES, "\x80\x00\x00\x1A", 4);
}
static void allocate_request(output *o) {
  begin(o, FLOE__STUN_REQUEST, FLOE__STUN_ALLOCATE);
  floe__stun_put_u32(&o->b, FLOE__STUN_REQUESTED_TRANSPORT, 17u << 24);
  floe__stun_put_u32(&o->b, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, 2u << 24);
  floe__stun_put_flag(&o->b, FLOE__STUN_DONT_FRAGMENT);
  uint8_t userhash[32];
  floe__stun_userhash(userhash, "user", "example.org");
  floe__stun_put(&o->b, FLOE__STUN_USERHASH, userhash, sizeof userhash);
  put_challenge(o, "obMatJos2wAAAadl7W7Pe");
  put_algorithms(o);
  floe__stun_put_u32(&o->b, FLOE__STUN_PASSWORD_ALGORITHM, 2u << 16);
  floe__stun_put_integrity_sha256(&o->b, &o->key);
}
static void allocate_success_dual(output *o) {
  begin(o, FLOE__STUN_SUCCESS, FLOE__STUN_ALLOCATE);
  floe__stun_put_xor_addr(&o->b, FLOE__STUN_XOR_RELAYED_ADDRESS, &o->v4);
  floe__stun_put_xor_addr(&o->b, FLOE__STUN_XOR_RELAYED_ADDRESS, &o->v6);
  floe__stun_put_xor_addr(&o->b, FLOE__STUN_XOR_MAPPED_ADDRESS, &o->v4);
  floe__stun_put_u32(&o->b, FLOE__STUN_LIFETIME, 600);
  floe__stun_put(&o->b, FLOE__STUN_RESERVATION_TOKEN, "12345678", 8);
  floe__stun_put_integrity(&o->b, &o->key);
}
static void allocate_success_one_family(output *o) {
  begin(o, FLOE__STUN_SUCCESS, FLOE__STUN_ALLOCATE);
  floe__stun_put_xor_addr(&o->b, FLOE__STUN_XOR_RELAYED_ADDRESS, &o->v4);
  floe__stun_put(&o->b, FLOE__STUN_ADDRESS_ERROR_CODE, "\2\0\4\50no IPv6", 11);
  floe__stun_put_u32(&o->b, FLOE__STUN_LIFETIME, 600);
  floe__stun_put_integrity(&o->b, &o->key);
  floe__stun_put_integrity_sha256(&o->b, &o->key);
  floe__stun_put_fingerprint(&o->b);
}
static void create_permission(output *o) {
  begin(o, FLOE__STUN_REQUEST, FLOE__STUN_CREATE_PERMISSION);
  floe__stun_put_xor_addr(&o->b, FLOE__STUN_XOR_PEER_ADDRESS, &o->v4);
  floe__stun_put_xor_addr(&o->b, FLOE__STUN_XOR_PEER_ADDRESS, &o->v6);
}
static void channel_bind(output *o) {
  begin(o, FLOE__STUN_REQUEST, FLOE__STUN_CHANNEL_BIND);
  floe__stun_put_u32(&o->b, FLOE__STUN_CHANNEL_NUMBER, 0x40000000);
  floe__stun_put_xor_addr(&o->b, FLOE__STUN_XOR_PEER_ADDRESS, &o->v4);
}
static void data_indication(output *o) {
  begin(o, FLOE__STUN_INDICATION, FLOE__STUN_DATA_METHOD);
  floe__stun_put_xor_addr(&o->b, FLOE__STUN_XOR_PEER_ADDRESS, &o->v4);
  floe__stun_put_text(&o->b, FLOE__STUN_DATA, "hello");
}
static void icmp_indication(output *o) {
  begin(o, FLOE__STUN_INDICATION, FLOE__STUN_DATA_METHOD);
  floe__stun_put_xor_addr(&o->b, FLOE__STUN_XOR_PEER_ADDRESS, &o->v4);
  floe__stun_put(&o->b, FLOE__STUN_ICMP, "\0\0\3\3\0\0\0\0", 8);
}
static void reason_with_everything(output *o) {
  begin(o, FLOE__STUN_ERROR, FLOE__STUN_ALLOCATE);
  floe__stun_put(&o->b, FLOE__STUN_ERROR_CODE,
                 "\0\0\5\0\xEF\xBB\xBFgr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80 \x1B[0m \xC2\x85 \xED\xA0\x80 \xC3\0\0", 37);
}
static void code_of_700(output *o) {
  begin(o, FLOE__STUN_ERROR, FLOE__STUN_ALLOCATE);
  floe__stun_put(&o->b, FLOE__STUN_ERROR_CODE, "\0\0\7\0no", 6);
}
static void truncated_sha256(output *o) {
  begin(o, FLOE__STUN_SUCCESS, FLOE__STUN_REFRESH);
  floe__stun_put(&o->b, FLOE__STUN_MESSAGE_INTEGRITY_SHA256, "0123456789abcdef", 16);
}
static void after_integrity(output *o) {
  begin(o, FLOE__STUN_SUCCESS, FLOE__STUN_BINDING);
  floe__stun_put_integrity(&o->b, &o->key);
  floe__stun_put_xor_addr(&o->b, FLOE__STUN_XOR_MAPPED_ADDRESS, &o->v4);
  floe__stun_put_fingerprint(&o->b);
  floe__stun_put_text(&o->b, FLOE__STUN_SOFTWARE, "late");
}
static void nine_unknown(output *o) {
  begin(o, FLOE__STUN_SUCCESS, FLOE__STUN_BINDING);
  for (unsigned i = 0; i < 9; i++) floe__stun_put_raw(&o->b, (uint16_t)(0x7F00 + i), "abc", i % 4);
}
static void overrun(output *o) {
  begin(o, FLOE__STUN_SUCCESS, FLOE__STUN_BINDING);
  floe__stun_put_text(&o->b, FLOE__STUN_SOFTWARE, "abcd");
  o->buf[23] = 5;
}

static const struct seed {
  const char *name;
  void (*build)(output *o);
} seeds[] = {
    {"binding_request", binding_request},
    {"ice_check", ice_check},
    {"binding_success", binding_success},
    {"401_challenge", challenge},
    {"401_password_algorithms", challenge_sha256},
    {"401_bid_down", challenge_bid_down},
    {"438_stale_nonce", stale_nonce},
    {"300_try_alternate", try_alternate},
    {"420_unknown_attributes", unknown_attributes},
    {"allocate_request_sha256", allocate_request},
    {"allocate_success_dual", allocate_success_dual},
    {"allocate_success_one_family", allocate_success_one_family},
    {"create_permission", create_permission},
    {"channel_bind", channel_bind},
    {"data_indication", data_indication},
    {"icmp_indication", icmp_indication},
    {"500_reason_with_everything", reason_with_everything},
    {"700_no_code", code_of_700},
    {"sha256_truncated", truncated_sha256},
    {"attributes_after_integrity", after_integrity},
    {"nine_unknown_required", nine_unknown},
    {"overrun", overrun},
};

static bool save(const char *dir, const char *name, floe_bytes message) {
  char path[1024];
  (void)snprintf(path, sizeof path, "%s/%s", dir, name);
  FILE *f = fopen(path, "wb");
  if (f == NULL) return false;
  bool written = fwrite(message.ptr, 1, message.len, f) == message.len;
  return fclose(f) == 0 && written;
}

int main(int argc, char **argv) {
  output o;
  if (argc != 2) return 2;
  if (!floe_addr_parse(&o.v4, "192.0.2.1:32853") || !floe_addr_parse(&o.v6, "[2001:db8::1]:3478")) return 1;
  floe__stun_key_init(&o.key, "VOkJxbRl1RmTxUk/WvJxBt", 22);
  for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
    seeds[i].build(&o);
    if (!save(argv[1], seeds[i].name, floe__stun_end(&o.b))) {
      perror(seeds[i].name);
      return 1;
    }
  }
  return 0;
}
