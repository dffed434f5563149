#include "prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "mem.h"
#include "text.h"

enum { MAX_SECRET = 1024 };

/* What the signal handler puts back. */
static struct termios saved;
static int terminal = -1;

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { N_SIGNALS = sizeof signals / sizeof signals[0] };

static void restore_and_raise(int sig) {
  (void)tcsetattr(terminal, TCSAFLUSH, &saved);
  (void)write(terminal, "\n", 1);
  (void)signal(sig, SIG_DFL);
  (void)raise(sig);
}

static bool echo_off(struct sigaction *old) {
  struct termios quiet;
  struct sigaction action;
  if (tcgetattr(terminal, &saved) != 0) return false;
  memset(&action, 0, sizeof action);
  action.sa_handler = restore_and_raise;
  (void)sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < N_SIGNALS; i++) (void)sigaction(signals[i], &action, &old[i]);
  quiet = saved;
  quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
  quiet.c_lflag |= ECHONL; /* the line feed shows that it was taken */
  return tcsetattr(terminal, TCSAFLUSH, &quiet) == 0;
}

static void echo_on(const struct sigaction *old) {
  (void)tcsetattr(terminal, TCSAFLUSH, &saved);
  for (size_t i = 0; i < N_SIGNALS; i++) (void)sigaction(signals[i], &old[i], NULL);
}

static void ask(const char *user) {
  char *clean = floe__text_clean(user == NULL ? "" : user);
  (void)dprintf(terminal, user == NULL ? "Credential: " : "Credential of %s: ", clean);
  floe__cli_free_secret(clean);
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
  if (echo_off(old)) { /* first, so that nothing typed early is shown or thrown away after the question */
    ask(user);
    line = read_line(why, cap);
  } else {
    (void)snprintf(why, cap, "cannot switch the echo of the terminal off: %s", strerror(errno));
  }
  echo_on(old);
  (void)close(terminal);
  return line;
}
