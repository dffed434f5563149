#include "prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "mem.h"
#include "text.h"

enum { MAX_SECRET = 1024 };

/* What the signal handlers put back. */
static struct termios saved, quiet;
static int terminal = -1;
static const char *question;
static size_t question_len;

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
enum { N_SIGNALS = sizeof signals / sizeof signals[0] };

static void restore_and_raise(int sig) {
  (void)tcsetattr(terminal, TCSAFLUSH, &saved);
  (void)write(terminal, "\n", 1);
  (void)signal(sig, SIG_DFL);
  (void)raise(sig);
}

static void handle(int sig);

/* While it is stopped the terminal is the shell's. The shell brings it back with echo on: without this, the rest of the
 * credential would be shown. */
static void stop_and_ask_again(int sig) {
  int error = errno;
  (void)tcsetattr(terminal, TCSAFLUSH, &saved);
  (void)signal(sig, SIG_DFL);
  (void)raise(sig); /* SA_NODEFER: stops here. Not SIGSTOP, which nobody would end where there is no shell */
  handle(sig);
  (void)tcsetattr(terminal, TCSAFLUSH, &quiet); /* in the background this stops once more */
  (void)write(terminal, question, question_len);
  errno = error;
}

static void handle(int sig) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  (void)sigemptyset(&action.sa_mask);
  action.sa_handler = sig == SIGTSTP ? stop_and_ask_again : restore_and_raise;
  if (sig == SIGTSTP) action.sa_flags = SA_RESTART | SA_NODEFER;
  (void)sigaction(sig, &action, NULL);
}

static bool echo_off(struct sigaction *old) {
  if (tcgetattr(terminal, &saved) != 0) return false;
  quiet = saved;
  quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
  quiet.c_lflag |= ECHONL; /* the line feed shows that it was taken */
  for (size_t i = 0; i < N_SIGNALS; i++) {
    (void)sigaction(signals[i], NULL, &old[i]);
    handle(signals[i]);
  }
  return tcsetattr(terminal, TCSAFLUSH, &quiet) == 0;
}

static void echo_on(const struct sigaction *old) {
  (void)tcsetattr(terminal, TCSAFLUSH, &saved);
  for (size_t i = 0; i < N_SIGNALS; i++) (void)sigaction(signals[i], &old[i], NULL);
}

/* out: caller frees; what is asked. */
static char *make_question(const char *user) {
  char *clean = floe__text_clean(user == NULL ? "" : user);
  size_t cap = strlen(clean) + 32;
  char *text = floe__cli_alloc(cap);
  (void)snprintf(text, cap, "%s%s: ", user == NULL ? "Credential" : "Credential of ", clean);
  free(clean);
  return text;
}

static char *read_line(char *why, size_t cap) {
  char buf[MAX_SECRET];
  ssize_t n = read(terminal, buf, sizeof buf); /* the terminal hands out whole lines */
  char *line = NULL;
  if (n < 0) {
    (void)snprintf(why, cap, "cannot read from the terminal: %s", strerror(errno));
  } else if (n == 0 || buf[0] == '\n') {
    (void)snprintf(why, cap, "no credential was typed");
  } else {
    line = floe__cli_strndup(buf, (size_t)n - (buf[n - 1] == '\n' ? 1 : 0));
  }
  floe__cli_wipe(buf, sizeof buf);
  return line;
}

bool floe__prompt_is_possible(void) {
  int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  (void)close(fd);
  return isatty(STDERR_FILENO) == 1;
}

char *floe__prompt_secret(const char *user, char *why, size_t cap) {
  struct sigaction old[N_SIGNALS];
  char *line = NULL;
  memset(old, 0, sizeof old);
  terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (terminal < 0) {
    (void)snprintf(why, cap, "there is no terminal to ask on: use --credential-file");
    return NULL;
  }
  char *text = make_question(user);
  question = text;
  question_len = strlen(text);
  if (echo_off(old)) { /* first, so that nothing typed early is shown or thrown away after the question */
    (void)write(terminal, text, question_len);
    line = read_line(why, cap);
  } else {
    (void)snprintf(why, cap, "cannot switch the echo of the terminal off: %s", strerror(errno));
  }
  echo_on(old);
  free(text);
  (void)close(terminal);
  return line;
}
