#include "uv/resolve.h"

#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "driver_parts/fixture.h"
#include "uv/sockaddr.h"

/* ---- resolvers on the loop of the test ---- */

#define TYPE_A    1
#define TYPE_AAAA 28
#define SILENT    (-1)

#define RCODE_SERVFAIL 2
#define RCODE_NXDOMAIN 3
#define RCODE_REFUSED  5

typedef struct resolver {
  uv_udp_t udp;
  floe_addr addr;
  int rcode[2];          /* for A and AAAA: an RCODE or SILENT */
  const char *ips[2][3]; /* what it answers with, if anything */
  int n_queries[2];
  bool answers_late; /* only to the second query of a kind */
  int port_closed;
} resolver;

typedef struct test {
  fixture f;
  resolver resolvers[2];
} test;

static test t;

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf) {
  static char memory[2048];
  (void)handle;
  (void)size;
  *buf = uv_buf_init(memory, sizeof memory);
}

static size_t put_record(uint8_t *p, int kind, const char *ip) {
  floe_addr addr;
  assert_true(floe_addr_parse(&addr, ip));
  uint8_t len = kind == 0 ? 4 : 16;
  const uint8_t head[] = {0xc0, 12, 0, kind == 0 ? TYPE_A : TYPE_AAAA, 0, 1, 0, 0, 0, 60, 0, len};
  memcpy(p, head, sizeof head);
  memcpy(p + sizeof head, addr.ip, len);
  return sizeof head + len;
}

static void on_query(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags) {
  (void)flags;
  resolver *r = udp->data;
  if (n <= 0 || from == NULL) return;
  uint8_t msg[512];
  assert_in_range(n, 17, 300);
  size_t len = (size_t)n;
  memcpy(msg, buf->base, len);
  int kind = msg[len - 3] == TYPE_A ? 0 : 1;
  r->n_queries[kind]++;
  if (r->rcode[kind] == SILENT || (r->answers_late && r->n_queries[kind] < 2)) return;
  msg[2] |= 0x80;
  msg[3] = (uint8_t)(0x80 | (r->rcode[kind] > 0 ? r->rcode[kind] : 0));
  for (int i = 0; i < 3 && r->ips[kind][i] != NULL; i++) {
    len += put_record(msg + len, kind, r->ips[kind][i]);
    msg[7]++;
  }
  uv_buf_t out = uv_buf_init((char *)msg, (unsigned)len);
  assert_int_equal(uv_udp_try_send(udp, &out, 1, from), len);
}

static void start_resolver(resolver *r) {
  struct sockaddr_storage sa;
  int len = sizeof sa;
  assert_int_equal(uv_udp_init(&t.f.loop, &r->udp), 0);
  r->udp.data = r;
  assert_int_equal(uv_ip4_addr("127.0.0.1", 0, (struct sockaddr_in *)&sa), 0);
  assert_int_equal(uv_udp_bind(&r->udp, (const struct sockaddr *)&sa, 0), 0);
  assert_int_equal(uv_udp_getsockname(&r->udp, (struct sockaddr *)&sa, &len), 0);
  floe__uv_sockaddr_read(&r->addr, (const struct sockaddr *)&sa);
  assert_int_equal(uv_udp_recv_start(&r->udp, on_alloc, on_query), 0);
}

/* Starts the resolvers, and the driver with the first `n` of them. */
static void start(size_t n, floe_env_config *env) {
  char text[2][FLOE_ADDR_TEXT];
  assert_int_equal(uv_loop_init(&t.f.loop), 0);
  const char *servers[2];
  for (size_t i = 0; i < 2; i++) {
    start_resolver(&t.resolvers[i]);
    servers[i] = floe_addr_format(&t.resolvers[i].addr, text[i]);
    if (t.resolvers[i].port_closed != 0) uv_close((uv_handle_t *)&t.resolvers[i].udp, NULL);
  }
  floe_uv_config cfg;
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.dns_servers = servers;
  cfg.n_dns_servers = n;
  cfg.env = env;
  assert_int_equal(floe_uv_new(&t.f.uv, &t.f.loop, &cfg, NULL), FLOE_OK);
  t.f.agent = fixture_agent(t.f.uv);
  t.f.core = fake_of(t.f.agent);
}

