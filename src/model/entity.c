/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of entities and their text; see entity.h.
 */
#include "model/entity.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static struct gm_entity_key make_key(enum gm_entity_kind kind, const uint8_t *uuid,
				     const char *name)
{
	struct gm_entity_key key = {.kind = (uint8_t)kind};
	if (uuid)
		memcpy(key.uuid, uuid, GM_UUID_SIZE);
	if (name)
		gm_text_copy(key.name, sizeof(key.name), name);
	return key;
}

struct gm_entity_key gm_entity_node(void)
{
	return make_key(GM_ENTITY_NODE, NULL, NULL);
}

struct gm_entity_key gm_entity_guest(const uint8_t uuid[GM_UUID_SIZE])
{
	return make_key(GM_ENTITY_GUEST, uuid, NULL);
}

struct gm_entity_key gm_entity_interface(const char *device)
{
	return make_key(GM_ENTITY_INTERFACE, NULL, device);
}

struct gm_entity_key gm_entity_disk(const uint8_t uuid[GM_UUID_SIZE], const char *target)
{
	return make_key(GM_ENTITY_DISK, uuid, target);
}

struct gm_entity_key gm_entity_process(const uint8_t uuid[GM_UUID_SIZE], uint32_t pid,
				       const char *command)
{
	char name[GM_DEVICE_NAME + 16];
	snprintf(name, sizeof(name), "%" PRIu32 "/%.*s", pid, GM_DEVICE_NAME, command);
	return make_key(GM_ENTITY_PROCESS, uuid, name);
}

static struct gm_entity_key make_numbered(enum gm_entity_kind kind, uint32_t number)
{
	char name[16];
	snprintf(name, sizeof(name), "%" PRIu32, number);
	return make_key(kind, NULL, name);
}

struct gm_entity_key gm_entity_core(uint32_t number)
{
	return make_numbered(GM_ENTITY_CORE, number);
}

struct gm_entity_key gm_entity_numa(uint32_t number)
{
	return make_numbered(GM_ENTITY_NUMA, number);
}

