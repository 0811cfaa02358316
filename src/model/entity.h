/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is measured: the node, its guests, their interfaces, disks and processes, and the host's own.
 *
 * A key is a plain value that every thread can build without asking anybody: a guest is its libvirt
 * UUID (which is the Nova server's), an interface its device name on the host (so that the tap
 * sampler and libvirt speak of the same thing), a disk its guest and target ("vda"), a process its guest
 * and "<pid>/<command>" (the command cut to fit): one that is started anew is another. The node's CPUs and
 * memory nodes are the kernel's numbers.
 */
#ifndef GM_MODEL_ENTITY_H
#define GM_MODEL_ENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gm_entity_kind {
	GM_ENTITY_NODE,
	GM_ENTITY_GUEST,
	GM_ENTITY_INTERFACE,
	GM_ENTITY_DISK,
	GM_ENTITY_PROCESS,
	GM_ENTITY_CORE, /* a CPU as the kernel schedules on it: a thread of a core, where cores have some */
	GM_ENTITY_NUMA, /* a memory node */
	GM_ENTITY_KINDS
};

enum {
	GM_UUID_SIZE = 16,
	GM_UUID_TEXT = 37,   /* with its NUL */
	GM_DEVICE_NAME = 32, /* longer device names are cut (IFNAMSIZ is 16) */
	GM_NAME_SIZE = 256,  /* names of guests, flavors, projects: UTF-8, cut at a character */
	GM_KEY_TEXT = 96,
	GM_DISK_ALIAS = 33,
	GM_GUEST_ADDRESSES = 8, /* of a guest, more are left out */
};

struct gm_entity_key {
	uint8_t kind;               /* enum gm_entity_kind */
	uint8_t uuid[GM_UUID_SIZE]; /* guest, guest's disk or process; zeros otherwise */
	/* interface, disk, process, core, memory node; zeros otherwise, zero-padded always */
	char name[GM_DEVICE_NAME];
};

struct gm_entity_key gm_entity_node(void);
struct gm_entity_key gm_entity_guest(const uint8_t uuid[GM_UUID_SIZE]);
struct gm_entity_key gm_entity_interface(const char *device);
struct gm_entity_key gm_entity_disk(const uint8_t uuid[GM_UUID_SIZE],
				    const char *target); /* uuid NULL: the host's */
struct gm_entity_key gm_entity_process(const uint8_t uuid[GM_UUID_SIZE], uint32_t pid,
				       const char *command); /* uuid NULL: the host's */

struct gm_entity_key gm_entity_core(uint32_t number);
struct gm_entity_key gm_entity_numa(uint32_t number);

bool gm_entity_equal(const struct gm_entity_key *a, const struct gm_entity_key *b);

/* The word for a kind in files and sentences: "node", "guest", "interface", …; NULL: there is none. */
const char *gm_entity_kind_name(unsigned kind);

/*
 * The key as text: "node", "guest:<uuid>", "if:<device>", "disk:<uuid>:<target>" (host's disk:
 * "disk::<target>"), "process:<uuid>:<pid>/<command>" (the host's: "process::<pid>/<command>"),
 * "core:<number>", "numa:<number>". Used in Redis keys, the control protocol, the journal and the log.
 */
char *gm_entity_text(const struct gm_entity_key *key, char text[GM_KEY_TEXT]);
int gm_entity_parse(const char *text, struct gm_entity_key *ret_key); /* 0 or -EINVAL */

/* The canonical lower-case form. */
char *gm_uuid_text(const uint8_t uuid[GM_UUID_SIZE], char text[GM_UUID_TEXT]);
int gm_uuid_parse(const char *text, uint8_t ret_uuid[GM_UUID_SIZE]); /* 0 or -EINVAL */

/* An address in network order: 4 octets of version 4, 16 of version 6. */
struct gm_address {
	uint8_t version; /* 4 or 6; 0: none */
	uint8_t octets[16];
};
/* As inet_pton() reads it; ret_address may be NULL. False, with none in it: `text` is no address. */
bool gm_address_parse(const char *text, struct gm_address *ret_address);

