/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration as text, from the option tables: the effective values, the commented sample and
 * the options' part of the manual page. Called by the daemon's --check and by the style check that
 * keeps conf/ and the manual in step.
 */
#include "daemon/config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 96, VALUE = 1024 };

/* A double-quoted YAML scalar. */
static void print_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			fprintf(out, "\\x%02X", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

/* What a section is, and what a change of it takes. */
static const char *section_help(const struct gm_config_section *section, char *text, size_t size)
{
	snprintf(text, size, "%s%s", section->help,
		 section->fixed ? " A change needs a restart of the daemon." : "");
	return text;
}

static void print_value(FILE *out, const struct gm_option *option, const char *text)
{
	if (option->type == GM_OPTION_TEXT)
		print_quoted(out, text);
	else
		fputs(text, out);
}

void gm_config_print(struct gm_config *config, FILE *out)
{
	struct gm_config_section section;
	char text[VALUE];

	for (size_t i = 0; gm_config_section(config, i, &section); i++) {
		fprintf(out, "%s:\n", section.name);
		for (const struct gm_option *option = section.options; option->key; option++) {
			fprintf(out, "  %s: ", option->key);
			print_value(out, option,
				    gm_option_format(option, section.target, text, sizeof(text)));
			fputc('\n', out);
		}
	}
}

/* Comment lines of at most WIDTH columns. */
static void print_comment(FILE *out, const char *indent, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t length = strcspn(text, " ");

		if (column > 0 && column + 1 + length > WIDTH) {
			fputc('\n', out);
			column = 0;
		}
		if (column == 0)
			column = (size_t)fprintf(out, "%s#", indent);
		column += (size_t)fprintf(out, " %.*s", (int)length, text);
		text += length + strspn(text + length, " ");
	}
	fputc('\n', out);
}

void gm_config_sample(struct gm_config *defaults, FILE *out)
{
	struct gm_config_section section;
	char text[VALUE], allowed[VALUE / 2];

	print_comment(
		out, "",
		"Configuration of guestmond(8); guestmon.yaml(5) describes it. Every option is "
		"shown with its default; remove the '#' before a key to change it. Durations "
		"are written 10ms, 1.5s, 5m; sizes 64k, 1Gi; rates 10M, 2.5G.");
	for (size_t i = 0; gm_config_section(defaults, i, &section); i++) {
		fputc('\n', out);
		print_comment(out, "", section_help(&section, text, sizeof(text)));
		fprintf(out, "%s:\n", section.name);
		for (const struct gm_option *option = section.options; option->key; option++) {
			gm_option_describe(option, allowed, sizeof(allowed));
			snprintf(text, sizeof(text), "%s Allowed: %s.", option->help, allowed);
			print_comment(out, "  ", text);
			fprintf(out, "  #%s: ", option->key);
			gm_option_format(option, section.target, text, sizeof(text));
			print_value(out, option, text);
			fputc('\n', out);
		}
	}
}

/* Text for mdoc(7): no escape, no request at the start of a line, hyphens that can be copied. */
static void print_mdoc(FILE *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
	}
}

/* Each sentence begins on a line of its own, as mdoc wants it. */
static void print_sentences(FILE *out, const char *text)
{
	for (; *text; text++) {
		bool end = *text == '.' && text[1] == ' ' && isupper((unsigned char)text[2]);
		char one[2] = {*text, '\0'};

		if (end) {
			fputs(".\n", out);
			text++;
		} else if (*text == '.') {
			fputc('.', out);
		} else {
			print_mdoc(out, one);
		}
	}
	fputc('\n', out);
}

static void print_section(FILE *out, const char *name, const char *help,
			  const struct gm_option *options, const void *defaults)
{
	char text[VALUE], allowed[VALUE / 2];

	fprintf(out, ".Ss %s\n", name);
	print_sentences(out, help);
	fputs(".Bl -tag -width Ds\n", out);
	for (const struct gm_option *option = options; option && option->key; option++) {
		fputs(".It Cm ", out);
		print_mdoc(out, option->key);
		fputc('\n', out);
		print_sentences(out, option->help);
		fputs("Allowed: ", out);
		print_mdoc(out, gm_option_describe(option, allowed, sizeof(allowed)));
		fputs("; default: ", out);
		gm_option_format(option, defaults, text, sizeof(text));
		print_mdoc(out, text[0] ? text : "empty");
		fputs(".\n", out);
	}
	fputs(".El\n", out);
}

void gm_config_manual(struct gm_config *defaults, FILE *out)
{
	struct gm_config_section section;
	char help[VALUE];

	for (size_t i = 0; gm_config_section(defaults, i, &section); i++)
		print_section(out, section.name, section_help(&section, help, sizeof(help)),
			      section.options, section.target);
}

void gm_config_outputs_manual(FILE *out)
{
	struct gm_output_options common = {.enabled = false};

	gm_option_defaults(gm_output_option_table, &common);
	print_section(out, "Every output", "What each output has, beside its type.",
		      gm_output_option_table, &common);
	for (size_t i = 0; gm_output_types[i]; i++) {
		const struct gm_output_ops *ops = gm_output_types[i];
		void *defaults = calloc(1, ops->options_size ? ops->options_size : 1);

		if (!defaults)
			return;
		if (ops->options)
			gm_option_defaults(ops->options, defaults);
		print_section(out, ops->type, ops->help, ops->options, defaults);
		free(defaults);
	}
}
