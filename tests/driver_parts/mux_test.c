/* Many agents on one UDP port, over loopback: the driver's part, with scripted cores. */
#include "driver_parts/mux_rig.h"

/* ---- one socket, many agents ---- */

static void agents_share_a_socket(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  assert_int_equal(floe_uv_ice_mux_port(mux), 0);
  assert_int_equal(floe_uv_ice_mux_agents(mux), 0);
  floe_uv_ice_agent *a = agent_on(mux, "aaaa");
  floe_uv_ice_agent *b = agent_on(mux, "bbbb");
  assert_int_equal(floe_uv_ice_mux_agents(mux), 2);
  assert_true(fake_of(a)->shared_sockets);
  floe_addr at_a = share(f, a, 11);
  size_t open = descriptors();
  floe_addr at_b = share(f, b, 12);
  assert_int_equal(descriptors(), open);
  assert_true(floe_addr_equal(&at_a, &at_b));
  assert_int_equal(at_a.port, floe_uv_ice_mux_port(mux));

  /* Checks go by ufrag. */
  peer p = peer_open();
  peer_send(&p, at_a.port, check("bbbb:peer"));
  const fake_input *got = await(f, b, FLOE_INPUT_DATAGRAM, 12, 1);
  assert_true(floe_addr_equal(&got->in.addr, &p.addr));
  assert_int_equal(got->in.data.len, check("bbbb:peer").len);
  assert_memory_equal(got->data, buf, got->in.data.len);
  assert_int_equal(count(a, FLOE_INPUT_DATAGRAM), 0);

  /* Answers go to who has asked, from the one port. */
  char text[100];
  floe_bytes request = message(FLOE__STUN_REQUEST, "a", NULL);
  fake_transmit(fake_of(a), 11, &p.addr, request.ptr, request.len);
  poke(a);
  assert_int_equal(peer_receive(f, &p, text, sizeof text), at_a.port);
  request = message(FLOE__STUN_REQUEST, "b", NULL);
  fake_transmit(fake_of(b), 12, &p.addr, request.ptr, request.len);
  poke(b);
  assert_int_equal(peer_receive(f, &p, text, sizeof text), at_a.port);
  peer_send(&p, at_a.port, message(FLOE__STUN_SUCCESS, "b", NULL));
  (void)await(f, b, FLOE_INPUT_DATAGRAM, 12, 2);
  assert_int_equal(count(a, FLOE_INPUT_DATAGRAM), 0);
  peer_send(&p, at_a.port, message(FLOE__STUN_SUCCESS, "a", NULL));
  (void)await(f, a, FLOE_INPUT_DATAGRAM, 11, 1);

  /* Data goes to who was answered last. */
  peer_send(&p, at_a.port, hello);
  (void)await(f, a, FLOE_INPUT_DATAGRAM, 11, 2);
  assert_int_equal(count(b, FLOE_INPUT_DATAGRAM), 2);
  close(p.fd);
}

static void a_socket_that_one_agent_closes_stays(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_ice_agent *a = agent_on(mux, "aaaa");
  floe_uv_ice_agent *b = agent_on(mux, "bbbb");
  floe_addr at = share(f, a, 1);
  (void)share(f, b, 1);
  peer p = peer_open();
  fake_close(fake_of(a), 1);
  poke(a);
  turn(f);
  peer_send(&p, at.port, check("aaaa:peer"));
  peer_send(&p, at.port, check("bbbb:peer"));
  (void)await(f, b, FLOE_INPUT_DATAGRAM, 1, 1);
  fake_close(fake_of(b), 1);
  poke(b);
  turn(f);
  /* Nobody has it: it is still there for the next. */
  assert_int_equal(share(f, a, 2).port, at.port);
  peer_send(&p, at.port, check("aaaa:peer"));
  (void)await(f, a, FLOE_INPUT_DATAGRAM, 2, 1);
  assert_int_equal(count(b, FLOE_INPUT_DATAGRAM), 1);
  close(p.fd);
}

