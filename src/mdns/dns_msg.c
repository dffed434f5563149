#include "mdns/dns_msg.h"

#include <string.h>

#include "base/writer.h"

#define HEADER          12
#define CLASS_IN        1u
#define CLASS_ANY       255u
#define CLASS_MASK      0x7FFFu
#define TOP_BIT         0x8000u /* of a class: QU in questions, cache-flush in records */
#define POINTER         0xC0u   /* of a length: RFC 1035 4.1.4 */
#define RESPONSE        0x8000u
#define AUTHORITATIVE   0x0400u
#define NAME_MAX_LEN    255u
#define MAX_JUMPS       32 /* no encoder needs as many: a name has seldom more than five labels */
#define IPV4_LEN        4
#define IPV6_LEN        16
#define WINDOW_MAX      32 /* bytes of one NSEC bitmap */
#define AAAA_BITMAP_LEN (FLOE__DNS_AAAA / 8 + 1)

static const uint8_t local_label[] = {5, 'l', 'o', 'c', 'a', 'l'};

/* ---- names ---- */

static uint8_t to_lower(uint8_t c) {
  return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static int compare_bytes(const uint8_t *a, const uint8_t *b, size_t len) {
  for (size_t i = 0; i < len; i++) {
    int difference = to_lower(a[i]) - to_lower(b[i]);
    if (difference != 0) return difference;
  }
  return 0;
}

int floe__dns_name_compare(const floe__dns_name *a, const floe__dns_name *b) {
  if (a->len != b->len) return a->len < b->len ? -1 : 1;
  return compare_bytes(a->label, b->label, a->len);
}

bool floe__dns_name_parse(floe__dns_name *out, const char *text) {
  memset(out, 0, sizeof *out);
  const char *dot = strchr(text, '.');
  size_t len = dot == NULL ? 0 : (size_t)(dot - text);
  if (len == 0 || len > FLOE__DNS_LABEL_MAX || strlen(dot + 1) != local_label[0]) return false;
  if (compare_bytes((const uint8_t *)dot + 1, local_label + 1, local_label[0]) != 0) return false;
  out->len = (uint8_t)len;
  memcpy(out->label, text, len);
  return true;
}

/* The labels of a name as they come by. */
typedef struct label_walk {
  unsigned n_labels;
  unsigned total; /* length of the name on the wire, uncompressed */
  floe_bytes first;
  bool is_second_local;
} label_walk;

static bool take_label(label_walk *walk, floe_bytes label) {
  walk->total += (unsigned)label.len + 1;
  if (walk->n_labels == 0) walk->first = label;
  if (walk->n_labels == 1) {
    walk->is_second_local = label.len == local_label[0] && compare_bytes(label.ptr, local_label + 1, label.len) == 0;
  }
  walk->n_labels++;
  return walk->total < NAME_MAX_LEN; /* one more byte ends the name */
}

/* Follows the pointer whose first byte was `high`. It must lead to what came before the name's part that has just been
 * read (RFC 1035 4.1.4: "a prior occurance"), so that each jump leads further back and there is no loop. */
static bool jump(const floe__dns_msg *m, floe__reader *at, size_t *part, uint8_t high) {
  size_t target = (size_t)(high & ~POINTER) << 8 | floe__rd_u8(at);
  if (at->bad || target < HEADER || target >= *part) return false;
  *part = target;
  *at = floe__reader_of((floe_bytes){m->packet.ptr + target, m->packet.len - target});
  return true;
}

static bool walk_name(floe__dns_msg *m, label_walk *walk) {
  floe__reader at = m->r;
  size_t part = (size_t)(m->r.at - m->packet.ptr);
  for (int jumps = 0;;) {
    uint8_t len = floe__rd_u8(&at);
    bool is_pointer = (len & POINTER) == POINTER;
    if (!is_pointer && len > FLOE__DNS_LABEL_MAX) return false;
    if (is_pointer && (++jumps > MAX_JUMPS || !jump(m, &at, &part, len))) return false;
    /* The message goes on after the first pointer, or after the name where it has none. */
    if (is_pointer && jumps == 1) (void)floe__rd_take(&m->r, 2);
    if (is_pointer) continue;
    if (jumps == 0) (void)floe__rd_take(&m->r, (size_t)len + 1);
    floe_bytes label = floe__rd_take(&at, len);
    if (at.bad || m->r.bad) return false;
    if (len == 0) return true;
    if (!take_label(walk, label)) return false;
  }
}

static void read_name(floe__dns_msg *m, floe__dns_name *out) {
  label_walk walk = {0};
  memset(out, 0, sizeof *out);
  if (!walk_name(m, &walk)) {
    m->r.bad = true;
    return;
  }
  if (walk.n_labels != 2 || !walk.is_second_local) return;
  out->len = (uint8_t)walk.first.len;
  memcpy(out->label, walk.first.ptr, walk.first.len);
}

/* ---- reading ---- */

static bool read_question(floe__dns_msg *m, floe__dns_question *out) {
  read_name(m, &out->name);
  out->type = floe__rd_u16(&m->r);
  uint16_t class = floe__rd_u16(&m->r);
  out->is_unicast = (class & TOP_BIT) != 0;
  out->is_internet = (class & CLASS_MASK) == CLASS_IN || (class & CLASS_MASK) == CLASS_ANY;
  return !m->r.bad;
}

static void read_address(floe__dns_record *out, floe_bytes data) {
  if (out->type == FLOE__DNS_A && data.len == IPV4_LEN) out->addr.family = FLOE_FAMILY_IPV4;
  if (out->type == FLOE__DNS_AAAA && data.len == IPV6_LEN) out->addr.family = FLOE_FAMILY_IPV6;
  if (out->addr.family != FLOE_FAMILY_NONE) memcpy(out->addr.ip, data.ptr, data.len);
}

/* RFC 4034 4.1.2: windows of 256 types each, as bitmaps without the zeros at their ends. */
static void read_denials(floe__dns_msg *m, floe__dns_record *out, floe_bytes data) {
  floe__dns_msg inside = *m;
  floe__dns_name next;
  inside.r = floe__reader_of(data);
  read_name(&inside, &next);
  if (inside.r.bad || floe__dns_name_compare(&next, &out->name) != 0) return;
  uint8_t window = floe__rd_u8(&inside.r);
  uint8_t len = floe__rd_u8(&inside.r);
  floe_bytes bitmap = floe__rd_take(&inside.r, len);
  if (inside.r.bad || window != 0 || len == 0 || len > WINDOW_MAX) return;
  out->denies_ipv4 = (bitmap.ptr[0] & 0x80 >> FLOE__DNS_A) == 0;
  out->denies_ipv6 = len < AAAA_BITMAP_LEN || (bitmap.ptr[FLOE__DNS_AAAA / 8] & 0x80 >> FLOE__DNS_AAAA % 8) == 0;
}

static bool read_record(floe__dns_msg *m, floe__dns_record *out) {
  memset(out, 0, sizeof *out);
  read_name(m, &out->name);
  out->type = floe__rd_u16(&m->r);
  uint16_t class = floe__rd_u16(&m->r);
  out->ttl = floe__rd_u32(&m->r);
  uint16_t len = floe__rd_u16(&m->r);
  floe_bytes data = floe__rd_take(&m->r, len);
  if (m->r.bad) return false;
  out->is_cache_flush = (class & TOP_BIT) != 0;
  out->is_internet = (class & CLASS_MASK) == CLASS_IN;
  read_address(out, data);
  if (out->type == FLOE__DNS_NSEC) read_denials(m, out, data);
  return true;
}

bool floe__dns_next_question(floe__dns_msg *m, floe__dns_question *out) {
  if (m->n_questions == 0 || m->r.bad) return false;
  m->n_questions--;
  return read_question(m, out);
}

bool floe__dns_next_record(floe__dns_msg *m, floe__dns_record *out, bool others) {
  unsigned *left = m->n_answers > 0 || !others ? &m->n_answers : &m->n_others;
  if (*left == 0 || m->r.bad) return false;
  --*left;
  return read_record(m, out);
}

static void read_header(floe__dns_msg *m) {
  m->id = floe__rd_u16(&m->r);
  uint16_t flags = floe__rd_u16(&m->r);
  m->is_response = (flags & RESPONSE) != 0;
  m->opcode = flags >> 11 & 0xF;
  m->rcode = flags & 0xF;
  m->n_questions = floe__rd_u16(&m->r);
  m->n_answers = floe__rd_u16(&m->r);
  m->n_others = floe__rd_u16(&m->r);
  m->n_others += floe__rd_u16(&m->r);
}

bool floe__dns_msg_open(floe__dns_msg *m, floe_bytes packet) {
  memset(m, 0, sizeof *m);
  if (packet.len < HEADER || packet.len > FLOE__DNS_MAX) return false;
  m->packet = packet;
  m->r = floe__reader_of(packet);
  read_header(m);
  floe__dns_msg all = *m;
  floe__dns_question question;
  floe__dns_record record;
  while (floe__dns_next_question(&all, &question)) continue;
  while (floe__dns_next_record(&all, &record, true)) continue;
  return !all.r.bad;
}

/* ---- writing ---- */

static void write_name(floe__writer *w, const floe__dns_name *name) {
  floe__wr_u8(w, name->len);
  floe__wr_bytes(w, name->label, name->len);
  floe__wr_bytes(w, local_label, sizeof local_label);
  floe__wr_u8(w, 0);
}

/* The one name of a message, once it was written after the header. */
static void write_name_again(floe__writer *w) {
  floe__wr_u16(w, POINTER << 8 | HEADER);
}

static void write_header(floe__writer *w, uint16_t id, uint16_t flags, const uint16_t counts[4]) {
  uint8_t header[HEADER] = {(uint8_t)(id >> 8), (uint8_t)id, (uint8_t)(flags >> 8), (uint8_t)flags};
  for (size_t i = 0; i < 4; i++) {
    header[4 + 2 * i] = (uint8_t)(counts[i] >> 8);
    header[5 + 2 * i] = (uint8_t)counts[i];
  }
  floe__wr_bytes(w, header, sizeof header);
}

static uint16_t type_of(unsigned family) {
  return family == FLOE_FAMILY_IPV4 ? FLOE__DNS_A : FLOE__DNS_AAAA;
}

floe_bytes floe__dns_write_question(uint8_t buf[FLOE__DNS_WRITE_MAX], const floe__dns_name *name, floe_family family) {
  floe__writer w = floe__writer_of(buf, FLOE__DNS_WRITE_MAX);
  write_header(&w, 0, 0, (const uint16_t[4]){1, 0, 0, 0});
  write_name(&w, name);
  floe__wr_u16(&w, type_of(family));
  floe__wr_u16(&w, CLASS_IN);
  return floe__wr_done(&w);
}

/* What follows the owner's name, up to the length of the data. */
static void write_record_head(floe__writer *w, const floe__dns_answer *answer, uint16_t type, uint16_t len) {
  floe__wr_u16(w, type);
  floe__wr_u16(w, (uint16_t)(CLASS_IN | (answer->is_legacy ? 0 : TOP_BIT)));
  floe__wr_u32(w, answer->ttl);
  floe__wr_u16(w, len);
}

static void write_address(floe__writer *w, const floe__dns_answer *answer) {
  uint16_t len = answer->addr.family == FLOE_FAMILY_IPV4 ? IPV4_LEN : IPV6_LEN;
  write_record_head(w, answer, type_of(answer->addr.family), len);
  floe__wr_bytes(w, answer->addr.ip, len);
}

/* RFC 6762 6.1: the name itself as the next one, and a bitmap with the one type that there is. */
static void write_denial(floe__writer *w, const floe__dns_answer *answer) {
  bool is_ipv4 = answer->addr.family == FLOE_FAMILY_IPV4;
  uint8_t bitmap[AAAA_BITMAP_LEN] = {0};
  uint8_t len = is_ipv4 ? 1 : AAAA_BITMAP_LEN;
  unsigned type = type_of(answer->addr.family);
  bitmap[type / 8] = (uint8_t)(0x80 >> type % 8);
  write_record_head(w, answer, FLOE__DNS_NSEC, (uint16_t)(4 + len));
  write_name_again(w);
  floe__wr_u8(w, 0);
  floe__wr_u8(w, len);
  floe__wr_bytes(w, bitmap, len);
}

/* A plain resolver gets the address alone; a goodbye takes back what there was and says nothing else. */
floe_bytes floe__dns_write_answer(uint8_t buf[FLOE__DNS_WRITE_MAX], const floe__dns_answer *answer) {
  floe__writer w = floe__writer_of(buf, FLOE__DNS_WRITE_MAX);
  bool has_second = !answer->is_legacy && answer->ttl > 0;
  write_header(&w, answer->is_legacy ? answer->id : 0, RESPONSE | AUTHORITATIVE,
               (const uint16_t[4]){answer->is_legacy ? 1 : 0, 1, 0, has_second ? 1 : 0});
  write_name(&w, answer->name);
  if (answer->is_legacy) {
    floe__wr_u16(&w, answer->q_type);
    floe__wr_u16(&w, CLASS_IN);
    write_name_again(&w);
  }
  for (int i = 0; i < (has_second ? 2 : 1); i++) {
    if (i == 1) write_name_again(&w);
    if ((i == 0) == answer->is_denial) {
      write_denial(&w, answer);
    } else {
      write_address(&w, answer);
    }
  }
  return floe__wr_done(&w);
}
