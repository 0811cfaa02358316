/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rate of a device; see speed.h. It keeps nothing between calls. Called by tap/tap.c.
 */
#include "source/tap/speed.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

enum { MODE_WORDS_MAX = 127 }; /* link_mode_masks_nwords is a signed byte */

bool gm_tap_speed_is_real(const struct gm_link *link)
{
	return strcmp(link->kind, "tun") != 0 && strcmp(link->kind, "veth") != 0;
}

int gm_tap_speed(int fd, const char *device, double *ret_speed)
{
	/* The kernel writes three masks of as many words behind the structure. */
	union {
		struct ethtool_link_settings settings;
		uint32_t room[sizeof(struct ethtool_link_settings) / 4 + 3 * MODE_WORDS_MAX];
	} request = {.settings = {.cmd = ETHTOOL_GLINKSETTINGS}};
	struct ifreq ifr = {.ifr_data = (char *)&request};
	size_t length = strnlen(device, IFNAMSIZ - 1);

	memcpy(ifr.ifr_name, device, length);
	/* The first call, with no words, is answered with minus the number that is wanted. */
	if (ioctl(fd, SIOCETHTOOL, &ifr) < 0) {
		return -errno;
	}
	if (request.settings.link_mode_masks_nwords >= 0) {
		return -EPROTO;
	}
	request.settings.cmd = ETHTOOL_GLINKSETTINGS;
	request.settings.link_mode_masks_nwords = (__s8)-request.settings.link_mode_masks_nwords;
	if (ioctl(fd, SIOCETHTOOL, &ifr) < 0) {
		return -errno;
	}
	if (request.settings.speed == 0 || request.settings.speed == (uint32_t)SPEED_UNKNOWN) {
		return -ENODATA;
	}
	*ret_speed = (double)request.settings.speed * 1e6;
	return 0;
}