static int set_up(void **state) {
  (void)state;
  memset(&t, 0, sizeof t);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    uv_handle_t *handle = (uv_handle_t *)&t.resolvers[i].udp;
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
  }
  fixture_clear(&t.f);
  return 0;
}

static const fake_input *look_up(floe_req_id req, const char *host, floe_family family) {
  fake_resolve(t.f.core, req, host, family);
  const fake_input *got = fixture_await(&t.f, FLOE_INPUT_RESOLVED, req, 1);
  assert_int_equal(got->in.family, family);
  return got;
}

static floe_dns_status status_of(int rcode_1, int rcode_2, size_t n) {
  t.resolvers[0].rcode[0] = rcode_1;
  t.resolvers[1].rcode[0] = rcode_2;
  start(n, NULL);
  const fake_input *got = look_up(1, "stun.example.test", FLOE_FAMILY_IPV4);
  assert_int_equal(got->in.n_addrs, 0);
  return got->in.dns_status;
}

/* ---- one resolver ---- */

static void each_family_gets_its_own_addresses(void **state) {
  (void)state;
  t.resolvers[0].ips[0][0] = "192.0.2.1";
  t.resolvers[0].ips[0][1] = "192.0.2.2";
  t.resolvers[0].ips[1][0] = "2001:db8::1";
  start(1, NULL);
  fake_resolve(t.f.core, 4, "stun.example.test", FLOE_FAMILY_IPV4);
  fake_resolve(t.f.core, 6, "stun.example.test", FLOE_FAMILY_IPV6);
  const fake_input *v4 = fixture_await(&t.f, FLOE_INPUT_RESOLVED, 4, 1);
  const fake_input *v6 = fixture_await(&t.f, FLOE_INPUT_RESOLVED, 6, 1);
  v4 = fake_find(t.f.core, FLOE_INPUT_RESOLVED, 4, 0);
  char text[FLOE_ADDR_TEXT];
  assert_int_equal(v4->in.dns_status, FLOE_DNS_OK);
  assert_int_equal(v4->in.n_addrs, 2);
  assert_int_equal(v4->addrs[0].family, FLOE_FAMILY_IPV4);
  assert_int_equal(v4->addrs[0].ip[3] + v4->addrs[1].ip[3], 3); /* in whatever order */
  assert_int_equal(v6->in.dns_status, FLOE_DNS_OK);
  assert_int_equal(v6->in.family, FLOE_FAMILY_IPV6);
  assert_int_equal(v6->in.n_addrs, 1);
  assert_string_equal(floe_addr_format(&v6->addrs[0], text), "2001:db8::1");
  assert_int_equal(t.resolvers[0].n_queries[0], 1);
  assert_int_equal(t.resolvers[0].n_queries[1], 1);
}

static void nxdomain_is_told(void **state) {
  (void)state;
  assert_int_equal(status_of(RCODE_NXDOMAIN, 0, 1), FLOE_DNS_NXDOMAIN);
}

static void nodata_is_told(void **state) {
  (void)state;
  assert_int_equal(status_of(0, 0, 1), FLOE_DNS_NODATA);
}

static void the_families_fail_apart(void **state) {
  (void)state;
  t.resolvers[0].ips[0][0] = "192.0.2.1";
  t.resolvers[0].rcode[1] = RCODE_SERVFAIL;
  start(1, NULL);
  assert_int_equal(look_up(1, "stun.example.test", FLOE_FAMILY_IPV4)->in.dns_status, FLOE_DNS_OK);
  assert_int_equal(look_up(2, "stun.example.test", FLOE_FAMILY_IPV6)->in.dns_status, FLOE_DNS_SERVFAIL);
}

static void servfail_is_told(void **state) {
  (void)state;
  assert_int_equal(status_of(RCODE_SERVFAIL, 0, 1), FLOE_DNS_SERVFAIL);
  assert_int_equal(t.resolvers[1].n_queries[0], 0);
}

