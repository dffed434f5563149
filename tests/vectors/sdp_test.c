/* Descriptions as programs write them, recorded: see sdp/README.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdp/jsep.h"
#include "support/cmocka.h"

#define MAX_TEXT 16384

typedef struct vector {
  const char *name, *username, *session_id;
  uint64_t version;
  size_t n_media, data; /* the index of the data section, of which the rest is */
  const char *mid;
  uint32_t port;
  const char *ufrag, *pwd, *fingerprint;
  floe__sdp_setup setup;
  uint64_t max_message_size;
  bool is_old_form;
  size_t n_candidates;
  bool has_ended, has_trickle;
} vector;

static const vector vectors[] = {
    {"aiortc_answer", "-", "4004308814", 4004308814, 1, 0, "0", 54721, "uDjb", "lvGtvK5HSY2mqE8TbsV9fP",
     "90:1D:F2:9D:72:02:55:0B:2E:8C:A6:CC:76:E9:36:AD:86:F0:24:1C:C0:DA:F0:43:8D:FF:1D:2D:28:89:BF:8C",
     FLOE__SETUP_ACTIVE, 65536, false, 2, true, false},
    {"aiortc_offer", "-", "4004308814", 4004308814, 1, 0, "0", 45659, "gWav", "FQYfrAKcnG2HE7dnRO8RPg",
     "61:7A:FB:A5:F6:69:A6:6F:1F:3B:17:DC:35:08:5B:F7:F1:98:68:5A:79:9E:8B:54:CC:5C:FA:BC:36:0F:37:83",
     FLOE__SETUP_ACTPASS, 65536, true, 2, true, false},
    {"aiortc_offer_media", "-", "4004308814", 4004308814, 3, 2, "2", 51803, "Rh2T", "2TOMNVQz0gK5bKYBjOBXMh",
     "38:0F:7E:53:BB:0B:5C:6F:D6:B2:B9:C8:58:AC:46:89:CF:A5:15:3D:44:2F:E7:E1:C7:2A:2A:20:8A:F8:25:79",
     FLOE__SETUP_ACTPASS, 65536, true, 2, true, false},
    {"chromium_answer", "-", "4789198853220202764", 2, 1, 0, "0", 45991, "AXvD", "XqhvNepo8t7yw6EjIXgIieFW",
     "22:94:FC:9D:AC:FB:BB:74:07:A6:4A:FD:34:9C:A5:F8:67:8A:68:E0:3C:A2:54:7D:12:DC:D4:44:63:D2:A1:A8",
     FLOE__SETUP_ACTIVE, 262144, false, 2, false, true},
    {"chromium_answer_sctpmap", "-", "8536409148675014596", 2, 1, 0, "0", 47628, "FRi4", "rYklbuy97cs4iArxGVegDc/X",
     "3B:DF:5B:1D:02:06:CE:1B:70:D1:06:0C:88:DD:02:FE:0A:DB:94:35:D7:4C:C9:EB:EB:66:96:F1:D0:8C:85:17",
     FLOE__SETUP_ACTIVE, 65536, true, 2, false, true},
    {"chromium_offer", "-", "3168809020521238286", 2, 1, 0, "0", 9, "hH++", "MXlSWLusym0ZTeJh9Sr3QSCi",
     "DA:4E:1F:9D:07:33:98:42:D2:34:04:BA:CE:3D:51:DA:F8:E2:0F:AF:90:26:98:ED:80:00:B1:B8:57:97:DC:94",
     FLOE__SETUP_ACTPASS, 262144, false, 0, false, true},
    {"chromium_offer_candidates", "-", "7074551901454167480", 2, 1, 0, "0", 40678, "OqFm", "4tdiRC9uuKqD5cg6a4FgN+Bx",
     "72:DD:03:E8:4E:5C:BC:63:93:C5:7E:12:9E:7C:9F:CE:60:D3:45:E8:C3:5D:E6:1F:1B:33:CD:62:B2:45:62:7E",
     FLOE__SETUP_ACTPASS, 262144, false, 2, false, true},
    {"chromium_offer_mdns", "-", "2513807484468253191", 2, 1, 0, "0", 9, "K2J7", "aySa2psdKfM8fP+/JRfpbvus",
     "29:2F:20:54:ED:70:71:44:F8:AB:EB:19:D3:BA:82:4E:FC:5A:08:57:C3:35:48:EC:DD:E9:D1:01:5E:F3:F2:D7",
     FLOE__SETUP_ACTPASS, 262144, false, 2, false, true},
    {"chromium_offer_media", "-", "87380022587651732", 2, 3, 2, "2", 58162, "ls4+", "fwCptGvz0cYTwipLxY8nSjUZ",
     "D2:4C:CC:67:92:03:1C:79:1C:E0:E0:91:90:BB:B7:4D:1C:7D:5D:05:F4:CE:FE:C8:A7:A7:37:5C:3C:46:32:58",
     FLOE__SETUP_ACTPASS, 262144, false, 2, false, true},
    {"chromium_offer_media_max_bundle", "-", "6855722411616652437", 2, 3, 2, "2", 9, "EI7w", "AMOXX2ai2Ib0IFuwn+b6on8J",
     "21:93:71:1E:44:86:AD:8C:22:6F:A8:0B:87:49:FA:D6:98:C2:E7:E0:BB:C9:D6:66:4B:16:FE:48:A7:3F:C1:46",
     FLOE__SETUP_ACTPASS, 262144, false, 0, false, true},
    {"chromium_offer_media_restart", "-", "87380022587651732", 3, 3, 2, "2", 9, "wRZ9", "HlfDEinAHUHXeujeGxLILUqE",
     "D2:4C:CC:67:92:03:1C:79:1C:E0:E0:91:90:BB:B7:4D:1C:7D:5D:05:F4:CE:FE:C8:A7:A7:37:5C:3C:46:32:58",
     FLOE__SETUP_ACTPASS, 262144, false, 0, false, true},
    {"chromium_restart_1_offer", "-", "614491015632074123", 2, 1, 0, "0", 9, "ok04", "nEk6SorogQaPopDo/o/sDwzY",
     "ED:4B:DE:95:0F:05:F0:D7:3F:3C:02:1F:51:58:43:FB:48:1D:F3:CD:A5:CF:37:97:A5:31:A1:DD:26:2C:6E:FD",
     FLOE__SETUP_ACTPASS, 262144, false, 0, false, true},
    {"chromium_restart_2_answer", "-", "8202420936407974598", 2, 1, 0, "0", 55887, "J0f0", "NGkIFtEWm4TW0lXupXGEj7Dw",
     "BB:1F:3F:25:62:23:D9:83:E9:CC:52:31:4F:0D:91:B0:FF:07:05:22:8A:AE:E9:E4:A1:13:67:47:CE:9E:33:B5",
     FLOE__SETUP_ACTIVE, 262144, false, 2, false, true},
    {"chromium_restart_3_offer", "-", "614491015632074123", 3, 1, 0, "0", 9, "r5L+", "+M7uyUAPF8+vCS0C9In3BJVD",
     "ED:4B:DE:95:0F:05:F0:D7:3F:3C:02:1F:51:58:43:FB:48:1D:F3:CD:A5:CF:37:97:A5:31:A1:DD:26:2C:6E:FD",
     FLOE__SETUP_ACTPASS, 262144, false, 0, false, true},
    {"chromium_restart_4_answer", "-", "8202420936407974598", 3, 1, 0, "0", 9, "k6hB", "Wjyjs1YRR5ZmMWjAhQIc9Y+2",
     "BB:1F:3F:25:62:23:D9:83:E9:CC:52:31:4F:0D:91:B0:FF:07:05:22:8A:AE:E9:E4:A1:13:67:47:CE:9E:33:B5",
     FLOE__SETUP_ACTIVE, 262144, false, 0, false, true},
    {"chromium_restart_5_offer_media", "-", "8202420936407974598", 4, 3, 0, "0", 47076, "k6hB",
     "Wjyjs1YRR5ZmMWjAhQIc9Y+2",
     "BB:1F:3F:25:62:23:D9:83:E9:CC:52:31:4F:0D:91:B0:FF:07:05:22:8A:AE:E9:E4:A1:13:67:47:CE:9E:33:B5",
     FLOE__SETUP_ACTPASS, 262144, false, 2, false, true},
    {"firefox_answer", "mozilla...THIS_IS_SDPARTA-99.0", "2748299820569958401", 0, 1, 0, "0", 48023, "e7ba0bbf",
     "66bbf6ec31b2338ad9f2e2340c5ea087",
     "18:3A:7F:4A:CD:96:AE:FD:D8:95:60:EE:1C:42:EA:7A:90:FD:25:C3:DC:D7:68:08:E1:0B:DC:E1:A5:91:7F:CE",
     FLOE__SETUP_ACTIVE, 1073741823, false, 4, true, true},
    {"firefox_answer_sctpmap", "mozilla...THIS_IS_SDPARTA-99.0", "7449180089772301300", 0, 1, 0, "0", 44290, "9be68f73",
     "e677cb05fdc51aa85b13490862885488",
     "E2:CE:12:3B:EC:6F:18:CA:5A:94:18:A9:9F:B9:0C:16:C5:F6:1A:56:6D:FE:62:4B:8A:E5:92:6B:42:C6:B9:11",
     FLOE__SETUP_ACTIVE, 1073741823, true, 4, true, true},
    {"firefox_offer", "mozilla...THIS_IS_SDPARTA-99.0", "1712370454825156405", 0, 1, 0, "0", 9, "ed9ec9f4",
     "dddef7c71494643e86704ed68bf77fcc",
     "2F:5A:A6:91:CC:27:B7:9E:4B:DE:C9:CB:1B:55:29:0F:51:08:8E:B9:D4:D1:59:D9:05:4C:09:61:78:9F:CA:AB",
     FLOE__SETUP_ACTPASS, 1073741823, false, 0, false, true},
    {"firefox_offer_candidates", "mozilla...THIS_IS_SDPARTA-99.0", "572819009978542501", 0, 1, 0, "0", 59915,
     "c8e59ff2", "c3302beff36fd26e4a77bbd08d2087b9",
     "51:7B:5D:04:46:8A:AA:DC:2B:ED:1C:8B:E0:BD:C3:F7:9A:EC:C8:42:76:0D:86:65:26:13:21:47:6B:2E:D4:58",
     FLOE__SETUP_ACTPASS, 1073741823, false, 4, true, true},
    {"firefox_offer_mdns", "mozilla...THIS_IS_SDPARTA-99.0", "1817804517025093327", 0, 1, 0, "0", 9, "5b99c1c3",
     "8cae4e55c49d3aa199d37bfcce615734",
     "4B:59:00:98:EA:07:72:14:7E:76:83:60:B9:72:57:DD:79:F9:5F:8C:CD:D4:3A:16:13:45:2C:92:F9:40:10:0E",
     FLOE__SETUP_ACTPASS, 1073741823, false, 4, true, true},
    {"firefox_offer_media", "mozilla...THIS_IS_SDPARTA-99.0", "1843246245451975740", 0, 3, 2, "2", 49407, "2058ba39",
     "79976577ebc01c8c617fec388dfbc6af",
     "CC:5E:18:84:65:DB:FC:84:1F:E6:AF:1E:ED:EA:54:72:B6:61:AD:C4:C1:5E:E5:A6:26:4E:6B:46:5B:B3:F0:D2",
     FLOE__SETUP_ACTPASS, 1073741823, false, 4, true, true},
    {"firefox_offer_media_max_bundle", "mozilla...THIS_IS_SDPARTA-99.0", "6814631059475092364", 0, 3, 2, "2", 0,
     "ca925f15", "e4dc2966d9735b7aa456dfd096d606f6",
     "AC:F0:C9:BD:38:1F:86:63:79:4F:87:7F:CB:77:15:B5:B2:38:00:AA:B8:DC:DA:8D:7E:71:4F:93:7E:B1:43:1E",
     FLOE__SETUP_ACTPASS, 1073741823, false, 0, false, true},
    {"firefox_offer_media_restart", "mozilla...THIS_IS_SDPARTA-99.0", "1843246245451975740", 1, 3, 2, "2", 9,
     "381cb20f", "af8ab84751e4ae6a3844617419d7321d",
     "CC:5E:18:84:65:DB:FC:84:1F:E6:AF:1E:ED:EA:54:72:B6:61:AD:C4:C1:5E:E5:A6:26:4E:6B:46:5B:B3:F0:D2",
     FLOE__SETUP_ACTPASS, 1073741823, false, 0, false, true},
    {"firefox_restart_1_offer", "mozilla...THIS_IS_SDPARTA-99.0", "531223781903375029", 0, 1, 0, "0", 9, "20cac154",
     "ee1d5542bf2b89f8864034c5c24998b3",
     "74:3F:82:BA:34:E7:E6:A8:26:FE:FF:93:40:19:4D:E2:B6:70:98:65:1B:03:44:1E:66:ED:E4:BC:59:9B:8B:55",
     FLOE__SETUP_ACTPASS, 1073741823, false, 0, false, true},
    {"firefox_restart_2_answer", "mozilla...THIS_IS_SDPARTA-99.0", "5750652862711892617", 0, 1, 0, "0", 47829,
     "221e29df", "c2e2fbdbffbbb6a77b4b475c705472c1",
     "F5:73:78:FF:50:B2:DE:D3:BC:23:4F:76:B9:E5:30:50:02:6D:4D:DD:B8:92:C9:B9:51:71:67:A5:01:2C:82:19",
     FLOE__SETUP_ACTIVE, 1073741823, false, 4, true, true},
    {"firefox_restart_3_offer", "mozilla...THIS_IS_SDPARTA-99.0", "531223781903375029", 1, 1, 0, "0", 9, "338cbc22",
     "af7011801cfa3d1399860378b4edb6c9",
     "74:3F:82:BA:34:E7:E6:A8:26:FE:FF:93:40:19:4D:E2:B6:70:98:65:1B:03:44:1E:66:ED:E4:BC:59:9B:8B:55",
     FLOE__SETUP_ACTPASS, 1073741823, false, 0, false, true},
    {"firefox_restart_4_answer", "mozilla...THIS_IS_SDPARTA-99.0", "5750652862711892617", 1, 1, 0, "0", 9, "1dc42662",
     "509bc44feb0aa662d091395cc1660569",
     "F5:73:78:FF:50:B2:DE:D3:BC:23:4F:76:B9:E5:30:50:02:6D:4D:DD:B8:92:C9:B9:51:71:67:A5:01:2C:82:19",
     FLOE__SETUP_ACTIVE, 1073741823, false, 0, false, true},
    {"firefox_restart_5_offer_media", "mozilla...THIS_IS_SDPARTA-99.0", "5750652862711892617", 2, 3, 0, "0", 9,
     "1dc42662", "509bc44feb0aa662d091395cc1660569",
     "F5:73:78:FF:50:B2:DE:D3:BC:23:4F:76:B9:E5:30:50:02:6D:4D:DD:B8:92:C9:B9:51:71:67:A5:01:2C:82:19",
     FLOE__SETUP_ACTPASS, 1073741823, false, 0, false, true},
    {"floe_offer", "-", "4611731400430051336", 1, 1, 0, "0", 9, "floeufrag", "floepasswordfloepassword",
     "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F",
     FLOE__SETUP_ACTPASS, 262144, false, 0, false, true},
    {"floe_offer_sctpmap", "-", "4611731400430051336", 1, 1, 0, "0", 9, "floeufrag", "floepasswordfloepassword",
     "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F",
     FLOE__SETUP_ACTPASS, 262144, true, 0, false, true},
    {"gstreamer_answer", "-", "4611731400430051336", 1, 1, 0, "0", 9, "x5T8R1TrYlQMcjelIovCgkiH8SRhgMO2",
     "d2RyWowtqRiz5zPIk2yBmDqZnPpllqCP",
     "D9:5B:47:05:30:0C:1C:92:06:43:53:4F:5E:D9:3B:9A:7C:22:F6:A7:09:59:35:9C:B5:5C:9D:DF:3C:E9:85:14",
     FLOE__SETUP_ACTIVE, 65536, false, 9, false, true},
    {"gstreamer_offer", "-", "7601688291645966635", 0, 1, 0, "application0", 9, "luMj2HPpIsop4g4jKgM6tZuNuPp9VC6j",
     "Zfkd8lqXkg1j0B3X6KfeX//cH9GcnoTl",
     "D9:5B:47:05:30:0C:1C:92:06:43:53:4F:5E:D9:3B:9A:7C:22:F6:A7:09:59:35:9C:B5:5C:9D:DF:3C:E9:85:14",
     FLOE__SETUP_ACTPASS, 65536, false, 9, false, true},
    {"gstreamer_offer_media", "-", "3192116640975211445", 0, 3, 2, "application2", 0,
     "HcJEolgywT8oQhhVOOu8j11ynL1hEy7l", "Qey/XPZQixJkvh7URhiM3+XWa+f2hoTw",
     "D9:5B:47:05:30:0C:1C:92:06:43:53:4F:5E:D9:3B:9A:7C:22:F6:A7:09:59:35:9C:B5:5C:9D:DF:3C:E9:85:14",
     FLOE__SETUP_ACTPASS, 65536, false, 0, false, true},
    {"libdatachannel_answer", "rtc", "3946454456", 0, 1, 0, "0", 60642, "7kZp", "+/UcQfYKZ8vRdE3viHvVxi",
     "FE:60:A9:A2:96:29:9D:81:AC:42:6D:05:63:E0:FD:69:BE:B7:02:45:F0:E3:73:3C:0B:C9:9D:A8:38:30:D4:3F",
     FLOE__SETUP_ACTIVE, 262144, false, 2, true, true},
    {"libdatachannel_offer", "rtc", "1600615215", 0, 1, 0, "0", 43391, "Bt3w", "21i3Zd7/0hIUUKCK1CWVnZ",
     "59:37:3E:F7:B1:30:F2:41:C4:4B:FA:8C:7E:5B:0F:27:92:40:90:B0:36:C7:7A:B3:AF:BB:8A:95:F0:62:A4:89",
     FLOE__SETUP_ACTPASS, 262144, false, 2, true, true},
    {"libdatachannel_offer_media", "rtc", "2287832871", 0, 3, 2, "0", 54799, "/5YT", "NamsSQgO9oUfJ7OyXAUdlF",
     "81:A3:F9:C0:07:32:49:72:AF:69:B4:6D:CF:0F:46:92:34:FE:74:16:E2:72:82:EE:97:74:AA:B8:45:92:28:7F",
     FLOE__SETUP_ACTPASS, 262144, false, 0, false, true},
    {"werift_answer", "-", "94368405", 0, 1, 0, "0", 9, "7fb5", "dd47472c01f0b599a07b1a",
     "28:5F:90:30:6D:27:65:A4:09:8E:75:F8:47:6D:C3:3B:A7:0F:1B:0D:36:8D:40:73:36:A5:C2:26:30:C7:07:0E",
     FLOE__SETUP_ACTIVE, 65536, false, 2, true, true},
    {"werift_offer", "-", "12971923", 0, 1, 0, "0", 9, "95ad", "18d78f3743b2dbcf582433",
     "28:5F:90:30:6D:27:65:A4:09:8E:75:F8:47:6D:C3:3B:A7:0F:1B:0D:36:8D:40:73:36:A5:C2:26:30:C7:07:0E",
     FLOE__SETUP_ACTPASS, 65536, false, 2, true, true},
    {"werift_offer_media", "-", "15253225", 0, 3, 2, "2", 9, "f386", "93038f979627de75bdf1b2",
     "28:5F:90:30:6D:27:65:A4:09:8E:75:F8:47:6D:C3:3B:A7:0F:1B:0D:36:8D:40:73:36:A5:C2:26:30:C7:07:0E",
     FLOE__SETUP_ACTPASS, 65536, false, 2, true, true},
};
#define N_VECTORS (sizeof vectors / sizeof vectors[0])

