/* Multicast DNS over real sockets, between drivers in a network namespace of the test's own; where that is not allowed
 * it is skipped. An onlooker, a plain socket in the group, sees what goes over the link. */
#define _GNU_SOURCE /* unshare */

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "driver_parts/fixture.h"
#include "driver_parts/netns.h"

#define V4 FLOE_FAMILY_IPV4
#define V6 FLOE_FAMILY_IPV6

#define NAME "1f4712db-ea17-4bcf-a596-105139dfd8bf.local"

static bool has_namespace;

/* The kernel says a moment later that the link has a carrier, and libuv lists no interface without. */
static bool is_running(const char *interface) {
  struct ifreq req = {0};
  (void)snprintf(req.ifr_name, sizeof req.ifr_name, "%s", interface);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  for (int i = 0; i < 5000 && (req.ifr_flags & IFF_RUNNING) == 0; i++) {
    (void)usleep(1000);
    if (ioctl(fd, SIOCGIFFLAGS, &req) != 0) break;
  }
  (void)close(fd);
  return (req.ifr_flags & IFF_RUNNING) != 0;
}

static int make_network(void **state) {
  (void)state;
  has_namespace = enter_namespace() && run_ip("link add left type veth peer name right") &&
                  run_ip("link set right addrgenmode none") && run_ip("link set left up") &&
                  run_ip("link set right up") && run_ip("addr add 192.0.2.1/24 dev left") &&
                  run_ip("addr add fe80::a/64 dev left nodad") && is_running("left");
  if (!has_namespace) print_message("no network namespace can be made here\n");
  return 0;
}

static floe_addr parse(const char *text) {
  floe_addr addr;
  assert_true(floe_addr_parse(&addr, text));
  if (addr.family == V6) addr.scope_id = if_nametoindex("left");
  return addr;
}

/* ---- the onlooker ---- */

/* Joined on "left"; shares the port when it is told to. */
static int look_on(bool shares) {
  int on = 1;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(5353)};
  struct ip_mreqn group = {.imr_ifindex = (int)if_nametoindex("left")};
  group.imr_multiaddr.s_addr = htonl(0xe00000fb);
  assert_true(fd >= 0);
  if (shares) assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
  assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group), 0);
  assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof group), 0);
  assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on), 0);
  return fd;
}

/* The next packet on the link. Returns its length, and the TTL that it came with. */
static size_t see(int fd, uint8_t out[512], int *ttl) {
  union {
    struct cmsghdr align;
    char bytes[64];
  } control;
  struct iovec iov = {.iov_base = out, .iov_len = 512};
  struct msghdr msg = {
      .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control};
  struct pollfd p = {.fd = fd, .events = POLLIN};
  assert_int_equal(poll(&p, 1, 5000), 1);
  ssize_t len = recvmsg(fd, &msg, 0);
  assert_true(len > 12);
  struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
  assert_non_null(c);
  memcpy(ttl, CMSG_DATA(c), sizeof *ttl);
  return (size_t)len;
}

static void say(int fd, const char *to, const char *bytes, size_t len) {
  floe_addr addr;
  assert_true(floe_addr_parse(&addr, to));
  struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(addr.port)};
  memcpy(&sa.sin_addr, addr.ip, 4);
  assert_int_equal(sendto(fd, bytes, len, 0, (struct sockaddr *)&sa, sizeof sa), (ssize_t)len);
}

/* TTL of the first record of an answer for NAME, or -1 for a question. */
static long record_ttl(const uint8_t *bytes) {
  const uint8_t *r = bytes + 12 + 1 + 36 + 7;
  return (bytes[2] & 0x80) == 0 ? -1 : (long)((unsigned)r[4] << 24 | (unsigned)r[5] << 16 | (unsigned)r[6] << 8 | r[7]);
}

/* ---- two drivers on one loop ---- */

typedef struct pair {
  fixture f;
  floe_uv *uv;
  floe_uv_ice_agent *agent; /* of the second */
  fake_core *core;
} pair;