static void refused_is_told(void **state) {
  (void)state;
  assert_int_equal(status_of(RCODE_REFUSED, 0, 1), FLOE_DNS_REFUSED);
}

static void a_closed_port_is_unreachable_at_once(void **state) {
  (void)state;
  t.resolvers[0].port_closed = 1;
  uint64_t began = uv_hrtime();
  assert_int_equal(status_of(0, 0, 1), FLOE_DNS_UNREACHABLE);
  assert_true(uv_hrtime() - began < FLOE_SECOND);
}

static void silence_is_a_time_out_before_the_cores_deadline(void **state) {
  (void)state;
  uint64_t began = uv_hrtime();
  assert_int_equal(status_of(SILENT, 0, 1), FLOE_DNS_TIMEOUT);
  uint64_t took = uv_hrtime() - began;
  assert_true(took >= 2 * FLOE_SECOND && took < 4 * FLOE_SECOND);
  assert_int_equal(t.resolvers[0].n_queries[0], 2);
}

static void a_lost_query_is_asked_again(void **state) {
  (void)state;
  t.resolvers[0].answers_late = true;
  t.resolvers[0].ips[0][0] = "192.0.2.1";
  start(1, NULL);
  assert_int_equal(look_up(1, "stun.example.test", FLOE_FAMILY_IPV4)->in.dns_status, FLOE_DNS_OK);
  assert_int_equal(t.resolvers[0].n_queries[0], 2);
}

static void an_unusual_error_and_an_unreadable_answer_are_failures(void **state) {
  (void)state;
  assert_int_equal(status_of(4 /* NOTIMP */, 0, 1), FLOE_DNS_FAILED);
  t.resolvers[0].rcode[1] = 1; /* FORMERR */
  assert_int_equal(look_up(2, "stun.example.test", FLOE_FAMILY_IPV6)->in.dns_status, FLOE_DNS_FAILED);
}

static void an_impossible_name_fails(void **state) {
  (void)state;
  start(1, NULL);
  const char *label = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test";
  assert_int_equal(look_up(1, label, FLOE_FAMILY_IPV4)->in.dns_status, FLOE_DNS_FAILED);
  assert_int_equal(t.resolvers[0].n_queries[0], 0);
}

/* ---- several resolvers ---- */

static void after_servfail_the_next_is_asked(void **state) {
  (void)state;
  t.resolvers[0].rcode[0] = RCODE_SERVFAIL;
  t.resolvers[1].ips[0][0] = "192.0.2.1";
  start(2, NULL);
  assert_int_equal(look_up(1, "stun.example.test", FLOE_FAMILY_IPV4)->in.dns_status, FLOE_DNS_OK);
  assert_int_equal(t.resolvers[0].n_queries[0], 1);
  assert_int_equal(t.resolvers[1].n_queries[0], 1);
}

static void after_refused_the_next_is_asked(void **state) {
  (void)state;
  assert_int_equal(status_of(RCODE_REFUSED, RCODE_NXDOMAIN, 2), FLOE_DNS_NXDOMAIN);
}

static void after_a_closed_port_the_next_is_asked(void **state) {
  (void)state;
  t.resolvers[0].port_closed = 1;
  uint64_t began = uv_hrtime();
  assert_int_equal(status_of(0, 0, 2), FLOE_DNS_NODATA);
  assert_true(uv_hrtime() - began < FLOE_SECOND);
}

static void nxdomain_ends_the_look_up(void **state) {
  (void)state;
  assert_int_equal(status_of(RCODE_NXDOMAIN, 0, 2), FLOE_DNS_NXDOMAIN);
  assert_int_equal(t.resolvers[1].n_queries[0], 0);
}

static void all_servfail_is_servfail(void **state) {
  (void)state;
  assert_int_equal(status_of(RCODE_SERVFAIL, RCODE_SERVFAIL, 2), FLOE_DNS_SERVFAIL);
}

static void all_refused_is_refused(void **state) {
  (void)state;
  assert_int_equal(status_of(RCODE_REFUSED, RCODE_REFUSED, 2), FLOE_DNS_REFUSED);
}