static void other_sockets_are_as_ever(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_ice_agent *a = agent_on(mux, "aaaa");
  floe_addr at = share(f, a, 1);
  fake_open(fake_of(a), 2, FLOE_TRANSPORT_UDP, "127.0.0.1", NULL);
  floe_addr own = await(f, a, FLOE_INPUT_SOCKET_OPENED, 2, 1)->in.addr;
  assert_int_not_equal(own.port, at.port);
  peer p = peer_open();
  fake_transmit(fake_of(a), 2, &p.addr, "own", 3);
  poke(a);
  char text[100];
  assert_int_equal(peer_receive(f, &p, text, sizeof text), own.port);
  assert_string_equal(text, "own");
  peer_send(&p, own.port, hello);
  (void)await(f, a, FLOE_INPUT_DATAGRAM, 2, 1);
  /* What was sent on it says nothing about the shared one. */
  peer_send(&p, at.port, hello);
  turn(f);
  assert_int_equal(count(a, FLOE_INPUT_DATAGRAM), 1);
  fake_listen(fake_of(a), 3, "127.0.0.1");
  (void)await(f, a, FLOE_INPUT_SOCKET_OPENED, 3, 1);
  close(p.fd);
}

static void without_a_multiplexer_it_is_an_ordinary_socket(void **state) {
  fixture *f = *state;
  fake_open_on_mux(f->core, 1, "127.0.0.1");
  floe_addr at = fixture_await(f, FLOE_INPUT_SOCKET_OPENED, 1, 1)->in.addr;
  peer p = peer_open();
  peer_send(&p, at.port, hello);
  (void)fixture_await(f, FLOE_INPUT_DATAGRAM, 1, 1);
  close(p.fd);
}

static void each_address_has_a_socket_on_the_same_port(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_ice_agent *a = agent_on(mux, "aaaa");
  floe_addr at = share(f, a, 1);
  fake_open_on_mux(fake_of(a), 2, "127.0.0.2");
  floe_addr other = await(f, a, FLOE_INPUT_SOCKET_OPENED, 2, 1)->in.addr;
  assert_int_equal(other.port, at.port);
  assert_int_equal(other.ip[3], 2);
  peer p = peer_open();
  struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(at.port)};
  sa.sin_addr.s_addr = htonl(0x7f000002);
  floe_bytes data = check("aaaa:peer");
  assert_int_equal(sendto(p.fd, data.ptr, data.len, 0, (struct sockaddr *)&sa, sizeof sa), (ssize_t)data.len);
  (void)await(f, a, FLOE_INPUT_DATAGRAM, 2, 1);
  assert_int_equal(count(a, FLOE_INPUT_DATAGRAM), 1);
  close(p.fd);
}

static void several_multiplexers(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *one = mux_on(f, 0);
  floe_uv_ice_mux *two = mux_on(f, 0);
  floe_uv_ice_agent *a = agent_on(one, "same");
  floe_uv_ice_agent *b = agent_on(two, "same");
  floe_addr at_a = share(f, a, 1);
  floe_addr at_b = share(f, b, 1);
  assert_int_not_equal(at_a.port, at_b.port);
  peer p = peer_open();
  peer_send(&p, at_b.port, check("same:peer"));
  (void)await(f, b, FLOE_INPUT_DATAGRAM, 1, 1);
  floe_uv_ice_mux_close(one);
  peer_send(&p, at_b.port, check("same:peer"));
  (void)await(f, b, FLOE_INPUT_DATAGRAM, 1, 2);
  assert_int_equal(count(a, FLOE_INPUT_DATAGRAM), 0);
  close(p.fd);
}

static void closed_agents_leave(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_ice_agent *a = agent_on(mux, "aaaa");
  floe_uv_ice_agent *b = agent_on(mux, "bbbb");
  floe_addr at = share(f, a, 1);
  (void)share(f, b, 1);
  floe_uv_ice_agent_close(a, NULL, NULL);
  turn(f);
  assert_int_equal(floe_uv_ice_mux_agents(mux), 1);
  peer p = peer_open();
  peer_send(&p, at.port, check("aaaa:peer"));
  peer_send(&p, at.port, check("bbbb:peer"));
  (void)await(f, b, FLOE_INPUT_DATAGRAM, 1, 1);
  floe_uv_ice_agent *again = agent_on(mux, "aaaa");
  assert_int_equal(share(f, again, 1).port, at.port);
  close(p.fd);
}

