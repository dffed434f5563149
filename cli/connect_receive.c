/* --receive: the other end of --send. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connect_link.h"
#include "connect_meter.h"
#include "connect_part.h"
#include "json_value.h"
#include "mem.h"

typedef enum receive_state {
  RECEIVE_IDLE = 0, /* waits for OFFER or FINISH */
  RECEIVE_HASHING,  /* the part that is there */
  RECEIVE_ACCEPTED, /* waits for START */
  RECEIVE_DATA,     /* DATA and END */
  RECEIVE_DROPPED,  /* the file failed here: DATA that is on its way is not looked at, until the next OFFER */
  RECEIVE_OVER
} receive_state;

enum { HASH_PIECE = 1 << 18, TELL_AFTER = FLOE__FRAME_WINDOW / 8 };

typedef struct receive_job {
  floe__link *link;
  receive_state state;
  uv_idle_t *idle;
  int directory;
  uint32_t index;
  floe__part part;
  floe__hash hash;
  uint64_t hashed;
  uint64_t taken, told; /* bytes of DATA, of all files; told in ACKs */
  int status;
  uint32_t n_received;
  floe__meter meter;
} receive_job;

/* --- telling ------------------------------------------------------------------------------------------------------ */

static void print_json(const receive_job *r, const char *outcome, const uint8_t *hash, const char *words) {
  char hex[FLOE__HASH_TEXT];
  json_t *line = floe__report_object(r->link->report, "file");
  if (line == NULL) return;
  floe__json_set_text(line, "name", r->part.name);
  floe__json_set_integer(line, "size", true, (int64_t)r->part.size);
  floe__json_set_text(line, "outcome", outcome);
  floe__json_set_integer(line, "from", r->meter.from > 0, (int64_t)r->meter.from);
  floe__json_set_text(line, "text", words);
  if (hash != NULL) floe__json_set_text(line, "sha256", floe__hash_text(hash, hex));
  floe__report_print(r->link->report, line);
}

static void say_outcome(const receive_job *r, floe__frame_type type, uint8_t code, const char *words) {
  const floe__frame f = {
      .type = type, .index = r->index, .code = code, .data = {(const uint8_t *)words, strlen(words)}};
  floe__link_say(r->link, &f);
}

static void add_status(receive_job *r, uint8_t code) {
  int status = code == FLOE__CODE_EXISTS ? FLOE__CONNECT_EXIT_REFUSED : FLOE__CONNECT_EXIT_FILE;
  if (status > r->status) r->status = status;
}

