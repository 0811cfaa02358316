/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text from strangers. Names of guests, devices and tenants come from outside and may hold anything:
 * quotes, line ends, broken UTF-8, ten thousand characters.
 */
#ifndef GM_BASE_TEXT_H
#define GM_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies `source` (NULL counts as empty) into `target` as valid UTF-8: a malformed byte becomes
 * U+FFFD, a character that does not fit whole is left out, the result is terminated. Returns the
 * length written. `size` > 0.
 */
size_t gm_text_copy(char *target, size_t size, const char *source);

/* As gm_text_copy(), with "…" at the end of what does not fit. `size` > 3. */
void gm_text_shorten(char *target, size_t size, const char *source);

/*
 * As gm_text_copy(), for one line of a log or a terminal: control characters, the C1 block and the
 * backslash become \n, \t, \\ or \xHH, what turns the direction of text or ends a line \uHHHH, and
 * the whole stands in double quotes (inner ones escaped).
 */
size_t gm_text_quote(char *target, size_t size, const char *source);

/* What a hexadecimal digit of either case stands for; -1: it is none. */
int gm_text_hex(char digit);

/*
 * A finite decimal number at the beginning of `text`: where it ends, or NULL when there is none. strtod()
 * alone would take leading blanks, hexadecimal and names of infinities, too.
 */
const char *gm_text_number(const char *text, double *ret_number);

/* True when `text` is valid UTF-8. */
bool gm_text_is_utf8(const char *text);

/*
 * Shell-like match of the whole `text`: `*` any run, `?` any one character. `patterns` is a list
 * separated by commas (spaces around them ignored); an item that starts with `!` excludes. The last
 * item that matches decides; an empty list matches nothing.
 */
bool gm_text_match(const char *patterns, const char *text);

#endif
