/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names for what is registered at run time; see api.h.
 */
#include <sys/random.h>

#include "north/api/api.h"

void gm_api_new_id(char id[GM_UUID_TEXT])
{
	uint8_t bytes[GM_UUID_SIZE];
	while (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		;
	bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40);
	bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
	gm_uuid_text(bytes, id);
}
