/* libnice (Debian package libnice-dev) as a peer of the tests: see README.md for the lines that it speaks.
 *
 *     nice_peer --role controlling|controlled [--server turn:ADDRESS[:PORT]|stun:ADDRESS[:PORT]]
 *               [--user NAME --credential WORD] [--nomination regular|aggressive] [--lite] [--tcp-only] [--no-ipv6] */
#include <agent.h>
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"

typedef struct peer {
  GMainLoop *loop;
  NiceAgent *agent;
  guint stream;
  exchange data;
  bool has_connected;
  bool is_restarting; /* and the other side does not know yet */
  char *remote_ufrag;
} peer;

static char *role, *server, *username, *credential, *nomination;
static gboolean lite, tcp_only, no_ipv6;

static GOptionEntry options[] = {
    {"role", 0, 0, G_OPTION_ARG_STRING, &role, NULL, NULL},
    {"server", 0, 0, G_OPTION_ARG_STRING, &server, NULL, NULL},
    {"user", 0, 0, G_OPTION_ARG_STRING, &username, NULL, NULL},
    {"credential", 0, 0, G_OPTION_ARG_STRING, &credential, NULL, NULL},
    {"nomination", 0, 0, G_OPTION_ARG_STRING, &nomination, NULL, NULL},
    {"lite", 0, 0, G_OPTION_ARG_NONE, &lite, NULL, NULL},
    {"tcp-only", 0, 0, G_OPTION_ARG_NONE, &tcp_only, NULL, NULL},
    {"no-ipv6", 0, 0, G_OPTION_ARG_NONE, &no_ipv6, NULL, NULL},
    {0},
};

static void say(const char *line) {
  (void)puts(line);
  (void)fflush(stdout);
}

static const char *type_name(NiceCandidateType type) {
  static const char *const names[] = {"host", "srflx", "prflx", "relay"};
  return names[type];
}

/* --- what the library tells --------------------------------------------------------------------------------------- */

static void on_candidate(NiceAgent *agent, NiceCandidate *candidate, gpointer user_data) {
  (void)user_data;
  bool is_ipv6 = nice_address_ip_version(&candidate->addr) == 6;
  if (is_ipv6 && no_ipv6) return;
  char *line = nice_agent_generate_local_candidate_sdp(agent, candidate);
  say(line + strlen("a="));
  g_free(line);
}

static void on_gathered(NiceAgent *agent, guint stream, gpointer user_data) {
  (void)agent;
  (void)stream;
  (void)user_data;
  say("end");
}

static void on_state(NiceAgent *agent, guint stream, guint component, guint state, gpointer user_data) {
  peer *p = user_data;
  (void)agent;
  (void)stream;
  (void)component;
  if (state == NICE_COMPONENT_STATE_CONNECTED || state == NICE_COMPONENT_STATE_READY) p->has_connected = true;
  printf("state %s\n", state == NICE_COMPONENT_STATE_READY ? "completed" : nice_component_state_to_string(state));
  (void)fflush(stdout);
}

static void on_pair(NiceAgent *agent, guint stream, guint component, NiceCandidate *local, NiceCandidate *remote,
                    gpointer user_data) {
  gboolean controlling = FALSE;
  (void)stream;
  (void)component;
  (void)user_data;
  const char *transport = local->transport == NICE_CANDIDATE_TRANSPORT_UDP ? "udp" : "tcp";
  printf("pair %s %s %s\n", type_name(local->type), type_name(remote->type), transport);
  g_object_get(agent, "controlling-mode", &controlling, NULL);
  say(controlling ? "role controlling" : "role controlled");
}

static void on_data(NiceAgent *agent, guint stream, guint component, guint len, gchar *buf, gpointer user_data) {
  (void)agent;
  (void)stream;
  (void)component;
  exchange_take(&((peer *)user_data)->data, (const uint8_t *)buf, len);
}

static void send_data(const uint8_t *data, size_t len, void *user) {
  peer *p = user;
  (void)nice_agent_send(p->agent, p->stream, 1, (guint)len, (const gchar *)data);
}

static gboolean on_tick(gpointer user_data) {
  peer *p = user_data;
  char line[64];
  if (p->has_connected) exchange_tick(&p->data, (uint64_t)g_get_monotonic_time() / 1000);
  if (exchange_fact(&p->data, line, sizeof line)) say(line);
  return G_SOURCE_CONTINUE;
}

/* --- what it is told ---------------------------------------------------------------------------------------------- */

static void add_candidate(peer *p, const char *line) {
  char *text = g_strconcat("a=", line, NULL);
  NiceCandidate *candidate = nice_agent_parse_remote_candidate_sdp(p->agent, p->stream, text);
  if (candidate != NULL) { /* it takes no names, for one */
    GSList list = {.data = candidate, .next = NULL};
    (void)nice_agent_set_remote_candidates(p->agent, p->stream, 1, &list);
    nice_candidate_free(candidate);
  }
  g_free(text);
}

static bool say_credentials(peer *p) {
  char *ufrag = NULL, *pwd = NULL;
  if (!nice_agent_get_local_credentials(p->agent, p->stream, &ufrag, &pwd)) return false;
  if (lite) say("lite");
  printf("ufrag %s\npwd %s\n", ufrag, pwd);
  (void)fflush(stdout);
  g_free(ufrag);
  g_free(pwd);
  return true;
}