static void of_different_failures_the_one_that_says_most_is_told(void **state) {
  (void)state;
  t.resolvers[1].port_closed = 1;
  assert_int_equal(status_of(RCODE_REFUSED, 0, 2), FLOE_DNS_REFUSED);
}

static void beside_a_slow_one_the_next_is_asked_after_a_second(void **state) {
  (void)state;
  t.resolvers[0].rcode[0] = SILENT;
  t.resolvers[1].ips[0][0] = "192.0.2.1";
  start(2, NULL);
  uint64_t began = uv_hrtime();
  assert_int_equal(look_up(1, "stun.example.test", FLOE_FAMILY_IPV4)->in.dns_status, FLOE_DNS_OK);
  uint64_t took = uv_hrtime() - began;
  assert_true(took >= FLOE_SECOND && took < 2 * FLOE_SECOND);
}

static void the_slow_one_may_still_be_the_first_to_answer(void **state) {
  (void)state;
  t.resolvers[0].answers_late = true;
  t.resolvers[0].ips[0][0] = "192.0.2.1";
  t.resolvers[1].rcode[0] = SILENT;
  start(2, NULL);
  const fake_input *got = look_up(1, "stun.example.test", FLOE_FAMILY_IPV4);
  assert_int_equal(got->in.dns_status, FLOE_DNS_OK);
  assert_int_equal(t.resolvers[1].n_queries[0], 1);
}

/* ---- the hosts file ---- */

static void localhost_is_known_without_a_resolver(void **state) {
  (void)state;
  start(1, NULL);
  const fake_input *got = look_up(1, "localhost", FLOE_FAMILY_IPV4);
  char text[FLOE_ADDR_TEXT];
  assert_int_equal(got->in.dns_status, FLOE_DNS_OK);
  assert_string_equal(floe_addr_format(&got->addrs[0], text), "127.0.0.1");
  /* RFC 6761 6.3: both families, whatever the file says. */
  got = look_up(2, "localhost", FLOE_FAMILY_IPV6);
  assert_int_equal(got->in.dns_status, FLOE_DNS_OK);
  assert_string_equal(floe_addr_format(&got->addrs[0], text), "::1");
  assert_int_equal(look_up(3, "LocalHost", FLOE_FAMILY_IPV6)->in.dns_status, FLOE_DNS_OK);
  assert_int_equal(t.resolvers[0].n_queries[0] + t.resolvers[0].n_queries[1], 0);
}

/* The first name of the file, other than localhost, that has an address of one family only. */
static bool find_lone_name(char name[256], floe_family *other) {
  FILE *file = fopen("/etc/hosts", "r");
  if (file == NULL) return false;
  char line[512];
  char ip[128];
  bool is_found = false;
  while (!is_found && fgets(line, sizeof line, file) != NULL) {
    floe_addr addr;
    if (sscanf(line, "%127s %255s", ip, name) != 2 || !floe_addr_parse(&addr, ip)) continue;
    /* Names of the form ip6-... are those of the distribution: one line each. */
    is_found = strncmp(name, "localhost", 9) != 0 && strchr(name, '#') == NULL;
    *other = addr.family == FLOE_FAMILY_IPV4 ? FLOE_FAMILY_IPV6 : FLOE_FAMILY_IPV4;
  }
  (void)fclose(file);
  return is_found;
}

static void a_name_of_the_hosts_file_is_not_asked_for_in_the_other_family(void **state) {
  (void)state;
  char name[256];
  floe_family other = FLOE_FAMILY_NONE;
  start(1, NULL);
  if (!find_lone_name(name, &other)) skip();
  t.resolvers[0].rcode[0] = t.resolvers[0].rcode[1] = RCODE_NXDOMAIN;
  floe_dns_status status = look_up(1, name, other)->in.dns_status;
  assert_true(status == FLOE_DNS_NODATA || status == FLOE_DNS_OK); /* a second line may have it */
  assert_int_equal(t.resolvers[0].n_queries[0] + t.resolvers[0].n_queries[1], 0);
}

/* ---- the life of look-ups ---- */

