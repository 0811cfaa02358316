/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters by descriptor and product; see vnf.h. Called by subscription.c, and by what reads policy files.
 */
#include "north/api/vnf.h"

#include <errno.h>
#include <string.h>

const struct gm_option gm_vnf_option_table[] = {
	{.key = "vnfd-id",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_vnf, vnfd_id),
	 .help = "The descriptor (vnfdId)."},
	{.key = "provider",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_vnf, provider),
	 .help = "Who makes it (vnfProvider)."},
	{.key = "product",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_vnf, product),
	 .help = "What it is (vnfProductName)."},
	{.key = "software-version",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_vnf, software_version),
	 .help = "Its version (vnfSoftwareVersion)."},
	{.key = "vnfd-version",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_vnf, vnfd_version),
	 .help = "That of its descriptor (vnfdVersion)."},
	GM_OPTION_END,
};

const char *gm_vnf_breach(const struct gm_vnf *vnf)
{
	if (vnf->vnfd_id[0] == '\0' && vnf->provider[0] == '\0')
		return "vnfd-id or provider is missing";
	if (vnf->product[0] != '\0' && vnf->provider[0] == '\0')
		return "a product needs its provider";
	if (vnf->software_version[0] != '\0' && vnf->product[0] == '\0')
		return "a software-version needs its product";
	if (vnf->vnfd_version[0] != '\0' && vnf->software_version[0] == '\0')
		return "a vnfd-version needs its software-version";
	return NULL;
}

/* ---- what a filter may be ---- */

/* An array, or absent, which null is, too; each element is held against `check`. */
static bool is_list(const struct gm_json *list, bool (*check)(const struct gm_json *element))
{
	for (size_t i = 0; i < gm_json_size(list); i++) {
		if (!check(gm_json_at(list, i)))
			return false;
	}
	return !list || gm_json_is_array(list) || gm_json_is_null(list);
}

static bool is_text(const struct gm_json *value)
{
	return gm_json_value_text(value) != NULL;
}

static bool is_version(const struct gm_json *value)
{
	return gm_json_get_text(value, "vnfSoftwareVersion") &&
	       is_list(gm_json_get(value, "vnfdVersions"), is_text);
}

static bool is_product(const struct gm_json *value)
{
	return gm_json_get_text(value, "vnfProductName") &&
	       is_list(gm_json_get(value, "versions"), is_version);
}

static bool is_provider(const struct gm_json *value)
{
	return gm_json_get_text(value, "vnfProvider") &&
	       is_list(gm_json_get(value, "vnfProducts"), is_product);
}

int gm_vnf_check_filter(const struct gm_json *instances, struct gm_error *err)
{
	if (!is_list(gm_json_get(instances, "vnfdIds"), is_text))
		return gm_error_set(err, -EINVAL, "filter: vnfdIds is a list of texts");
	if (!is_list(gm_json_get(instances, "vnfProductsFromProviders"), is_provider))
		return gm_error_set(
			err, -EINVAL,
			"filter: vnfProductsFromProviders is a list of {vnfProvider, vnfProducts: "
			"[{vnfProductName, versions: [{vnfSoftwareVersion, vnfdVersions: "
			"[..]}]}]}");
	return 0;
}

void gm_vnf_mend_filter(struct gm_json *instances)
{
	struct gm_error err;

	if (gm_vnf_check_filter(instances, &err) == 0)
		return;
	gm_json_set(instances, "vnfdIds", gm_json_array());
	gm_json_set(instances, "vnfProductsFromProviders", gm_json_array());
}

bool gm_vnf_is_asked_for(const struct gm_json *instances)
{
	return gm_json_size(gm_json_get(instances, "vnfdIds")) > 0 ||
	       gm_json_size(gm_json_get(instances, "vnfProductsFromProviders")) > 0;
}

/* ---- what it selects ---- */

/* Some element fits, or there is none. */
static bool selects(const struct gm_json *list, const struct gm_vnf *vnf,
		    bool (*fits)(const struct gm_json *element, const struct gm_vnf *vnf))
{
	size_t count = gm_json_size(list);

	for (size_t i = 0; i < count; i++) {
		if (fits(gm_json_at(list, i), vnf))
			return true;
	}
	return count == 0;
}

static bool is(const char *wanted, const char *known)
{
	return known[0] != '\0' && strcmp(wanted, known) == 0;
}

static bool fits_vnfd(const struct gm_json *id, const struct gm_vnf *vnf)
{
	return is(gm_json_value_text(id), vnf->vnfd_id);
}

static bool fits_vnfd_version(const struct gm_json *version, const struct gm_vnf *vnf)
{
	return is(gm_json_value_text(version), vnf->vnfd_version);
}

static bool fits_version(const struct gm_json *version, const struct gm_vnf *vnf)
{
	return is(gm_json_get_text(version, "vnfSoftwareVersion"), vnf->software_version) &&
	       selects(gm_json_get(version, "vnfdVersions"), vnf, fits_vnfd_version);
}

static bool fits_product(const struct gm_json *product, const struct gm_vnf *vnf)
{
	return is(gm_json_get_text(product, "vnfProductName"), vnf->product) &&
	       selects(gm_json_get(product, "versions"), vnf, fits_version);
}

static bool fits_provider(const struct gm_json *provider, const struct gm_vnf *vnf)
{
	return is(gm_json_get_text(provider, "vnfProvider"), vnf->provider) &&
	       selects(gm_json_get(provider, "vnfProducts"), vnf, fits_product);
}

bool gm_vnf_is_selected(const struct gm_json *instances, const struct gm_vnf *vnf)
{
	return selects(gm_json_get(instances, "vnfdIds"), vnf, fits_vnfd) &&
	       selects(gm_json_get(instances, "vnfProductsFromProviders"), vnf, fits_provider);
}
