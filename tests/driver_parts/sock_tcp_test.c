#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver_parts/fixture.h"
#include "uv/sock.h"
#include "uv/sockaddr.h"

/* The other side: a plain listener and its connections, read and written by the test itself. */
static int listen_on(const char *ip, char text[FLOE_ADDR_TEXT]) {
  floe_addr addr;
  struct sockaddr_storage sa;
  assert_true(floe_addr_parse(&addr, ip));
  socklen_t len = floe__uv_sockaddr_of(&sa, &addr);
  int fd = socket(floe__uv_sockaddr_family(&addr), SOCK_STREAM, 0);
  assert_true(fd >= 0);
  assert_int_equal(bind(fd, (const struct sockaddr *)&sa, len), 0);
  assert_int_equal(listen(fd, 8), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
  floe__uv_sockaddr_read(&addr, (const struct sockaddr *)&sa);
  (void)floe_addr_format(&addr, text);
  return fd;
}

static void open_tcp(fixture *f, floe_sock_id id, const char *local, const char *remote) {
  fake_open(f->core, id, FLOE_TRANSPORT_TCP, local, remote);
}

/* Connects socket 1; returns the other end. */
static int connect_1(fixture *f, const char *ip) {
  char text[FLOE_ADDR_TEXT];
  int listener = listen_on(ip, text);
  open_tcp(f, 1, ip, text);
  (void)fixture_await(f, FLOE_INPUT_SOCKET_OPENED, 1, 1);
  int conn = accept(listener, NULL, NULL);
  assert_true(conn >= 0);
  (void)close(listener);
  return conn;
}

static void connects(fixture *f, const char *ip) {
  char text[FLOE_ADDR_TEXT];
  int listener = listen_on(ip, text);
  open_tcp(f, 1, ip, text);
  const fake_input *opened = fixture_await(f, FLOE_INPUT_SOCKET_OPENED, 1, 1);
  struct sockaddr_storage sa;
  socklen_t len = sizeof sa;
  int conn = accept(listener, (struct sockaddr *)&sa, &len);
  assert_true(conn >= 0);
  floe_addr peer;
  floe__uv_sockaddr_read(&peer, (const struct sockaddr *)&sa);
  assert_true(floe_addr_equal(&opened->in.addr, &peer));
  assert_int_equal(write(conn, "hello", 5), 5);
  const fake_input *got = fixture_await(f, FLOE_INPUT_STREAM, 1, 1);
  assert_int_equal(got->in.data.len, 5);
  assert_memory_equal(got->data, "hello", 5);
  fake_transmit(f->core, 1, NULL, "back", 4);
  fixture_poke(f);
  (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  char buf[8];
  assert_int_equal(read(conn, buf, sizeof buf), 4);
  assert_memory_equal(buf, "back", 4);
  (void)close(conn);
  (void)close(listener);
}

static void a_connection_opens_and_carries_bytes_over_ipv4(void **state) {
  connects(*state, "127.0.0.1");
}

static void a_connection_opens_and_carries_bytes_over_ipv6(void **state) {
  connects(*state, "::1");
}

static void refused(fixture *f, const char *ip) {
  char text[FLOE_ADDR_TEXT];
  (void)close(listen_on(ip, text));
  open_tcp(f, 1, ip, text);
  const fake_input *failed = fixture_await(f, FLOE_INPUT_SOCKET_FAILED, 1, 1);
  assert_int_equal(failed->in.net_error, FLOE_NET_REFUSED);
  assert_int_equal(failed->in.os_error, ECONNREFUSED);
  assert_string_equal(failed->text, strerror(ECONNREFUSED));
  assert_int_equal(f->core->n_inputs, 2);
  const fake_input *bound = &f->core->inputs[0]; /* so that the failure can name its port */
  assert_int_equal(bound->in.type, FLOE_INPUT_SOCKET_BOUND);
  assert_int_not_equal(bound->in.addr.port, 0);
}

static void a_refused_connection_is_told_at_once_over_ipv4(void **state) {
  refused(*state, "127.0.0.1");
}

static void a_refused_connection_is_told_at_once_over_ipv6(void **state) {
  refused(*state, "::1");
}

static void errors_of_bind_and_connect_are_told(void **state) {
  fixture *f = *state;
  open_tcp(f, 1, "198.51.100.7", "127.0.0.1:9");
  open_tcp(f, 2, "127.0.0.1", "255.255.255.255:9"); /* no TCP to a broadcast address */
  open_tcp(f, 3, "127.0.0.1", NULL);                /* no remote address at all */
  assert_int_equal(fixture_await(f, FLOE_INPUT_SOCKET_FAILED, 1, 1)->in.net_error, FLOE_NET_ADDRESS_NOT_AVAILABLE);
  const fake_input *failed = fixture_await(f, FLOE_INPUT_SOCKET_FAILED, 2, 1);
  assert_int_not_equal(failed->in.os_error, 0);
  assert_string_equal(failed->text, strerror(failed->in.os_error));
  (void)fixture_await(f, FLOE_INPUT_SOCKET_FAILED, 3, 1);
  assert_int_equal(fake_count(f->core, FLOE_INPUT_SOCKET_BOUND, 1), 0); /* bind() failed */
  assert_int_equal(fake_count(f->core, FLOE_INPUT_SOCKET_BOUND, 2), 1); /* connect() did */
  assert_int_equal(f->core->n_inputs, 5);
}

static void fin_is_told_once_after_the_bytes(void **state) {
  fixture *f = *state;
  int conn = connect_1(f, "127.0.0.1");
  assert_int_equal(write(conn, "last", 4), 4);
  assert_int_equal(shutdown(conn, SHUT_WR), 0);
  (void)fixture_await(f, FLOE_INPUT_STREAM_END, 1, 1);
  assert_int_equal(f->core->n_inputs, 4);
  assert_int_equal(f->core->inputs[2].in.type, FLOE_INPUT_STREAM);
  /* The other direction still works. */
  fake_transmit(f->core, 1, NULL, "still", 5);
  fixture_poke(f);
  for (int i = 0; i < 5; i++) (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  char buf[8];
  assert_int_equal(read(conn, buf, sizeof buf), 5);
  assert_int_equal(f->core->n_inputs, 4);
  (void)close(conn);
}

static void reset_conn(int conn) {
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  assert_int_equal(setsockopt(conn, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
  (void)close(conn);
}

static void a_reset_is_told_after_the_bytes_before_it(void **state) {
  fixture *f = *state;
  int conn = connect_1(f, "127.0.0.1");
  assert_int_equal(write(conn, "bytes", 5), 5);
  reset_conn(conn);
  const fake_input *failed = fixture_await(f, FLOE_INPUT_SOCKET_FAILED, 1, 1);
  assert_int_equal(failed->in.net_error, FLOE_NET_RESET);
  assert_int_equal(failed->in.os_error, ECONNRESET);
  assert_int_equal(fake_stream_bytes(f->core, 1), 5);
  assert_int_equal(f->core->n_inputs, 4);
  assert_null(floe__uv_sock_find(f->agent, 1));
}

static void a_reset_while_nothing_comes_is_told(void **state) {
  fixture *f = *state;
  int conn = connect_1(f, "::1");
  reset_conn(conn);
  assert_int_equal(fixture_await(f, FLOE_INPUT_SOCKET_FAILED, 1, 1)->in.net_error, FLOE_NET_RESET);
}

static void a_reset_met_by_sending_is_told(void **state) {
  fixture *f = *state;
  int conn = connect_1(f, "127.0.0.1");
  reset_conn(conn);
  fake_transmit(f->core, 1, NULL, "x", 1);
  fake_transmit(f->core, 1, NULL, "y", 1);
  const fake_input *failed = fixture_await(f, FLOE_INPUT_SOCKET_FAILED, 1, 1);
  assert_int_equal(failed->in.net_error, FLOE_NET_RESET);
  assert_int_equal(fake_count(f->core, FLOE_INPUT_SOCKET_FAILED, 0), 1);
}

static void after_fin_a_reset_is_met_by_sending(void **state) {
  fixture *f = *state;
  int conn = connect_1(f, "127.0.0.1");
  (void)close(conn);
  (void)fixture_await(f, FLOE_INPUT_STREAM_END, 1, 1);
  for (int i = 0; fake_count(f->core, FLOE_INPUT_SOCKET_FAILED, 1) == 0; i++) {
    assert_true(i < 10000);
    fake_transmit(f->core, 1, NULL, "x", 1);
    fixture_poke(f);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  }
  assert_int_equal(fake_find(f->core, FLOE_INPUT_SOCKET_FAILED, 1, 0)->in.net_error, FLOE_NET_RESET);
}

#define BIG ((size_t)8 * 1024 * 1024)

/* Reads what has come; returns how many bytes in all, and checks their order. */
static size_t read_all(int conn, size_t so_far) {
  static uint8_t buf[65536];
  for (ssize_t n; (n = recv(conn, buf, sizeof buf, MSG_DONTWAIT)) > 0; so_far += (size_t)n) {
    for (size_t i = 0; i < (size_t)n; i += 997) assert_int_equal(buf[i], (uint8_t)((so_far + i) >> 4));
  }
  return so_far;
}

static uint8_t *pattern(size_t len) {
  uint8_t *data = malloc(len);
  assert_non_null(data);
  for (size_t i = 0; i < len; i++) data[i] = (uint8_t)(i >> 4);
  return data;
}

/* The agent's limit is of the default configuration: 1 MiB, and 1 MiB more for the core's own requests. */
static void a_slow_reader_gets_everything_in_order(void **state) {
  fixture *f = *state;
  int conn = connect_1(f, "127.0.0.1");
  size_t pushed = 0;
  size_t got = 0;
  uint8_t *data = pattern(BIG);
  bool was_queued = false;
  fixture_poke(f);
  while (got < BIG) {
    while (pushed < BIG && f->agent->stream_queued < 512 * 1024) {
      fake_transmit(f->core, 1, NULL, data + pushed, 64 * 1024);
      pushed += 64 * 1024;
      fixture_poke(f);
      (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    if (f->agent->stream_queued > 0) was_queued = true;
    got = read_all(conn, got);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  }
  assert_true(was_queued);
  assert_int_equal(f->agent->stream_queued, 0);
  free(data);
  (void)close(conn);
}

static void a_connection_that_takes_nothing_holds_back_relayed_data(void **state) {
  fixture *f = *state;
  int conn = connect_1(f, "127.0.0.1");
  static uint8_t data[60000];
  floe_addr peer = {.family = FLOE_FAMILY_IPV4};
  floe_status st = FLOE_OK;
  int n = 0;
  for (; st == FLOE_OK && n < 10000; n++) {
    st = floe_uv_ice_agent_send_relayed(f->agent, 1, &peer, (floe_bytes){.ptr = data, .len = sizeof data});
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  }
  assert_int_equal(st, FLOE_E_AGAIN);
  assert_in_range(f->agent->stream_queued, 1024 * 1024, 1024 * 1024 + sizeof data);
  assert_int_equal(fake_count(f->core, FLOE_INPUT_SOCKET_FAILED, 0), 0);
  /* Once it has been read there is room again. */
  static uint8_t buf[65536];
  while (f->agent->stream_queued > 0) {
    while (recv(conn, buf, sizeof buf, MSG_DONTWAIT) > 0) continue;
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  }
  st = floe_uv_ice_agent_send_relayed(f->agent, 1, &peer, (floe_bytes){.ptr = data, .len = sizeof data});
  assert_int_equal(st, FLOE_OK);
  (void)close(conn);
}

static void more_than_the_limits_ends_the_connection(void **state) {
  fixture *f = *state;
  int conn = connect_1(f, "127.0.0.1");
  uint8_t *data = pattern(BIG);
  for (int i = 0; i < 4; i++) fake_transmit(f->core, 1, NULL, data, BIG);
  const fake_input *failed = fixture_await(f, FLOE_INPUT_SOCKET_FAILED, 1, 1);
  assert_int_equal(failed->in.net_error, FLOE_NET_NO_RESOURCES);
  assert_int_equal(f->agent->stream_queued, 0);
  free(data);
  (void)close(conn);
}

static bool has_no_socks(void *user) {
  return ((floe_uv_ice_agent *)user)->n_socks == 0;
}

static void close_comes_after_what_was_sent(void **state) {
  fixture *f = *state;
  int conn = connect_1(f, "127.0.0.1");
  size_t len = BIG / 4;
  uint8_t *data = pattern(len);
  /* Piece by piece, until some of it has to wait. */
  size_t pushed = 0;
  while (f->agent->stream_queued == 0) {
    fake_transmit(f->core, 1, NULL, data + pushed % len, 16384);
    pushed += 16384;
    fixture_poke(f);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  }
  fake_close(f->core, 1);
  fixture_poke(f);
  (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  assert_null(floe__uv_sock_find(f->agent, 1));
  assert_int_equal(f->agent->n_socks, 1);
  size_t got = 0;
  static uint8_t buf[65536];
  for (ssize_t n = 1; n != 0;) {
    n = recv(conn, buf, sizeof buf, MSG_DONTWAIT);
    if (n > 0) got += (size_t)n;
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  }
  assert_int_equal(got, pushed);
  fake_run(&f->loop, has_no_socks, f->agent);
  free(data);
  (void)close(conn);
}

static void a_connection_may_be_closed_while_it_connects(void **state) {
  fixture *f = *state;
  char text[FLOE_ADDR_TEXT];
  int listener = listen_on("127.0.0.1", text);
  open_tcp(f, 1, "127.0.0.1", text);
  fake_transmit(f->core, 1, NULL, "early", 5);
  fake_close(f->core, 1);
  fixture_poke(f);
  fake_run(&f->loop, has_no_socks, f->agent);
  assert_int_equal(f->core->n_inputs, 1);
  (void)close(listener);
}

static void bytes_sent_while_it_connects_arrive(void **state) {
  fixture *f = *state;
  char text[FLOE_ADDR_TEXT];
  int listener = listen_on("127.0.0.1", text);
  open_tcp(f, 1, "127.0.0.1", text);
  fake_transmit(f->core, 1, NULL, "early", 5);
  (void)fixture_await(f, FLOE_INPUT_SOCKET_OPENED, 1, 1);
  int conn = accept(listener, NULL, NULL);
  for (int i = 0; i < 3; i++) (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  char buf[8];
  assert_int_equal(read(conn, buf, sizeof buf), 5);
  (void)close(conn);
  (void)close(listener);
}

/* An agent may be abandoned with connections in every state. */
static void the_driver_may_be_closed_in_the_middle(void **state) {
  fixture *f = *state;
  char text[FLOE_ADDR_TEXT];
  int conn = connect_1(f, "127.0.0.1");
  int listener = listen_on("127.0.0.1", text);
  uint8_t *data = pattern(BIG);
  open_tcp(f, 2, "127.0.0.1", text);
  for (int i = 0; i < 64; i++) fake_transmit(f->core, 1, NULL, data, 16384);
  fixture_poke(f);
  (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  free(data);
  (void)close(conn);
  (void)close(listener);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(a_connection_opens_and_carries_bytes_over_ipv4),
      TEST(a_connection_opens_and_carries_bytes_over_ipv6),
      TEST(a_refused_connection_is_told_at_once_over_ipv4),
      TEST(a_refused_connection_is_told_at_once_over_ipv6),
      TEST(errors_of_bind_and_connect_are_told),
      TEST(fin_is_told_once_after_the_bytes),
      TEST(a_reset_is_told_after_the_bytes_before_it),
      TEST(a_reset_while_nothing_comes_is_told),
      TEST(a_reset_met_by_sending_is_told),
      TEST(after_fin_a_reset_is_met_by_sending),
      TEST(a_slow_reader_gets_everything_in_order),
      TEST(a_connection_that_takes_nothing_holds_back_relayed_data),
      TEST(more_than_the_limits_ends_the_connection),
      TEST(close_comes_after_what_was_sent),
      TEST(a_connection_may_be_closed_while_it_connects),
      TEST(bytes_sent_while_it_connects_arrive),
      TEST(the_driver_may_be_closed_in_the_middle),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
