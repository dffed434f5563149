#include "trace_words.h"

#include "trace_fixture.h"

static floe__words words_of(const floe__story *s, const char *event, const char *members) {
  floe__words w;
  floe__trace_line line = make_line(1, event, members);
  assert_true(floe__words_make(&w, s, &line));
  floe__trace_line_clear(&line);
  return w;
}

typedef struct saying {
  const char *event, *members, *text;
  floe__words_tone tone;
  bool is_detail;
} saying;

static void expect_sayings(const saying *rows, size_t n) {
  floe__story s = {0};
  for (size_t i = 0; i < n; i++) {
    floe__words w = words_of(&s, rows[i].event, rows[i].members);
    assert_string_equal(w.text, rows[i].text);
    assert_int_equal(w.tone, rows[i].tone);
    assert_int_equal(w.is_detail, rows[i].is_detail);
  }
  floe__story_clear(&s);
}

#define EXPECT(rows) expect_sayings(rows, sizeof(rows) / sizeof(rows)[0])
#define PLAIN        FLOE__TONE_PLAIN
#define GOOD         FLOE__TONE_GOOD
#define BAD          FLOE__TONE_BAD

static void gathering_is_told(void **state) {
  (void)state;
  static const saying rows[] = {
      {"agent.state", ",'from':'new','to':'gathering'", "gathering begins", PLAIN, false},
      {"agent.state", ",'from':'new','to':'prefetching'", "gathering begins ahead of time", PLAIN, false},
      {"agent.state", ",'from':'a','to':'b'", "agent: a -> b", PLAIN, false},
      {"gather.state", ",'from':'listing','to':'open'", "the host's addresses are known", PLAIN, false},
      {"gather.state", ",'from':'complete','to':'closing'", "gathering: complete -> closing", PLAIN, true},
      {"gather.lookup", ",'host':'a.example','family':'ipv4','status':'OK','addresses':1", "a.example: 1 IPv4 address",
       PLAIN, false},
      {"gather.lookup", ",'host':'a.example','family':'ipv6','status':'OK','addresses':2",
       "a.example: 2 IPv6 addresses", PLAIN, false},
      {"gather.lookup", ",'host':'a.example','family':'ipv6','status':'NODATA','addresses':0",
       "a.example: no IPv6 address, the resolver says NODATA", PLAIN, false},
      {"gather.lookup", ",'host':'a.example','family':'ipv4','status':'SERVFAIL','addresses':0",
       "a.example: no IPv4 address, the resolver says SERVFAIL", BAD, false},
      {"gather.attempt.state", ",'server':1,'url':2,'family':6,'to':'running'", "server 1 URL 2, IPv6: begins", PLAIN,
       false},
      {"gather.attempt.state",
       ",'server':1,'url':2,'kind':'turn','transport':'tls','host':'a.example','family':4,'local':'192.0.2.1',"
       "'to':'error','cause':'tls_expired'",
       "server 1 URL 2, turn over tls, a.example, IPv4 from 192.0.2.1: failed: tls_expired (the server's certificate "
       "is "
       "not valid at this time)",
       BAD, false},
      {"gather.attempt.state", ",'server':0,'url':0,'family':0,'to':'cancelled','cause':'cancelled'",
       "server 0 URL 0: cancelled", PLAIN, false},
      {"gather.try.state", ",'from':'opening','to':'ended','cause':'from_the_future'",
       "try of a server: opening -> ended: from_the_future", PLAIN, true},
      {"gather.try.state", ",'host':'a.example','server':'192.0.2.9:3478','from':'live','to':'ended','cause':'none'",
       "try of a.example at 192.0.2.9:3478: live -> ended", PLAIN, true},
      {"gather.listener", ",'cause':'port_range_exhausted','os_error':98",
       "no TCP listener: port_range_exhausted (every local port of the configured range is in use)", BAD, false},
      {"gather.reallocation", ",'server':0,'url':1,'what':'planned','cause':'allocation_expired'",
       "server 0 URL 1: another allocation planned: allocation_expired (the server no longer knows the allocation)",
       PLAIN, false},
  };
  EXPECT(rows);
}

