/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option table of both lanes. It only describes; the daemon's configuration reads it.
 */
#include "source/libvirt/libvirt.h"
#include "source/libvirt/uris.h"

#define AT(member) GM_OPTION_AT(struct gm_libvirt_options, member)

const struct gm_option gm_libvirt_option_table[] = {
	{.key = "enabled",
	 .type = GM_OPTION_BOOL,
	 AT(enabled),
	 .fallback = "true",
	 .help = "Read guests through libvirt."},
	{.key = "uri",
	 .type = GM_OPTION_TEXT,
	 AT(uri),
	 .fallback = "qemu:///system",
	 .help = "The libvirt connections, as virsh -c takes them, 4 at most, separated by blanks; "
		 "each is read by itself. A guest that several tell of is the first one's. One "
		 "that "
		 "names another host is only read."},
	{.key = "interval",
	 .type = GM_OPTION_DURATION,
	 AT(interval),
	 .min = 10e6,
	 .max = 3600e9,
	 .fallback = "100ms",
	 .help = "Time between two readings of state and interfaces."},
	{.key = "slow-interval",
	 .type = GM_OPTION_DURATION,
	 AT(slow_interval),
	 .min = 100e6,
	 .max = 3600e9,
	 .fallback = "1s",
	 .help = "Time between two readings of balloon, vCPUs and disks, which ask the guest's "
		 "monitor."},
	{.key = "slow-workers",
	 .type = GM_OPTION_INT,
	 AT(slow_workers),
	 .min = 1,
	 .max = 16,
	 .fallback = "4",
	 .help = "Connections for the slow readings, made when they are needed: two more than the "
		 "hung guests to be survived."},
	{.key = "slow-deadline",
	 .type = GM_OPTION_DURATION,
	 AT(slow_deadline),
	 .min = 100e6,
	 .max = 60e9,
	 .fallback = "2s",
	 .help = "After this time a slow reading is left alone and its answer dropped. One that "
		 "takes much longer than usual is asked for on another connection before that."},
	{.key = "balloon-period",
	 .type = GM_OPTION_DURATION,
	 AT(balloon_period),
	 .min = 0,
	 .max = 3600e9,
	 .fallback = "1s",
	 .help = "How often a guest is told to refresh its memory statistics, in whole seconds; a "
		 "guest that does so more often keeps its period; 0 leaves every guest as it is."},
	{.key = "dirty-rate",
	 .type = GM_OPTION_DURATION,
	 AT(dirty_rate),
	 .min = 0,
	 .max = 3600e9,
	 .fallback = "0",
	 .help = "Time between two measurements of how fast a guest rewrites its memory, which "
		 "qemu "
		 "takes a second for and which needs a connection that may write; 0: none."},
	{.key = "fresh-guests",
	 .type = GM_OPTION_INT,
	 AT(fresh_guests),
	 .min = 0,
	 .max = 8,
	 .fallback = "2",
	 .help = "Guests suspected of a leak whose memory is read every fresh-interval, so many at "
		 "a time; needs balloon-period and a connection that may write. 0: none."},
	{.key = "fresh-interval",
	 .type = GM_OPTION_DURATION,
	 AT(fresh_interval),
	 .min = 50e6,
	 .max = 1e9,
	 .fallback = "100ms",
	 .help = "Time between two readings of a suspected guest's memory."},
	{.key = "fresh-time",
	 .type = GM_OPTION_DURATION,
	 AT(fresh_time),
	 .min = 1e9,
	 .max = 3600e9,
	 .fallback = "5m",
	 .help = "For how long at most; then the guest rests twice as long."},
	GM_OPTION_END,
};

size_t gm_libvirt_uris(const struct gm_libvirt_options *options)
{
	return gm_lv_uris_count(options->uri);
}

bool gm_libvirt_is_remote(const struct gm_libvirt_options *options, unsigned uri)
{
	char text[GM_LV_URI_SIZE];

	gm_lv_uris_get(options->uri, uri, text);
	return gm_lv_uri_is_remote(text);
}
