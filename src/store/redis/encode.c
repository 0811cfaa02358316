/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands in general (RESP arrays of bulk strings, https://redis.io/docs/reference/protocol-spec/) and
 * identities as such; frames, of which there are many more, are in frame.c.
 */
#include <string.h>

#include "store/redis/private.h"

static void head(struct gm_buffer *buffer, char mark, size_t number)
{
	char text[24], *end = text + sizeof(text), *at;

	*--end = '\n';
	*--end = '\r';
	at = gm_redis_digits(number, end);
	*--at = mark;
	gm_buffer_append(buffer, at, (size_t)(text + sizeof(text) - at));
}

void gm_redis_array(struct gm_buffer *buffer, size_t count)
{
	head(buffer, '*', count);
}

void gm_redis_bytes(struct gm_buffer *buffer, const void *data, size_t length)
{
	head(buffer, '$', length);
	gm_buffer_append(buffer, data, length);
	gm_buffer_append(buffer, "\r\n", 2);
}

void gm_redis_text(struct gm_buffer *buffer, const char *text)
{
	gm_redis_bytes(buffer, text, strlen(text));
}

void gm_redis_integer(struct gm_buffer *buffer, uint64_t number)
{
	char text[24], *at = gm_redis_digits(number, text + sizeof(text));

	gm_redis_bytes(buffer, at, (size_t)(text + sizeof(text) - at));
}

void gm_redis_key(struct gm_buffer *buffer, const char *node, const char *name, const char *suffix)
{
	static const char start[] = "guestmon:{", middle[] = "}:";
	size_t suffix_length = suffix ? strlen(suffix) : 0;

	head(buffer, '$',
	     sizeof(start) - 1 + strlen(node) + sizeof(middle) - 1 + strlen(name) + suffix_length);
	gm_buffer_append(buffer, start, sizeof(start) - 1);
	gm_buffer_append(buffer, node, strlen(node));
	gm_buffer_append(buffer, middle, sizeof(middle) - 1);
	gm_buffer_append(buffer, name, strlen(name));
	if (suffix)
		gm_buffer_append(buffer, suffix, suffix_length);
	gm_buffer_append(buffer, "\r\n", 2);
}

/* Fields of an info hash, collected before their number is known. */
struct info {
	size_t count;
	struct gm_buffer fields;
};

static void info_text(struct info *info, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	gm_redis_text(&info->fields, name);
	gm_redis_text(&info->fields, value);
	info->count++;
}

static void info_number(struct info *info, const char *name, uint64_t value)
{
	if (value == 0)
		return;
	gm_redis_text(&info->fields, name);
	gm_redis_integer(&info->fields, value);
	info->count++;
}

static void info_uuid(struct info *info, const char *name, const uint8_t uuid[GM_UUID_SIZE])
{
	static const uint8_t none[GM_UUID_SIZE];
	char text[GM_UUID_TEXT];

	if (memcmp(uuid, none, sizeof(none)) != 0)
		info_text(info, name, gm_uuid_text(uuid, text));
}

static void guest_info(struct info *info, const struct gm_entity_info *entity)
{
	const struct gm_guest_info *guest = &entity->guest;

	info_uuid(info, "uuid", entity->key.uuid);
	info_text(info, "name", guest->name);
	info_text(info, "display_name", guest->display_name);
	info_text(info, "project", guest->project);
	info_text(info, "project_uuid", guest->project_uuid);
	info_text(info, "user_uuid", guest->user_uuid);
	info_text(info, "flavor", guest->flavor);
	info_text(info, "hypervisor", guest->hypervisor);
	info_number(info, "vcpus", guest->vcpus);
	info_number(info, "memory_max", guest->memory_max);
}

static void interface_info(struct info *info, const struct gm_entity_info *entity)
{
	const struct gm_interface_info *interface = &entity->interface;

	info_text(info, "device", entity->key.name);
	info_uuid(info, "guest", interface->guest);
	info_number(info, "ordinal", interface->ordinal);
	info_number(info, "if_index", interface->if_index);
	info_text(info, "mac", interface->mac);
	info_text(info, "port_uuid", interface->port_uuid);
	info_text(info, "model", interface->model);
}

static void disk_info(struct info *info, const struct gm_entity_info *entity)
{
	info_text(info, "target", entity->key.name);
	info_uuid(info, "guest", entity->disk.guest);
	info_number(info, "ordinal", entity->disk.ordinal);
	info_text(info, "source", entity->disk.source);
}

static void process_info(struct info *info, const struct gm_entity_info *entity)
{
	info_text(info, "command", entity->process.command);
	info_uuid(info, "guest", entity->process.guest);
	info_number(info, "pid", entity->process.pid);
}

void gm_redis_info(struct gm_buffer *buffer, const char *node, const struct gm_entity_info *entity)
{
	static void (*const kinds[GM_ENTITY_KINDS])(struct info *,
						    const struct gm_entity_info *) = {
		[GM_ENTITY_GUEST] = guest_info,
		[GM_ENTITY_INTERFACE] = interface_info,
		[GM_ENTITY_DISK] = disk_info,
		[GM_ENTITY_PROCESS] = process_info,
	};
	struct info info = {.fields = GM_BUFFER_INIT(GM_REDIS_COMMAND_MAX)};
	char key[GM_KEY_TEXT];

	gm_entity_text(&entity->key, key);
	if (entity->key.kind < GM_ENTITY_KINDS && kinds[entity->key.kind])
		kinds[entity->key.kind](&info, entity);
	if (info.count > 0 && !info.fields.failed) {
		gm_redis_array(buffer, 2 + 2 * info.count);
		gm_redis_text(buffer, "HSET");
		gm_redis_key(buffer, node, key, ":info");
		gm_buffer_append(buffer, info.fields.data, info.fields.length);
	}
	gm_buffer_free(&info.fields);
}