static int set_up_pair(void **state) {
  static pair p;
  fixture_init(&p.f, NULL);
  assert_int_equal(floe_uv_new(&p.uv, &p.f.loop, NULL, NULL), FLOE_OK);
  p.agent = fixture_agent(p.uv);
  p.core = fake_of(p.agent);
  *state = &p;
  return 0;
}

static int tear_down_pair(void **state) {
  pair *p = *state;
  floe_uv_close(p->uv);
  fixture_clear(&p->f);
  return 0;
}

/* What was asked for is on the link, and what was there is heard. */
static void turn(pair *p) {
  for (int i = 0; i < 20; i++) (void)uv_run(&p->f.loop, UV_RUN_NOWAIT);
}

static void publish(pair *p, const char *name, const char *ip) {
  floe_addr addr = parse(ip);
  fake_publish(p->core, name, &addr, false);
  assert_int_equal(floe_uv_ice_agent_gather(p->agent), FLOE_OK);
}

static const fake_input *resolve(pair *p, floe_req_id req, const char *name, floe_family family) {
  fake_resolve_multicast(p->f.core, req, name, family);
  return fixture_await(&p->f, FLOE_INPUT_RESOLVED, req, 1);
}

static void assert_found(const fake_input *got, const char *ip) {
  floe_addr want = parse(ip);
  assert_int_equal(got->in.dns_status, FLOE_DNS_OK);
  assert_int_equal(got->in.n_addrs, 1);
  assert_int_equal(got->in.family, want.family);
  assert_true(floe_addr_equal(&got->addrs[0], &want));
}

static void one_driver_finds_the_others_names(void **state) {
  pair *p = *state;
  if (!has_namespace) skip();
  publish(p, NAME, "192.0.2.1");
  publish(p, "six.local", "fe80::a");
  assert_found(resolve(p, 1, NAME, V4), "192.0.2.1");
  assert_found(resolve(p, 2, "six.local", V6), "fe80::a");
  const fake_input *none = resolve(p, 3, NAME, V6);
  assert_int_equal(none->in.dns_status, FLOE_DNS_NODATA);
  assert_int_equal(none->in.n_addrs, 0);
}

static void a_name_published_later_is_found_while_it_is_asked_for(void **state) {
  pair *p = *state;
  if (!has_namespace) skip();
  fake_resolve_multicast(p->f.core, 1, NAME, V4);
  fixture_poke(&p->f);
  turn(p);
  assert_int_equal(fake_count(p->f.core, FLOE_INPUT_RESOLVED, 1), 0);
  publish(p, NAME, "192.0.2.1");
  assert_found(fixture_await(&p->f, FLOE_INPUT_RESOLVED, 1, 1), "192.0.2.1");
}

static void names_of_the_same_driver_need_no_packet(void **state) {
  pair *p = *state;
  if (!has_namespace) skip();
  floe_addr addr = parse("192.0.2.1");
  fake_publish(p->f.core, NAME, &addr, false);
  assert_found(resolve(p, 1, NAME, V4), "192.0.2.1");
  assert_int_equal(resolve(p, 2, NAME, V6)->in.dns_status, FLOE_DNS_NODATA);
  assert_int_equal(resolve(p, 3, "no.name.local", V4)->in.dns_status, FLOE_DNS_FAILED);
}

/* The next packet with this TTL in its first record, or the next question (-1), whatever comes before. Returns its
 * length. */
static size_t see_one(int fd, long ttl) {
  uint8_t bytes[512];
  int ip_ttl;
  size_t len;
  do {
    len = see(fd, bytes, &ip_ttl);
    assert_int_equal(ip_ttl, 255);
  } while (record_ttl(bytes) != ttl);
  return len;
}