bool gm_entity_equal(const struct gm_entity_key *a, const struct gm_entity_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

const char *gm_entity_kind_name(unsigned kind)
{
	static const char *const names[GM_ENTITY_KINDS] = {
		[GM_ENTITY_NODE] = "node",           [GM_ENTITY_GUEST] = "guest",
		[GM_ENTITY_INTERFACE] = "interface", [GM_ENTITY_DISK] = "disk",
		[GM_ENTITY_PROCESS] = "process",     [GM_ENTITY_CORE] = "core",
		[GM_ENTITY_NUMA] = "numa",
	};
	return kind < GM_ENTITY_KINDS ? names[kind] : NULL;
}

char *gm_uuid_text(const uint8_t uuid[GM_UUID_SIZE], char text[GM_UUID_TEXT])
{
	char *at = text;
	for (int i = 0; i < GM_UUID_SIZE; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		snprintf(at, 3, "%02x", uuid[i]);
		at += 2;
	}
	return text;
}

/* Reads the canonical form at the start of `text`; returns what follows it, or NULL. */
static const char *read_uuid(const char *text, uint8_t uuid[GM_UUID_SIZE])
{
	for (int i = 0; i < GM_UUID_SIZE; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return NULL;
		int high = gm_text_hex(text[0]);
		int low = high < 0 ? -1 : gm_text_hex(text[1]);
		if (low < 0)
			return NULL;
		uuid[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	return text;
}

int gm_uuid_parse(const char *text, uint8_t ret_uuid[GM_UUID_SIZE])
{
	uint8_t uuid[GM_UUID_SIZE];
	const char *end = read_uuid(text, uuid);
	if (!end || *end != '\0')
		return -EINVAL;
	memcpy(ret_uuid, uuid, GM_UUID_SIZE);
	return 0;
}

bool gm_address_parse(const char *text, struct gm_address *ret_address)
{
	struct gm_address address = {0};

	if (inet_pton(AF_INET, text, address.octets) == 1)
		address.version = 4;
	else if (inet_pton(AF_INET6, text, address.octets) == 1)
		address.version = 6;
	if (ret_address)
		*ret_address = address;
	return address.version != 0;
}

char *gm_entity_text(const struct gm_entity_key *key, char text[GM_KEY_TEXT])
{
	static const uint8_t zeros[GM_UUID_SIZE];
	char uuid[GM_UUID_TEXT] = "";
	if (memcmp(key->uuid, zeros, GM_UUID_SIZE) != 0)
		gm_uuid_text(key->uuid, uuid);
	switch (key->kind) {
	case GM_ENTITY_GUEST:
		snprintf(text, GM_KEY_TEXT, "guest:%s", uuid);
		break;
	case GM_ENTITY_INTERFACE:
		snprintf(text, GM_KEY_TEXT, "if:%s", key->name);
		break;
	case GM_ENTITY_DISK:
		snprintf(text, GM_KEY_TEXT, "disk:%s:%s", uuid, key->name);
		break;
	case GM_ENTITY_PROCESS:
		snprintf(text, GM_KEY_TEXT, "process:%s:%s", uuid, key->name);
		break;
	case GM_ENTITY_CORE:
		snprintf(text, GM_KEY_TEXT, "core:%s", key->name);
		break;
	case GM_ENTITY_NUMA:
		snprintf(text, GM_KEY_TEXT, "numa:%s", key->name);
		break;
	default:
		snprintf(text, GM_KEY_TEXT, "node");
		break;
	}
	return text;
}

/* Reads "[<uuid>]:" and returns what follows it, or NULL. */
static const char *read_owner(const char *text, uint8_t uuid[GM_UUID_SIZE])
{
	const char *at = *text == ':' ? text : read_uuid(text, uuid);
	return at && *at == ':' ? at + 1 : NULL;
}

/* NULL when it is none, or not written as gm_entity_text() would. */
static const char *read_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	bool canonical = digits > 0 && digits < 10 && (*text != '0' || digits == 1);
	return canonical && text[digits] == '\0' ? text : NULL;
}

int gm_entity_parse(const char *text, struct gm_entity_key *ret_key)
{
	uint8_t uuid[GM_UUID_SIZE] = {0};
	const char *name = NULL;
	enum gm_entity_kind kind = GM_ENTITY_NODE;

	if (strncmp(text, "guest:", 6) == 0) {
		kind = GM_ENTITY_GUEST;
		if (gm_uuid_parse(text + 6, uuid) < 0)
			return -EINVAL;
	} else if (strncmp(text, "if:", 3) == 0) {
		kind = GM_ENTITY_INTERFACE;
		name = text + 3;
	} else if (strncmp(text, "disk:", 5) == 0) {
		kind = GM_ENTITY_DISK;
		name = read_owner(text + 5, uuid);
	} else if (strncmp(text, "process:", 8) == 0) {
		kind = GM_ENTITY_PROCESS;
		name = read_owner(text + 8, uuid);
	} else if (strncmp(text, "core:", 5) == 0) {
		kind = GM_ENTITY_CORE;
		name = read_number(text + 5);
	} else if (strncmp(text, "numa:", 5) == 0) {
		kind = GM_ENTITY_NUMA;
		name = read_number(text + 5);
	} else if (strcmp(text, "node") != 0) {
		return -EINVAL;
	}
	bool named = kind != GM_ENTITY_NODE && kind != GM_ENTITY_GUEST;
	if (named &&
	    (!name || *name == '\0' || strlen(name) >= GM_DEVICE_NAME || !gm_text_is_utf8(name)))
		return -EINVAL;
	*ret_key = make_key(kind, uuid, name);
	return 0;
}

bool gm_entity_is_part(const struct gm_entity_key *key)
{
	return key->kind == GM_ENTITY_INTERFACE || key->kind == GM_ENTITY_DISK ||
	       key->kind == GM_ENTITY_PROCESS;
}

const uint8_t *gm_entity_owner(const struct gm_entity_info *info)
{
	static const uint8_t nobody[GM_UUID_SIZE];
	const uint8_t *owner = nobody;
	if (info->key.kind == GM_ENTITY_GUEST || info->key.kind == GM_ENTITY_DISK ||
	    info->key.kind == GM_ENTITY_PROCESS)
		owner = info->key.uuid;
	else if (info->key.kind == GM_ENTITY_INTERFACE)
		owner = info->interface.guest;
	return memcmp(owner, nobody, GM_UUID_SIZE) != 0 ? owner : NULL;
}

const char *gm_guest_label(const struct gm_guest_info *guest)
{
	return guest->display_name[0] != '\0' ? guest->display_name : guest->name;
}

/* Copies what can be a context's name; false when it cannot. */
static bool name_context(const char *text, char tenant[GM_TENANT_SIZE], char left_out)
{
	size_t length = 0;
	for (; *text; text++) {
		if (*text == left_out)
			continue;
		if (*text <= ' ' || *text > '~' || length + 1 == GM_TENANT_SIZE)
			return false;
		tenant[length++] = *text;
	}
	tenant[length] = '\0';
	return length > 0;
}

char *gm_tenant_name(const char *project_uuid, const char *project, char tenant[GM_TENANT_SIZE])
{
	if (!name_context(project_uuid, tenant, '-') &&
	    (project_uuid[0] || !name_context(project, tenant, '\0')))
		tenant[0] = '\0';
	return tenant;
}
