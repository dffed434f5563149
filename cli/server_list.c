#include "server_list.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* The public struct says const; the list owns what it points at. */
static void free_text(const char *text) {
  char *own;
  memcpy(&own, &text, sizeof own);
  floe__cli_free_secret(own);
}

floe_ice_server *floe__server_list_add(floe__server_list *list, const char *username, const char *credential) {
  void *array = list->servers;
  floe__cli_grow(&array, list->n, sizeof *list->servers);
  list->servers = array;
  floe_ice_server *server = &list->servers[list->n++];
  memset(server, 0, sizeof *server);
  if (username != NULL) server->username = floe__cli_strdup(username);
  if (credential != NULL) server->credential = floe__cli_strdup(credential);
  return server;
}

void floe__server_list_add_url(floe_ice_server *server, const char *url) {
  void *array;
  memcpy(&array, &server->urls, sizeof array);
  floe__cli_grow(&array, server->n_urls, sizeof(const char *));
  const char **urls = array;
  urls[server->n_urls++] = floe__cli_strdup(url);
  server->urls = urls;
}

void floe__server_list_clear(floe__server_list *list) {
  for (size_t i = 0; i < list->n; i++) {
    floe_ice_server *server = &list->servers[i];
    for (size_t k = 0; k < server->n_urls; k++) free_text(server->urls[k]);
    void *urls;
    memcpy(&urls, &server->urls, sizeof urls);
    free(urls);
    free_text(server->username);
    free_text(server->credential);
  }
  free(list->servers);
  list->servers = NULL;
  list->n = 0;
}