static void what_goes_over_the_link_is_as_the_rfc_says(void **state) {
  pair *p = *state;
  if (!has_namespace) skip();
  int fd = look_on(true);
  publish(p, NAME, "192.0.2.1");
  turn(p);
  assert_int_equal(see_one(fd, 120), 12 + 44 + 10 + 4 + 17); /* the announcement, with the denial of IPv6 */
  (void)resolve(p, 1, NAME, V4);
  assert_int_equal(see_one(fd, -1), 12 + 44 + 4);
  assert_int_equal(see_one(fd, 120), 12 + 44 + 10 + 4 + 17);
  floe_addr addr = parse("192.0.2.1");
  fake_publish(p->core, NAME, &addr, true);
  assert_int_equal(floe_uv_ice_agent_gather(p->agent), FLOE_OK);
  turn(p);
  assert_int_equal(see_one(fd, 0), 12 + 44 + 10 + 4);
  close(fd);
}

static void on_closed(void *user) {
  *(bool *)user = true;
}

static bool is_true(void *user) {
  return *(bool *)user;
}

static void an_agent_that_closes_takes_its_names_back(void **state) {
  pair *p = *state;
  bool is_closed = false;
  if (!has_namespace) skip();
  publish(p, NAME, "192.0.2.1");
  publish(p, NAME, "192.0.2.1"); /* twice */
  assert_found(resolve(p, 1, NAME, V4), "192.0.2.1");
  fake_resolve_multicast(p->core, 7, "nobody.local", V4); /* nobody hears of this one */
  int fd = look_on(true);
  floe_uv_ice_agent_close(p->agent, on_closed, &is_closed);
  fake_run(&p->f.loop, is_true, &is_closed);
  turn(p);
  (void)see_one(fd, 0);
  close(fd);
}

static void a_driver_that_closes_takes_its_names_back(void **state) {
  pair *p = *state;
  if (!has_namespace) skip();
  publish(p, NAME, "192.0.2.1");
  assert_found(resolve(p, 1, NAME, V4), "192.0.2.1");
  int fd = look_on(true);
  floe_uv_close(p->uv);
  p->uv = NULL;
  (void)see_one(fd, 0);
  close(fd);
}

/* What is sent to this host alone may come from anywhere, and is for another program on the port. */
static void only_what_was_sent_to_the_group_is_heard(void **state) {
  pair *p = *state;
  if (!has_namespace) skip();
#define FORGED "\0\0\x84\0\0\0\0\x01\0\0\0\0\x01x\x05local\0\0\x01\x80\x01\0\0\0\x78\0\x04\x0a\0\0\x01"
#define TRUE_1 "\0\0\x84\0\0\0\0\x01\0\0\0\0\x01x\x05local\0\0\x01\x80\x01\0\0\0\x78\0\x04\xc0\0\x02\x02"
  int fd = look_on(true);
  fake_resolve_multicast(p->f.core, 1, "x.local", V4);
  fixture_poke(&p->f);
  turn(p);
  for (int i = 0; i < 3; i++) say(fd, "192.0.2.1:5353", FORGED, sizeof FORGED - 1);
  say(fd, "224.0.0.251:5353", TRUE_1, sizeof TRUE_1 - 1);
  assert_found(fixture_await(&p->f, FLOE_INPUT_RESOLVED, 1, 1), "192.0.2.2");
  close(fd);
}

static void a_port_that_is_not_shared_leaves_nobody_to_ask(void **state) {
  pair *p = *state;
  if (!has_namespace) skip();
  int fd = look_on(false);
  const int on = 1;
  int fd6 = socket(AF_INET6, SOCK_DGRAM, 0);
  struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(5353)};
  assert_int_equal(setsockopt(fd6, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), 0);
  assert_int_equal(bind(fd6, (struct sockaddr *)&any, sizeof any), 0);
  assert_int_equal(resolve(p, 1, NAME, V4)->in.dns_status, FLOE_DNS_UNREACHABLE);
  close(fd);
  close(fd6);
  publish(p, NAME, "192.0.2.1");
  assert_found(resolve(p, 2, NAME, V4), "192.0.2.1"); /* tried again */
}

