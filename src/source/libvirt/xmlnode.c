/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps through a libxml2 tree; see xmlnode.h. Names are compared without their namespace: a caller
 * that cares for it (nova.c) looks at it at the root of its part.
 */
#include "source/libvirt/xmlnode.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const xmlNode *first_named(const xmlNode *node, const char *name)
{
	for (; node; node = node->next) {
		if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0)
			return node;
	}
	return NULL;
}

const xmlNode *gm_lv_node_child(const xmlNode *node, const char *name)
{
	return node ? first_named(node->children, name) : NULL;
}

const xmlNode *gm_lv_node_next(const xmlNode *node, const char *name)
{
	return node ? first_named(node->next, name) : NULL;
}

/* Frees `text`. */
static bool take_text(xmlChar *text, char *target, size_t size)
{
	bool found = text && text[0] != '\0';

	if (found)
		gm_text_copy(target, size, (const char *)text);
	xmlFree(text);
	return found;
}

bool gm_lv_node_text(const xmlNode *node, char *target, size_t size)
{
	return node && take_text(xmlNodeGetContent(node), target, size);
}

bool gm_lv_node_attribute(const xmlNode *node, const char *name, char *target, size_t size)
{
	/* Without a namespace: libvirt's own attributes have none, nor have Nova's. */
	return node && take_text(xmlGetNoNsProp((xmlNode *)(uintptr_t)node, (const xmlChar *)name),
				 target, size);
}

bool gm_lv_number(const char *text, uint64_t *ret_number)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	unsigned long long number = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0')
		return false;
	*ret_number = number;
	return true;
}
