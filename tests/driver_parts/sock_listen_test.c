/* TCP sockets that listen, the connections that they accept, and ports that listen and connect at the same time. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "driver_parts/fixture.h"
#include "uv/sock.h"
#include "uv/sockaddr.h"

/* In place of the C library's: the calls, and the errors that they are answered with first. */
static int n_accepts;
static int accept_errors[8];
static size_t n_accept_errors;

static int answer_accept(int fd, struct sockaddr *sa, socklen_t *len, int flags) {
  n_accepts++;
  if (n_accept_errors > 0) {
    errno = accept_errors[--n_accept_errors];
    return -1;
  }
  return (int)syscall(SYS_accept4, fd, sa, len, flags);
}

int accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);

int accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags) {
  return answer_accept(fd, sa, len, flags);
}

/* os_portable.c's; the test itself has accepted nothing. */
int accept(int fd, struct sockaddr *sa, socklen_t *len) {
  return answer_accept(fd, sa, len, 0);
}

static int setup_listen(void **state) {
  n_accepts = 0;
  n_accept_errors = 0;
  return setup(state);
}

/* Opens listener 1; returns its address. */
static floe_addr listen_1(fixture *f, const char *ip) {
  fake_listen(f->core, 1, ip);
  return fixture_await(f, FLOE_INPUT_SOCKET_OPENED, 1, 1)->in.addr;
}

static int connect_to(const floe_addr *to) {
  struct sockaddr_storage sa;
  socklen_t len = floe__uv_sockaddr_of(&sa, to);
  int fd = socket(floe__uv_sockaddr_family(to), SOCK_STREAM, 0);
  assert_true(fd >= 0);
  assert_int_equal(connect(fd, (const struct sockaddr *)&sa, len), 0);
  return fd;
}

static floe_addr name_of(int fd) {
  struct sockaddr_storage sa;
  socklen_t len = sizeof sa;
  floe_addr addr;
  assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
  floe__uv_sockaddr_read(&addr, (const struct sockaddr *)&sa);
  return addr;
}

