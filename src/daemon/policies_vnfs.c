/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section `vnfs` of policy files: which descriptor and product a guest belongs to; see policies.h. Nova does not
 * tell the hypervisor what an orchestrator has told Nova, so somebody has to say it here.
 */
#include <string.h>

#include "base/text.h"
#include "daemon/policies_private.h"

static int read_match(struct gm_policy_loader *loader, const struct gm_yaml_node *key,
		      const struct gm_yaml_node *value, struct gm_match *match)
{
	int result = gm_policies_match(loader, value, match);

	if (result == 0 && (match->entities != 0 || match->flavor[0] != '\0'))
		return gm_policies_refuse(loader, key,
					  "a guest is found by name, uuid and project here: of one "
					  "that is gone no more is known");
	return result;
}

static int read_text(struct gm_policy_loader *loader, const struct gm_yaml_node *key,
		     const struct gm_yaml_node *value, struct gm_vnf *vnf)
{
	const char *name = gm_yaml_text(key), *text = gm_yaml_text(value);
	struct gm_error why;

	if (!gm_option_find(gm_vnf_option_table, name))
		return gm_policies_unknown_key(loader, key,
					       "match, vnfd-id, provider, product, "
					       "software-version, vnfd-version");
	if (!text || text[0] == '\0')
		return gm_policies_refuse(loader, value, "a text is expected");
	if (gm_option_set(gm_vnf_option_table, vnf, name, text, &why) < 0)
		return gm_yaml_refuse(loader->yaml, value, loader->err, "%s", why.text);
	return 0;
}

static int read_vnf(struct gm_policy_loader *loader, const struct gm_yaml_node *node)
{
	struct gm_vnf_rule rule = {.match.entities = 0};
	const struct gm_yaml_node *key, *value;
	bool matched = false;

	if (!gm_yaml_is_mapping(node))
		return gm_policies_refuse(loader, node,
					  "a VNF holds keys: `match` and what its guests are");
	for (size_t i = 0; gm_yaml_member(loader->yaml, node, i, &key, &value); i++) {
		bool match = strcmp(gm_yaml_text(key), "match") == 0;
		int result = match ? read_match(loader, key, value, &rule.match)
				   : read_text(loader, key, value, &rule.vnf);

		if (result < 0)
			return result;
		matched |= match;
	}
	const char *breach = matched ? gm_vnf_breach(&rule.vnf) : "a VNF needs a match";
	if (breach)
		return gm_policies_refuse(loader, node, breach);
	int result = gm_handling_add_vnf(loader->handling, &rule);
	return result < 0 ? gm_policies_failed(loader, node, result) : 0;
}

int gm_policies_read_vnfs(struct gm_policy_loader *loader, const struct gm_yaml_node *node)
{
	return gm_policies_list(loader, node, read_vnf);
}
