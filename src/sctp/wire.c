#include "sctp/wire.h"

#define COMMON_HEADER 12u
#define CHUNK_HEADER  4u
#define DATA          0x00
#define INIT          0x01
#define INIT_ACK      0x02
#define SACK          0x03
#define I_DATA        0x40
#define RE_CONFIG     0x82
#define RESET_REQUEST 13 /* RFC 6525 4.1: the parameter Outgoing SSN Reset Request */

floe__reader floe__sctp_wire_chunks(floe_bytes packet) {
  floe__reader r = floe__reader_of(packet);
  floe__rd_take(&r, COMMON_HEADER);
  return r;
}

/* RFC 9260 3.2: the length does not count the padding to four bytes, which the last chunk's sender may not leave out,
 * but which is not needed here. */
static bool take_chunk(floe__reader *r, uint8_t *type, floe_bytes *value) {
  *type = floe__rd_u8(r);
  floe__rd_u8(r);
  size_t len = floe__rd_u16(r);
  if (r->bad || len < CHUNK_HEADER) return false;
  *value = floe__rd_take(r, len - CHUNK_HEADER);
  size_t padding = (4 - len % 4) % 4;
  floe__rd_take(r, padding < floe__rd_left(r) ? padding : floe__rd_left(r));
  return !r->bad;
}

static bool read_data(uint8_t type, floe_bytes value, floe__sctp_data *out) {
  floe__reader r = floe__reader_of(value);
  out->tsn = floe__rd_u32(&r);
  out->stream = floe__rd_u16(&r);
  floe__rd_take(&r, type == I_DATA ? 10 : 6); /* reserved, MID, PPID or FSN; or SSN, PPID */
  out->len = floe__rd_left(&r);
  return !r.bad;
}

bool floe__sctp_wire_next_data(floe__reader *chunks, floe__sctp_data *out) {
  uint8_t type;
  floe_bytes value;
  while (floe__rd_left(chunks) > 0 && take_chunk(chunks, &type, &value)) {
    if ((type == DATA || type == I_DATA) && read_data(type, value, out)) return true;
  }
  return false;
}

bool floe__sctp_wire_cumulative_tsn(floe_bytes packet, uint32_t *tsn) {
  floe__reader chunks = floe__sctp_wire_chunks(packet);
  uint8_t type;
  floe_bytes value;
  while (floe__rd_left(&chunks) > 0 && take_chunk(&chunks, &type, &value)) {
    if (type != SACK) continue;
    floe__reader r = floe__reader_of(value);
    *tsn = floe__rd_u32(&r);
    return !r.bad;
  }
  return false;
}

bool floe__sctp_wire_initial_tsn(floe_bytes packet, uint32_t *tsn) {
  floe__reader chunks = floe__sctp_wire_chunks(packet);
  uint8_t type;
  floe_bytes value;
  if (!take_chunk(&chunks, &type, &value) || (type != INIT && type != INIT_ACK)) return false;
  floe__reader r = floe__reader_of(value);
  floe__rd_take(&r, 12); /* tag, window, streams */
  *tsn = floe__rd_u32(&r);
  return !r.bad;
}

static bool read_reset_request(floe_bytes value, uint32_t *last_tsn) {
  floe__reader r = floe__reader_of(value);
  while (floe__rd_left(&r) > 0) {
    uint16_t type = floe__rd_u16(&r);
    size_t len = floe__rd_u16(&r);
    if (r.bad || len < CHUNK_HEADER) return false;
    floe__reader parameter = floe__reader_of(floe__rd_take(&r, len - CHUNK_HEADER));
    floe__rd_take(&r, (4 - len % 4) % 4);
    if (type != RESET_REQUEST) continue;
    floe__rd_take(&parameter, 8); /* sequence numbers of request and response */
    *last_tsn = floe__rd_u32(&parameter);
    return !parameter.bad;
  }
  return false;
}

bool floe__sctp_wire_find_reset(floe_bytes packet, size_t *at, size_t *len, uint32_t *last_tsn) {
  floe__reader chunks = floe__sctp_wire_chunks(packet);
  uint8_t type;
  floe_bytes value;
  while (floe__rd_left(&chunks) > 0) {
    *at = packet.len - floe__rd_left(&chunks);
    if (!take_chunk(&chunks, &type, &value)) return false;
    if (type != RE_CONFIG || !read_reset_request(value, last_tsn)) continue;
    *len = packet.len - floe__rd_left(&chunks) - *at;
    return true;
  }
  return false;
}

bool floe__sctp_wire_abort(floe_bytes chunk, uint16_t *code, floe_bytes *info) {
  floe__reader r = floe__reader_of(chunk);
  floe__rd_take(&r, CHUNK_HEADER);
  *code = floe__rd_u16(&r);
  size_t len = floe__rd_u16(&r);
  if (r.bad || len < CHUNK_HEADER) return false;
  size_t left = floe__rd_left(&r);
  *info = floe__rd_take(&r, len - CHUNK_HEADER < left ? len - CHUNK_HEADER : left); /* usrsctp hands on 512 bytes */
  return true;
}

const char *floe__sctp_wire_cause_name(uint16_t code) {
  static const char *const names[] = {"no cause",
                                      "Invalid Stream Identifier",
                                      "Missing Mandatory Parameter",
                                      "Stale Cookie",
                                      "Out of Resource",
                                      "Unresolvable Address",
                                      "Unrecognized Chunk Type",
                                      "Invalid Mandatory Parameter",
                                      "Unrecognized Parameters",
                                      "No User Data",
                                      "Cookie Received While Shutting Down",
                                      "Restart of an Association with New Addresses",
                                      "User-Initiated Abort",
                                      "Protocol Violation"};
  return code < sizeof names / sizeof *names ? names[code] : "an unknown cause";
}
