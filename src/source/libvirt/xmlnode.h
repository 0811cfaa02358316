/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small steps through a libxml2 tree, with bounds, for xml.c and nova.c. Every function takes NULL
 * for a node that is not there.
 */
#ifndef GM_SOURCE_LIBVIRT_XMLNODE_H
#define GM_SOURCE_LIBVIRT_XMLNODE_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first child element, and the next sibling element, of that local name; NULL: none. */
const xmlNode *gm_lv_node_child(const xmlNode *node, const char *name);
const xmlNode *gm_lv_node_next(const xmlNode *node, const char *name);

/*
 * Copies the element's text or attribute into `target` as gm_text_copy() does. False, with `target`
 * as it was, when there is none or it is empty.
 */
bool gm_lv_node_text(const xmlNode *node, char *target, size_t size);
bool gm_lv_node_attribute(const xmlNode *node, const char *name, char *target, size_t size);

/* A decimal number and nothing else. */
bool gm_lv_number(const char *text, uint64_t *ret_number);

#endif
