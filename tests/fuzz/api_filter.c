/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter, and behind a line end the JSON that it is held against: any bytes of both. What is refused has
 * to say why; what is accepted selects an object or its opposite does, never both.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "north/api/filter.h"

static void require(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gm_filter *filter;
	struct gm_json *object = NULL;
	struct gm_error err = {.text = ""};
	const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t length = line ? (size_t)(line - data) : size;
	char *text = strndup((const char *)data, length);
	if (!text)
		return 0;
	if (line)
		gm_json_parse((const char *)line + 1, size - length - 1, &object, NULL);
	if (gm_filter_parse(text, &filter, &err) == 0) {
		bool matched = gm_filter_matches(filter, object);
		if (strncmp(text, "(eq,", 4) == 0 && !strchr(text, ';')) {
			struct gm_filter *opposite;
			char *other = malloc(length + 2);
			require(other != NULL);
			memcpy(other, "(neq,", 5);
			memcpy(other + 5, text + 4, strlen(text + 4) + 1);
			if (gm_filter_parse(other, &opposite, NULL) == 0) {
				require(gm_filter_matches(opposite, object) != matched);
				gm_filter_free(opposite);
			}
			free(other);
		}
		gm_filter_free(filter);
	} else {
		require(err.text[0] != '\0');
	}
	gm_json_free(object);
	free(text);
	return 0;
}