static void requests_are_told(void **state) {
  (void)state;
  static const saying rows[] = {
      {"stun.request.sent", ",'method':3,'transmission':1,'signed':1", "Allocate request sent, signed", PLAIN, true},
      {"stun.request.sent", ",'method':1,'transmission':3,'signed':0", "Binding request sent again (3)", PLAIN, false},
      {"stun.request.judged", ",'method':8,'result':'error','code':403,'cause':'forbidden'",
       "CreatePermission request: error 403: forbidden (the server forbids it)", PLAIN, true},
      {"stun.request.judged", ",'method':99,'result':'success','code':0,'cause':'none'", "unknown request: success",
       PLAIN, true},
      {"turn.allocation.state", ",'from':'allocating','to':'live'", "an allocation is live", GOOD, false},
      {"turn.allocation.state", ",'from':'live','to':'ended'", "an allocation is lost", BAD, false},
      {"turn.allocation.state", ",'from':'deleting','to':'ended'", "allocation: deleting -> ended", PLAIN, true},
      {"turn.permission.state", ",'channel':0,'from':'asking','to':'granted'", "permission for a peer: granted", PLAIN,
       false},
      {"turn.permission.state", ",'peer':'192.0.2.7:9','channel':0,'from':'asking','to':'refused'",
       "permission for 192.0.2.7:9: refused", BAD, false},
      {"turn.permission.state", ",'channel':0,'from':'granted','to':'refreshing'",
       "permission for a peer: granted -> refreshing", PLAIN, true},
      {"tls.state", ",'from':'handshake','to':'open'", "a TLS session is established", PLAIN, false},
      {"tls.state", ",'from':'open','to':'failed','cause':'tcp_reset'",
       "TLS failed: tcp_reset (the connection was reset by the server or on the way to it)", BAD, false},
      {"tls.state", ",'from':'open','to':'ended'", "TLS: open -> ended", PLAIN, true},
  };
  EXPECT(rows);
}

static void connecting_is_told(void **state) {
  (void)state;
  static const saying rows[] = {
      {"ice.session", ",'ufrag':'abcd','change':'started'", "ICE session abcd started", PLAIN, false},
      {"ice.role", ",'from':'controlling','to':'controlled','why':'conflict'", "role: controlled (conflict)", PLAIN,
       false},
      {"ice.state", ",'from':'checking','to':'connected'", "connection: checking -> connected", GOOD, false},
      {"ice.state", ",'from':'checking','to':'failed','cause':'checks_unanswered'",
       "connection: checking -> failed: checks_unanswered (no connectivity check was answered)", BAD, false},
      {"ice.check.sent", ",'pair':3,'transmission':1,'use_candidate':0", "check on pair 3", PLAIN, false},
      {"ice.check.sent", ",'pair':3,'transmission':1,'use_candidate':1", "check on pair 3, nominates it", PLAIN, false},
      {"ice.check.sent", ",'pair':3,'transmission':4,'use_candidate':1", "check on pair 3 sent again (4)", PLAIN,
       false},
      {"ice.check.answered", ",'pair':3,'code':0,'rtt_us':20150", "check on pair 3 answered after 20.1 ms", PLAIN,
       false},
      {"ice.check.answered", ",'pair':3,'code':487", "check on pair 3 answered with error 487", BAD, false},
      {"ice.check.received", ",'remote':5,'known':1,'use_candidate':1,'outcome':'ok'",
       "check of the peer from its candidate 5, nominates", PLAIN, false},
      {"ice.check.received", ",'known':0,'outcome':'bad_integrity'", "check of the peer: wrongly signed", BAD, false},
      {"ice.check.received", ",'known':0,'outcome':'new'", "check of the peer", BAD, false},
      {"ice.nominated", ",'pair':3,'by':'peer'", "pair 3 is nominated by the peer", PLAIN, false},
      {"ice.selected", ",'pair':3", "pair 3 is in use", GOOD, false},
      {"ice.consent", ",'pair':3,'outcome':'expired'", "consent has expired on pair 3", BAD, false},
      {"ice.consent", ",'pair':3,'outcome':'missed'", "consent check on pair 3 not answered", BAD, false},
  };
  EXPECT(rows);
}

