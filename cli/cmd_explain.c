/* floe explain - a trace as a timeline that people read, and how everything in it ended. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "exit_status.h"
#include "floe/floe.h"
#include "human.h"
#include "text.h"
#include "trace_reader.h"
#include "trace_summary.h"
#include "trace_timeline.h"

/* Broken lines told one by one; further ones are counted. */
enum { BROKEN_TOLD = 20 };
enum { EXIT_BROKEN = 1 };

typedef struct options {
  const char *name; /* "-" = standard input */
  bool has_agent;
  uint32_t agent;
  bool summary, json, verbose, help;
} options;

typedef struct explain {
  const options *options;
  floe__story story;
  floe__timeline timeline;
  floe__trace_gaps gaps;
} explain;

static void print_help(FILE *out) {
  (void)fputs(
      "usage: floe explain [OPTIONS] [TRACE]\n\n"
      "Tells what happened in a trace, written by floe check or floe connect with --trace FILE, or by the trace\n"
      "function of a program: a line for each event with the seconds since the first, and at the end how each server,\n"
      "each candidate pair and each layer of the connection (ICE, DTLS, SCTP, channels) came up and ended, and why.\n"
      "Without TRACE, or when it is -, standard input is read.\n\n"
      "  -s, --summary         print the end only\n"
      "  --json                print the end only, as one JSON object\n"
      "  --agent N             only what agent N did, where a trace has several\n"
      "  -v, --verbose         print every event, repetitions and details too, and every pair\n"
      "  -h, --help            show this help\n\n"
      "Exit status: 0 every line was read; 1 some could not be: each is told with its number and column, and the rest\n"
      "is explained; 2 the command line is refused or TRACE cannot be read; 9 others; 141 nobody reads the output.\n"
      "Events that this version does not know are counted, and are no error.\n\n"
      "Examples:\n"
      "  floe check --trace t.jsonl turn:turn.example.org --user alice; floe explain t.jsonl\n"
      "  floe connect --trace t.jsonl; floe explain --summary t.jsonl\n"
      "  tail -f t.jsonl | floe explain -v\n",
      out);
}

static int refuse(const char *sentence) {
  char *clean = floe__text_clean(sentence);
  (void)fprintf(stderr, "floe explain: %s\nsee floe explain --help\n", clean);
  free(clean);
  return FLOE__EXIT_USAGE;
}

/* --- the command line --------------------------------------------------------------------------------------------- */

enum { OPT_JSON = 256, OPT_AGENT };

static bool take_option(options *o, int found, char *why, size_t cap) {
  switch (found) {
    case 's': return o->summary = true;
    case 'v': return o->verbose = true;
    case 'h': return o->help = true;
    case OPT_JSON: return o->json = true;
    case OPT_AGENT:
      o->has_agent = true;
      if (floe__text_number(optarg, 1, UINT32_MAX, &o->agent)) return true;
      (void)snprintf(why, cap, "--agent %.60s: not a number from 1 on", optarg);
      return false;
    case ':': (void)snprintf(why, cap, "option --agent needs N"); return false;
    default: return false;
  }
}

