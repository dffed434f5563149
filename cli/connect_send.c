/* --send: one file after the other. Each is offered; the other side says from where on it wants it, and which hash what
 * it has so far has; what is sent ends with the hash of all of it; what became of it is told. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connect_hash.h"
#include "connect_link.h"
#include "connect_meter.h"
#include "json_value.h"
#include "mem.h"

typedef enum send_state {
  SEND_IDLE = 0,
  SEND_OFFERED,  /* waits for ACCEPT or SKIP */
  SEND_HASHING,  /* what the other side has */
  SEND_SENDING,  /* DATA */
  SEND_SENT,     /* waits for RESULT */
  SEND_FINISHED, /* waits for BYE */
  SEND_FAILED    /* nothing more is sent */
} send_state;

enum { READS_IN_A_ROW = 16, HASH_PIECE = 1 << 18 };

typedef struct send_job {
  floe__link *link;
  send_state state;
  uv_idle_t *idle; /* hashing and sending go on, a piece in each turn of the loop */
  const char *const *files;
  size_t n_files, at; /* `at`: the file now */
  const char *name;   /* without its directories */
  int fd;             /* -1: none */
  uint64_t size, position;
  uint64_t wanted; /* offset that the other side wants to begin at */
  uint8_t wanted_hash[FLOE__HASH_LEN];
  floe__hash hash;
  uint64_t sent, acked; /* bytes of DATA, of all files */
  int status;           /* of the files so far */
  uint32_t n_delivered;
  floe__meter meter;
  uint8_t *buffer;
} send_job;

static const char *name_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}

/* --- telling ------------------------------------------------------------------------------------------------------ */

static void print_json(const send_job *s, const char *outcome, const char *words) {
  char hex[FLOE__HASH_TEXT];
  uint8_t hash[FLOE__HASH_LEN];
  json_t *line = floe__report_object(s->link->report, "file");
  if (line == NULL) return;
  floe__json_set_text(line, "name", s->name);
  floe__json_set_integer(line, "size", true, (int64_t)s->size);
  floe__json_set_text(line, "outcome", outcome);
  floe__json_set_integer(line, "from", s->meter.from > 0, (int64_t)s->meter.from);
  floe__json_set_text(line, "text", words);
  if (strcmp(outcome, "delivered") == 0) {
    floe__hash_get(&s->hash, hash);
    floe__json_set_text(line, "sha256", floe__hash_text(hash, hex));
  }
  floe__report_print(s->link->report, line);
}

static void add_status(send_job *s, int status) {
  if (status > s->status) s->status = status;
}

static void set_state(send_job *s, send_state state);

static void stop_for_file(send_job *s, const char *what, int error) {
  floe__report_say(s->link->report, "%s: %s", s->files[s->at], error == 0 ? what : strerror(error));
  print_json(s, "failed", error == 0 ? what : strerror(error));
  set_state(s, SEND_FAILED);
  floe__link_stop(s->link, FLOE__CODE_FILE, "a file cannot be read", FLOE__CONNECT_EXIT_FILE);
}

/* --- a piece at a time -------------------------------------------------------------------------------------------- */

static void say_end(send_job *s) {
  floe__frame f = {.type = FLOE__FRAME_END, .index = (uint32_t)s->at};
  floe__hash_get(&s->hash, f.hash);
  floe__link_say(s->link, &f);
  set_state(s, SEND_SENT);
}

/* Returns false when nothing more is to be sent now. */
static bool send_once(send_job *s) {
  uint64_t left = s->size - s->position, window = FLOE__FRAME_WINDOW - (s->sent - s->acked);
  size_t max = left < FLOE__FRAME_DATA_MAX ? (size_t)left : FLOE__FRAME_DATA_MAX;
  if (left == 0) {
    say_end(s);
    return false;
  }
  if (window < max || !floe__speaker_has_room(&s->link->speaker)) return false;
  ssize_t n = pread(s->fd, s->buffer + 1, max, (off_t)s->position);
  if (n <= 0) {
    stop_for_file(s, "it is shorter than it was", n < 0 ? errno : 0);
    return false;
  }
  floe__hash_add(&s->hash, s->buffer + 1, (size_t)n);
  s->buffer[0] = FLOE__FRAME_DATA;
  s->position += (uint64_t)n;
  s->sent += (uint64_t)n;
  floe__speaker_send(&s->link->speaker, s->buffer, (size_t)n + 1);
  return true;
}

