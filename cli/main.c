/* floe - the command. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "exit_status.h"
#include "floe/floe.h"
#include "text.h"

typedef struct command {
  const char *name;
  int (*run)(int argc, char **argv);
  const char *text;
} command;

static int run_help(int argc, char **argv);

static const command commands[] = {
    {"check", floe_cmd_check, "check STUN and TURN servers, and say why one fails"},
    {"connect", floe_cmd_connect, "connect two terminals: data, files or TCP connections, peer to peer"},
    {"explain", floe_cmd_explain, "tell what happened in a trace"},
    {"nat", floe_cmd_nat, "say what kind of NAT this host is behind, and what gets out"},
    {"testserver", floe_cmd_testserver, "run a STUN/TURN server that misbehaves on demand"},
    {"help", run_help, "show this, or the help of a command"},
};

enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void print_usage(FILE *out) {
  (void)fputs("usage: floe COMMAND [OPTIONS] [ARGUMENTS]\n\n", out);
  for (size_t i = 0; i < N_COMMANDS; i++) (void)fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].text);
  (void)fputs(
      "\n  floe COMMAND --help   the options of a command\n"
      "  floe --version        the version\n\n"
      "To begin: floe check stun:stun.example.org\n"
      "Without a network: floe check --demo\n",
      out);
}

static int refuse_command(const char *name) {
  const char *names[N_COMMANDS + 1];
  for (size_t i = 0; i < N_COMMANDS; i++) names[i] = commands[i].name;
  names[N_COMMANDS] = NULL;
  const char *near = floe__text_suggest(name, names);
  char *masked = floe__text_mask_url(name), *clean = floe__text_clean(masked);
  (void)fprintf(stderr, "floe: there is no command %s%s%s%s\n", clean, near == NULL ? "" : "; did you mean ",
                near == NULL ? "" : near, near == NULL ? "" : "?");
  bool is_url = strncmp(name, "stun", 4) == 0 || strncmp(name, "turn", 4) == 0;
  if (near == NULL && is_url && strchr(name, ':') != NULL) {
    (void)fprintf(stderr, "to check a server: floe check %s\n", clean);
  }
  (void)fputs("see floe --help\n", stderr);
  free(clean);
  free(masked);
  return FLOE__EXIT_USAGE;
}

static const command *find_command(const char *name) {
  for (size_t i = 0; i < N_COMMANDS; i++) {
    if (strcmp(commands[i].name, name) == 0) return &commands[i];
  }
  return NULL;
}

static int run_help(int argc, char **argv) {
  static char option[] = "--help";
  if (argc < 2 || strcmp(argv[1], "help") == 0) {
    print_usage(stdout);
    return FLOE__EXIT_OK;
  }
  const command *c = find_command(argv[1]);
  if (c == NULL) return refuse_command(argv[1]);
  char *args[] = {argv[1], option, NULL};
  return c->run(2, args);
}

/* Text that could not be written is an error of the command, unless it has another one to tell. */
static int finish(int status) {
  errno = 0;
  if (fflush(stdout) == 0 && !ferror(stdout)) return status;
  return status == FLOE__EXIT_OK ? floe__exit_of_lost_output(errno) : status;
}

/* A standard stream that the parent closed must not become the number of a socket. The wrong direction makes every use
 * of it fail, as if it were still closed. */
static void occupy_standard_streams(void) {
  for (int fd = 0; fd <= 2; fd++) {
    if (fcntl(fd, F_GETFD) < 0) (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
  }
}

int main(int argc, char **argv) {
  occupy_standard_streams();
  (void)signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of the write: allocations are still deleted */
  if (argc < 2) {
    print_usage(stderr);
    return FLOE__EXIT_USAGE;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) return finish(run_help(1, argv));
  if (strcmp(argv[1], "--version") == 0) {
    (void)printf("floe %s\n", floe_version());
    return finish(FLOE__EXIT_OK);
  }
  const command *c = find_command(argv[1]);
  return c == NULL ? refuse_command(argv[1]) : finish(c->run(argc - 1, argv + 1));
}
