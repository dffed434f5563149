/* Datagrams that leave together: what is put together, what is not, and what becomes of it when the system refuses. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "driver_parts/fixture.h"
#include "uv/os.h"
#include "uv/sock.h"

/* What the system was asked, and what it is made to say. */
static size_t n_single, n_together;
static int refusal; /* an errno for several at once; 0: none */

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len) {
  n_single++;
  return syscall(SYS_sendto, fd, data, len, flags, to, to_len);
}

static bool is_segmented(const struct msghdr *given) {
  struct msghdr msg = *given;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
    if (c->cmsg_level == IPPROTO_UDP) return true;
  }
  return false;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags) {
  bool is_together = is_segmented(msg);
  if (is_together) n_together++;
  if (!is_together) n_single++;
  if (!is_together || refusal == 0) return syscall(SYS_sendmsg, fd, msg, flags);
  errno = refusal;
  return -1;
}

typedef struct rig {
  fixture f;
  floe_addr to; /* of socket 2 */
} rig;

static int set_up_on(void **state, const char *local) {
  static rig r;
  fixture_init(&r.f, NULL);
  r.to = fixture_udp(&r.f, 2, local);
  (void)fixture_udp(&r.f, 1, local);
  n_single = n_together = 0;
  refusal = 0;
  *state = &r;
  return 0;
}

static int set_up(void **state) {
  return set_up_on(state, "127.0.0.1");
}

static int set_up_ipv6(void **state) {
  return set_up_on(state, "::1");
}

static int tear_down(void **state) {
  rig *r = *state;
  fixture_clear(&r->f);
  return 0;
}

static uint8_t bytes[2048];

/* Its first two bytes are its number. */
static void push(rig *r, size_t number, size_t len, uint8_t dscp) {
  memset(bytes, (int)(number & 0xff), sizeof bytes);
  bytes[0] = (uint8_t)(number >> 8);
  bytes[1] = (uint8_t)number;
  fake_transmit_marked(r->f.core, 1, &r->to, bytes, len, dscp);
}

static void assert_arrived(rig *r, size_t number, size_t len) {
  const fake_input *got = fake_find(r->f.core, FLOE_INPUT_DATAGRAM, 2, number);
  assert_non_null(got);
  assert_int_equal(got->in.data.len, len);
  if (len < 2) return;
  assert_int_equal(got->data[0] << 8 | got->data[1], number);
  for (size_t i = 2; i < len; i++) assert_int_equal(got->data[i], number & 0xff);
}

static void await(rig *r, size_t n) {
  (void)fixture_await(&r->f, FLOE_INPUT_DATAGRAM, 2, n);
}

/* Elsewhere each datagram has a call of its own, which these tests are not about. */
static void need_segments(void) {
  if (floe__uv_os_max_segments == 1) skip();
}

/* ---- what goes together ---- */

static void datagrams_of_one_size_leave_in_one_call(void **state) {
  rig *r = *state;
  need_segments();
  for (size_t i = 0; i < 20; i++) push(r, i, 1200, 0);
  await(r, 20);
  for (size_t i = 0; i < 20; i++) assert_arrived(r, i, 1200);
  assert_int_equal(n_together, 1);
  assert_int_equal(n_single, 0);
}

static void one_alone_leaves_by_the_plainest_call(void **state) {
  rig *r = *state;
  push(r, 0, 1200, 0);
  await(r, 1);
  assert_arrived(r, 0, 1200);
  assert_int_equal(n_together, 0);
  assert_int_equal(n_single, 1);
}

static void a_call_takes_so_many_and_so_much(void **state) {
  rig *r = *state;
  need_segments();
  for (size_t i = 0; i < 130; i++) push(r, i, 100, 0); /* 64, 64 and 2 */
  await(r, 130);
  assert_int_equal(n_together, 3);
  for (size_t i = 130; i < 240; i++) push(r, i, 1200, 0); /* 54, 54 and 2: 65,000 bytes */
  await(r, 240);
  assert_int_equal(n_together, 6);
  for (size_t i = 0; i < 240; i++) assert_arrived(r, i, i < 130 ? 100 : 1200);
  assert_int_equal(n_single, 0);
}

static void a_shorter_one_is_the_last(void **state) {
  rig *r = *state;
  need_segments();
  static const size_t lens[] = {1000, 1000, 400, 400, 500, 0, 0, 300};
  for (size_t i = 0; i < 8; i++) push(r, i, lens[i], 0);
  await(r, 8);
  for (size_t i = 0; i < 8; i++) assert_arrived(r, i, lens[i]);
  /* 1000 1000 400 | 400 | 500 | 0 | 0 | 300 */
  assert_int_equal(n_together, 1);
  assert_int_equal(n_single, 5);
}