static void say_start(send_job *s, uint64_t offset) {
  const floe__frame f = {.type = FLOE__FRAME_START, .index = (uint32_t)s->at, .number = offset};
  if (offset == 0) floe__hash_init(&s->hash);
  s->position = offset;
  floe__link_say(s->link, &f);
  floe__meter_begin(&s->meter, s->name, s->size, offset, floe__link_now_ms(s->link));
  if (offset > 0) floe__report_say(s->link->report, "%s: the other side has a part of it already; going on", s->name);
  set_state(s, SEND_SENDING);
}

static void hash_once(send_job *s) {
  uint8_t hash[FLOE__HASH_LEN];
  uint64_t left = s->wanted - s->position;
  long n = left == 0 ? 0 : floe__hash_add_file(&s->hash, s->fd, s->position, left < HASH_PIECE ? left : HASH_PIECE);
  if (n < 0) {
    stop_for_file(s, "", errno);
    return;
  }
  s->position += (uint64_t)n;
  if (n > 0 && s->position < s->wanted) return;
  floe__hash_get(&s->hash, hash);
  bool is_same = s->position == s->wanted && memcmp(hash, s->wanted_hash, sizeof hash) == 0;
  say_start(s, is_same ? s->wanted : 0);
}

static bool has_work(const send_job *s) {
  if (s->state == SEND_HASHING) return true;
  return s->state == SEND_SENDING && floe__speaker_has_room(&s->link->speaker) &&
         s->sent - s->acked <= FLOE__FRAME_WINDOW - FLOE__FRAME_DATA_MAX;
}

static void go_on(send_job *s);

static void on_idle(uv_idle_t *handle) {
  send_job *s = handle->data;
  if (s->state == SEND_HASHING) hash_once(s);
  for (int i = 0; i < READS_IN_A_ROW && s->state == SEND_SENDING && send_once(s); i++) continue;
  go_on(s);
}

static void go_on(send_job *s) {
  if (has_work(s)) {
    (void)uv_idle_start(s->idle, on_idle);
  } else {
    (void)uv_idle_stop(s->idle);
  }
}

static void set_state(send_job *s, send_state state) {
  s->state = state;
  go_on(s);
}

/* --- one file after the other ------------------------------------------------------------------------------------- */

static void close_file(send_job *s) {
  if (s->fd >= 0) (void)close(s->fd);
  s->fd = -1;
}

