/* Runs a command on a terminal of its own and types what it is told to, once a text was seen.
 *
 *   on_pty [--when TEXT --type TEXT]... COMMAND [ARGUMENTS]
 *
 * What the command prints is copied to standard output; its status is the status. In --type, ^C is the interrupt key,
 * ^Z the one that stops, and ^J the end of a line. */
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT_MS = 20000, MAX_OUTPUT = 1 << 18 };

static char output[MAX_OUTPUT];
static size_t n_output, n_matched; /* the first n_matched bytes were waited for before */

/* Reads what there is; returns 0 at the end, -1 when nothing came in time. */
static int read_some(int fd) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  if (poll(&p, 1, LIMIT_MS) <= 0) return -1;
  ssize_t n = read(fd, output + n_output, sizeof output - 1 - n_output);
  if (n <= 0) return 0; /* EIO: the other side is closed */
  n_output += (size_t)n;
  return 1;
}

static void wait_for(int fd, const char *text) {
  const char *found;
  while ((found = strstr(output + n_matched, text)) == NULL) {
    if (read_some(fd) > 0) continue;
    (void)fprintf(stderr, "on_pty: '%s' did not come; there is:\n%s\n", text, output);
    exit(99);
  }
  n_matched = (size_t)(found - output) + strlen(text);
}

static void type(int fd, const char *text) {
  for (; *text != '\0'; text++) {
    char byte = *text;
    if (text[0] == '^' && text[1] != '\0') byte = (char)(*++text & 0x1f); /* ^J is a line feed */
    if (write(fd, &byte, 1) != 1) exit(98);
  }
}

int main(int argc, char **argv) {
  int fd, at = 1, status;
  while (at + 3 < argc && strcmp(argv[at], "--when") == 0 && strcmp(argv[at + 2], "--type") == 0) at += 4;
  if (at >= argc) return 97;
  pid_t pid = forkpty(&fd, NULL, NULL, NULL);
  if (pid < 0) return 96;
  if (pid == 0) {
    (void)execvp(argv[at], argv + at);
    _exit(127);
  }
  for (int i = 1; i < at; i += 4) {
    wait_for(fd, argv[i + 1]);
    type(fd, argv[i + 3]);
  }
  int more;
  while ((more = read_some(fd)) > 0) continue;
  if (more < 0 || waitpid(pid, &status, 0) != pid) return 95;
  (void)fwrite(output, 1, n_output, stdout);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