static void each_mark_goes_by_itself(void **state) {
  rig *r = *state;
  need_segments();
  for (size_t i = 0; i < 9; i++) push(r, i, 200, i < 3 ? 0 : i < 6 ? 46 : 10);
  await(r, 9);
  for (size_t i = 0; i < 9; i++) assert_arrived(r, i, 200);
  assert_int_equal(n_together, 3);
  assert_int_equal(n_single, 0);
}

static void each_destination_goes_by_itself(void **state) {
  rig *r = *state;
  floe_addr third = fixture_udp(&r->f, 3, "127.0.0.1");
  for (size_t i = 0; i < 6; i++) {
    floe_addr two = r->to;
    if (i % 2 == 1) r->to = third;
    push(r, i / 2, 300, 0);
    r->to = two;
  }
  await(r, 3);
  (void)fixture_await(&r->f, FLOE_INPUT_DATAGRAM, 3, 3);
  for (size_t i = 0; i < 3; i++) assert_arrived(r, i, 300);
  assert_int_equal(n_together, 0);
  assert_int_equal(n_single, 6);
}

static void note_sent(const floe_event *event, void *user) {
  (void)event;
  *(size_t *)user = n_single + n_together;
}

/* What is to be sent does not wait for the program. */
static void all_has_left_before_the_program_is_called(void **state) {
  rig *r = *state;
  need_segments();
  size_t n_sent = 0;
  assert_int_equal(floe_uv_ice_agent_on_icecandidate(r->f.agent, note_sent, &n_sent), FLOE_OK);
  for (size_t i = 0; i < 5; i++) push(r, i, 100, 0);
  (void)fake_event(r->f.core, FLOE_EVENT_ICECANDIDATE);
  for (size_t i = 5; i < 10; i++) push(r, i, 100, 0);
  await(r, 10);
  assert_int_equal(n_sent, 1);
  assert_int_equal(n_together, 2);
}

static void a_socket_is_closed_after_what_was_sent(void **state) {
  rig *r = *state;
  for (size_t i = 0; i < 5; i++) push(r, i, 100, 0);
  fake_close(r->f.core, 1);
  push(r, 5, 100, 0);
  await(r, 5);
  assert_arrived(r, 4, 100);
  assert_null(floe__uv_sock_find(r->f.agent, 1));
}

/* ---- when the system refuses ---- */

static void where_it_cannot_be_they_leave_one_by_one(void **state) {
  rig *r = *state;
  need_segments();
  static const int refusals[] = {EIO, EINVAL, EMSGSIZE, ENOPROTOOPT, EOPNOTSUPP};
  floe__uv_sock *sock = floe__uv_sock_find(r->f.agent, 1);
  for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
    refusal = refusals[i];
    sock->sends_singly = false;
    n_single = n_together = 0;
    for (size_t k = 0; k < 10; k++) push(r, i * 20 + k, 700, 0);
    await(r, i * 20 + 10);
    assert_int_equal(n_together, 1);
    assert_int_equal(n_single, 10);
    for (size_t k = 10; k < 20; k++) push(r, i * 20 + k, 700, 0);
    await(r, i * 20 + 20);
    assert_int_equal(n_together, 1); /* it is not tried again */
    assert_int_equal(n_single, 20);
  }
  for (size_t i = 0; i < 100; i++) assert_arrived(r, i, 700);
  assert_int_equal(fake_count(r->f.core, FLOE_INPUT_SEND_FAILED, 0), 0);
}

static void a_passing_trouble_changes_nothing(void **state) {
  rig *r = *state;
  static const int troubles[] = {EAGAIN, ECONNREFUSED, ENOBUFS};
  for (size_t i = 0; i < 3; i++) {
    refusal = troubles[i];
    for (size_t k = 0; k < 10; k++) push(r, i * 10 + k, 700, 0);
    await(r, i * 10 + 10);
    assert_false(floe__uv_sock_find(r->f.agent, 1)->sends_singly);
  }
  for (size_t i = 0; i < 30; i++) assert_arrived(r, i, 700);
  assert_int_equal(fake_count(r->f.core, FLOE_INPUT_SEND_FAILED, 0), 0);
}

