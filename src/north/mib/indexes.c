/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The indexes that tables of more than one file have; see tables.h.
 */
#include "north/mib/tables.h"

#include <string.h>

size_t gm_index_guest(const void *row, uint32_t *ret_index)
{
	const struct gm_guest_row *guest = row;
	ret_index[0] = guest->index;
	return 1;
}

size_t gm_index_interface(const void *row, uint32_t *ret_index)
{
	const struct gm_interface_row *interface = row;
	ret_index[0] = interface->guest_index;
	ret_index[1] = interface->ordinal;
	return 2;
}

size_t gm_index_disk(const void *row, uint32_t *ret_index)
{
	const struct gm_disk_row *disk = row;
	ret_index[0] = disk->guest_index;
	ret_index[1] = disk->ordinal;
	return 2;
}

size_t gm_index_vcpu(const void *row, uint32_t *ret_index)
{
	const struct gm_vcpu_row *vcpu = row;
	ret_index[0] = vcpu->guest_index;
	ret_index[1] = vcpu->number;
	return 2;
}

size_t gm_index_of_name(const char *name, uint32_t *ret_index)
{
	size_t length = strlen(name);
	ret_index[0] = (uint32_t)length;
	for (size_t i = 0; i < length; i++)
		ret_index[i + 1] = (uint8_t)name[i];
	return length + 1;
}