static void many_look_ups_at_once(void **state) {
  (void)state;
  t.resolvers[0].ips[0][0] = "192.0.2.1";
  start(1, NULL);
  for (floe_req_id req = 1; req <= 200; req++) {
    char host[64];
    (void)snprintf(host, sizeof host, "host-%u.example.test", (unsigned)req);
    fake_resolve(t.f.core, req, host, FLOE_FAMILY_IPV4);
  }
  (void)fixture_await(&t.f, FLOE_INPUT_RESOLVED, 0, 200);
  for (floe_req_id req = 1; req <= 200; req++) {
    assert_int_equal(fake_find(t.f.core, FLOE_INPUT_RESOLVED, req, 0)->in.dns_status, FLOE_DNS_OK);
  }
}

static void after_the_last_look_up_nothing_is_left_open(void **state) {
  (void)state;
  t.resolvers[0].rcode[0] = RCODE_NXDOMAIN;
  start(1, NULL);
  (void)look_up(1, "stun.example.test", FLOE_FAMILY_IPV4);
  for (size_t i = 0; i < 2; i++) uv_unref((uv_handle_t *)&t.resolvers[i].udp);
  assert_int_equal(uv_run(&t.f.loop, UV_RUN_NOWAIT), 0);
}

static bool has_been_asked(void *user) {
  return ((resolver *)user)->n_queries[0] > 0;
}

static void on_closed(void *user) {
  *(bool *)user = true;
}

static bool is_true(void *user) {
  return *(bool *)user;
}

static void an_agent_may_go_before_its_answer(void **state) {
  (void)state;
  t.resolvers[0].rcode[0] = SILENT;
  t.resolvers[0].answers_late = true;
  start(2, NULL);
  floe_uv_ice_agent *other = fixture_agent(t.f.uv);
  fake_resolve(fake_of(other), 1, "stun.example.test", FLOE_FAMILY_IPV4);
  assert_int_equal(floe_uv_ice_agent_gather(other), FLOE_OK);
  fake_run(&t.f.loop, has_been_asked, &t.resolvers[0]);
  bool is_closed = false;
  floe_uv_ice_agent_close(other, on_closed, &is_closed);
  fake_run(&t.f.loop, is_true, &is_closed);
  assert_int_equal(fake_alive(), 1);
  /* Nobody waits for the query that is out: the loop does not either. */
  for (size_t i = 0; i < 2; i++) uv_unref((uv_handle_t *)&t.resolvers[i].udp);
  uint64_t began = uv_hrtime();
  assert_int_equal(uv_run(&t.f.loop, UV_RUN_DEFAULT), 0);
  assert_true(uv_hrtime() - began < FLOE_SECOND);
  t.resolvers[0].rcode[0] = RCODE_NXDOMAIN;
  t.resolvers[0].answers_late = false;
  assert_int_equal(look_up(2, "turn.example.test", FLOE_FAMILY_IPV4)->in.dns_status, FLOE_DNS_NXDOMAIN);
}

static void one_agent_that_goes_leaves_the_others_look_up(void **state) {
  (void)state;
  t.resolvers[0].answers_late = true; /* to the second query alone */
  t.resolvers[0].ips[0][0] = "192.0.2.1";
  start(1, NULL);
  floe_uv_ice_agent *other = fixture_agent(t.f.uv);
  fake_resolve(fake_of(other), 1, "stun.example.test", FLOE_FAMILY_IPV4);
  assert_int_equal(floe_uv_ice_agent_gather(other), FLOE_OK);
  fake_run(&t.f.loop, has_been_asked, &t.resolvers[0]);
  fake_resolve(t.f.core, 2, "stun.example.test", FLOE_FAMILY_IPV4);
  fixture_poke(&t.f);
  floe_uv_ice_agent_close(other, NULL, NULL);
  assert_int_equal(fixture_await(&t.f, FLOE_INPUT_RESOLVED, 2, 1)->in.dns_status, FLOE_DNS_OK);
}

