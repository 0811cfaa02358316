/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domain XML with Nova's metadata (source/libvirt/xml.h): names, owners and addresses are the tenants'. What
 * is read keeps its bounds, is UTF-8, and has whole addresses.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "source/libvirt/xml.h"

static void check_text(const char *text, size_t size)
{
	if (memchr(text, '\0', size) == NULL || !gm_text_is_utf8(text)) {
		abort();
	}
}

static void check_guest(const struct gm_guest_info *guest)
{
	check_text(guest->name, sizeof(guest->name));
	check_text(guest->display_name, sizeof(guest->display_name));
	check_text(guest->project, sizeof(guest->project));
	check_text(guest->project_uuid, sizeof(guest->project_uuid));
	check_text(guest->flavor, sizeof(guest->flavor));
	for (size_t i = 0; i < GM_GUEST_ADDRESSES; i++) {
		uint8_t version = guest->addresses[i].version;

		if (version != 0 && version != 4 && version != 6) {
			abort();
		}
		/* They stand side by side: none after the first that is missing. */
		if (version == 0 && i + 1 < GM_GUEST_ADDRESSES &&
		    guest->addresses[i + 1].version != 0) {
			abort();
		}
	}
}

static void check_device(const struct gm_entity_info *device)
{
	if (device->key.kind == GM_ENTITY_INTERFACE) {
		check_text(device->interface.mac, sizeof(device->interface.mac));
		check_text(device->interface.port_uuid, sizeof(device->interface.port_uuid));
		check_text(device->interface.model, sizeof(device->interface.model));
	} else if (device->key.kind == GM_ENTITY_DISK) {
		check_text(device->disk.source, sizeof(device->disk.source));
	} else {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gm_lv_identity *identity = NULL;
	struct gm_error err = {.text = ""};
	char *text = malloc(size + 1);

	if (text == NULL) {
		return 0;
	}
	memcpy(text, data, size);
	text[size] = '\0';
	if (gm_lv_identity_parse(text, "QEMU", &identity, &err) == 0) {
		check_guest(&identity->guest.guest);
		if (identity->device_count > GM_LV_DEVICES_MAX) {
			abort();
		}
		for (size_t i = 0; i < identity->device_count; i++) {
			check_device(&identity->devices[i]);
		}
		gm_lv_identity_free(identity);
	} else if (err.text[0] == '\0') {
		abort();
	}
	free(text);
	return 0;
}
