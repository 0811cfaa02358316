/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of sections, their defaults, and the rules that concern more than one option; see config.h.
 * Reading is in config_yaml.c, writing in config_text.c.
 */
#include "daemon/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/threshold.h"
#include "base/clock.h"
#include "daemon/config_yaml.h"
#include "source/snmp/listener.h"
#include "source/tap/rates.h"
#include "state/state.h"

enum { MAX_SAMPLES = 1000000 }; /* of a series: 16 MB */

/* The daemon's own options; offsets are those in the whole configuration. */
static const struct gm_option node_options[] = {
	{.key = "name",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_config, node.name),
	 .fallback = "",
	 .help = "Name of this node in alarms, the MIB and Redis keys: letters, digits, '.', '_', "
		 "'-'; "
		 "empty: the host's name."},
	GM_OPTION_END};

static const struct gm_option log_options[] = {
	{.key = "level",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct gm_config, log.level),
	 .fallback = "notice",
	 .help = "The least important messages that are written.",
	 .choices = gm_log_level_names},
	{.key = "core-dumps",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct gm_config, log.core_dumps),
	 .fallback = "false",
	 .help = "Whether a crash may leave a core dump, which holds the secrets that the daemon "
		 "knows: tokens, passwords, keys."},
	GM_OPTION_END};

static const struct gm_option state_options[] = {
	{.key = "directory",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_config, state.directory),
	 .fallback = "/var/lib/guestmon",
	 .help = "Directory of what survives a restart: indexes, alarms, positions of outputs. One "
		 "daemon per directory."},
	{.key = "journal-keep",
	 .type = GM_OPTION_INT,
	 GM_OPTION_AT(struct gm_config, state.journal_keep),
	 .min = 1000,
	 .max = GM_JOURNAL_MAX,
	 .fallback = "10000",
	 .help = "Transitions of alarms that the journal keeps; what an output has still to tell "
		 "is kept "
		 "beyond that."},
	{.key = "journal-age",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_config, state.journal_age),
	 .min = 0,
	 .max = 10 * 365 * 86400e9,
	 .fallback = "0",
	 .help = "How old transitions in the journal may become; 0 for no limit but that of their "
		 "number."},
	GM_OPTION_END};

static const struct gm_option control_options[] = {
	{.key = "socket",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_config, control.socket),
	 .fallback = "/run/guestmon/control.sock",
	 .help = "Unix socket on which guestmonctl(1) reaches the daemon."},
	GM_OPTION_END};

static const struct gm_option window_options[] = {
	{.key = "length",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_config, window.length),
	 .min = 1e9,
	 .max = 86400e9,
	 .fallback = "60s",
	 .help = "How far back the window of a series reaches."},
	{.key = "samples",
	 .type = GM_OPTION_INT,
	 GM_OPTION_AT(struct gm_config, window.samples),
	 .min = 0,
	 .max = MAX_SAMPLES,
	 .fallback = "0",
	 .help = "Most samples kept of a series; 0: as many as the sources' shortest interval "
		 "gives in "
		 "the window's length, and a tenth more."},
	GM_OPTION_END};

static const struct gm_option policy_options[] = {
	{.key = "directory",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_config, policy.directory),
	 .fallback = "/etc/guestmon/policy.d",
	 .help = "Directory of the policy files (*.yaml); it need not exist."},
	GM_OPTION_END};

static const struct gm_option outputs_options[] = {
	{.key = "directory",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_config, outputs.directory),
	 .fallback = "/etc/guestmon/outputs.d",
	 .help = "Directory of the files that describe an output each (*.yaml); it need not "
		 "exist."},
	GM_OPTION_END};

static const struct {
	const char *name, *help;
	const struct gm_option *options;
	size_t offset;
	bool fixed; /* read once: a change needs a restart */
} sections[] = {
	{"node", "The node itself.", node_options, 0, true},
	{"log", "Messages on standard error.", log_options, 0, false},
	{"state", "What survives a restart.", state_options, 0, true},
	{"control", "The control socket.", control_options, 0, true},
	{"libvirt", "Guests through libvirt.", gm_libvirt_option_table,
	 offsetof(struct gm_config, libvirt), false},
	{"tap", "Counters of network devices, many times a second.", gm_tap_option_table,
	 offsetof(struct gm_config, tap), false},
	{"host", "The node through /proc and /sys.", gm_host_option_table,
	 offsetof(struct gm_config, host), false},
	{"snmp-guests", "Guests through the snmpd inside of them.", gm_snmp_option_table,
	 offsetof(struct gm_config, snmp_guests), false},
	{"window", "The recent samples that are kept in memory.", window_options, 0, true},
	{"redis", "The mirror of the windows in Redis.", gm_redis_option_table,
	 offsetof(struct gm_config, redis), true},
	{"external", "Findings of other programs, which read the windows in Redis.",
	 gm_external_option_table, offsetof(struct gm_config, external), true},
	{"policy", "Thresholds and policies for some guests: guestmon-policy(5).", policy_options,
	 0, false},
	{"alarm", "How alarms are raised and cleared.", gm_alarm_option_table,
	 offsetof(struct gm_config, alarm), false},
	{"outputs", "Where alarms are told beside SNMP: guestmon-outputs(5).", outputs_options, 0,
	 false},
	{"snmp", "The AgentX subagent.", gm_mib_option_table, offsetof(struct gm_config, snmp),
	 true},
	{"api", "The HTTP server.", gm_api_option_table, offsetof(struct gm_config, api), true},
	{"server-notifier", "Tacker's auto-healing.", gm_healer_option_table,
	 offsetof(struct gm_config, healer), true},
};