static void a_restarted_agent_has_two_names(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_ice_agent *a = agent_on(mux, "old0");
  floe_addr at = share(f, a, 1);
  fake_of(a)->local.ufrag = "new0";
  assert_int_equal(floe_uv_ice_agent_restart(a), FLOE_OK);
  (void)share(f, a, 2);
  peer p = peer_open();
  peer_send(&p, at.port, check("new0:peer"));
  peer_send(&p, at.port, check("old0:peer"));
  (void)await(f, a, FLOE_INPUT_DATAGRAM, 1, 1);
  assert_int_equal(fake_count(fake_of(a), FLOE_INPUT_DATAGRAM, 2), 1);
  fake_close(fake_of(a), 1);
  poke(a);
  turn(f);
  peer_send(&p, at.port, check("new0:peer"));
  (void)await(f, a, FLOE_INPUT_DATAGRAM, 2, 2);
  /* A ufrag that is another's is told to who restarts. */
  (void)agent_on(mux, "busy");
  fake_of(a)->local.ufrag = "busy";
  assert_int_equal(floe_uv_ice_agent_restart(a), FLOE_E_STATE);
  close(p.fd);
}

static void thousands_of_agents(void **state) {
  fixture *f = *state;
  enum { N = 3000 };
  static char ufrags[N][8];
  static floe_uv_ice_agent *agents[N];
  floe_uv_ice_mux *mux = mux_on(f, 0);
  uint16_t port = 0;
  size_t before = descriptors();
  for (size_t i = 0; i < N; i++) {
    (void)snprintf(ufrags[i], sizeof ufrags[i], "u%04zu", i);
    agents[i] = agent_on(mux, ufrags[i]);
    fake_open_on_mux(fake_of(agents[i]), 1, "127.0.0.1");
    poke(agents[i]);
  }
  port = await(f, agents[N - 1], FLOE_INPUT_SOCKET_OPENED, 1, 1)->in.addr.port;
  assert_int_equal(descriptors(), before + 1);
  peer p = peer_open();
  for (size_t i = 0; i < N; i += 7) {
    char username[20];
    (void)snprintf(username, sizeof username, "u%04zu:peer", i);
    peer_send(&p, port, check(username));
    (void)await(f, agents[i], FLOE_INPUT_DATAGRAM, 1, 1);
  }
  size_t told = 0;
  for (size_t i = 0; i < N; i++) told += count(agents[i], FLOE_INPUT_DATAGRAM);
  assert_int_equal(told, (N + 6) / 7);
  close(p.fd);
}

/* ---- errors ---- */

static void refused_datagrams_are_told_to_all_that_sent_there(void **state) {
  fixture *f = *state;
#ifdef FLOE_PORTABLE_OS
  skip(); /* no ICMP error is seen */
#endif
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_ice_agent *agents[3];
  static const char *const ufrags[3] = {"aaaa", "bbbb", "cccc"};
  for (size_t i = 0; i < 3; i++) {
    agents[i] = agent_on(mux, ufrags[i]);
    (void)share(f, agents[i], (floe_sock_id)(10 + i));
  }
  peer there = peer_open();
  peer gone = peer_open();
  close(gone.fd);
  floe_bytes request = message(FLOE__STUN_REQUEST, "a", NULL);
  fake_transmit(fake_of(agents[2]), 12, &there.addr, request.ptr, request.len);
  (void)share(f, agents[2], 22);
  fake_transmit(fake_of(agents[0]), 10, &gone.addr, request.ptr, request.len);
  const fake_input *got = await(f, agents[0], FLOE_INPUT_ICMP, 10, 1);
  assert_true(floe_addr_equal(&got->in.addr, &gone.addr));
  assert_int_equal(got->in.icmp_type, 3);
  assert_int_equal(got->in.icmp_code, 3);
  assert_int_equal(got->in.net_error, FLOE_NET_REFUSED);
  request = message(FLOE__STUN_REQUEST, "b", NULL);
  fake_transmit(fake_of(agents[1]), 11, &gone.addr, request.ptr, request.len);
  (void)await(f, agents[1], FLOE_INPUT_ICMP, 11, 1);
  assert_int_equal(count(agents[0], FLOE_INPUT_ICMP), 2);
  assert_int_equal(count(agents[2], FLOE_INPUT_ICMP), 0);
  close(there.fd);
}

static void a_datagram_that_cannot_be_sent_is_told_to_its_sender(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_ice_agent *a = agent_on(mux, "aaaa");
  floe_uv_ice_agent *b = agent_on(mux, "bbbb");
  (void)share(f, a, 1);
  (void)share(f, b, 2);
  static uint8_t big[65535];
  peer p = peer_open();
  fake_transmit(fake_of(a), 1, &p.addr, "small", 5);
  poke(a);
  fake_transmit(fake_of(b), 2, &p.addr, big, sizeof big);
  const fake_input *got = await(f, b, FLOE_INPUT_SEND_FAILED, 2, 1);
  assert_int_equal(got->in.net_error, FLOE_NET_MESSAGE_SIZE);
  assert_true(floe_addr_equal(&got->in.addr, &p.addr));
  assert_int_equal(count(a, FLOE_INPUT_SEND_FAILED), 0);
  close(p.fd);
}

