#include "support/signed.h"

#include <string.h>

#include "stun/integrity.h"

#define MESSAGE_INTEGRITY        0x0008
#define MESSAGE_INTEGRITY_SHA256 0x001C
#define FINGERPRINT              0x8028

floe_bytes signed_end(floe__stun_builder *b, const char *pwd) {
  floe__stun_key key;
  floe__stun_key_init(&key, pwd, strlen(pwd));
  floe__stun_put_integrity(b, &key);
  floe__stun_put_fingerprint(b);
  return floe__stun_end(b);
}

static void copy_attributes(floe__stun_builder *b, floe_bytes message) {
  floe__reader r = floe__reader_of(message);
  (void)floe__rd_take(&r, FLOE__STUN_HEADER);
  while (floe__rd_left(&r) >= 4) {
    uint16_t type = floe__rd_u16(&r);
    size_t len = floe__rd_u16(&r);
    bool is_end = type == MESSAGE_INTEGRITY || type == MESSAGE_INTEGRITY_SHA256 || type == FINGERPRINT;
    if (is_end || len > floe__rd_left(&r)) return;
    floe_bytes value = floe__rd_take(&r, len);
    floe__stun_put_raw(b, type, value.ptr, value.len);
    (void)floe__rd_take(&r, (4 - len % 4) % 4);
  }
}

floe_bytes signed_anew(floe_bytes message, const char *pwd, uint8_t *buf, size_t cap) {
  floe__stun_msg m;
  if (floe__stun_msg_parse(&m, message) == FLOE__STUN_NOT_STUN) return (floe_bytes){0};
  floe__stun_builder b;
  floe__stun_begin(&b, buf, cap, m.cls, m.method, m.txn_id);
  copy_attributes(&b, message);
  return signed_end(&b, pwd);
}
