/* The peer connection of `floe connect`, from the first ticket to the last byte, whatever it carries. What it carries
 * is a job: standard input and output, files, or a tunnel. */
#ifndef FLOE_CLI_CONNECT_LINK_H
#define FLOE_CLI_CONNECT_LINK_H

#include "connect_frame.h"
#include "connect_help.h"
#include "connect_options.h"
#include "connect_report.h"
#include "connect_speaker.h"
#include "session.h"

typedef struct floe__link floe__link;

/* One kind of job. Each function gets what `open` made. */
typedef struct floe__job {
  /* Before anything is sent: opens what it needs. NULL: the reason was told, and the link's status is set. */
  void *(*open)(floe__link *link);
  void (*start)(void *job);                              /* connected */
  void (*on_frame)(void *job, const floe__frame *frame); /* on the control channel; not STOP and BYE */
  void (*on_room)(void *job);                            /* the channel may take more; about ten times a second, too */
  void (*on_channel)(void *job, floe_data_channel *channel); /* nullable: the other side made one */
  void (*on_bye)(void *job);                                 /* nullable: the other side ends, and all is well */
  void (*draw)(void *job);                                   /* nullable: time to draw the line of progress */
  void (*cut_off)(void *job); /* nullable: it ends before it is done: what should the user know? */
  void (*close)(void *job);   /* closes everything and frees it */
  bool ends_by_signal;        /* that is how it is meant to end: the other side is told BYE, not STOP */
} floe__job;

extern const floe__job floe__job_pipe, floe__job_send, floe__job_receive, floe__job_tunnel;

struct floe__link {
  const floe__connect_options *options;
  const floe_ice_config *ice;
  floe__session session;
  floe__report *report;
  const floe__job *job;
  void *job_data;
  floe_uv_pc *pc;
  floe_data_channel *control; /* NULL once it is closed */
  floe__speaker speaker;      /* on the control channel */
  floe__ticket own, peer;
  bool is_gathered, is_connected, has_started;
  bool is_over; /* `status` is final */
  int status;
  bool is_control_closed;
  floe_cause cause; /* why the connection failed; NONE: it has not */
  uint64_t begun_ms;
};

/* Runs it all; the options were checked, the report is open. Returns the exit status. */
int floe__link_run(floe__link *link, const floe_env_config *env);

/* The job is over, well or not. The first status counts. */
void floe__link_end(floe__link *link, int status);
/* Tells the other side that this one has to end, and ends with the status. */
void floe__link_stop(floe__link *link, floe__frame_code code, const char *words, int status);
void floe__link_say(floe__link *link, const floe__frame *frame);
uint64_t floe__link_now_ms(const floe__link *link);

#endif
