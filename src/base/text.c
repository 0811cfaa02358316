/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text from strangers made safe; see text.h. UTF-8 after RFC 3629: no overlong forms, no surrogates,
 * nothing above U+10FFFF.
 */
#include "base/text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* Length of the well-formed character at `text`, 0 when it is malformed. */
static size_t character_length(const unsigned char *text)
{
	static const struct {
		unsigned char first_min, first_max, second_min, second_max;
		size_t length;
	} forms[] = {
		/* RFC 3629, section 4 */
		{0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
		{0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
		{0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
		{0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
	};

	if (text[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (text[0] < forms[i].first_min || text[0] > forms[i].first_max)
			continue;
		if (text[1] < forms[i].second_min || text[1] > forms[i].second_max)
			return 0;
		for (size_t j = 2; j < forms[i].length; j++)
			if (text[j] < 0x80 || text[j] > 0xBF)
				return 0;
		return forms[i].length;
	}
	return 0;
}

int gm_text_hex(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit |= 0x20; /* to the lower case */
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

const char *gm_text_number(const char *text, double *ret_number)
{
	size_t most = strspn(text, "+-.0123456789eE");
	char *end;
	double number = strtod(text, &end);
	if (most == 0 || end == text || (size_t)(end - text) > most || !isfinite(number))
		return NULL;
	*ret_number = number;
	return end;
}

bool gm_text_is_utf8(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
		size_t length = character_length(at);
		if (length == 0)
			return false;
		at += length;
	}
	return true;
}

size_t gm_text_copy(char *target, size_t size, const char *source)
{
	size_t used = 0;
	const unsigned char *at = (const unsigned char *)(source ? source : "");
	while (*at != '\0') {
		size_t length = character_length(at);
		const char *piece = length ? (const char *)at : replacement;
		size_t piece_length = length ? length : sizeof(replacement) - 1;
		if (used + piece_length >= size)
			break;
		memcpy(target + used, piece, piece_length);
		used += piece_length;
		at += length ? length : 1;
	}
	target[used] = '\0';
	return used;
}

void gm_text_shorten(char *target, size_t size, const char *source)
{
	static const char ellipsis[] = "\xE2\x80\xA6"; /* U+2026 */
	if (!source || strlen(source) < size) {
		gm_text_copy(target, size, source);
		return;
	}
	size_t used = gm_text_copy(target, size - (sizeof(ellipsis) - 1), source);
	memcpy(target + used, ellipsis, sizeof(ellipsis));
}

/*
 * Characters that turn the direction of what follows, or end the line, in text that is shown: of
 * Unicode's Bidi_Control and its line and paragraph separators, the number; 0 for any other.
 */
static unsigned steering_number(const unsigned char *at, size_t length)
{
	if (length == 2 && at[0] == 0xD8 && at[1] == 0x9C)
		return 0x061C;
	if (length != 3 || at[0] != 0xE2 || (at[1] != 0x80 && at[1] != 0x81))
		return 0;
	unsigned number = 0x2000U | (at[1] & 0x3FU) << 6 | (at[2] & 0x3FU);
	bool steers = number == 0x200E || number == 0x200F ||
		      (number >= 0x2028 && number <= 0x202E) ||
		      (number >= 0x2066 && number <= 0x2069);
	return steers ? number : 0;
}

/* The escaped form of the character at `at` in `piece`; returns its length. */
static size_t quote_character(const unsigned char *at, size_t length, char piece[8])
{
	static const char escaped[] = "\n\t\r\\\"", letters[] = "ntr\\\"";
	const char *found = length == 1 ? strchr(escaped, (char)*at) : NULL;
	if (found && *found != '\0')
		return (size_t)snprintf(piece, 8, "\\%c", letters[found - escaped]);
	/* C0, DEL and the C1 block (U+0080 to U+009F is C2 80 to C2 9F) steer terminals. */
	if (length == 1 && (*at < 0x20 || *at == 0x7F))
		return (size_t)snprintf(piece, 8, "\\x%02X", *at);
	if (length == 2 && at[0] == 0xC2 && at[1] < 0xA0)
		return (size_t)snprintf(piece, 8, "\\x%02X", at[1]);
	unsigned number = steering_number(at, length);
	if (number != 0)
		return (size_t)snprintf(piece, 8, "\\u%04X", number);
	memcpy(piece, length ? (const char *)at : replacement, length ? length : 3);
	return length ? length : 3;
}

size_t gm_text_quote(char *target, size_t size, const char *source)
{
	if (size < 3) {
		target[0] = '\0';
		return 0;
	}
	size_t used = 0;
	target[used++] = '"';
	for (const unsigned char *at = (const unsigned char *)(source ? source : "");
	     *at != '\0';) {
		size_t length = character_length(at);
		char piece[8];
		size_t piece_length = quote_character(at, length, piece);
		if (used + piece_length + 2 > size)
			break;
		memcpy(target + used, piece, piece_length);
		used += piece_length;
		at += length ? length : 1;
	}
	target[used++] = '"';
	target[used] = '\0';
	return used;
}

/* Iterative, so that a hostile pattern of many stars costs at most pattern × text steps. */
static bool match_one(const char *pattern, size_t length, const char *text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
	while (text[t] != '\0') {
		if (p < length && pattern[p] == '*') {
			star = p++;
			mark = t;
		} else if (p < length && (pattern[p] == '?' || pattern[p] == text[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < length && pattern[p] == '*')
		p++;
	return p == length;
}

bool gm_text_match(const char *patterns, const char *text)
{
	bool matched = false;
	for (const char *at = patterns; *at != '\0';) {
		at += strspn(at, " ,");
		size_t length = strcspn(at, ",");
		const char *next = at + length;
		while (length > 0 && at[length - 1] == ' ')
			length--;
		bool negative = length > 0 && *at == '!';
		if (length > 0 && match_one(at + negative, length - negative, text))
			matched = !negative;
		at = next;
	}
	return matched;
}