static void turns(fixture *f, int n) {
  fixture_poke(f);
  for (int i = 0; i < n; i++) (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void accepts(fixture *f, const char *ip) {
  floe_addr want;
  assert_true(floe_addr_parse(&want, ip));
  floe_addr at = listen_1(f, ip);
  assert_true(floe_addr_equal_ip(&at, &want));
  assert_int_not_equal(at.port, 0);
  assert_int_equal(f->core->n_inputs, 1); /* no SOCKET_BOUND: nothing connects */
  int conn = connect_to(&at);
  floe_addr name = name_of(conn);
  const fake_input *accepted = fixture_await(f, FLOE_INPUT_SOCKET_ACCEPTED, 1, 1);
  assert_int_equal(accepted->in.accepted, FLOE_SOCK_ACCEPTED);
  assert_true(floe_addr_equal(&accepted->in.addr, &name));

  assert_int_equal(write(conn, "hello", 5), 5);
  const fake_input *got = fixture_await(f, FLOE_INPUT_STREAM, FLOE_SOCK_ACCEPTED, 1);
  assert_int_equal(got->in.data.len, 5);
  assert_memory_equal(got->data, "hello", 5);
  fake_transmit(f->core, FLOE_SOCK_ACCEPTED, NULL, "back", 4);
  turns(f, 2);
  char buf[8];
  assert_int_equal(read(conn, buf, sizeof buf), 4);
  assert_memory_equal(buf, "back", 4);
  assert_int_equal(shutdown(conn, SHUT_WR), 0);
  (void)fixture_await(f, FLOE_INPUT_STREAM_END, FLOE_SOCK_ACCEPTED, 1);
  fake_close(f->core, FLOE_SOCK_ACCEPTED);
  turns(f, 3);
  assert_int_equal(read(conn, buf, sizeof buf), 0);
  assert_int_equal(f->agent->n_socks, 1);
  assert_int_equal(fake_count(f->core, FLOE_INPUT_SOCKET_FAILED, 0), 0);
  (void)close(conn);
}

static void a_connection_is_accepted_over_ipv4(void **state) {
  accepts(*state, "127.0.0.1");
}

static void a_connection_is_accepted_over_ipv6(void **state) {
  accepts(*state, "::1");
}

static void an_accepted_socket_is_as_an_opened_one(void **state) {
  fixture *f = *state;
  floe_addr at = listen_1(f, "127.0.0.1");
  int conn = connect_to(&at);
  (void)fixture_await(f, FLOE_INPUT_SOCKET_ACCEPTED, 1, 1);
  const floe__uv_sock *sock = floe__uv_sock_find(f->agent, FLOE_SOCK_ACCEPTED);
  assert_int_equal(sock->state, FLOE__UV_SOCK_OPEN);
  assert_int_equal(sock->family, AF_INET);
  int on = 0;
  socklen_t len = sizeof on;
  assert_int_equal(getsockopt(sock->fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
  assert_int_not_equal(on, 0);
  assert_int_not_equal(fcntl(sock->fd, F_GETFL) & O_NONBLOCK, 0);
  assert_int_not_equal(fcntl(sock->fd, F_GETFD) & FD_CLOEXEC, 0);
  (void)close(conn);
}

static void a_reset_of_an_accepted_connection_is_told(void **state) {
  fixture *f = *state;
  floe_addr at = listen_1(f, "127.0.0.1");
  int conn = connect_to(&at);
  (void)fixture_await(f, FLOE_INPUT_SOCKET_ACCEPTED, 1, 1);
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  assert_int_equal(setsockopt(conn, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
  (void)close(conn);
  const fake_input *failed = fixture_await(f, FLOE_INPUT_SOCKET_FAILED, FLOE_SOCK_ACCEPTED, 1);
  assert_int_equal(failed->in.net_error, FLOE_NET_RESET);
  assert_null(floe__uv_sock_find(f->agent, FLOE_SOCK_ACCEPTED));
  assert_non_null(floe__uv_sock_find(f->agent, 1));
}

#define MANY 60

/* Names of one agent are never used twice, whichever listener they came by. */
static void many_connections_have_names_of_their_own(void **state) {
  fixture *f = *state;
  int conns[MANY];
  floe_addr at[2];
  at[0] = listen_1(f, "127.0.0.1");
  fake_listen(f->core, 2, "::1");
  at[1] = fixture_await(f, FLOE_INPUT_SOCKET_OPENED, 2, 1)->in.addr;
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < MANY; i++) conns[i] = connect_to(&at[i % 2]);
    (void)fixture_await(f, FLOE_INPUT_SOCKET_ACCEPTED, 0, (size_t)(round + 1) * MANY);
    for (size_t i = 0; i < MANY; i++) {
      const fake_input *in = fake_find(f->core, FLOE_INPUT_SOCKET_ACCEPTED, 0, (size_t)round * MANY + i);
      assert_int_equal(in->in.accepted, FLOE_SOCK_ACCEPTED + (uint32_t)round * MANY + i);
      assert_true(in->in.sock == 1 || in->in.sock == 2);
      assert_non_null(floe__uv_sock_find(f->agent, in->in.accepted));
      fake_close(f->core, in->in.accepted);
    }
    turns(f, 3);
    assert_int_equal(f->agent->n_socks, 2);
    for (size_t i = 0; i < MANY; i++) (void)close(conns[i]);
  }
}

/* A socket opened later has a lower name than one accepted earlier. */
static void opened_and_accepted_sockets_live_side_by_side(void **state) {
  fixture *f = *state;
  floe_addr at = listen_1(f, "127.0.0.1");
  int conn = connect_to(&at);
  (void)fixture_await(f, FLOE_INPUT_SOCKET_ACCEPTED, 1, 1);
  (void)fixture_udp(f, 7, "127.0.0.1");
  (void)fixture_udp(f, 3, "127.0.0.1");
  assert_int_equal(floe__uv_sock_find(f->agent, FLOE_SOCK_ACCEPTED)->transport, FLOE_TRANSPORT_TCP);
  assert_int_equal(floe__uv_sock_find(f->agent, 3)->id, 3);
  assert_int_equal(floe__uv_sock_find(f->agent, 7)->id, 7);
  assert_null(floe__uv_sock_find(f->agent, FLOE_SOCK_ACCEPTED + 1));
  (void)close(conn);
}

static void when_the_names_are_used_up_nothing_is_accepted(void **state) {
  fixture *f = *state;
  floe_addr at = listen_1(f, "127.0.0.1");
  f->agent->n_accepted = UINT32_MAX - FLOE_SOCK_ACCEPTED - 1;
  int first = connect_to(&at);
  const fake_input *in = fixture_await(f, FLOE_INPUT_SOCKET_ACCEPTED, 1, 1);
  assert_int_equal(in->in.accepted, UINT32_MAX - 1);
  int second = connect_to(&at);
  turns(f, 3);
  char byte;
  assert_int_equal(read(second, &byte, 1), 0);
  assert_int_equal(fake_count(f->core, FLOE_INPUT_SOCKET_ACCEPTED, 0), 1);
  (void)close(first);
  (void)close(second);
}

static void a_listener_that_is_closed_accepts_nothing(void **state) {
  fixture *f = *state;
  floe_addr at = listen_1(f, "127.0.0.1");
  int before = connect_to(&at);
  (void)fixture_await(f, FLOE_INPUT_SOCKET_ACCEPTED, 1, 1);
  fake_close(f->core, 1);
  turns(f, 3);
  struct sockaddr_storage sa;
  socklen_t len = floe__uv_sockaddr_of(&sa, &at);
  int after = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(connect(after, (const struct sockaddr *)&sa, len), -1);
  assert_int_equal(errno, ECONNREFUSED);
  /* What it has accepted goes on. */
  assert_int_equal(write(before, "x", 1), 1);
  (void)fixture_await(f, FLOE_INPUT_STREAM, FLOE_SOCK_ACCEPTED, 1);
  (void)close(before);
  (void)close(after);
}

static void a_taken_port_fails_with_the_systems_error(void **state) {
  fixture *f = *state;
  char text[FLOE_ADDR_TEXT];
  floe_addr at = listen_1(f, "127.0.0.1");
  fake_listen(f->core, 2, floe_addr_format(&at, text));
  fake_listen(f->core, 3, "198.51.100.7");
  const fake_input *failed = fixture_await(f, FLOE_INPUT_SOCKET_FAILED, 2, 1);
  assert_int_equal(failed->in.net_error, FLOE_NET_ADDRESS_IN_USE);
  assert_string_equal(failed->text, strerror(EADDRINUSE));
  failed = fixture_await(f, FLOE_INPUT_SOCKET_FAILED, 3, 1);
  assert_int_equal(failed->in.net_error, FLOE_NET_ADDRESS_NOT_AVAILABLE);
  assert_int_equal(f->agent->n_socks, 1);
}

/* ---- errors of accept ---- */

static void errors_of_one_connection_do_not_stop_the_listener(void **state) {
  fixture *f = *state;
  floe_addr at = listen_1(f, "127.0.0.1");
  accept_errors[0] = ECONNABORTED;
  accept_errors[1] = EINTR;
  n_accept_errors = 2;
  int conn = connect_to(&at);
  (void)fixture_await(f, FLOE_INPUT_SOCKET_ACCEPTED, 1, 1);
  assert_int_equal(n_accepts, 4); /* the last one: no more for now */
  (void)close(conn);
}

static bool has_listener_paused(void *user) {
  return floe__uv_sock_find(user, 1)->state == FLOE__UV_SOCK_PAUSED;
}

static bool has_asked_three_times(void *user) {
  (void)user;
  return n_accepts >= 3;
}

/* The descriptor stays readable: without a pause accept would be called in every turn of the loop. */
static void without_descriptors_the_listener_rests_and_tries_again(void **state) {
  fixture *f = *state;
  floe_addr at = listen_1(f, "127.0.0.1");
  struct rlimit old;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
  int conn = connect_to(&at);
  struct rlimit none = {.rlim_cur = 0, .rlim_max = old.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  floe_time since = floe_uv_now(f->uv);
  fake_run(&f->loop, has_asked_three_times, NULL);
  assert_true(floe_uv_now(f->uv) - since >= 200 * FLOE_MS);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
  const fake_input *in = fixture_await(f, FLOE_INPUT_SOCKET_ACCEPTED, 1, 1);
  assert_int_equal(in->in.accepted, FLOE_SOCK_ACCEPTED);
  (void)close(conn);
}

static void a_resting_listener_may_be_closed(void **state) {
  fixture *f = *state;
  floe_addr at = listen_1(f, "127.0.0.1");
  accept_errors[0] = ENFILE;
  n_accept_errors = 1;
  int conn = connect_to(&at);
  fixture_poke(f);
  fake_run(&f->loop, has_listener_paused, f->agent);
  fake_close(f->core, 1);
  turns(f, 3);
  assert_int_equal(f->agent->n_socks, 0);
  assert_int_equal(fake_count(f->core, FLOE_INPUT_SOCKET_ACCEPTED, 0), 0);
  (void)close(conn);
}

/* ---- shared ports (RFC 6544 7.2) ---- */

static void a_port_listens_and_connects_at_the_same_time(void **state) {
  fixture *f = *state;
  char mine[FLOE_ADDR_TEXT];
  char theirs[FLOE_ADDR_TEXT];
  fake_open_shared(f->core, 1, "127.0.0.1", NULL);
  floe_addr at = fixture_await(f, FLOE_INPUT_SOCKET_OPENED, 1, 1)->in.addr;
  fake_listen(f->core, 2, "127.0.0.1");
  floe_addr other = fixture_await(f, FLOE_INPUT_SOCKET_OPENED, 2, 1)->in.addr;
  fake_open_shared(f->core, 3, floe_addr_format(&at, mine), floe_addr_format(&other, theirs));
  const fake_input *opened = fixture_await(f, FLOE_INPUT_SOCKET_OPENED, 3, 1);
  assert_true(floe_addr_equal(&opened->in.addr, &at)); /* from the listener's own port */
  const fake_input *accepted = fixture_await(f, FLOE_INPUT_SOCKET_ACCEPTED, 2, 1);
  assert_true(floe_addr_equal(&accepted->in.addr, &at));
  /* And the listener still accepts. */
  int conn = connect_to(&at);
  (void)fixture_await(f, FLOE_INPUT_SOCKET_ACCEPTED, 1, 1);
  (void)close(conn);
}

static void a_port_that_is_not_shared_cannot_be_connected_from(void **state) {
  fixture *f = *state;
  char mine[FLOE_ADDR_TEXT];
  floe_addr at = listen_1(f, "127.0.0.1");
  fake_open_shared(f->core, 2, floe_addr_format(&at, mine), "127.0.0.1:9");
  const fake_input *failed = fixture_await(f, FLOE_INPUT_SOCKET_FAILED, 2, 1);
  assert_int_equal(failed->in.net_error, FLOE_NET_ADDRESS_IN_USE);
}

/* Both SYNs cross: each side is the one that connects, and there is one connection (RFC 9293 3.5). The test makes them
 * cross for certain: the one connects to itself. */
static void two_syns_that_cross_make_one_connection(void **state) {
  fixture *f = *state;
  char mine[FLOE_ADDR_TEXT];
  fake_open_shared(f->core, 1, "127.0.0.1", NULL);
  floe_addr at = fixture_await(f, FLOE_INPUT_SOCKET_OPENED, 1, 1)->in.addr;
  fake_close(f->core, 1);
  turns(f, 3);
  fake_open_shared(f->core, 2, floe_addr_format(&at, mine), mine);
  (void)fixture_await(f, FLOE_INPUT_SOCKET_OPENED, 2, 1);
  fake_transmit(f->core, 2, NULL, "crossed", 7);
  (void)fixture_await(f, FLOE_INPUT_STREAM, 2, 1);
  assert_int_equal(fake_stream_bytes(f->core, 2), 7);
}

/* ---- the end ---- */

static void an_agent_may_be_closed_with_listeners_and_connections(void **state) {
  fixture *f = *state;
  floe_addr at = listen_1(f, "127.0.0.1");
  int conns[3];
  for (size_t i = 0; i < 3; i++) conns[i] = connect_to(&at);
  (void)fixture_await(f, FLOE_INPUT_SOCKET_ACCEPTED, 1, 3);
  int waiting = connect_to(&at);
  floe_uv_ice_agent_close(f->agent, NULL, NULL);
  assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(fake_alive(), 0);
  char byte;
  assert_true(read(conns[0], &byte, 1) <= 0);
  for (size_t i = 0; i < 3; i++) (void)close(conns[i]);
  (void)close(waiting);
}

static void the_driver_may_be_closed_while_a_listener_rests(void **state) {
  fixture *f = *state;
  floe_addr at = listen_1(f, "127.0.0.1");
  accept_errors[0] = ENOMEM;
  n_accept_errors = 1;
  int conn = connect_to(&at);
  fake_run(&f->loop, has_listener_paused, f->agent);
  (void)close(conn);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup_listen, teardown)
  const struct CMUnitTest tests[] = {
      TEST(a_connection_is_accepted_over_ipv4),
      TEST(a_connection_is_accepted_over_ipv6),
      TEST(an_accepted_socket_is_as_an_opened_one),
      TEST(a_reset_of_an_accepted_connection_is_told),
      TEST(many_connections_have_names_of_their_own),
      TEST(opened_and_accepted_sockets_live_side_by_side),
      TEST(when_the_names_are_used_up_nothing_is_accepted),
      TEST(a_listener_that_is_closed_accepts_nothing),
      TEST(a_taken_port_fails_with_the_systems_error),
      TEST(errors_of_one_connection_do_not_stop_the_listener),
      TEST(without_descriptors_the_listener_rests_and_tries_again),
      TEST(a_resting_listener_may_be_closed),
      TEST(a_port_listens_and_connects_at_the_same_time),
      TEST(a_port_that_is_not_shared_cannot_be_connected_from),
      TEST(two_syns_that_cross_make_one_connection),
      TEST(an_agent_may_be_closed_with_listeners_and_connections),
      TEST(the_driver_may_be_closed_while_a_listener_rests),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