static void offer_next(send_job *s) {
  struct stat st;
  close_file(s);
  if (s->at == s->n_files) {
    const floe__frame f = {.type = FLOE__FRAME_FINISH, .index = (uint32_t)s->n_files};
    floe__link_say(s->link, &f);
    set_state(s, SEND_FINISHED);
    return;
  }
  s->name = name_of(s->files[s->at]);
  s->fd = open(s->files[s->at], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (s->fd < 0 || fstat(s->fd, &st) != 0) {
    stop_for_file(s, "", errno);
    return;
  }
  s->size = (uint64_t)st.st_size;
  floe__hash_init(&s->hash);
  floe__meter_begin(&s->meter, s->name, s->size, 0, floe__link_now_ms(s->link));
  const floe__frame f = {.type = FLOE__FRAME_OFFER,
                         .index = (uint32_t)s->at,
                         .number = s->size,
                         .data = {(const uint8_t *)s->name, strlen(s->name)}};
  floe__link_say(s->link, &f);
  set_state(s, SEND_OFFERED);
}

static void on_accept(send_job *s, const floe__frame *f) {
  s->wanted = f->number;
  s->position = 0;
  memcpy(s->wanted_hash, f->hash, sizeof s->wanted_hash);
  if (s->wanted == 0 || s->wanted > s->size) {
    say_start(s, 0);
  } else {
    set_state(s, SEND_HASHING);
  }
}

/* SKIP, or RESULT, which may come while the file is still being sent: then it failed there. */
static void on_outcome(send_job *s, const floe__frame *f) {
  char size[FLOE__SIZE_TEXT], *words = floe__frame_words(f);
  bool is_delivered = f->type == FLOE__FRAME_RESULT && f->code == FLOE__CODE_OK && s->state == SEND_SENT;
  if (is_delivered) {
    s->n_delivered++;
    floe__report_say(s->link->report, "%s: delivered, %s, checksum right", s->name,
                     floe__size_text((double)s->size, size));
  } else {
    floe__report_say(s->link->report, "%s: not delivered: %s", s->name, words);
    bool is_checksum = f->type == FLOE__FRAME_RESULT && f->code == FLOE__CODE_CHECKSUM;
    add_status(s, is_checksum ? FLOE__CONNECT_EXIT_FILE : FLOE__CONNECT_EXIT_REFUSED);
  }
  print_json(s, is_delivered ? "delivered" : f->type == FLOE__FRAME_SKIP ? "refused" : "failed", words);
  free(words);
  s->at++;
  offer_next(s);
}

static bool take_frame(send_job *s, const floe__frame *f) {
  bool is_mine = s->state != SEND_FINISHED && f->index == s->at;
  switch ((int)f->type) {
    case FLOE__FRAME_ACK:
      if (f->number < s->acked || f->number > s->sent) return false;
      s->acked = f->number;
      go_on(s);
      return true;
    case FLOE__FRAME_ACCEPT:
      if (!is_mine || s->state != SEND_OFFERED) return false;
      on_accept(s, f);
      return true;
    case FLOE__FRAME_SKIP:
      if (!is_mine || s->state != SEND_OFFERED) return false;
      on_outcome(s, f);
      return true;
    case FLOE__FRAME_RESULT:
      if (!is_mine || s->state == SEND_IDLE) return false;
      on_outcome(s, f);
      return true;
    default: return false;
  }
}

static void on_frame(void *job, const floe__frame *frame) {
  send_job *s = job;
  if (s->state == SEND_FAILED || take_frame(s, frame)) return;
  floe__report_say(s->link->report, "the other side breaks the rules of the protocol");
  set_state(s, SEND_FAILED);
  floe__link_stop(s->link, FLOE__CODE_PROTOCOL, "a frame breaks the rules", FLOE__CONNECT_EXIT_OTHER);
}

/* --- the job ------------------------------------------------------------------------------------------------------ */

/* NULL: it can be sent. */
static const char *refusal_of(const char *path) {
  struct stat st;
  const char *refusal = NULL;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return strerror(errno);
  if (fstat(fd, &st) != 0) refusal = strerror(errno);
  if (refusal == NULL && S_ISDIR(st.st_mode)) refusal = "a directory; pack it: tar c ... | floe connect";
  if (refusal == NULL && !S_ISREG(st.st_mode)) refusal = "not a regular file; use floe connect <FILE";
  (void)close(fd);
  return refusal;
}

static bool check_files(floe__link *link) {
  const floe__connect_options *o = link->options;
  for (size_t i = 0; i < o->n_files; i++) {
    const char *refusal = refusal_of(o->files[i]);
    for (size_t k = 0; refusal == NULL && k < i; k++) {
      if (strcmp(name_of(o->files[i]), name_of(o->files[k])) == 0) refusal = "another file has the same name";
    }
    if (refusal == NULL) continue;
    floe__report_say(link->report, "%s: %s", o->files[i], refusal);
    link->status = FLOE__CONNECT_EXIT_FILE;
    return false;
  }
  return true;
}

static void *open_send(floe__link *link) {
  if (!check_files(link)) return NULL;
  send_job *s = floe__cli_alloc(sizeof *s);
  s->link = link;
  s->files = link->options->files;
  s->n_files = link->options->n_files;
  s->fd = -1;
  s->buffer = floe__cli_alloc(FLOE__FRAME_MAX);
  s->idle = floe__cli_alloc(sizeof *s->idle);
  (void)uv_idle_init(&link->session.loop, s->idle);
  s->idle->data = s;
  return s;
}

static void start_send(void *job) {
  offer_next(job);
}

static void on_room(void *job) {
  go_on(job);
}

static void on_bye(void *job) {
  send_job *s = job;
  bool is_expected = s->state == SEND_FINISHED;
  if (!is_expected) floe__report_say(s->link->report, "the other side has left before everything was sent");
  floe__link_end(s->link, is_expected ? s->status : FLOE__CONNECT_EXIT_REFUSED);
}

static void draw(void *job) {
  send_job *s = job;
  if (s->state != SEND_SENDING && s->state != SEND_SENT) return;
  floe__meter_draw(&s->meter, s->link->report, s->position, floe__link_now_ms(s->link));
}

static void cut_off(void *job) {
  const send_job *s = job;
  if (s->state == SEND_FINISHED) return;
  floe__report_say(s->link->report, "%u of %zu files delivered; run the same again on both sides to go on",
                   s->n_delivered, s->n_files);
}

static void free_handle(uv_handle_t *handle) {
  free(handle);
}

static void close_send(void *job) {
  send_job *s = job;
  close_file(s);
  floe__hash_clear(&s->hash);
  uv_close((uv_handle_t *)s->idle, free_handle);
  free(s->buffer);
  free(s);
}

const floe__job floe__job_send = {.open = open_send,
                                  .start = start_send,
                                  .on_frame = on_frame,
                                  .on_room = on_room,
                                  .on_bye = on_bye,
                                  .draw = draw,
                                  .cut_off = cut_off,
                                  .close = close_send};
