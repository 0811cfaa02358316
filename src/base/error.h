/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An error as a value: a code for the program and one sentence for the reader.
 *
 * A function that can fail because of its input (a file, a message, an option) takes a
 * `struct gm_error *` last, fills it and returns a negative errno. It does not log: whoever decides
 * what the failure means logs it, once. The pointer may be NULL where nobody wants the sentence.
 */
#ifndef GM_BASE_ERROR_H
#define GM_BASE_ERROR_H

enum { GM_ERROR_TEXT = 512 };

struct gm_error {
	char text[GM_ERROR_TEXT]; /* UTF-8, always terminated; empty when nothing was set */
	int code;                 /* the negative errno that was set last */
};

/* Keeps `code`, a negative errno (0: none), with the sentence (cut to fit, earlier text replaced); returns it. */
int gm_error_set(struct gm_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "PREFIX: " before the sentence that is there already; returns `code`. */
int gm_error_prefix(struct gm_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