/*
 * What is known of an entity beside its measurements. Sources fill what they know and hand it up
 * whenever it changes; unknown text is empty, unknown numbers are 0.
 */
struct gm_guest_info {
	char name[GM_NAME_SIZE];         /* libvirt's name of the domain */
	char display_name[GM_NAME_SIZE]; /* Nova's; empty without its metadata */
	char project[GM_NAME_SIZE];
	char project_uuid[GM_NAME_SIZE]; /* as Nova writes it: 32 hex digits, not always a UUID */
	char user_uuid[GM_NAME_SIZE];
	char flavor[GM_NAME_SIZE];
	char hypervisor[32]; /* "QEMU", "LXC", … as virConnectGetType tells */
	char os[128];        /* the system that it was made for, as its metadata tells */
	uint32_t vcpus;      /* online */
	uint32_t vcpus_max;  /* can be plugged in */
	uint64_t memory_max; /* bytes */
	/* What Nova says that its ports have, fixed ones first. A tenant may have chosen them. */
	struct gm_address addresses[GM_GUEST_ADDRESSES];
	uint8_t persistent; /* enum gm_known: whether it stays defined when it is shut down */
	uint8_t autostart;  /* likewise: whether it starts with its host */
};

/* Whether something holds that may not be known. */
enum gm_known { GM_UNKNOWN, GM_YES, GM_NO };

struct gm_interface_info {
	uint8_t guest[GM_UUID_SIZE]; /* zeros: a device of the host */
	uint32_t ordinal;            /* place among the guest's interfaces, from 1 */
	uint32_t if_index;           /* the kernel's, 0 unknown */
	uint32_t master; /* that of the bridge or bond it is a port of; 0 none, unknown */
	/* bit/s that its quality of service lets the guest receive and send; 0: no limit is known */
	uint64_t rx_limit, tx_limit;
	char mac[18];
	char port_uuid[GM_UUID_TEXT]; /* Neutron port, from Nova's metadata */
	char model[32];
};

struct gm_disk_info {
	uint8_t guest[GM_UUID_SIZE];
	uint32_t ordinal;
	char source[GM_NAME_SIZE];
	char type[16];   /* of the source, as libvirt names it: "file", "block", "network", … */
	char format[16]; /* "raw", "qcow2", …; empty unknown */
	char device[16]; /* "disk", "cdrom", "floppy", "lun" */
	char alias[GM_DISK_ALIAS]; /* what the hypervisor's events call it; empty unknown */
	uint8_t read_only;         /* enum gm_known */
};

/* The node as a host of guests. */
struct gm_node_info {
	char hypervisor[32]; /* as virConnectGetType tells */
	char version[32];
};

struct gm_process_info {
	uint8_t guest[GM_UUID_SIZE]; /* zeros: a process of the host */
	uint32_t pid;                /* as its own system numbers it */
	char command[64];            /* its name, without arguments: those may hold secrets */
};

struct gm_entity_info {
	struct gm_entity_key key;
	union {
		struct gm_node_info node;
		struct gm_guest_info guest;
		struct gm_interface_info interface;
		struct gm_disk_info disk;
		struct gm_process_info process;
	};
};

/*
 * Whether what it tells says something of a guest, or the node, as a whole; that of cores and memory nodes is in the
 * node's own figures.
 */
bool gm_entity_is_part(const struct gm_entity_key *key);

/* The UUID of the guest that it is or belongs to; NULL: the host's own. */
const uint8_t *gm_entity_owner(const struct gm_entity_info *info);

/*
 * Whose it is: Nova's project by its UUID (without dashes), else by its name; empty where neither can be the
 * name of an SNMP context: at most 32 printable characters without a blank.
 */
enum { GM_TENANT_SIZE = 33 };
char *gm_tenant_name(const char *project_uuid, const char *project, char tenant[GM_TENANT_SIZE]);

/* What to call a guest in front of people: Nova's name, else libvirt's. */
const char *gm_guest_label(const struct gm_guest_info *guest);

#endif
