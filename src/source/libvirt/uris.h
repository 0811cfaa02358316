/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of libvirt's URIs in the configuration: words separated by blanks. Pure.
 *
 * A URI that names another host is read, never written to: what that node's guests do is that
 * node's business. Its devices are of another kernel, so they get names that none of ours can have.
 */
#ifndef GM_SOURCE_LIBVIRT_URIS_H
#define GM_SOURCE_LIBVIRT_URIS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/event.h"

enum { GM_LV_URI_SIZE = 256 };

/* How many there are; 0: none, more than GM_LIBVIRT_URIS, one too long, or one twice. */
size_t gm_lv_uris_count(const char *list);

/* The one at `index`, or an empty text. */
void gm_lv_uris_get(const char *list, size_t index, char ret_uri[GM_LV_URI_SIZE]);

/* Whether it names a host other than this one. */
bool gm_lv_uri_is_remote(const char *uri);

/* The key of an interface: its device's name, behind `prefix` and a '/', which no device has. */
struct gm_entity_key gm_lv_interface_key(const char *prefix, const char *device);

/* The device's name again. */
const char *gm_lv_interface_device(const struct gm_entity_key *key);

#endif
