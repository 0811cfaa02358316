/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that read policy files share. Nobody else includes this.
 */
#ifndef GM_DAEMON_POLICIES_PRIVATE_H
#define GM_DAEMON_POLICIES_PRIVATE_H

#include "analysis/rules.h"
#include "daemon/policies.h"
#include "daemon/yaml_tree.h"

struct gm_policy_group {
	char name[GM_RULE_NAME];
	bool enabled;
};

struct gm_policy_loader {
	struct gm_detector_settings *settings;
	struct gm_handling *handling;
	struct gm_error *err;
	struct gm_yaml *trees[GM_POLICY_FILES];
	char *texts[GM_POLICY_FILES];
	size_t file_count;
	struct gm_policy_group groups[GM_POLICY_GROUPS];
	size_t group_count;
	const struct gm_yaml *yaml; /* of the file that is being read */
};

/* Each fills the loader's error with the node's place and returns the code. */
int gm_policies_refuse(const struct gm_policy_loader *loader, const struct gm_yaml_node *node,
		       const char *what);
int gm_policies_unknown_key(const struct gm_policy_loader *loader, const struct gm_yaml_node *key,
			    const char *allowed);
int gm_policies_failed(const struct gm_policy_loader *loader, const struct gm_yaml_node *node,
		       int result);

/* A word that can stand in an alarm, a file name and a command line as it is. */
int gm_policies_word(const struct gm_policy_loader *loader, const struct gm_yaml_node *node,
		     char word[GM_RULE_NAME]);
/* policies_match.c: whom a mapping of patterns is about. */
int gm_policies_match(const struct gm_policy_loader *loader, const struct gm_yaml_node *node,
		      struct gm_match *match);
/*
 * policies_scope.c: whether a threshold or policy that was checked by itself can judge anything that the match
 * leaves. `place`: where it is refused.
 */
int gm_policies_scope(const struct gm_policy_loader *loader, const struct gm_detector_ops *ops,
		      const void *options, const struct gm_match *match,
		      const struct gm_yaml_node *place);
int gm_policies_list(struct gm_policy_loader *loader, const struct gm_yaml_node *list,
		     int (*read)(struct gm_policy_loader *loader, const struct gm_yaml_node *node));

/* policies_alarms.c: the sections about alarms. */
int gm_policies_read_alarms(struct gm_policy_loader *loader, const struct gm_yaml_node *node);
int gm_policies_read_maintenance(struct gm_policy_loader *loader, const struct gm_yaml_node *node);

/* policies_vnfs.c: which VNF a guest is. */
int gm_policies_read_vnfs(struct gm_policy_loader *loader, const struct gm_yaml_node *node);

#endif