/* This file is not received; others may be. */
static void give_up(receive_job *r, floe__frame_type type, uint8_t code, const char *words) {
  floe__report_say(r->link->report, "%s: not received: %s%s", r->part.name, words,
                   code == FLOE__CODE_EXISTS && !r->link->options->force ? " (--force overwrites it)" : "");
  print_json(r, type == FLOE__FRAME_SKIP ? "refused" : "failed", NULL, words);
  say_outcome(r, type, code, words);
  add_status(r, code);
  floe__part_close(&r->part, code == FLOE__CODE_CHECKSUM);
  r->state = RECEIVE_DROPPED;
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

static void say_accept(receive_job *r) {
  floe__frame f = {.type = FLOE__FRAME_ACCEPT, .index = r->index, .number = r->part.at};
  floe__hash_get(&r->hash, f.hash);
  floe__link_say(r->link, &f);
  r->state = RECEIVE_ACCEPTED;
}

static void on_idle(uv_idle_t *handle) {
  receive_job *r = handle->data;
  uint64_t left = r->part.at - r->hashed;
  long n = r->state != RECEIVE_HASHING || left == 0
               ? 0
               : floe__hash_add_file(&r->hash, r->part.fd, r->hashed, left < HASH_PIECE ? left : HASH_PIECE);
  if (n > 0) {
    r->hashed += (uint64_t)n;
    return;
  }
  (void)uv_idle_stop(handle);
  if (r->state != RECEIVE_HASHING) return;
  if (n < 0) {
    give_up(r, FLOE__FRAME_SKIP, FLOE__CODE_FILE, strerror(errno));
    return;
  }
  r->part.at = r->hashed; /* it may have become shorter */
  say_accept(r);
}

static bool on_offer(receive_job *r, const floe__frame *f) {
  char name[FLOE__NAME_MAX + 1];
  uint8_t code = FLOE__CODE_OTHER;
  if (r->state != RECEIVE_IDLE && r->state != RECEIVE_DROPPED) return false;
  floe__name_sanitise(name, f->data);
  r->index = f->index;
  r->hashed = 0;
  const char *refusal = floe__part_open(&r->part, r->directory, name, f->number, r->link->options->force, &code);
  floe__meter_begin(&r->meter, r->part.name, f->number, r->part.at, floe__link_now_ms(r->link));
  if (refusal != NULL) {
    give_up(r, FLOE__FRAME_SKIP, code, refusal);
    return true;
  }
  floe__hash_init(&r->hash);
  r->state = RECEIVE_HASHING;
  (void)uv_idle_start(r->idle, on_idle);
  return true;
}

static bool on_start(receive_job *r, const floe__frame *f) {
  if (r->state != RECEIVE_ACCEPTED || f->index != r->index || (f->number != 0 && f->number != r->part.at)) return false;
  bool is_other = f->number != r->part.at;
  r->state = RECEIVE_DATA;
  floe__meter_begin(&r->meter, r->part.name, r->part.size, f->number, floe__link_now_ms(r->link));
  if (f->number > 0) floe__report_say(r->link->report, "%s: going on where it was cut off", r->part.name);
  if (!is_other) return true;
  floe__report_say(r->link->report, "%s: the part that is here is of another file; from the beginning", r->part.name);
  floe__hash_init(&r->hash);
  if (!floe__part_restart(&r->part)) give_up(r, FLOE__FRAME_RESULT, FLOE__CODE_FILE, strerror(errno));
  return true;
}

static bool on_data(receive_job *r, floe_bytes data) {
  r->taken += data.len;
  if (r->state != RECEIVE_DATA && r->state != RECEIVE_DROPPED) return false;
  if (r->state == RECEIVE_DATA) {
    if (data.len > r->part.size - r->part.at) return false;
    floe__hash_add(&r->hash, data.ptr, data.len);
    if (!floe__part_add(&r->part, data.ptr, data.len)) {
      give_up(r, FLOE__FRAME_RESULT, FLOE__CODE_FILE, strerror(errno));
    }
  }
  if (r->taken - r->told < TELL_AFTER) return true;
  const floe__frame ack = {.type = FLOE__FRAME_ACK, .number = r->taken};
  r->told = r->taken;
  floe__link_say(r->link, &ack);
  return true;
}

static bool on_end(receive_job *r, const floe__frame *f) {
  uint8_t hash[FLOE__HASH_LEN], code = FLOE__CODE_OTHER;
  char size[FLOE__SIZE_TEXT];
  if (r->state == RECEIVE_DROPPED) return true;
  if (r->state != RECEIVE_DATA || f->index != r->index || r->part.at != r->part.size) return false;
  floe__hash_get(&r->hash, hash);
  if (memcmp(hash, f->hash, sizeof hash) != 0) {
    give_up(r, FLOE__FRAME_RESULT, FLOE__CODE_CHECKSUM, "the checksum is wrong");
    return true;
  }
  const char *refusal = floe__part_publish(&r->part, r->link->options->force, &code);
  if (refusal != NULL) {
    give_up(r, FLOE__FRAME_RESULT, code, refusal);
    return true;
  }
  r->n_received++;
  r->state = RECEIVE_IDLE;
  floe__report_say(r->link->report, "%s: received, %s, checksum right", r->part.name,
                   floe__size_text((double)r->part.size, size));
  print_json(r, "received", hash, NULL);
  say_outcome(r, FLOE__FRAME_RESULT, FLOE__CODE_OK, "");
  return true;
}

static bool on_finish(receive_job *r) {
  const floe__frame bye = {.type = FLOE__FRAME_BYE};
  if (r->state != RECEIVE_IDLE && r->state != RECEIVE_DROPPED) return false;
  r->state = RECEIVE_OVER;
  floe__link_say(r->link, &bye);
  floe__link_end(r->link, r->status);
  return true;
}

static bool take_frame(receive_job *r, const floe__frame *f) {
  switch ((int)f->type) {
    case FLOE__FRAME_OFFER: return on_offer(r, f);
    case FLOE__FRAME_START: return on_start(r, f);
    case FLOE__FRAME_DATA: return on_data(r, f->data);
    case FLOE__FRAME_END: return on_end(r, f);
    case FLOE__FRAME_FINISH: return on_finish(r);
    default: return false;
  }
}

static void keep_part(receive_job *r) {
  char at[FLOE__SIZE_TEXT], size[FLOE__SIZE_TEXT];
  bool is_open = r->part.fd >= 0;
  floe__part_close(&r->part, false);
  if (!is_open || r->part.at == 0) return;
  floe__report_say(r->link->report, "%s: %s of %s are kept in %s; run the same again on both sides to go on",
                   r->part.name, floe__size_text((double)r->part.at, at), floe__size_text((double)r->part.size, size),
                   r->part.part_name);
}

static void on_frame(void *job, const floe__frame *frame) {
  receive_job *r = job;
  if (take_frame(r, frame)) return;
  floe__report_say(r->link->report, "the other side breaks the rules of the protocol");
  keep_part(r);
  r->state = RECEIVE_OVER;
  floe__link_stop(r->link, FLOE__CODE_PROTOCOL, "a frame breaks the rules", FLOE__CONNECT_EXIT_OTHER);
}

/* --- the job ------------------------------------------------------------------------------------------------------ */

static void *open_receive(floe__link *link) {
  const char *name = link->options->directory;
  int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
    floe__report_say(link->report, "--receive %s: %s", name, strerror(errno));
    link->status = FLOE__CONNECT_EXIT_FILE;
    if (fd >= 0) (void)close(fd);
    return NULL;
  }
  receive_job *r = floe__cli_alloc(sizeof *r);
  r->link = link;
  r->directory = fd;
  r->part.fd = -1;
  r->idle = floe__cli_alloc(sizeof *r->idle);
  (void)uv_idle_init(&link->session.loop, r->idle);
  r->idle->data = r;
  return r;
}

static void start_receive(void *job) {
  (void)job; /* the other side begins */
}

static void on_room(void *job) {
  (void)job;
}

static void draw(void *job) {
  receive_job *r = job;
  if (r->state != RECEIVE_DATA) return;
  floe__meter_draw(&r->meter, r->link->report, r->part.at, floe__link_now_ms(r->link));
}

static void cut_off(void *job) {
  keep_part(job);
}

static void free_handle(uv_handle_t *handle) {
  free(handle);
}

static void close_receive(void *job) {
  receive_job *r = job;
  floe__part_close(&r->part, false);
  floe__hash_clear(&r->hash);
  uv_close((uv_handle_t *)r->idle, free_handle);
  (void)close(r->directory);
  free(r);
}

const floe__job floe__job_receive = {.open = open_receive,
                                     .start = start_receive,
                                     .on_frame = on_frame,
                                     .on_room = on_room,
                                     .draw = draw,
                                     .cut_off = cut_off,
                                     .close = close_receive};