/* --- reading files ----------------------------------------------------------------------------------------------- */

static floe_env *env;

static int make_env(void **state) {
  (void)state;
  return floe_env_new(&env, NULL) == FLOE_OK ? 0 : -1;
}

static int free_env(void **state) {
  (void)state;
  floe_env_free(env);
  return 0;
}

static const char *load(const char *name) {
  static char text[MAX_TEXT];
  char path[512];
  (void)snprintf(path, sizeof path, "%s/tests/vectors/sdp/%s.sdp", FLOE_SOURCE_DIR, name);
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail_msg("no file %s", path);
  size_t n = fread(text, 1, sizeof text - 1, file);
  assert_int_equal(fclose(file), 0);
  assert_true(n > 0 && n < sizeof text - 1);
  text[n] = '\0';
  return text;
}

static floe__sdp *parse(const char *text) {
  floe__sdp *sdp;
  floe_error why = {0};
  if (floe__sdp_parse(&sdp, env, text, &why) != FLOE_OK) fail_msg("%u:%u %s", why.line, why.column, why.message);
  return sdp;
}

static floe__sdp *read_vector(const char *name) {
  return parse(load(name));
}

static void assert_fits(floe_status st, const floe_error *why, const char *name) {
  if (st != FLOE_OK) fail_msg("%s: line %u: %s", name, why->line, why->message);
}