static void others_are_told(void **state) {
  (void)state;
  static const saying rows[] = {
      {"mdns.link.state", ",'interface':2,'family':6,'from':'opening','to':'failed'",
       "multicast DNS on interface 2, IPv6: opening -> failed", BAD, false},
      {"mdns.link.state", ",'interface':2,'family':4,'from':'opening','to':'open'",
       "multicast DNS on interface 2, IPv4: opening -> open", PLAIN, true},
      {"nat.state", ",'from':'idle','to':'listing'", "NAT probe: idle -> listing", PLAIN, true},
      {"nat.survey.state", ",'from':'idle','to':'meeting'", "NAT survey: idle -> meeting", PLAIN, true},
      {"nat.ask", ",'change':2,'state':'silent','cause':'udp_timeout'",
       "question to a STUN server, to be answered from another port: silent: udp_timeout (no answer over UDP)", PLAIN,
       false},
      {"nat.ask", ",'to':'192.0.2.9:3478','change':0,'state':'answered','mapped':'203.0.113.7:1'",
       "question to 192.0.2.9:3478: answered, seen as 203.0.113.7:1", PLAIN, false},
      {"nat.result",
       ",'mapping':'endpoint-independent','mapping_certainty':'certain','filtering':'unknown',"
       "'filtering_certainty':'guess','hairpin':'no'",
       "NAT: mapping endpoint-independent (certain), filtering unknown (guess), hairpinning: no", PLAIN, false},
      {"testserver.request", ",'transport':'udp','from':'127.0.0.1:9','method':'Allocate','answer':'error','code':401",
       "test server: Allocate over udp from 127.0.0.1:9: error 401", PLAIN, true},
      {"testserver.request", ",'transport':'tcp','method':'Binding','answer':'none'",
       "test server: Binding over tcp: no answer", PLAIN, true},
  };
  EXPECT(rows);
}

static void candidates_and_pairs_are_described(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 1, "ice.local", ",'id':1,'type':'host','transport':'udp'");
  add_line(&s, 1, "ice.remote", ",'id':2,'type':'prflx','transport':'udp','addr':'192.0.2.9:7'");
  add_line(&s, 1, "ice.pair.state", ",'pair':3,'local':1,'remote':2,'from':'frozen','to':'waiting'");
  floe__words w = words_of(&s, "ice.local", ",'id':1");
  assert_string_equal(w.text, "our candidate 1: host udp");
  w = words_of(&s, "ice.remote", ",'id':2,'origin':'check'");
  assert_string_equal(w.text, "the peer's candidate 2: prflx udp 192.0.2.9:7, learnt from a check");
  w = words_of(&s, "ice.remote", ",'id':2,'origin':'mdns'");
  assert_string_equal(w.text, "the peer's candidate 2: prflx udp 192.0.2.9:7, by name");
  w = words_of(&s, "ice.pair.state", ",'pair':3,'from':'in-progress','to':'succeeded'");
  assert_string_equal(w.text, "pair 3 (host udp - prflx udp 192.0.2.9:7) works");
  w = words_of(&s, "ice.pair.state", ",'pair':3,'from':'in-progress','to':'failed','failure':'timeout'");
  assert_string_equal(w.text, "pair 3 (host udp - prflx udp 192.0.2.9:7) failed: timeout");
  w = words_of(&s, "ice.pair.state", ",'pair':3,'from':'waiting','to':'in-progress'");
  assert_true(w.is_detail);
  floe__story_clear(&s);
}

static void what_a_close_brings_about_is_a_detail(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 1, "agent.state", ",'agent':1,'from':'gathering','to':'closing'");
  floe__words w = words_of(&s, "turn.permission.state", ",'agent':1,'from':'granted','to':'refused'");
  assert_true(w.is_detail);
  w = words_of(&s, "turn.allocation.state", ",'agent':1,'from':'live','to':'ended'");
  assert_true(w.is_detail);
  w = words_of(&s, "turn.allocation.state", ",'agent':2,'from':'live','to':'ended'");
  assert_false(w.is_detail);
  floe__story_clear(&s);
}