static void an_address_that_cannot_be_had(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_ice_agent *a = agent_on(mux, "aaaa");
  fake_open_on_mux(fake_of(a), 1, "198.51.100.7");
  const fake_input *failed = await(f, a, FLOE_INPUT_SOCKET_FAILED, 1, 1);
  assert_int_equal(failed->in.os_error, EADDRNOTAVAIL);
  /* It is asked for again each time. */
  fake_open_on_mux(fake_of(a), 2, "198.51.100.7");
  (void)await(f, a, FLOE_INPUT_SOCKET_FAILED, 2, 1);
  (void)share(f, a, 3);
}

static void agents_of_a_closed_multiplexer(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_ice_agent *a = agent_on(mux, "aaaa");
  size_t before = descriptors();
  (void)share(f, a, 1);
  assert_int_equal(descriptors(), before + 1);
  peer p = peer_open();
  floe_uv_ice_mux_close(mux);
  close(p.fd);
  turn(f);
  assert_int_equal(descriptors(), before);
  fake_transmit(fake_of(a), 1, &p.addr, "lost", 4);
  const fake_input *failed = await(f, a, FLOE_INPUT_SOCKET_FAILED, 1, 1);
  assert_int_equal(failed->in.net_error, FLOE_NET_ADDRESS_NOT_AVAILABLE);
  fake_open_on_mux(fake_of(a), 2, "127.0.0.1");
  (void)await(f, a, FLOE_INPUT_SOCKET_FAILED, 2, 1);
  assert_int_equal(floe_uv_ice_agent_restart(a), FLOE_OK);
}

static void on_event(const floe_event *event, void *user) {
  (void)event;
  floe_uv_ice_mux_close(user);
}

static void a_callback_of_an_agent_closes_it(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_ice_agent *a = agent_on(mux, "aaaa");
  (void)share(f, a, 1);
  assert_int_equal(floe_uv_ice_agent_on_icecandidate(a, on_event, mux), FLOE_OK);
  fake_event(fake_of(a), FLOE_EVENT_ICECANDIDATE);
  peer p = peer_open();
  fake_transmit(fake_of(a), 1, &p.addr, "lost", 4);
  (void)await(f, a, FLOE_INPUT_SOCKET_FAILED, 1, 1);
  close(p.fd);
}

/* ---- configuration ---- */

static void refused_configurations(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux_config cfg;
  floe_uv_ice_mux *mux = NULL;
  floe_error why;
  floe_addr addresses[2];
  floe_uv_ice_mux_config_init(&cfg, sizeof cfg);
  cfg.size = 1;
  assert_int_equal(floe_uv_ice_mux_new(&mux, f->uv, &cfg, &why), FLOE_E_TYPE);
  assert_string_equal(why.path, "size");
  cfg.size = sizeof cfg;
  cfg.addresses = addresses;
  cfg.n_addresses = 2;
  assert_true(floe_addr_parse(&addresses[0], "127.0.0.1"));
  assert_true(floe_addr_parse(&addresses[1], "0.0.0.0"));
  assert_int_equal(floe_uv_ice_mux_new(&mux, f->uv, &cfg, &why), FLOE_E_TYPE);
  assert_string_equal(why.path, "addresses[1]");
  assert_true(floe_addr_parse(&addresses[1], "198.51.100.7"));
  assert_int_equal(floe_uv_ice_mux_new(&mux, f->uv, &cfg, &why), FLOE_E_SYSTEM);
  assert_string_equal(why.path, "addresses[1]");
  assert_string_equal(why.message, strerror(EADDRNOTAVAIL));
  peer p = peer_open();
  cfg.n_addresses = 1;
  cfg.port = p.addr.port;
  assert_int_equal(floe_uv_ice_mux_new(&mux, f->uv, &cfg, &why), FLOE_E_SYSTEM);
  assert_string_equal(why.path, "addresses[0]");
  assert_string_equal(why.message, strerror(EADDRINUSE));
  close(p.fd);
  floe_ice_mux_config limits = {.size = 1};
  cfg.limits = &limits;
  assert_int_equal(floe_uv_ice_mux_new(&mux, f->uv, &cfg, &why), FLOE_E_TYPE);
  assert_string_equal(why.path, "limits");
  assert_null(mux);
  turn(f);
}

