#include <floe/uv.h>
#include <stdio.h>
#include <uv.h>

static void on_message(const floe_event *e, void *user) {
  (void)user;
  printf("%.*s\n", (int)e->u.message.data.len, (const char *)e->u.message.data.ptr);
  uv_stop(uv_default_loop());
}

static void on_datachannel(const floe_event *e, void *user) {
  (void)user;
  floe_uv_data_channel_on_message(e->u.channel, on_message, NULL);
}

static void on_open(const floe_event *e, void *user) {
  (void)user;
  if (floe_uv_data_channel_send_text(e->u.channel, (floe_bytes){(const uint8_t *)"hello", 5}) != FLOE_OK) puts("full");
}

static void on_candidate(const floe_event *e, void *user) { /* by any way you like: here the other is in this program */
  floe_ice_candidate_init c = {.candidate = e->u.signaled.text, .sdp_mid = e->u.signaled.sdp_mid};
  if (c.candidate != NULL && floe_uv_pc_add_ice_candidate(user, &c, NULL) != FLOE_OK) puts("refused");
}

int main(void) {
  floe_uv *uv;
  floe_uv_pc *alice, *bob;
  floe_data_channel *channel;
  if (floe_uv_new(&uv, uv_default_loop(), NULL, NULL) != FLOE_OK) return 1;
  if (floe_uv_pc_new(&alice, uv, NULL, NULL) != FLOE_OK || floe_uv_pc_new(&bob, uv, NULL, NULL) != FLOE_OK) return 1;
  floe_uv_pc_on_icecandidate(alice, on_candidate, bob);
  floe_uv_pc_on_icecandidate(bob, on_candidate, alice);
  floe_uv_pc_on_datachannel(bob, on_datachannel, NULL);
  if (floe_uv_pc_create_data_channel(alice, "chat", NULL, &channel, NULL) != FLOE_OK) return 1;
  floe_uv_data_channel_on_open(channel, on_open, NULL);
  if (floe_uv_pc_set_local_description(alice, NULL, NULL) != FLOE_OK) return 1;
  if (floe_uv_pc_set_remote_description(bob, floe_uv_pc_local_description(alice), NULL) != FLOE_OK) return 1;
  if (floe_uv_pc_set_local_description(bob, NULL, NULL) != FLOE_OK) return 1;
  if (floe_uv_pc_set_remote_description(alice, floe_uv_pc_local_description(bob), NULL) != FLOE_OK) return 1;
  return uv_run(uv_default_loop(), UV_RUN_DEFAULT) < 0;
}