enum { SECTIONS = sizeof(sections) / sizeof(sections[0]) };

/* The detector with the nth section: those that only rules make have none. */
static const struct gm_detector_ops *nth_detector(size_t n)
{
	for (size_t i = 0; gm_detectors[i]; i++) {
		if (!gm_detectors[i]->rules_only && n-- == 0)
			return gm_detectors[i];
	}
	return NULL;
}

bool gm_config_section(struct gm_config *config, size_t index,
		       struct gm_config_section *ret_section)
{
	if (index < SECTIONS) {
		*ret_section = (struct gm_config_section){
			.name = sections[index].name,
			.help = sections[index].help,
			.options = sections[index].options,
			.target = config ? (char *)config + sections[index].offset : NULL,
			.fixed = sections[index].fixed};
		return true;
	}
	/* Each detector has a section of its name after the daemon's own. */
	const struct gm_detector_ops *ops = nth_detector(index - SECTIONS);
	if (!ops)
		return false;
	*ret_section = (struct gm_config_section){
		.name = ops->name,
		.help = ops->help,
		.options = ops->options,
		.target = config ? gm_detector_settings_get(config->detectors, ops) : NULL};
	return true;
}

int gm_config_applicable(struct gm_config *before, struct gm_config *after, struct gm_error *err)
{
	struct gm_config_section old, new;

	if (before->node.host_named && after->node.host_named)
		after->node = before->node;
	for (size_t i = 0; gm_config_section(before, i, &old); i++) {
		gm_config_section(after, i, &new);
		for (const struct gm_option *option = old.options; old.fixed && option->key;
		     option++) {
			if (memcmp((const char *)old.target + option->offset,
				   (const char *)new.target + option->offset, option->size) != 0)
				return gm_error_set(
					err, -EPERM,
					"%s.%s has changed, which needs a restart; nothing "
					"is applied",
					old.name, option->key);
		}
	}
	return 0;
}

int gm_config_create(struct gm_config **ret_config)
{
	struct gm_config *config = calloc(1, sizeof(*config));
	struct gm_config_section section;

	if (!config || !(config->outputs.files = calloc(1, sizeof(*config->outputs.files))) ||
	    gm_handling_create(&config->handling) < 0 ||
	    gm_detector_settings_create(&config->detectors) < 0) {
		gm_config_free(config);
		return -ENOMEM;
	}
	for (size_t i = 0; gm_config_section(config, i, &section); i++)
		gm_option_defaults(section.options, section.target);
	*ret_config = config;
	return 0;
}

void gm_config_free(struct gm_config *config)
{
	if (!config)
		return;
	gm_detector_settings_free(config->detectors);
	gm_handling_free(config->handling);
	gm_output_files_free(config->outputs.files);
	free(config);
}

static bool name_is_plain(const struct gm_config *config)
{
	const char *text = config->node.name;

	while (isalnum((unsigned char)*text) || *text == '.' || *text == '_' || *text == '-')
		text++;
	return *text == '\0' && config->node.name[0] != '\0';
}

static bool directory_is_absolute(const struct gm_config *config)
{
	return config->state.directory[0] == '/';
}

static bool socket_is_absolute(const struct gm_config *config)
{
	return config->control.socket[0] == '/';
}

static bool policies_are_absolute(const struct gm_config *config)
{
	return config->policy.directory[0] == '/';
}

static bool outputs_are_absolute(const struct gm_config *config)
{
	return config->outputs.directory[0] == '/';
}

static bool metric_is_known(const struct gm_config *config)
{
	const struct gm_threshold_options *threshold =
		gm_detector_settings_get(config->detectors, &gm_threshold_ops);

	return threshold->metric[0] == '\0' || gm_metric_find(threshold->metric) != GM_METRIC_NONE;
}

static bool balloon_is_whole(const struct gm_config *config)
{
	return config->libvirt.balloon_period % GM_SECOND == 0;
}

static bool rates_are_good(const struct gm_config *config)
{
	return gm_tap_rates_check(config->tap.rates, NULL) == 0;
}

static bool listener_is_addressed(const struct gm_config *config)
{
	return gm_snmp_listener_check(config->snmp_guests.listen, NULL) == 0;
}

static bool engine_is_good(const struct gm_config *config)
{
	return gm_snmp_engine_check(config->snmp_guests.engine_id) == 0;
}