static void what_repeats_has_a_group(void **state) {
  (void)state;
  floe__story s = {0};
  assert_int_equal(words_of(&s, "stun.request.sent", ",'transmission':2").group, FLOE__GROUP_REQUEST_AGAIN);
  assert_int_equal(words_of(&s, "ice.check.sent", ",'pair':4,'transmission':1").group, FLOE__GROUP_NONE);
  floe__words w = words_of(&s, "ice.check.sent", ",'pair':4,'transmission':2");
  assert_int_equal(w.group, FLOE__GROUP_CHECK_AGAIN);
  assert_int_equal(w.member, 4);
  w = words_of(&s, "ice.check.received", ",'remote':5,'known':1,'outcome':'ok'");
  assert_int_equal(w.group, FLOE__GROUP_PEER_CHECK);
  assert_int_equal(w.member, 5);
  assert_int_equal(words_of(&s, "ice.check.received", ",'remote':5,'known':0,'outcome':'ok'").group, FLOE__GROUP_NONE);
  assert_int_equal(words_of(&s, "ice.check.received", ",'remote':5,'known':1,'outcome':'refused'").group,
                   FLOE__GROUP_NONE);
  add_line(&s, 1, "ice.remote", ",'id':5");
  add_line(&s, 1, "ice.check.received", ",'remote':5,'known':1,'use_candidate':1,'outcome':'ok'");
  w = words_of(&s, "ice.check.received", ",'remote':5,'known':1,'use_candidate':1,'outcome':'ok'");
  assert_int_equal(w.group, FLOE__GROUP_NONE); /* the first nomination is news */
  add_line(&s, 1, "ice.check.received", ",'remote':5,'known':1,'use_candidate':1,'outcome':'ok'");
  w = words_of(&s, "ice.check.received", ",'remote':5,'known':1,'use_candidate':1,'outcome':'ok'");
  assert_int_equal(w.group, FLOE__GROUP_PEER_CHECK); /* consent checks repeat it */
  w = words_of(&s, "ice.consent", ",'pair':6,'outcome':'ok'");
  assert_int_equal(w.group, FLOE__GROUP_CONSENT);
  assert_int_equal(w.member, 6);
  floe__story_clear(&s);
}

static void an_unknown_event_has_no_words(void **state) {
  (void)state;
  floe__story s = {0};
  floe__words w;
  floe__trace_line line = make_line(1, "ice.states", "");
  assert_false(floe__words_make(&w, &s, &line));
  assert_string_equal(w.text, "");
  floe__trace_line_clear(&line);
}

/* Each event has words even when all its members are missing, and each is there once. */
static void every_event_of_the_table(void **state) {
  (void)state;
  floe__story s = {0};
  size_t n = 0;
  for (const char *name; (name = floe__words_event(n)) != NULL; n++) {
    floe__words w = words_of(&s, name, "");
    assert_true(w.text[0] != '\0');
    for (size_t k = 0; k < n; k++) assert_string_not_equal(floe__words_event(k), name);
  }
  assert_true(n >= 25);
}

static void long_words_are_cut(void **state) {
  (void)state;
  floe__story s = {0};
  char members[900];
  (void)snprintf(members, sizeof members, ",'to':'%0700d'", 7);
  floe__words w = words_of(&s, "ice.role", members);
  assert_int_equal(strlen(w.text), sizeof w.text - 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gathering_is_told),
      cmocka_unit_test(requests_are_told),
      cmocka_unit_test(connecting_is_told),
      cmocka_unit_test(others_are_told),
      cmocka_unit_test(candidates_and_pairs_are_described),
      cmocka_unit_test(what_a_close_brings_about_is_a_detail),
      cmocka_unit_test(what_repeats_has_a_group),
      cmocka_unit_test(an_unknown_event_has_no_words),
      cmocka_unit_test(every_event_of_the_table),
      cmocka_unit_test(long_words_are_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
