/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clouds.yaml: one cloud of it, with the keys that are of use here; all else in it is other programs'.
 * Anchors, aliases and merge keys are understood, because such files use them; see cloud.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "north/openstack/cloud.h"

enum { MERGES = 8 }; /* of mappings into each other: an alias may stand within what it names */

struct file {
	const char *path;
	yaml_document_t *document;
};

static yaml_node_t *node_at(const struct file *file, int index)
{
	return yaml_document_get_node(file->document, index);
}

static const char *scalar(const yaml_node_t *node)
{
	return node && node->type == YAML_SCALAR_NODE &&
			       strlen((const char *)node->data.scalar.value) ==
				       node->data.scalar.length
		       ? (const char *)node->data.scalar.value
		       : NULL;
}

/* The member's value, in what is merged in, too; NULL: there is none. */
static yaml_node_t *member(const struct file *file, const yaml_node_t *mapping, const char *key,
			   int merges)
{
	yaml_node_t *merged = NULL;

	if (!mapping || mapping->type != YAML_MAPPING_NODE || merges < 0)
		return NULL;
	for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	     pair < mapping->data.mapping.pairs.top; pair++) {
		const char *name = scalar(node_at(file, pair->key));

		if (name && strcmp(name, key) == 0)
			return node_at(file, pair->value);
		if (name && strcmp(name, "<<") == 0)
			merged = node_at(file, pair->value);
	}
	return member(file, merged, key, merges - 1);
}

static int refuse(const struct file *file, const yaml_node_t *node, struct gm_error *err,
		  const char *what)
{
	return gm_error_set(err, -EINVAL, "%s:%zu: %s", file->path, node->start_mark.line + 1,
			    what);
}

static bool is_empty(const yaml_node_t *node)
{
	const char *text = scalar(node);

	return !node || (text && (text[0] == '\0' || strcmp(text, "~") == 0 ||
				  (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
				   strcmp(text, "null") == 0)));
}

static int take(const struct file *file, const yaml_node_t *mapping,
		const struct gm_cloud_field *field, struct gm_cloud *cloud, struct gm_error *err)
{
	const yaml_node_t *value = member(file, mapping, field->key, MERGES);
	int rc;

	if (is_empty(value))
		return 0;
	if (!scalar(value)) {
		char what[96];

		snprintf(what, sizeof(what), "%s is not one line of text", field->key);
		return refuse(file, value, err, what);
	}
	rc = gm_cloud_set(cloud, field, scalar(value), err);
	return rc < 0 ? gm_error_prefix(err, rc, "%s:%zu", file->path, value->start_mark.line + 1)
		      : 0;
}

static int read_cloud(const struct file *file, const yaml_node_t *node, struct gm_cloud *cloud,
		      struct gm_error *err)
{
	const yaml_node_t *auth = member(file, node, "auth", MERGES);
	const yaml_node_t *verify = member(file, node, "verify", MERGES);

	if (node->type != YAML_MAPPING_NODE)
		return refuse(file, node, err, "the cloud is not a mapping");
	if (!is_empty(auth) && auth->type != YAML_MAPPING_NODE)
		return refuse(file, auth, err, "auth is not a mapping");
	if (scalar(verify) &&
	    (strcasecmp(scalar(verify), "false") == 0 || strcasecmp(scalar(verify), "no") == 0))
		return refuse(file, verify, err,
			      "certificates are always verified: name the authority by cacert");
	for (const struct gm_cloud_field *field = gm_cloud_fields; field->key; field++) {
		int rc = take(file, field->in_auth ? auth : node, field, cloud, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int find_cloud(const struct file *file, const char *name, struct gm_cloud *cloud,
		      struct gm_error *err)
{
	const yaml_node_t *root = yaml_document_get_root_node(file->document);
	const yaml_node_t *clouds = member(file, root, "clouds", MERGES);
	const yaml_node_t *node = member(file, clouds, name, 0);

	if (!clouds || clouds->type != YAML_MAPPING_NODE)
		return gm_error_set(err, -ENOENT, "%s: there is no mapping \"clouds\" in it",
				    file->path);
	if (!node)
		return gm_error_set(err, -ENOENT, "%s: it has no cloud of the name that is wanted",
				    file->path);
	return read_cloud(file, node, cloud, err);
}

int gm_clouds_parse(const char *path, const char *text, size_t length, const char *name,
		    struct gm_cloud *cloud, struct gm_error *err)
{
	yaml_parser_t parser;
	yaml_document_t document;
	struct file file = {path, &document};
	int rc;

	if (!yaml_parser_initialize(&parser))
		return gm_error_set(err, -ENOMEM, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	if (!yaml_parser_load(&parser, &document)) {
		rc = gm_error_set(err, -EINVAL, "%s:%zu: %s", path, parser.problem_mark.line + 1,
				  parser.problem ? parser.problem : "not YAML");
		yaml_parser_delete(&parser);
		return rc;
	}
	rc = find_cloud(&file, name, cloud, err);
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
	return rc;
}