static bool is_offer(const char *name) {
  return strstr(name, "offer") != NULL;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static void assert_section(const floe__sdp_media *m, const vector *v) {
  assert_string_equal(m->kind, "application");
  assert_true(m->is_data && !m->is_rejected);
  assert_string_equal(m->mid, v->mid);
  assert_int_equal(m->port, v->port);
  assert_string_equal(m->proto, v->is_old_form ? "DTLS/SCTP" : "UDP/DTLS/SCTP");
  assert_int_equal(m->n_fmts, 1);
  assert_string_equal(m->fmts[0], v->is_old_form ? "5000" : "webrtc-datachannel");
  assert_string_equal(m->ufrag, v->ufrag);
  assert_string_equal(m->pwd, v->pwd);
  assert_int_equal(m->n_fingerprints, 1);
  assert_string_equal(m->fingerprints[0].hash, "sha-256");
  assert_string_equal(m->fingerprints[0].value, v->fingerprint);
  assert_int_equal(m->setup, v->setup);
  assert_true(m->has_sctp_port);
  assert_int_equal(m->sctp_port, 5000);
  assert_int_equal(m->max_message_size, v->max_message_size);
  assert_int_equal(m->n_candidates, v->n_candidates);
  for (size_t i = 0; i < m->n_candidates; i++) assert_memory_equal(m->candidates[i], "candidate:", 10);
  assert_int_equal(m->end_of_candidates, v->has_ended);
  assert_int_equal(m->ice_trickle, v->has_trickle);
}

static void are_read(void **state) {
  (void)state;
  for (size_t i = 0; i < N_VECTORS; i++) {
    const vector *v = &vectors[i];
    print_message("%s\n", v->name);
    floe__sdp *sdp = read_vector(v->name);
    assert_string_equal(sdp->username, v->username);
    assert_string_equal(sdp->session_id, v->session_id);
    assert_int_equal(sdp->session_version, v->version);
    assert_int_equal(sdp->n_media, v->n_media);
    assert_ptr_equal(floe__sdp_data(sdp), &sdp->media[v->data]);
    assert_section(&sdp->media[v->data], v);
    assert_ptr_equal(floe__sdp_by_mid(sdp, v->mid), &sdp->media[v->data]);
    assert_ptr_equal(floe__sdp_transport_of(sdp, &sdp->media[v->data]), &sdp->media[v->data]);
    floe_error why;
    assert_fits(floe__jsep_check(sdp, is_offer(v->name), &why), &why, v->name);
    floe__sdp_free(sdp);
  }
}

/* Cut off anywhere they are read or refused, and the place at fault is in the text. */
static void are_refused_in_part(void **state) {
  (void)state;
  for (size_t i = 0; i < N_VECTORS; i++) {
    char text[MAX_TEXT];
    (void)snprintf(text, sizeof text, "%s", load(vectors[i].name));
    for (size_t len = strlen(text); len > 0; len--) {
      text[len - 1] = '\0';
      floe__sdp *sdp;
      floe_error why;
      floe_status st = floe__sdp_parse(&sdp, env, text, &why);
      assert_true(st == FLOE_OK || st == FLOE_E_SYNTAX);
      if (st != FLOE_OK) assert_true(why.offset < len && why.line > 0 && why.column > 0);
      floe__sdp_free(sdp);
    }
  }
}

/* --- answering --------------------------------------------------------------------------------------------------- */

static const floe__sdp_fingerprint our_fingerprint = {
    "sha-256", "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F"};
static const floe__jsep_local ours = {.session_id = "1",
                                      .session_version = 1,
                                      .ufrag = "floe",
                                      .pwd = "0123456789abcdefghijkl",
                                      .fingerprints = &our_fingerprint,
                                      .n_fingerprints = 1,
                                      .setup = FLOE__SETUP_ACTIVE,
                                      .sctp_port = 5000,
                                      .max_message_size = 262144};

static floe__sdp *answer_to(const floe__sdp *offer) {
  char *text;
  assert_true(floe__jsep_write_answer(env, &ours, offer, &text));
  floe__sdp *answer = parse(text);
  floe__free(env, text);
  return answer;
}

static void assert_answered(const floe__sdp *answer, const floe__sdp *offer, const vector *v) {
  floe_error why;
  assert_fits(floe__jsep_check(answer, false, &why), &why, v->name);
  assert_fits(floe__jsep_check_answer(answer, offer, &why), &why, v->name);
  assert_int_equal(answer->n_media, v->n_media);
  for (size_t i = 0; i < v->n_media; i++) {
    const floe__sdp_media *a = &answer->media[i], *o = &offer->media[i];
    assert_string_equal(a->mid, o->mid);
    assert_string_equal(a->proto, o->proto);
    assert_int_equal(a->n_fmts, o->n_fmts);
    assert_int_equal(a->port, i == v->data ? 9 : 0);
  }
  const floe__sdp_group *bundle = floe__sdp_bundle_of(answer, v->mid);
  assert_int_equal(bundle != NULL, floe__sdp_bundle_of(offer, v->mid) != NULL);
  if (bundle != NULL) assert_int_equal(bundle->n_mids, 1);
}

/* What we offer when the exchange is done keeps what there is. */
static void assert_offered_again(const floe__sdp *answer, const floe__sdp *offer, const vector *v) {
  floe__jsep_local local = ours;
  local.setup = FLOE__SETUP_ACTPASS;
  char *text;
  assert_true(floe__jsep_write_offer(env, &local, answer, offer, &text));
  floe__sdp *again = parse(text);
  floe__free(env, text);
  floe_error why;
  assert_fits(floe__jsep_check(again, true, &why), &why, v->name);
  assert_fits(floe__jsep_check_reoffer(again, answer, &why), &why, v->name);
  assert_false(floe__jsep_is_restart(again, answer));
  assert_int_equal(again->n_media, v->n_media);
  assert_ptr_equal(floe__sdp_data(again), &again->media[v->data]);
  assert_string_equal(again->media[v->data].mid, v->mid);
  floe__sdp_free(again);
}

static void offers_are_answered(void **state) {
  (void)state;
  for (size_t i = 0; i < N_VECTORS; i++) {
    if (!is_offer(vectors[i].name)) continue;
    floe__sdp *offer = read_vector(vectors[i].name);
    floe__sdp *answer = answer_to(offer);
    assert_answered(answer, offer, &vectors[i]);
    assert_offered_again(answer, offer, &vectors[i]);
    floe__sdp_free(answer);
    floe__sdp_free(offer);
  }
}

/* Candidates of a peer, put into our answer, are read as they were. */
static void candidates_go_into_a_description(void **state) {
  (void)state;
  floe__sdp *offer = read_vector("firefox_offer_candidates");
  const floe__sdp_media *data = floe__sdp_data(offer);
  char *text, *with;
  assert_true(floe__jsep_write_answer(env, &ours, offer, &text));
  floe__jsep_candidates c = {.mid = data->mid, .candidates = data->candidates, .n_candidates = 4, .is_ended = true};
  assert_true(floe_addr_parse(&c.default_addr, "192.0.2.2:59915"));
  assert_true(floe__jsep_append_candidates(env, text, &c, &with));
  floe__sdp *answer = parse(with);
  assert_int_equal(answer->media[0].port, 59915);
  assert_int_equal(answer->media[0].n_candidates, 4);
  for (size_t i = 0; i < 4; i++) assert_string_equal(answer->media[0].candidates[i], data->candidates[i]);
  assert_true(answer->media[0].end_of_candidates);
  floe__sdp_free(answer);
  floe__free(env, with);
  floe__free(env, text);
  floe__sdp_free(offer);
}

/* --- exchanges --------------------------------------------------------------------------------------------------- */

static void answers_fit_their_offers(void **state) {
  static const char *const pairs[][2] = {
      {"chromium_answer", "floe_offer"},
      {"chromium_answer_sctpmap", "floe_offer_sctpmap"},
      {"firefox_answer", "floe_offer"},
      {"firefox_answer_sctpmap", "floe_offer_sctpmap"},
      {"aiortc_answer", "floe_offer"},
      {"gstreamer_answer", "floe_offer"},
      {"libdatachannel_answer", "floe_offer"},
      {"werift_answer", "floe_offer"},
      {"chromium_restart_2_answer", "chromium_restart_1_offer"},
      {"chromium_restart_4_answer", "chromium_restart_3_offer"},
      {"firefox_restart_2_answer", "firefox_restart_1_offer"},
      {"firefox_restart_4_answer", "firefox_restart_3_offer"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    floe__sdp *answer = read_vector(pairs[i][0]), *offer = read_vector(pairs[i][1]);
    floe_error why;
    assert_fits(floe__jsep_check_answer(answer, offer, &why), &why, pairs[i][0]);
    floe__sdp_free(answer);
    floe__sdp_free(offer);
  }
}

typedef struct later {
  const char *name, *before;
  bool is_restart;
} later;

static void later_descriptions_fit_and_restart(void **state) {
  static const later rows[] = {
      {"chromium_restart_3_offer", "chromium_restart_1_offer", true},
      {"chromium_restart_4_answer", "chromium_restart_2_answer", true},
      {"chromium_restart_5_offer_media", "chromium_restart_4_answer", false},
      {"chromium_offer_media_restart", "chromium_offer_media", true},
      {"firefox_restart_3_offer", "firefox_restart_1_offer", true},
      {"firefox_restart_4_answer", "firefox_restart_2_answer", true},
      {"firefox_restart_5_offer_media", "firefox_restart_4_answer", false},
      {"firefox_offer_media_restart", "firefox_offer_media", true},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe__sdp *now = read_vector(rows[i].name), *before = read_vector(rows[i].before);
    floe_error why;
    assert_fits(floe__jsep_check_reoffer(now, before, &why), &why, rows[i].name);
    if (floe__jsep_is_restart(now, before) != rows[i].is_restart) fail_msg("%s", rows[i].name);
    floe__sdp_free(now);
    floe__sdp_free(before);
  }
}

/* The answer to an offer of audio, video and data, byte for byte: this one, Chromium and Firefox have taken. */
static void an_offer_of_media_is_answered(void **state) {
  (void)state;
  floe__sdp *offer = read_vector("firefox_offer_media");
  char *text;
  assert_true(floe__jsep_write_answer(env, &ours, offer, &text));
  assert_string_equal(
      text,
      "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 2\r\na=ice-options:trickle ice2\r\n"
      "m=audio 0 UDP/TLS/RTP/SAVPF 109 9 0 8 101\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=inactive\r\n"
      "m=video 0 UDP/TLS/RTP/SAVPF 120 124 121 125 99 100 123 122 119\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=inactive\r\n"
      "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\n"
      "a=ice-ufrag:floe\r\na=ice-pwd:0123456789abcdefghijkl\r\na=fingerprint:sha-256 "
      "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n"
      "a=setup:active\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n");
  floe__free(env, text);
  floe__sdp_free(offer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(are_read),
      cmocka_unit_test(are_refused_in_part),
      cmocka_unit_test(offers_are_answered),
      cmocka_unit_test(candidates_go_into_a_description),
      cmocka_unit_test(answers_fit_their_offers),
      cmocka_unit_test(later_descriptions_fit_and_restart),
      cmocka_unit_test(an_offer_of_media_is_answered),
  };
  return cmocka_run_group_tests(tests, make_env, free_env);
}