static void addresses_are_opened_at_once(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux_config cfg;
  floe_uv_ice_mux *mux = NULL;
  floe_addr addresses[2];
  floe_uv_ice_mux_config_init(&cfg, sizeof cfg);
  assert_true(floe_addr_parse(&addresses[0], "127.0.0.1:9"));
  assert_true(floe_addr_parse(&addresses[1], "127.0.0.2"));
  cfg.addresses = addresses;
  cfg.n_addresses = 2;
  size_t before = descriptors();
  assert_int_equal(floe_uv_ice_mux_new(&mux, f->uv, &cfg, NULL), FLOE_OK);
  assert_int_equal(descriptors(), before + 2);
  assert_int_not_equal(floe_uv_ice_mux_port(mux), 0);
  assert_int_not_equal(floe_uv_ice_mux_port(mux), 9);
  floe_uv_ice_agent *a = agent_on(mux, "aaaa");
  assert_int_equal(share(f, a, 1).port, floe_uv_ice_mux_port(mux));
  assert_int_equal(descriptors(), before + 2);
  floe_uv_ice_mux_close(NULL);
}

static void agents_that_are_refused(void **state) {
  fixture *f = *state;
  floe_ice_mux_config limits;
  floe_ice_mux_config_init(&limits, sizeof limits);
  limits.max_agents = 2;
  floe_uv_ice_mux_config mux_cfg;
  floe_uv_ice_mux_config_init(&mux_cfg, sizeof mux_cfg);
  mux_cfg.limits = &limits;
  floe_uv_ice_mux *mux = NULL;
  assert_int_equal(floe_uv_ice_mux_new(&mux, f->uv, &mux_cfg, NULL), FLOE_OK);
  (void)agent_on(mux, "aaaa");
  floe_ice_config cfg;
  floe_error why;
  floe_uv_ice_agent *agent;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.local_ufrag = "aaaa";
  assert_int_equal(floe_uv_ice_agent_new_on_mux(&agent, mux, &cfg, &why), FLOE_E_STATE);
  assert_string_equal(why.path, "local_ufrag");
  assert_null(agent);
  (void)agent_on(mux, "bbbb");
  cfg.local_ufrag = "cccc";
  assert_int_equal(floe_uv_ice_agent_new_on_mux(&agent, mux, &cfg, &why), FLOE_E_TOO_LARGE);
  cfg.size = 3;
  assert_int_equal(floe_uv_ice_agent_new_on_mux(&agent, mux, &cfg, &why), FLOE_E_TYPE);
  assert_string_equal(why.path, "size");
  assert_int_equal(floe_uv_ice_mux_agents(mux), 2);
  turn(f);
}

/* A random ufrag that is another's: the scripted core always draws the same one. */
static void another_ufrag_is_drawn(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_ice_config cfg;
  floe_uv_ice_agent *agent;
  floe_ice_config_init(&cfg, sizeof cfg);
  assert_int_equal(floe_uv_ice_agent_new_on_mux(&agent, mux, &cfg, NULL), FLOE_OK);
  size_t alive = fake_alive();
  assert_int_equal(floe_uv_ice_agent_new_on_mux(&agent, mux, &cfg, NULL), FLOE_E_STATE);
  assert_int_equal(fake_alive(), alive + 8);
  turn(f);
  assert_int_equal(fake_alive(), alive);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_unmonitored, teardown)
  const struct CMUnitTest tests[] = {
      TEST(agents_share_a_socket),
      TEST(a_socket_that_one_agent_closes_stays),
      TEST(other_sockets_are_as_ever),
      TEST(without_a_multiplexer_it_is_an_ordinary_socket),
      TEST(each_address_has_a_socket_on_the_same_port),
      TEST(several_multiplexers),
      TEST(closed_agents_leave),
      TEST(a_restarted_agent_has_two_names),
      TEST(thousands_of_agents),
      TEST(refused_datagrams_are_told_to_all_that_sent_there),
      TEST(a_datagram_that_cannot_be_sent_is_told_to_its_sender),
      TEST(an_address_that_cannot_be_had),
      TEST(agents_of_a_closed_multiplexer),
      TEST(a_callback_of_an_agent_closes_it),
      TEST(refused_configurations),
      TEST(addresses_are_opened_at_once),
      TEST(agents_that_are_refused),
      TEST(another_ufrag_is_drawn),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
