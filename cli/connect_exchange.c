#include "connect_exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json_value.h"
#include "mem.h"

/* More than a ticket, since it may be broken into lines. */
enum { TEXT_MAX = 2 * FLOE__TICKET_TEXT };

/* --- giving ------------------------------------------------------------------------------------------------------- */

static void print_for_people(const floe__link *link, const char *ticket) {
  floe__report *r = link->report;
  const floe__connect_options *o = link->options;
  const char *option = floe__connect_mode_option(floe__connect_mode_of_peer(o->mode));
  const char *value = o->mode == FLOE__CONNECT_SEND      ? " DIR"
                      : o->mode == FLOE__CONNECT_RECEIVE ? " FILE"
                      : o->mode == FLOE__CONNECT_FORWARD ? " HOST:PORT"
                      : o->mode == FLOE__CONNECT_EXPOSE  ? " PORT"
                                                         : "";
  if (r->human == NULL) return;
  floe__report_erase(r);
  if (o->is_answer) {
    (void)fprintf(r->human, "Give this line to the other side:\n\n%s\n\n", ticket);
  } else {
    (void)fprintf(r->human, "On the other side, run:\n\nfloe connect%s%s%s %s\n\n", option[0] == '\0' ? "" : " ",
                  option, value, ticket);
  }
  (void)fflush(r->human);
}

static void print_json(const floe__link *link, const char *ticket) {
  json_t *line = floe__report_object(link->report, "ticket");
  if (line == NULL) return;
  floe__json_set_text(line, "role", link->options->is_answer ? "answer" : "offer");
  floe__json_set_text(line, "ticket", ticket);
  floe__report_print(link->report, line);
}

/* A FIFO that nobody reads yet is waited for, and the loop goes on meanwhile. -1: told. */
static int open_out(floe__link *link, const char *name) {
  const bool never = false;
  if (strcmp(name, "-") == 0) return STDOUT_FILENO;
  for (;;) {
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd >= 0) return fd;
    if (errno != ENXIO || floe__session_is_stopping(&link->session)) break;
    (void)floe__session_wait(&link->session, &never, 100);
  }
  if (errno != ENXIO) floe__report_say(link->report, "--ticket-out %s: %s", name, strerror(errno));
  link->status = FLOE__CONNECT_EXIT_FILE;
  return -1;
}

static bool write_out(floe__link *link, const char *name, const char *ticket) {
  char line[FLOE__TICKET_TEXT + 2];
  int fd = open_out(link, name);
  if (fd < 0) return false;
  size_t len = (size_t)snprintf(line, sizeof line, "%s\n", ticket);
  bool ok = write(fd, line, len) == (ssize_t)len;
  int error = errno;
  if (fd != STDOUT_FILENO && close(fd) != 0 && ok) ok = false;
  if (ok) return true;
  floe__report_say(link->report, "--ticket-out %s: %s", name, strerror(error));
  link->status = FLOE__CONNECT_EXIT_FILE;
  return false;
}

bool floe__exchange_give(floe__link *link) {
  char ticket[FLOE__TICKET_TEXT];
  if (floe__ticket_write(&link->own, ticket, sizeof ticket) == 0) {
    floe__report_say(link->report, "the ticket would be too long for one line");
    link->status = FLOE__CONNECT_EXIT_OTHER;
    return false;
  }
  print_json(link, ticket);
  if (link->options->ticket_out != NULL) return write_out(link, link->options->ticket_out, ticket);
  print_for_people(link, ticket);
  return true;
}

/* --- whether it fits ---------------------------------------------------------------------------------------------- */

static const char *mode_words(floe__connect_mode mode) {
  switch (mode) {
    case FLOE__CONNECT_PIPE: return "connects standard input and output";
    case FLOE__CONNECT_SEND: return "sends files";
    case FLOE__CONNECT_RECEIVE: return "receives files";
    case FLOE__CONNECT_EXPOSE: return "exposes a TCP server";
    case FLOE__CONNECT_FORWARD: return "forwards TCP connections";
  }
  return "";
}

static bool check_role(const floe__link *link) {
  const floe__ticket *t = &link->peer;
  if (t->is_answer == link->options->is_answer) {
    floe__report_say(link->report, t->is_answer
                                       ? "this ticket is an answer: give it to the side that waits for one"
                                       : "this ticket is an offer, and an answer is awaited: the other side must run "
                                         "floe connect with the ticket that was printed here, and give back its own");
    return false;
  }
  if (t->is_answer && t->answers != floe__ticket_tag(&link->own)) {
    floe__report_say(link->report, "this ticket answers another offer than the one printed here");
    return false;
  }
  return true;
}

bool floe__exchange_check(floe__link *link) {
  floe__connect_mode wanted = floe__connect_mode_of_peer(link->options->mode);
  if (!check_role(link)) return false;
  if (link->peer.mode == wanted) return true;
  const char *option = floe__connect_mode_option(floe__connect_mode_of_peer(link->peer.mode));
  floe__report_say(link->report, "the other side %s: use %s%s here", mode_words(link->peer.mode),
                   option[0] == '\0' ? "neither --send nor any other such option" : option,
                   link->peer.mode == FLOE__CONNECT_SEND ? " DIR" : "");
  return false;
}

/* --- taking ------------------------------------------------------------------------------------------------------- */

typedef enum source_kind { SOURCE_FILE, SOURCE_TERMINAL, SOURCE_INPUT } source_kind;

