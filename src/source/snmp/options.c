/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option table of the guests' snmpd. It only describes; the daemon's configuration reads it.
 */
#include "source/snmp/snmp.h"

#define AT(member) GM_OPTION_AT(struct gm_snmp_options, member)
#define INTERVAL(name, member, least, preset, what)                                                \
	{                                                                                          \
		.key = name "-interval", .type = GM_OPTION_DURATION, AT(member), .min = least,     \
		.max = 86400e9, .fallback = preset, .help = what " at most this often; 0: never.", \
	}

const struct gm_option gm_snmp_option_table[] = {
	{.key = "enabled",
	 .type = GM_OPTION_BOOL,
	 AT(enabled),
	 .fallback = "false",
	 .help = "Ask the snmpd inside of guests."},
	{.key = "targets",
	 .type = GM_OPTION_TEXT,
	 AT(targets),
	 .fallback = "/etc/guestmon/snmp-targets",
	 .help = "File of lines GUEST ADDRESS[:PORT] CREDENTIAL [INTERVAL] [netns=PATH] "
		 "[project=PATTERN] [within=NETWORK,...]. GUEST is a UUID or a pattern for its "
		 "name, "
		 "PATTERN one for the name or UUID of its project, PATH a network namespace, which "
		 "takes CAP_SYS_ADMIN (see guestmon.service); ADDRESS the word nova for the first "
		 "address in Nova's metadata that lies within the networks. Read again when it "
		 "changes."},
	{.key = "credentials",
	 .type = GM_OPTION_TEXT,
	 AT(credentials),
	 .fallback = "/etc/guestmon/snmp-credentials",
	 .help = "File, mode 0600, of lines NAME v1|v2c COMMUNITY [write=COMMUNITY] or NAME v3 "
		 "USER "
		 "SHA|SHA-224|SHA-256|SHA-384|SHA-512 PASSPHRASE [AES PASSPHRASE]."},
	{.key = "oids",
	 .type = GM_OPTION_TEXT,
	 AT(oids),
	 .fallback = "",
	 .help = "File of lines OID METRIC gauge|counter [scale=NUMBER], 32 at most: what else is "
		 "asked for, and the metric of a guest that it becomes, such as operator.gauge.1 "
		 "to "
		 "8 "
		 "and operator.counter.1 to 4; empty: nothing. Read again when it changes."},
	{.key = "listen",
	 .type = GM_OPTION_TEXT,
	 AT(listen),
	 .fallback = "",
	 .help = "Numeric address and port, such as 0.0.0.0:162 or [::]:162, at which traps and "
		 "informs of guests that are asked are taken, with what they are asked with; ten "
		 "a second of each. Guests that share an address need users or communities of "
		 "their own: what could be another's is not taken. Empty: none."},
	{.key = "listen-namespaces",
	 .type = GM_OPTION_BOOL,
	 AT(listen_namespaces),
	 .fallback = "false",
	 .help = "Listen at that address in each network namespace that targets name, too."},
	{.key = "engine-id",
	 .type = GM_OPTION_TEXT,
	 AT(engine_id),
	 .fallback = "",
	 .help = "SNMP engine ID of this node, for informs of version 3: 5 to 32 octets in "
		 "hexadecimal, different on every node. Empty: one that is drawn once and kept in "
		 "state.directory. When that directory was lost, restored or copied, another one "
		 "has to be set here (also where none was), for the count of starts in it is part "
		 "of what keeps recorded messages out."},
	{.key = "interval",
	 .type = GM_OPTION_DURATION,
	 AT(interval),
	 .min = 10e6,
	 .max = 86400e9,
	 .fallback = "1s",
	 .help = "Time between two polls of a guest whose line names none."},
	{.key = "resolution",
	 .type = GM_OPTION_DURATION,
	 AT(resolution),
	 .min = 1e6,
	 .max = 1e9,
	 .fallback = "10ms",
	 .help = "Steps of the schedule: answers are read and requests sent this often."},
	{.key = "timeout",
	 .type = GM_OPTION_DURATION,
	 AT(timeout),
	 .min = 10e6,
	 .max = 60e9,
	 .fallback = "1s",
	 .help = "How long an answer is awaited; there are no retries but the next poll."},
	{.key = "backoff-max",
	 .type = GM_OPTION_DURATION,
	 AT(backoff_max),
	 .min = 1e9,
	 .max = 3600e9,
	 .fallback = "30s",
	 .help = "The longest pause between two requests to a guest that does not answer."},
	INTERVAL("memory", memory_interval, 0, "100ms", "Memory is asked for"),
	INTERVAL("cpu", cpu_interval, 0, "5s", "CPU times inside are asked for"),
	INTERVAL("load", load_interval, 0, "5s", "Load averages are asked for"),
	INTERVAL("oid", oid_interval, 0, "1s", "The objects of oids are asked for"),
	INTERVAL("storage", storage_interval, 0, "60s", "File systems are asked for"),
	INTERVAL("disk", disk_interval, 0, "0", "Disks, as the guest sees them, are asked for"),
	INTERVAL("interface", interface_interval, 0, "0",
		 "Interfaces, as the guest sees them, are asked for"),
	INTERVAL("process", process_interval, 0, "30s", "Processes are asked for"),
	{.key = "processes",
	 .type = GM_OPTION_INT,
	 AT(processes),
	 .min = 1,
	 .max = 64,
	 .fallback = "8",
	 .help = "How many of a guest's processes are followed: those with most memory."},
	{.key = "tune-caches",
	 .type = GM_OPTION_BOOL,
	 AT(tune_caches),
	 .fallback = "false",
	 .help = "Tell a guest's net-snmp not to cache memory, and processes no longer than they "
		 "are "
		 "asked for (nsCacheTimeout), where its credential has a write community."},
	GM_OPTION_END,
};
