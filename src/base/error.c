/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors as values; see error.h. Called by everything that reads input.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int gm_error_set(struct gm_error *err, int code, const char *format, ...)
{
	if (err) {
		va_list args;
		err->code = code;
		va_start(args, format);
		vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
	}
	return code;
}

int gm_error_prefix(struct gm_error *err, int code, const char *format, ...)
{
	if (err) {
		char text[GM_ERROR_TEXT];
		va_list args;
		err->code = code;
		va_start(args, format);
		int length = vsnprintf(text, sizeof(text), format, args);
		va_end(args);
		if (length >= 0 && (size_t)length < sizeof(text))
			snprintf(text + length, sizeof(text) - (size_t)length, ": %s", err->text);
		memcpy(err->text, text, sizeof(text));
	}
	return code;
}
