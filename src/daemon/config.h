/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's configuration: one struct of sections, each described by an option table
 * (base/option.h). The file, its sample, the manual page and the effective configuration all come
 * from the same list of sections.
 *
 * A configuration is made whole or not at all and is not changed afterwards; whoever holds it frees
 * it. Main thread.
 */
#ifndef GM_DAEMON_CONFIG_H
#define GM_DAEMON_CONFIG_H

#include <stddef.h>
#include <stdio.h>

#include "alarm/engine.h"
#include "analysis/detector.h"
#include "analysis/external.h"
#include "base/error.h"
#include "base/log.h"
#include "base/option.h"
#include "daemon/handling.h"
#include "daemon/output_files.h"
#include "north/api/api.h"
#include "north/api/healer.h"
#include "north/mib/mib.h"
#include "source/host/host.h"
#include "source/libvirt/libvirt.h"
#include "source/snmp/snmp.h"
#include "source/tap/tap.h"
#include "store/redis/redis.h"
#include "window/window.h"

enum { GM_CONFIG_BYTES = 1 << 20 }; /* largest configuration file */

struct gm_config {
	struct {
		char name[64];   /* never empty once loaded */
		bool host_named; /* nobody gave one: it is what the host was called then */
	} node;
	struct {
		int level; /* enum gm_log_level */
		bool core_dumps;
	} log;
	struct {
		char directory[256];
		int64_t journal_keep, journal_age; /* transitions; ns, 0: however old */
	} state;
	struct {
		char socket[108]; /* as long as sun_path */
	} control;
	struct gm_libvirt_options libvirt;
	struct gm_tap_options tap;
	struct gm_host_options host;
	struct gm_snmp_options snmp_guests;
	struct {
		int64_t length;
		int64_t samples; /* 0: as many as fit; see gm_config_window() */
	} window;
	struct gm_redis_options redis;
	struct gm_external_options external;
	struct {
		char directory[256];
	} policy;
	struct {
		char directory[256];
		struct gm_output_files *files; /* owned */
	} outputs;
	struct gm_alarm_options alarm;
	struct gm_mib_options snmp;
	struct gm_api_options api;
	struct gm_healer_options healer;
	struct gm_detector_settings *detectors; /* owned, as is the next */
	struct gm_handling *handling;
};

/* A section: its name in the file, a sentence, its table, and the struct in `config` that it fills. */
struct gm_config_section {
	const char *name, *help;
	const struct gm_option *options;
	void *target;
	bool fixed; /* read once: a change needs a restart */
};

/*
 * The sections in the order of the file. False when `index` is past the last one. `config` may be
 * NULL where only the tables are wanted: then `target` is NULL.
 */
bool gm_config_section(struct gm_config *config, size_t index,
		       struct gm_config_section *ret_section);

/* The defaults. 0 or -ENOMEM. */
int gm_config_create(struct gm_config **ret_config);
void gm_config_free(struct gm_config *config);

/*
 * Reads PATH, and the policy files that it names. What the file leaves out has its default; an empty
 * `node.name` becomes the host's name.
 * The message on failure begins with "FILE:LINE: section.key: " as far as that is known, and says
 * what is allowed. -ENOENT and the like: the file cannot be read; -EFBIG: larger than
 * GM_CONFIG_BYTES; -EINVAL: all else.
 */
int gm_config_load(const char *path, struct gm_config **ret_config, struct gm_error *err);

/*
 * Whether a running daemon can go over to `after`: -EPERM, with the option's name, when one differs that
 * needs a restart. Where nobody named the node it keeps the name that it has, whatever the host is called now.
 */
int gm_config_applicable(struct gm_config *before, struct gm_config *after, struct gm_error *err);

/* The window's options; `samples` is derived where the configuration leaves it at 0. */
struct gm_window_options gm_config_window(const struct gm_config *config);

/* Writes the effective configuration: a file that gm_config_load() reads back to the same values. */
void gm_config_print(struct gm_config *config, FILE *out);

/*
 * Writes the commented sample (conf/guestmon.yaml), and the options as mdoc for guestmon.yaml(5);
 * `defaults` is fresh from gm_config_create().
 */
void gm_config_sample(struct gm_config *defaults, FILE *out);
void gm_config_manual(struct gm_config *defaults, FILE *out);

/* The options of the outputs' files as mdoc, for guestmon-outputs(5). */
void gm_config_outputs_manual(FILE *out);

#endif
