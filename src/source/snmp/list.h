/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two files that tell whom to ask and how. Empty lines and those that begin with '#' say nothing;
 * words are separated by spaces.
 *
 * Targets: GUEST ADDRESS[:PORT] CREDENTIAL [INTERVAL] [netns=PATH] [project=PATTERN]
 * [within=NETWORK,...]. GUEST is a UUID, or a pattern (gm_text_match()) for the guest's name in libvirt or
 * Nova; ADDRESS is numeric, IPv6 in brackets, or the word nova: the first address in Nova's metadata that
 * lies within one of the networks, which have to be named then; INTERVAL as in the configuration; PATH a
 * network namespace such as /run/netns/tenant-a; PATTERN for the name or UUID of the guest's project.
 *
 * Credentials, a file that nobody but its owner may read:
 *   NAME v1 COMMUNITY, NAME v2c COMMUNITY [write=COMMUNITY], or
 *   NAME v3 USER SHA|SHA-224|SHA-256|SHA-384|SHA-512 PASSPHRASE [AES PASSPHRASE]
 * Without AES nothing is encrypted (authNoPriv), of what is sent and of what is taken.
 */
#ifndef GM_SOURCE_SNMP_LIST_H
#define GM_SOURCE_SNMP_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/error.h"
#include "model/entity.h"
#include "source/snmp/networks.h"

enum { GM_SNMP_SECRET = 64, GM_SNMP_LINES_MAX = 4096 };

struct gm_snmp_credential {
	char name[GM_SNMP_SECRET];
	int version;                    /* GM_SNMP_V1, V2C or V3 */
	char community[GM_SNMP_SECRET]; /* version 3: the user */
	char write[GM_SNMP_SECRET];     /* empty: there is none */
	char digest[16];                /* as OpenSSL calls it: "SHA256" */
	char authentication[GM_SNMP_SECRET], privacy[GM_SNMP_SECRET]; /* the latter may be empty */
	uint8_t authentication_key[64], privacy_key[64]; /* of any engine: gm_snmp_keys_master() */
};

struct gm_snmp_line {
	bool is_uuid;
	uint8_t uuid[GM_UUID_SIZE];
	char guest[GM_NAME_SIZE]; /* the pattern otherwise */
	unsigned number;          /* of the line in its file */
	bool nova; /* the address is in the guest's metadata; `address` has the port */
	struct sockaddr_storage address;
	struct gm_snmp_networks within; /* nova: where it has to lie */
	char project[64];               /* a pattern; empty: any */
	size_t credential;              /* index */
	int64_t interval;               /* 0: none is named */
	char netns[128];                /* empty: the daemon's own */
};

struct gm_snmp_list {
	struct gm_snmp_credential *credentials;
	size_t credential_count;
	struct gm_snmp_line *lines;
	size_t line_count;
};

/*
 * Reads both. On failure a negative errno, and "FILE:LINE: " with what is wrong in `err`; never a secret.
 * -EACCES: others may read the credentials.
 */
int gm_snmp_list_read(const char *targets, const char *credentials, struct gm_snmp_list *ret_list,
		      struct gm_error *err);
/* A numeric address with :PORT (161 where there is none), IPv6 in brackets then. */
bool gm_snmp_list_address(const char *text, struct sockaddr_storage *ret_address);

/* Wipes the secrets. */
void gm_snmp_list_free(struct gm_snmp_list *list);

#endif