/* libnice keeps its candidates over a restart, and does not tell them again. */
static void restart(peer *p) {
  (void)nice_agent_restart_stream(p->agent, p->stream);
  (void)say_credentials(p);
  GSList *list = nice_agent_get_local_candidates(p->agent, p->stream, 1);
  for (GSList *one = list; one != NULL; one = one->next) on_candidate(p->agent, one->data, p);
  g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
  say("end");
}

/* Another than before: the other side has restarted. */
static void take_ufrag(peer *p, const char *ufrag) {
  if (p->remote_ufrag != NULL && !p->is_restarting) restart(p);
  p->is_restarting = false;
  g_free(p->remote_ufrag);
  p->remote_ufrag = g_strdup(ufrag);
}

static void take(peer *p, const char *line) {
  if (g_str_has_prefix(line, "ufrag ")) {
    take_ufrag(p, line + strlen("ufrag "));
  } else if (g_str_has_prefix(line, "pwd ")) {
    (void)nice_agent_set_remote_credentials(p->agent, p->stream, p->remote_ufrag, line + strlen("pwd "));
  } else if (g_str_has_prefix(line, "candidate:")) {
    add_candidate(p, line);
  } else if (strcmp(line, "end") == 0) {
    (void)nice_agent_peer_candidate_gathering_done(p->agent, p->stream);
  } else if (g_str_has_prefix(line, "data ")) {
    if (!exchange_begin(&p->data, strtoul(line + strlen("data "), NULL, 10))) say("data refused");
  } else if (strcmp(line, "restart") == 0) {
    p->is_restarting = true;
    restart(p);
  } else if (strcmp(line, "quit") == 0) {
    g_main_loop_quit(p->loop);
  } else if (strcmp(line, "lite") != 0) { /* libnice finds out by itself */
    g_printerr("no such order: %s\n", line);
  }
}

static gboolean on_input(GIOChannel *channel, GIOCondition condition, gpointer user_data) {
  peer *p = user_data;
  char *line = NULL;
  (void)condition;
  if (g_io_channel_read_line(channel, &line, NULL, NULL, NULL) == G_IO_STATUS_NORMAL) {
    take(p, g_strchomp(line));
  } else {
    g_main_loop_quit(p->loop);
  }
  g_free(line);
  return G_SOURCE_CONTINUE;
}

/* --- setting up --------------------------------------------------------------------------------------------------- */

static void use_server(peer *p) {
  char **parts = g_strsplit(server, ":", 3);
  guint port = parts[1] != NULL && parts[2] != NULL ? (guint)strtoul(parts[2], NULL, 10) : 3478;
  if (strcmp(parts[0], "turn") == 0) {
    (void)nice_agent_set_relay_info(p->agent, p->stream, 1, parts[1], port, username, credential,
                                    NICE_RELAY_TYPE_TURN_UDP);
  } else {
    g_object_set(p->agent, "stun-server", parts[1], "stun-server-port", port, NULL);
  }
  g_strfreev(parts);
}

static void make_agent(peer *p) {
  NiceAgentOption flags = NICE_AGENT_OPTION_ICE_TRICKLE | NICE_AGENT_OPTION_CONSENT_FRESHNESS;
  if (g_strcmp0(nomination, "regular") == 0) flags |= NICE_AGENT_OPTION_REGULAR_NOMINATION;
  if (lite) flags |= NICE_AGENT_OPTION_LITE_MODE;
  p->agent = nice_agent_new_full(g_main_loop_get_context(p->loop), NICE_COMPATIBILITY_RFC5245, flags);
  g_object_set(p->agent, "controlling-mode", g_strcmp0(role, "controlling") == 0, "upnp", FALSE, "ice-tcp", tcp_only,
               "ice-udp", !tcp_only, NULL);
  g_signal_connect(p->agent, "new-candidate-full", G_CALLBACK(on_candidate), p);
  g_signal_connect(p->agent, "candidate-gathering-done", G_CALLBACK(on_gathered), p);
  g_signal_connect(p->agent, "component-state-changed", G_CALLBACK(on_state), p);
  g_signal_connect(p->agent, "new-selected-pair-full", G_CALLBACK(on_pair), p);
  p->stream = nice_agent_add_stream(p->agent, 1);
  if (server != NULL) use_server(p);
  (void)nice_agent_attach_recv(p->agent, p->stream, 1, g_main_loop_get_context(p->loop), on_data, p);
}

int main(int argc, char **argv) {
  static peer p;
  GError *error = NULL;
  GOptionContext *context = g_option_context_new(NULL);
  g_option_context_add_main_entries(context, options, NULL);
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    g_printerr("%s\n", error->message);
    return 2;
  }
  g_option_context_free(context);
  exchange_init(&p.data, send_data, &p);
  p.loop = g_main_loop_new(NULL, FALSE);
  make_agent(&p);
  GIOChannel *input = g_io_channel_unix_new(0);
  (void)g_io_add_watch(input, G_IO_IN | G_IO_HUP, on_input, &p);
  (void)g_timeout_add(EXCHANGE_TICK_MS, on_tick, &p);
  if (!say_credentials(&p) || !nice_agent_gather_candidates(p.agent, p.stream)) return 2;
  g_main_loop_run(p.loop);
  bool is_good = p.has_connected && exchange_is_done(&p.data);
  g_object_unref(p.agent);
  g_main_loop_unref(p.loop);
  g_io_channel_unref(input);
  g_free(p.remote_ufrag);
  return is_good ? 0 : 1;
}