static bool uris_are_good(const struct gm_config *config)
{
	return gm_libvirt_uris(&config->libvirt) > 0;
}

static bool redis_addresses_are_good(const struct gm_config *config)
{
	return config->redis.addresses[0] == '\0' || gm_redis_check(&config->redis, NULL) == 0;
}

static bool redis_is_addressed(const struct gm_config *config)
{
	return config->redis.addresses[0] != '\0' || gm_redis_check(&config->redis, NULL) == 0;
}

static bool sentinels_are_addressed(const struct gm_config *config)
{
	return config->redis.sentinel_master[0] == '\0' || config->redis.addresses[0] != '\0';
}

static bool master_agent_is_addressed(const struct gm_config *config)
{
	return gm_mib_socket_is_good(config->snmp.agentx_socket);
}

static bool healer_is_served(const struct gm_config *config)
{
	return config->api.enabled || !config->healer.enabled;
}

static bool api_option_is_good(const struct gm_config *config, const char *key)
{
	const char *breach = gm_api_breach(&config->api);

	return !breach || strcmp(breach, key) != 0;
}

static bool api_address_is_good(const struct gm_config *config)
{
	return api_option_is_good(config, "address");
}

static bool api_certificate_is_good(const struct gm_config *config)
{
	return api_option_is_good(config, "certificate");
}

static bool api_key_is_good(const struct gm_config *config)
{
	return api_option_is_good(config, "key");
}

static bool api_url_is_good(const struct gm_config *config)
{
	return api_option_is_good(config, "url");
}

static const struct {
	const char *section, *key;
	bool (*holds)(const struct gm_config *config);
	const char *allowed;
} rules[] = {
	{"node", "name", name_is_plain, "letters, digits, '.', '_' and '-'"},
	{"state", "directory", directory_is_absolute, "a path that begins with '/'"},
	{"control", "socket", socket_is_absolute, "a path that begins with '/'"},
	{"policy", "directory", policies_are_absolute, "a path that begins with '/'"},
	{"outputs", "directory", outputs_are_absolute, "a path that begins with '/'"},
	{"threshold", "metric", metric_is_known, "the name of a metric, or nothing"},
	{"libvirt", "balloon-period", balloon_is_whole, "whole seconds"},
	{"tap", "rates", rates_are_good, "PATTERN=RATE, separated by commas, such as tap*=1G"},
	{"snmp-guests", "listen", listener_is_addressed,
	 "a numeric address with a port, such as 0.0.0.0:162"},
	{"snmp-guests", "engine-id", engine_is_good,
	 "5 to 32 octets in hexadecimal, neither all 00 nor all ff, or nothing"},
	{"libvirt", "uri", uris_are_good,
	 "one to four different URIs, separated by blanks, each of at most 255 bytes"},
	{"redis", "host", redis_is_addressed,
	 "a numeric address, such as 127.0.0.1, where redis.socket is empty"},
	{"redis", "addresses", redis_addresses_are_good,
	 "up to 8 paths of sockets and numeric addresses with port, separated by commas"},
	{"redis", "sentinel-master", sentinels_are_addressed,
	 "a name, where redis.addresses tells where the Sentinels are"},
	{"snmp", "agentx-socket", master_agent_is_addressed,
	 "a path that begins with '/', of at most 107 bytes, or tcp:ADDRESS:PORT"},
	{"server-notifier", "enabled", healer_is_served,
	 "true where api.enabled is, whose server it is a part of"},
	{"api", "address", api_address_is_good, "a numeric address, such as 127.0.0.1 or ::1"},
	{"api", "certificate", api_certificate_is_good, "a file, where there is a key"},
	{"api", "key", api_key_is_good, "a file, where there is a certificate"},
	{"api", "url", api_url_is_good,
	 "http:// or https://, a host, perhaps a port and a path, without '/' at the end"},
};

bool gm_config_check(struct gm_config *config, struct gm_config_breach *ret_breach)
{
	if (config->node.name[0] == '\0') {
		gethostname(config->node.name, sizeof(config->node.name) - 1);
		config->node.host_named = true;
	}
	config->libvirt.tapped = config->tap.enabled;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!rules[i].holds(config)) {
			*ret_breach = (struct gm_config_breach){rules[i].section, rules[i].key,
								rules[i].allowed};
			return false;
		}
	}
	return true;
}

struct gm_window_options gm_config_window(const struct gm_config *config)
{
	int64_t shortest = config->libvirt.interval, samples = config->window.samples;

	if (config->tap.fold < shortest)
		shortest = config->tap.fold;
	if (config->host.interval < shortest)
		shortest = config->host.interval;
	if (samples == 0) {
		samples = config->window.length / shortest;
		samples += samples / 10 + 1;
		if (samples > MAX_SAMPLES)
			samples = MAX_SAMPLES;
	}
	return (struct gm_window_options){.samples = (size_t)samples,
					  .length = config->window.length};
}