typedef struct source {
  floe__link *link;
  source_kind kind;
  int fd; /* -1: not there yet */
  char text[TEXT_MAX];
  size_t len, line, asked; /* where the last line begins; the length when the rest was asked for */
  bool is_done, is_good;
} source;

static void finish(source *s, bool is_good) {
  s->is_done = true;
  s->is_good = is_good;
}

/* At a terminal there is somebody who can try again. */
static void refuse(source *s, const char *sentence) {
  floe__report *r = s->link->report;
  if (sentence != NULL) floe__report_say(r, "%s", sentence);
  s->len = s->line = s->asked = 0;
  if (s->kind == SOURCE_TERMINAL) {
    if (r->human != NULL) (void)fputs("Once more, please: ", r->human);
    return;
  }
  s->link->status = FLOE__CONNECT_EXIT_USAGE;
  finish(s, false);
}

/* A line is there, or the end of the file. */
static void look(source *s, bool is_end) {
  floe__ticket_error why;
  bool is_empty_line = strspn(s->text + s->line, " \t\r\n") == s->len - s->line;
  bool is_empty = strspn(s->text, " \t\r\n") == s->len;
  if (is_empty && !is_end) return;
  switch (floe__ticket_read(&s->link->peer, s->text, &why)) {
    case FLOE__TICKET_OK:
      if (floe__exchange_check(s->link)) {
        finish(s, true);
      } else {
        refuse(s, NULL);
      }
      return;
    case FLOE__TICKET_INCOMPLETE:
      s->line = s->len;
      if (is_empty_line || (is_end && s->kind == SOURCE_INPUT)) refuse(s, why.message);
      return;
    case FLOE__TICKET_BAD: refuse(s, why.message); return;
  }
}

static void take_byte(source *s, char byte) {
  if (s->len + 1 >= sizeof s->text) {
    refuse(s, "this is too long for a ticket");
    return;
  }
  s->text[s->len++] = byte == '\0' ? '?' : byte;
  s->text[s->len] = '\0';
  if (byte == '\n') look(s, false);
}

static void open_file(source *s) {
  const char *name = s->link->options->ticket_in;
  s->fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (s->fd >= 0 || errno == ENOENT) return;
  floe__report_say(s->link->report, "--ticket-in %s: %s", name, strerror(errno));
  s->link->status = FLOE__CONNECT_EXIT_USAGE;
  finish(s, false);
}

/* Standard input is data after the ticket's line: not a byte more is read. */
static ssize_t read_input(char *byte) {
  struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
  if (poll(&p, 1, 0) == 0) {
    errno = EAGAIN;
    return -1;
  }
  return read(STDIN_FILENO, byte, 1);
}

/* Returns false when there is nothing to read now. */
static bool read_one(source *s) {
  char byte;
  ssize_t n = s->kind == SOURCE_INPUT ? read_input(&byte) : read(s->fd, &byte, 1);
  if (n == 1) {
    take_byte(s, byte);
    return true;
  }
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n == 0 && s->kind == SOURCE_FILE) { /* the writer of a file or a FIFO may come back */
    look(s, true);
    return false;
  }
  if (n == 0 && s->kind == SOURCE_INPUT && s->len > 0) look(s, true);
  if (s->is_done) return false;
  floe__report_say(s->link->report, n == 0 ? "no ticket came: its source has ended" : "no ticket can be read: %s",
                   strerror(errno));
  s->link->status = FLOE__CONNECT_EXIT_USAGE;
  finish(s, false);
  return false;
}

/* A line came that is the beginning of a ticket. */
static void ask_for_rest(source *s) {
  FILE *human = s->link->report->human;
  if (human == NULL || s->len == 0 || s->line != s->len || s->asked == s->len) return;
  s->asked = s->len;
  (void)fputs("That is a part of it; the rest: ", human);
  (void)fflush(human);
}

static void on_tick(void *user) {
  source *s = user;
  if (s->kind == SOURCE_FILE && s->fd < 0) open_file(s);
  if (s->fd < 0) return;
  while (!s->is_done && read_one(s)) continue;
  if (!s->is_done && s->kind == SOURCE_TERMINAL) ask_for_rest(s);
}

static void open_source(source *s) {
  s->kind = SOURCE_FILE;
  s->fd = -1;
  if (s->link->options->ticket_in != NULL) return;
  s->kind = SOURCE_TERMINAL;
  s->fd = open("/dev/tty", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (s->fd >= 0) return;
  s->kind = SOURCE_INPUT;
  s->fd = STDIN_FILENO;
}

static void ask(const source *s) {
  const floe__report *r = s->link->report;
  if (r->human == NULL || s->kind == SOURCE_FILE) return;
  (void)fputs(
      s->link->options->is_answer ? "Paste the other side's ticket here: " : "and paste here the line that it prints: ",
      r->human);
  if (s->kind == SOURCE_INPUT) (void)fputs("(as the first line of standard input)\n", r->human);
  (void)fflush(r->human);
}

bool floe__exchange_take(floe__link *link) {
  source *s = floe__cli_alloc(sizeof *s);
  s->link = link;
  open_source(s);
  ask(s);
  link->session.on_tick = on_tick;
  link->session.tick_user = s;
  bool came = floe__session_wait(&link->session, &s->is_done, 0);
  link->session.on_tick = NULL;
  if (s->fd > STDERR_FILENO) (void)close(s->fd);
  bool is_good = came && s->is_good;
  floe__cli_wipe(s, sizeof *s);
  free(s);
  return is_good;
}