static void a_burst_that_cannot_be_sent_is_told_once(void **state) {
  rig *r = *state;
  floe_addr two = r->to;
  assert_true(floe_addr_parse(&r->to, "127.255.255.255:9")); /* a broadcast */
  for (size_t i = 0; i < 10; i++) push(r, 0, 700, 0);
  const fake_input *failed = fixture_await(&r->f, FLOE_INPUT_SEND_FAILED, 1, 1);
  assert_true(floe_addr_equal(&failed->in.addr, &r->to));
  assert_int_equal(failed->in.os_error, EACCES);
  assert_int_equal(fake_count(r->f.core, FLOE_INPUT_SEND_FAILED, 0), floe__uv_os_max_segments == 1 ? 10 : 1);
  r->to = two;
  push(r, 0, 700, 0);
  await(r, 1);
}

static void send_again(fake_core *fake, const floe_input *in) {
  rig *r = fake->user;
  if (in->type == FLOE_INPUT_SEND_FAILED) push(r, 0, 100, 0);
}

/* The answer to a failure is taken in the same drain: nobody else would ask for it. */
static void what_a_failure_leads_to_is_done_at_once(void **state) {
  rig *r = *state;
  r->f.core->user = r;
  r->f.core->on_input = send_again;
  floe_addr nowhere;
  assert_true(floe_addr_parse(&nowhere, "127.255.255.255:9"));
  fake_transmit(r->f.core, 1, &nowhere, "x", 1);
  await(r, 1);
}

static void a_datagram_beyond_all_bounds_goes_nowhere(void **state) {
  rig *r = *state;
  uint8_t *large = calloc(1, 100000);
  assert_non_null(large);
  fake_transmit(r->f.core, 1, &r->to, large, 100000);
  free(large);
  push(r, 0, 100, 0);
  await(r, 1);
  assert_arrived(r, 0, 100);
}

/* ---- buffers ---- */

static int buffer_of(const rig *r, int which) {
  int has = 0;
  socklen_t len = sizeof has;
  floe__uv_sock *sock = floe__uv_sock_find(r->f.agent, 2);
  assert_int_equal(getsockopt(sock->fd, SOL_SOCKET, which, &has, &len), 0);
  return has;
}

static int allowed(const char *path) {
  FILE *file = fopen(path, "r");
  int bytes_allowed = 0;
  if (file == NULL || fscanf(file, "%d", &bytes_allowed) != 1) bytes_allowed = 0;
  if (file != NULL) (void)fclose(file);
  return bytes_allowed < 1024 * 1024 ? bytes_allowed : 1024 * 1024;
}

static void sockets_have_large_buffers(void **state) {
  rig *r = *state;
  int receive = allowed("/proc/sys/net/core/rmem_max");
  int send = allowed("/proc/sys/net/core/wmem_max");
  assert_true(buffer_of(r, SO_RCVBUF) >= 2 * receive);
  assert_true(buffer_of(r, SO_SNDBUF) >= 2 * send);
}

static void a_burst_as_large_as_a_window_is_not_lost(void **state) {
  rig *r = *state;
  if (allowed("/proc/sys/net/core/rmem_max") < 1024 * 1024) skip();
  for (size_t i = 0; i < 800; i++) push(r, i, 1200, 0);
  await(r, 800);
  for (size_t i = 0; i < 800; i++) assert_arrived(r, i, 1200);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(datagrams_of_one_size_leave_in_one_call),
      cmocka_unit_test_setup_teardown(datagrams_of_one_size_leave_in_one_call, set_up_ipv6, tear_down),
      TEST(a_call_takes_so_many_and_so_much),
      TEST(a_shorter_one_is_the_last),
      TEST(each_mark_goes_by_itself),
      cmocka_unit_test_setup_teardown(each_mark_goes_by_itself, set_up_ipv6, tear_down),
      TEST(all_has_left_before_the_program_is_called),
      TEST(where_it_cannot_be_they_leave_one_by_one),
      TEST(a_passing_trouble_changes_nothing),
      TEST(sockets_have_large_buffers),
      TEST(a_burst_as_large_as_a_window_is_not_lost),
      TEST(one_alone_leaves_by_the_plainest_call),
      TEST(each_destination_goes_by_itself),
      TEST(a_socket_is_closed_after_what_was_sent),
      TEST(a_burst_that_cannot_be_sent_is_told_once),
      TEST(what_a_failure_leads_to_is_done_at_once),
      TEST(a_datagram_beyond_all_bounds_goes_nowhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