static void an_agent_without_loopback_asks_nobody_there(void **state) {
  pair *p = *state;
  if (!has_namespace) skip();
  assert_true(run_ip("link set left down") && run_ip("link set lo up"));
  assert_int_equal(resolve(p, 1, NAME, V4)->in.dns_status, FLOE_DNS_UNREACHABLE);
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.include_loopback = true;
  floe_uv_ice_agent *with[2];
  floe_uv *drivers[2] = {p->f.uv, p->uv};
  for (size_t i = 0; i < 2; i++) assert_int_equal(floe_uv_ice_agent_new(&with[i], drivers[i], &cfg, NULL), FLOE_OK);
  floe_addr addr = parse("127.0.0.1");
  fake_publish(fake_of(with[1]), NAME, &addr, false);
  fake_resolve_multicast(fake_of(with[0]), 1, NAME, V4);
  for (size_t i = 0; i < 2; i++) assert_int_equal(floe_uv_ice_agent_gather(with[i]), FLOE_OK);
  assert_found(fake_await(with[0], &p->f.loop, FLOE_INPUT_RESOLVED, 1, 1), "127.0.0.1");
  assert_true(run_ip("link set lo down") && run_ip("link set left up") && is_running("left"));
  (void)run_ip("addr add fe80::a/64 dev left nodad"); /* it went with the link */
}

static void the_loop_ends_when_nothing_is_asked_or_published(void **state) {
  pair *p = *state;
  if (!has_namespace) skip();
  floe_addr addr = parse("192.0.2.1");
  publish(p, NAME, "192.0.2.1");
  assert_found(resolve(p, 1, NAME, V4), "192.0.2.1");
  fake_publish(p->core, NAME, &addr, true);
  fake_publish(p->core, "never.local", &addr, true);
  assert_int_equal(floe_uv_ice_agent_gather(p->agent), FLOE_OK);
  assert_int_equal(uv_run(&p->f.loop, UV_RUN_DEFAULT), 0);
}

/* ---- memory ---- */

static bool is_out_of_memory;

static void *reallocate(void *user, void *ptr, size_t size) {
  (void)user;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  return is_out_of_memory ? NULL : realloc(ptr, size);
}

static void without_memory_a_look_up_fails_at_once(void **state) {
  (void)state;
  if (!has_namespace) skip();
  fixture f;
  floe_env_config env;
  floe_env_config_init(&env, sizeof env);
  env.reallocate = reallocate;
  floe_uv_config cfg;
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.env = &env;
  fixture_init(&f, &cfg);
  floe_addr addr = parse("192.0.2.1");
  fake_resolve_multicast(f.core, 1, NAME, V4);
  fake_publish(f.core, NAME, &addr, false);
  fixture_poke(&f);
  is_out_of_memory = true;
  while (fake_count(f.core, FLOE_INPUT_RESOLVED, 1) == 0) (void)uv_run(&f.loop, UV_RUN_NOWAIT);
  is_out_of_memory = false;
  assert_int_equal(fake_find(f.core, FLOE_INPUT_RESOLVED, 1, 0)->in.dns_status, FLOE_DNS_FAILED);
  fake_publish(f.core, NAME, &addr, false);
  fake_resolve_multicast(f.core, 2, NAME, V4);
  assert_found(fixture_await(&f, FLOE_INPUT_RESOLVED, 2, 1), "192.0.2.1");
  fixture_clear(&f);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up_pair, tear_down_pair)
  const struct CMUnitTest tests[] = {
      TEST(one_driver_finds_the_others_names),
      TEST(a_name_published_later_is_found_while_it_is_asked_for),
      TEST(names_of_the_same_driver_need_no_packet),
      TEST(what_goes_over_the_link_is_as_the_rfc_says),
      TEST(an_agent_that_closes_takes_its_names_back),
      TEST(a_driver_that_closes_takes_its_names_back),
      TEST(only_what_was_sent_to_the_group_is_heard),
      TEST(a_port_that_is_not_shared_leaves_nobody_to_ask),
      TEST(an_agent_without_loopback_asks_nobody_there),
      TEST(the_loop_ends_when_nothing_is_asked_or_published),
      cmocka_unit_test(without_memory_a_look_up_fails_at_once),
  };
  return cmocka_run_group_tests(tests, make_network, NULL);
}