static bool parse(options *o, int argc, char **argv, char *why, size_t cap) {
  static const struct option table[] = {{"summary", no_argument, NULL, 's'},
                                        {"json", no_argument, NULL, OPT_JSON},
                                        {"agent", required_argument, NULL, OPT_AGENT},
                                        {"verbose", no_argument, NULL, 'v'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};
  optind = 0; /* glibc and musl: start anew */
  opterr = 0;
  for (int found; (found = getopt_long(argc, argv, ":svh", table, NULL)) != -1;) {
    if (take_option(o, found, why, cap)) continue;
    if (why[0] == '\0') (void)snprintf(why, cap, "unknown option %.100s", argv[optind - 1]);
    return false;
  }
  if (argc - optind > 1) {
    (void)snprintf(why, cap, "one trace at a time: %.100s is too much", argv[optind + 1]);
    return false;
  }
  o->name = optind < argc ? argv[optind] : "-";
  return true;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static void on_event(const floe__trace_line *line, void *user) {
  explain *x = user;
  floe__words words;
  if (x->options->has_agent && line->agent != x->options->agent) return;
  floe__story_add(&x->story, line);
  bool known = floe__words_make(&words, &x->story, line);
  if (known && x->timeline.out != NULL) floe__timeline_add(&x->timeline, line, &words);
  if (known) return;
  if (x->gaps.unknown++ == 0) (void)snprintf(x->gaps.unknown_name, sizeof x->gaps.unknown_name, "%s", line->event);
}

static void on_broken(uint64_t number, int column, const char *why, void *user) {
  explain *x = user;
  bool is_stdin = strcmp(x->options->name, "-") == 0;
  if (x->gaps.broken++ >= BROKEN_TOLD) return;
  if (x->timeline.out != NULL) floe__timeline_flush(&x->timeline);
  (void)fflush(stdout); /* where both go to the same terminal, in the right order */
  char *name = floe__text_clean(is_stdin ? "standard input" : x->options->name), *clean = floe__text_clean(why);
  (void)fprintf(stderr, "floe explain: %s: line %llu, column %d: %s\n", name, (unsigned long long)number, column,
                clean);
  free(clean);
  free(name);
}

static bool is_output_lost(void) {
  return fflush(stdout) != 0 || ferror(stdout);
}

/* Returns errno. Reads as it comes, so that what is written into a pipe is told at once; stops when nobody reads what
 * is told. */
static int read_all(explain *x, int fd) {
  static char bytes[1 << 16];
  floe__trace_reader reader;
  ssize_t n = 0;
  floe__trace_reader_init(&reader);
  reader.on_event = on_event;
  reader.on_broken = on_broken;
  reader.user = x;
  while (!is_output_lost() && (n = read(fd, bytes, sizeof bytes)) != 0) {
    if (n > 0) floe__trace_reader_feed(&reader, bytes, (size_t)n);
    if (n < 0 && errno != EINTR) break;
  }
  int error = n < 0 ? errno : 0;
  if (!is_output_lost()) floe__trace_reader_finish(&reader);
  floe__trace_reader_clear(&reader);
  return error;
}

static void print_end(explain *x, const floe__human *human) {
  const floe__summary_style style = {human->colour, x->options->verbose, human->width};
  if (x->options->json) {
    floe__trace_summary_print_json(stdout, &x->story, &x->gaps);
    return;
  }
  floe__timeline_flush(&x->timeline);
  if (!x->options->summary && x->story.n_events > 0) (void)fputc('\n', stdout);
  floe__trace_summary_print(stdout, &x->story, &x->gaps, style);
}

static int explain_file(const options *o, int fd) {
  explain x = {.options = o};
  floe__human human;
  floe__human_init(&human, stdout, o->verbose, 0);
  if (!o->summary && !o->json) x.timeline.out = stdout;
  x.timeline.colour = human.colour;
  x.timeline.verbose = o->verbose;
  int error = read_all(&x, fd);
  print_end(&x, &human);
  int status = x.gaps.broken == 0 ? FLOE__EXIT_OK : EXIT_BROKEN;
  if (error != 0) {
    (void)fprintf(stderr, "floe explain: %s\n", strerror(error));
    status = FLOE__EXIT_USAGE;
  }
  floe__story_clear(&x.story);
  return status;
}

static int run(const options *o) {
  char why[300];
  if (strcmp(o->name, "-") == 0) return explain_file(o, STDIN_FILENO);
  int fd = open(o->name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    bool is_cause = errno == ENOENT && floe_cause_from_id(o->name) != FLOE_CAUSE_COUNT;
    (void)snprintf(why, sizeof why, "cannot read %.150s: %s%s%s", o->name, strerror(errno),
                   is_cause ? "; of a cause: floe check --explain " : "", is_cause ? o->name : "");
    return refuse(why);
  }
  int status = explain_file(o, fd);
  (void)close(fd);
  return status;
}

int floe_cmd_explain(int argc, char **argv) {
  options o = {.name = "-"};
  char why[200] = "";
  if (!parse(&o, argc, argv, why, sizeof why)) return refuse(why);
  if (o.help) {
    print_help(stdout);
    return FLOE__EXIT_OK;
  }
  return run(&o);
}