static void the_driver_may_be_closed_in_the_middle(void **state) {
  (void)state;
  t.resolvers[0].rcode[0] = SILENT;
  start(2, NULL);
  for (floe_req_id req = 1; req <= 5; req++) {
    fake_resolve(t.f.core, req, "stun.example.test", FLOE_FAMILY_IPV4);
  }
  fixture_poke(&t.f);
  fake_run(&t.f.loop, has_been_asked, &t.resolvers[0]);
}

/* ---- the configuration ---- */

static void what_is_no_address_is_refused_with_its_path(void **state) {
  (void)state;
  start(1, NULL);
  const char *servers[] = {"192.0.2.53", "resolver.example.test"};
  floe_uv_config cfg;
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.dns_servers = servers;
  cfg.n_dns_servers = 2;
  floe_uv *uv = t.f.uv;
  floe_error why;
  assert_int_equal(floe_uv_new(&uv, &t.f.loop, &cfg, &why), FLOE_E_TYPE);
  assert_null(uv);
  assert_int_equal(why.status, FLOE_E_TYPE);
  assert_string_equal(why.path, "dns_servers[1]");
  assert_int_equal(why.offset, FLOE_NO_OFFSET);
  servers[1] = "[2001:db8::53]:5353";
  assert_int_equal(floe_uv_new(&uv, &t.f.loop, &cfg, &why), FLOE_OK);
  floe_uv_close(uv);
}

/* ---- no memory ---- */

typedef struct failing {
  long left; /* allocations until one fails, and all after it */
  long n;
} failing;

static void *reallocate(void *user, void *ptr, size_t size) {
  failing *a = user;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  a->n++;
  return a->left-- > 0 ? realloc(ptr, size) : NULL;
}

static void without_memory_a_look_up_fails_or_works_and_is_always_answered(void **state) {
  (void)state;
  failing a = {.left = LONG_MAX};
  floe_env_config env;
  floe_env_config_init(&env, sizeof env);
  env.reallocate = reallocate;
  env.user = &a;
  t.resolvers[0].ips[0][0] = "192.0.2.1";
  start(1, &env);
  bool has_worked = false;
  int n_failed = 0;
  for (long n = 0; !has_worked; n++) {
    a.left = n;
    const fake_input *got = look_up((floe_req_id)n + 1, "stun.example.test", FLOE_FAMILY_IPV4);
    has_worked = got->in.dns_status == FLOE_DNS_OK;
    if (!has_worked) n_failed++;
    a.left = LONG_MAX;
    assert_true(n < 100);
  }
  assert_true(n_failed >= 3);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(each_family_gets_its_own_addresses),
      TEST(nxdomain_is_told),
      TEST(nodata_is_told),
      TEST(the_families_fail_apart),
      TEST(servfail_is_told),
      TEST(refused_is_told),
      TEST(a_closed_port_is_unreachable_at_once),
      TEST(silence_is_a_time_out_before_the_cores_deadline),
      TEST(a_lost_query_is_asked_again),
      TEST(an_unusual_error_and_an_unreadable_answer_are_failures),
      TEST(an_impossible_name_fails),
      TEST(after_servfail_the_next_is_asked),
      TEST(after_refused_the_next_is_asked),
      TEST(after_a_closed_port_the_next_is_asked),
      TEST(nxdomain_ends_the_look_up),
      TEST(all_servfail_is_servfail),
      TEST(all_refused_is_refused),
      TEST(of_different_failures_the_one_that_says_most_is_told),
      TEST(beside_a_slow_one_the_next_is_asked_after_a_second),
      TEST(the_slow_one_may_still_be_the_first_to_answer),
      TEST(localhost_is_known_without_a_resolver),
      TEST(a_name_of_the_hosts_file_is_not_asked_for_in_the_other_family),
      TEST(many_look_ups_at_once),
      TEST(after_the_last_look_up_nothing_is_left_open),
      TEST(an_agent_may_go_before_its_answer),
      TEST(one_agent_that_goes_leaves_the_others_look_up),
      TEST(the_driver_may_be_closed_in_the_middle),
      TEST(what_is_no_address_is_refused_with_its_path),
      TEST(without_memory_a_look_up_fails_or_works_and_is_always_answered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
