/* Two whole peer connections on the hosts of pair_world.h: their signalling, their channels, and what must hold of the
 * events of each.
 *
 *   pc_side     a connection on its host; the order of its events; what can be asked agrees with what was told
 *   pc_signal   negotiation as programs do it, perfect negotiation included, and all that was ever signalled
 *   pc_channel  channels and their messages, which say themselves what they are
 *
 * Without a byte of the input host 0 makes a channel, both connect, and what is sent arrives. */
#ifndef FLOE_FUZZ_PC_WORLD_H
#define FLOE_FUZZ_PC_WORLD_H

#include "floe/pc.h"
#include "support/pair_world.h"

#define PCW_CHANNELS 48  /* of one side, ever */
#define PCW_MESSAGES 160 /* of one channel */
#define PCW_TEXTS    10  /* descriptions of before */
#define PCW_LINES    8   /* candidates of before */
#define PCW_LOW_IDS  100 /* streams below are never those of negotiated channels, unless `mixes_ids` */

typedef struct pcw_side pcw_side;
typedef struct pcw_channel pcw_channel;

typedef struct pcw_message {
  uint32_t len;
  bool is_text, came;
} pcw_message;

/* One channel as one side has it. */
struct pcw_channel {
  pcw_side *s;
  uint32_t serial;           /* of its side */
  floe_data_channel *handle; /* NULL: freed */
  pcw_channel *other;        /* nullable: the same one at the other side */
  bool is_negotiated, is_ordered, is_reliable;
  bool was_announced, told_open, told_closing, told_close, told_error;
  pcw_message sent[PCW_MESSAGES];
  uint32_t n_sent;
  uint32_t next; /* of the other side's messages */
};

struct pcw_side {
  struct pcw_world *w;
  pw_host *h;
  floe_pc *pc;         /* NULL: freed, or could not be made */
  bool is_manual;      /* nothing is negotiated by itself */
  bool ignores_offer;  /* perfect negotiation */
  bool was_redirected; /* a rollback, a restart or another description: ICE may begin anew */
  /* what was told last */
  floe_signaling_state signaling;
  floe_ice_gathering_state gathering, transport_gathering;
  floe_ice_connection_state ice, transport_ice;
  floe_pc_state state;
  floe_dtls_transport_state dtls;
  bool owes_null;                 /* `complete` was told: the null candidate comes next */
  bool needs_negotiation;         /* told, and not stable anew since */
  const floe_data_channel *opens; /* announced: its `open` comes next */
  pcw_channel channels[PCW_CHANNELS];
  uint32_t n_channels;
};

typedef struct pcw_text {
  floe_sdp_type type;
  char *sdp; /* nullable */
} pcw_text;

typedef struct pcw_world {
  pw_world net;
  pcw_side sides[2];
  pcw_text texts[PCW_TEXTS];
  uint32_t n_texts;
  char *lines[PCW_LINES]; /* nullable: "mid\nufrag\ncandidate" */
  uint32_t n_lines;
  bool is_evil;   /* a side has sent what no side sends */
  bool mixes_ids; /* negotiated channels on streams that others may have */
} pcw_world;

/* --- pc_side.c --------------------------------------------------------------------------------------------------- */

void pcw_begin(pcw_world *w, int index, const floe_pc_config *cfg, const floe_ice_config *ice, uint8_t seed);
void pcw_end(pcw_world *w);  /* closes both, waits, checks that nothing is left */
void pcw_close(pcw_side *s); /* close(): silent from here on */
void pcw_free(pcw_side *s);  /* at once */
bool pcw_is_live(const pcw_side *s);
pcw_side *pcw_other(const pcw_side *s);
pcw_side *pcw_side_of(const pw_host *h);
void pcw_call(pcw_side *s); /* before each call: the clock */
void pcw_ask(pcw_side *s);  /* all getters */
/* Each call of floe_pc_*: its status and its error fit together. */
void pcw_check_status(floe_status st, const floe_error *why);

/* --- pc_signal.c ------------------------------------------------------------------------------------------------- */

void pcw_keep_text(pcw_world *w, const floe_session_description *d);
void pcw_negotiate(pcw_side *s); /* setLocalDescription(), and tells the other side */
floe_status pcw_set_local(pcw_side *s, const floe_session_description *d);
floe_status pcw_set_remote(pcw_side *s, const floe_session_description *d);
void pcw_tell_description(pcw_side *s);
void pcw_tell_candidate(pcw_side *s, const floe_signaled_candidate *c);
void pcw_add_line(pcw_side *s, const char *line /* "mid\nufrag\ncandidate" */);
void pcw_take_signal(pw_host *h, const pw_event *e);
void pcw_clear_signals(pcw_world *w);

/* --- pc_channel.c ------------------------------------------------------------------------------------------------ */

/* NULL: refused, or there are too many. `suffix`: of its label. */
pcw_channel *pcw_open(pcw_side *s, const floe_data_channel_init *init, const char *suffix);
void pcw_on_channel_event(pcw_side *s, const floe_event *e);
/* Sends a message of about this length; false: it was refused. */
bool pcw_send(pcw_channel *c, uint32_t len, bool is_text);
void pcw_free_channel(pcw_channel *c);
void pcw_check_channels(pcw_side *s);
void pcw_forget_channels(pcw_side *s); /* their connection is freed */
bool pcw_is_all_there(pcw_world *w);   /* nothing that was sent reliably is under way */

#endif
