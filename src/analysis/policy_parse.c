/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a condition's text to its program: a lexer and a parser by recursive descent, which knows of each
 * part whether it is a number or a condition. The text is an operator's: a mistake is told with its
 * place, and depth and length are bounded.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/policy_program.h"
#include "base/clock.h"
#include "base/option.h"
#include "base/text.h"
#include "model/metric.h"

enum token { TOKEN_END, TOKEN_NUMBER, TOKEN_NAME, TOKEN_SIGN, TOKEN_OTHER };

/* What a part of the text is. ERROR: it is wrong, and `err` says so. */
enum type { TYPE_ERROR, TYPE_NUMBER, TYPE_CONDITION };

enum { WORD = 64 };

struct parser {
	const char *text;
	size_t at;  /* where the present token begins */
	size_t end; /* and where it ends */
	enum token token;
	char word[WORD]; /* the present token */
	unsigned depth;
	struct gm_policy_program *program;
	struct gm_policy_place *place;
	struct gm_error *err;
};

static enum type parse_or(struct parser *parser);

static enum type refuse_at(struct parser *parser, size_t at, const char *what)
{
	struct gm_policy_place place = {.at = at, .line = 1, .column = 1};

	for (size_t i = 0; i < at; i++) {
		if (parser->text[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (((unsigned char)parser->text[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	*parser->place = place;
	gm_error_set(parser->err, -EINVAL, "%s", what);
	return TYPE_ERROR;
}

static enum type refuse(struct parser *parser, const char *what)
{
	return refuse_at(parser, parser->at, what);
}

/* "`and` stands where a number is expected": what is wanted, and what is there. */
static enum type refuse_token(struct parser *parser, const char *wanted)
{
	char message[256], quoted[4 * WORD];

	if (parser->token == TOKEN_END) {
		snprintf(message, sizeof(message), "the condition ends where %s is expected",
			 wanted);
	} else {
		gm_text_quote(quoted, sizeof(quoted), parser->word);
		snprintf(message, sizeof(message), "%s stands where %s is expected", quoted,
			 wanted);
	}
	return refuse(parser, message);
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '.' || c == '_' || c == '-';
}

/* The length of a number with its unit; a sign belongs to it only within an exponent. */
static size_t number_length(const char *text)
{
	size_t length = 0;

	while (isalnum((unsigned char)text[length]) || text[length] == '.' ||
	       ((text[length] == '+' || text[length] == '-') && length > 1 &&
		(text[length - 1] == 'e' || text[length - 1] == 'E') &&
		isdigit((unsigned char)text[length - 2])))
		length++;
	return length + (text[length] == '%');
}

static size_t sign_length(const char *text)
{
	static const char *const signs[] = {"<=", ">=", "==", "!=", "<", ">", "+",
					    "-",  "*",  "/",  "(",  ")", ","};
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (strncmp(text, signs[i], strlen(signs[i])) == 0)
			return strlen(signs[i]);
	}
	return 0;
}

/* A character that begins nothing, whole: for the message. */
static size_t character_length(const char *text)
{
	size_t length = 1;

	while (((unsigned char)text[length] & 0xc0) == 0x80)
		length++;
	return length;
}

static void advance(struct parser *parser)
{
	parser->at = parser->end + strspn(parser->text + parser->end, " \t\r\n");
	const char *text = parser->text + parser->at;
	size_t length = 0;

	if (*text == '\0') {
		parser->token = TOKEN_END;
	} else if (isdigit((unsigned char)*text) ||
		   (*text == '.' && isdigit((unsigned char)text[1]))) {
		parser->token = TOKEN_NUMBER;
		length = number_length(text);
	} else if (isalpha((unsigned char)*text)) {
		parser->token = TOKEN_NAME;
		while (is_name(text[length]))
			length++;
	} else if ((length = sign_length(text)) > 0) {
		parser->token = TOKEN_SIGN;
	} else {
		parser->token = TOKEN_OTHER;
		length = character_length(text);
	}
	parser->end = parser->at + length;
	snprintf(parser->word, sizeof(parser->word), "%.*s", (int)length, text);
}

/* A word longer than any that means something. */
static bool is_cut(const struct parser *parser)
{
	return parser->end - parser->at >= WORD;
}

static bool is(const struct parser *parser, const char *word)
{
	return (parser->token == TOKEN_SIGN || parser->token == TOKEN_NAME) &&
	       strcmp(parser->word, word) == 0;
}

static bool emit(struct parser *parser, struct gm_policy_step step)
{
	struct gm_policy_program *program = parser->program;

	if (program->step_count == GM_POLICY_STEPS) {
		refuse(parser, "the condition is too long");
		return false;
	}
	program->steps[program->step_count++] = step;
	return true;
}

/* ---- numbers and durations: the option tables know how they are written ---- */

struct literal {
	double number;
	int64_t duration;
};

static const struct gm_option literals[] = {
	{.key = "number", .type = GM_OPTION_LIMIT, GM_OPTION_AT(struct literal, number)},
	{.key = "duration",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct literal, duration),
	 .min = 10e6,
	 .max = GM_POLICY_WINDOW_H * 3600e9},
	GM_OPTION_END,
};

static bool read_number(struct parser *parser, double *ret_number)
{
	struct literal literal;
	size_t length = strlen(parser->word);
	bool percent = length > 0 && parser->word[length - 1] == '%';

	if (percent)
		parser->word[length - 1] = '\0';
	if (parser->token != TOKEN_NUMBER || is_cut(parser) ||
	    gm_option_set(literals, &literal, "number", parser->word, NULL) < 0) {
		if (percent)
			parser->word[length - 1] = '%';
		refuse_token(parser, "a number, such as 0.9, 64k, 2Gi or 90%,");
		return false;
	}
	*ret_number = percent ? literal.number / 100 : literal.number;
	return true;
}

static bool read_window(struct parser *parser, int64_t *ret_window)
{
	struct literal literal;
	bool bare = strspn(parser->word, "0123456789.") == strlen(parser->word);

	if (parser->token != TOKEN_NUMBER || is_cut(parser) || bare ||
	    gm_option_set(literals, &literal, "duration", parser->word, NULL) < 0) {
		refuse_token(parser, "a window from 10ms to 24h, such as 500ms, 30s or 5m,");
		return false;
	}
	*ret_window = literal.duration;
	return true;
}

/* ---- series ---- */

static bool read_metric(struct parser *parser, unsigned *ret_metric)
{
	char message[256], quoted[4 * WORD];

	if (parser->token != TOKEN_NAME) {
		refuse_token(parser, "the name of a metric");
		return false;
	}
	*ret_metric =
		parser->end - parser->at < WORD ? gm_policy_metric(parser->word) : GM_METRIC_NONE;
	if (*ret_metric != GM_METRIC_NONE)
		return true;
	gm_text_quote(quoted, sizeof(quoted), parser->word);
	snprintf(message, sizeof(message), "there is no metric %s%s", quoted,
		 strchr(parser->word, '-') ? " (a minus sign needs a space before it)" : "");
	refuse(parser, message);
	return false;
}

static bool is_same(const struct gm_policy_series *a, const struct gm_policy_series *b)
{
	return a->metric == b->metric && a->function == b->function &&
	       a->percentile == b->percentile && a->window == b->window;
}

static enum type read_series(struct parser *parser, const struct gm_policy_series *series)
{
	struct gm_policy_program *program = parser->program;
	size_t i = 0;

	while (i < program->series_count && !is_same(&program->series[i], series))
		i++;
	if (i == GM_POLICY_SERIES)
		return refuse(parser, "the condition reads more than 16 different series");
	program->series[i] = *series;
	if (i == program->series_count)
		program->series_count++;
	return emit(parser, (struct gm_policy_step){.op = GM_POLICY_READ, .series = i})
		       ? TYPE_NUMBER
		       : TYPE_ERROR;
}

/* "p95", "p99": the number, else 0. */
static int percentile_of(const char *word)
{
	size_t digits = strspn(word + (word[0] != '\0'), "0123456789");

	if (word[0] != 'p' || digits == 0 || digits > 2 || word[1 + digits] != '\0')
		return 0;
	return (int)strtol(word + 1, NULL, 10);
}

static bool find_function(const char *word, struct gm_policy_series *ret_series)
{
	static const struct {
		const char *name;
		enum gm_function function;
	} functions[] = {
		{"avg", GM_FUNCTION_AVG},
		{"min", GM_FUNCTION_MIN},
		{"max", GM_FUNCTION_MAX},
		{"rate", GM_FUNCTION_RATE},
		{"percentile", GM_FUNCTION_PERCENTILE},
	};
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (strcmp(functions[i].name, word) == 0) {
			ret_series->function = functions[i].function;
			return true;
		}
	}
	ret_series->percentile = percentile_of(word);
	ret_series->function = GM_FUNCTION_PERCENTILE;
	return ret_series->percentile > 0;
}

static bool expect(struct parser *parser, const char *sign, const char *wanted)
{
	if (!is(parser, sign)) {
		refuse_token(parser, wanted);
		return false;
	}
	advance(parser);
	return true;
}

/* What stands between the parentheses of a function; the token after its name is the present one. */
static enum type parse_call(struct parser *parser, struct gm_policy_series *series)
{
	bool numbered = series->function == GM_FUNCTION_PERCENTILE && series->percentile == 0;

	advance(parser);
	if (!read_metric(parser, &series->metric))
		return TYPE_ERROR;
	advance(parser);
	if (!expect(parser, ",", "a comma and a window") || !read_window(parser, &series->window))
		return TYPE_ERROR;
	advance(parser);
	if (numbered) {
		if (!expect(parser, ",", "a comma and the percentile, 1 to 99,") ||
		    !read_number(parser, &series->percentile))
			return TYPE_ERROR;
		if (series->percentile < 1 || series->percentile > 99)
			return refuse_token(parser, "a percentile from 1 to 99");
		advance(parser);
	}
	if (!is(parser, ")"))
		return refuse_token(parser, "a closing parenthesis");
	enum type type = read_series(parser, series);
	advance(parser);
	return type;
}

static bool is_word(const char *word)
{
	return strcmp(word, "and") == 0 || strcmp(word, "or") == 0 || strcmp(word, "not") == 0;
}

static enum type parse_name(struct parser *parser)
{
	struct gm_policy_series series = {.function = GM_FUNCTION_VALUE};
	struct parser ahead = *parser;
	char message[256], quoted[4 * WORD];

	if (is_word(parser->word))
		return refuse_token(parser, "a number, a metric or a function");
	advance(&ahead);
	if (is(&ahead, "(")) {
		if (find_function(parser->word, &series)) {
			advance(parser);
			return parse_call(parser, &series);
		}
		gm_text_quote(quoted, sizeof(quoted), parser->word);
		snprintf(message, sizeof(message),
			 "there is no function %s; there are avg, min, max, rate, p1 … p99 and "
			 "percentile",
			 quoted);
		return refuse(parser, message);
	}
	if (!read_metric(parser, &series.metric))
		return TYPE_ERROR;
	enum type type = read_series(parser, &series);
	advance(parser);
	return type;
}

/* ---- the grammar, from the inside to the outside ---- */

static bool enter(struct parser *parser)
{
	if (++parser->depth > GM_POLICY_DEPTH) {
		refuse(parser, "the condition is nested too deeply");
		return false;
	}
	return true;
}

static enum type parse_group(struct parser *parser)
{
	if (!enter(parser))
		return TYPE_ERROR;
	advance(parser);
	enum type type = parse_or(parser);
	if (type == TYPE_ERROR)
		return TYPE_ERROR;
	if (!expect(parser, ")", "a closing parenthesis"))
		return TYPE_ERROR;
	parser->depth--;
	return type;
}

static enum type parse_primary(struct parser *parser)
{
	double number;

	if (is(parser, "("))
		return parse_group(parser);
	if (parser->token == TOKEN_NAME)
		return parse_name(parser);
	if (parser->token != TOKEN_NUMBER)
		return refuse_token(parser, "a number, a metric or a function");
	if (!read_number(parser, &number) ||
	    !emit(parser, (struct gm_policy_step){.op = GM_POLICY_NUMBER, .number = number}))
		return TYPE_ERROR;
	advance(parser);
	return TYPE_NUMBER;
}

/* An operand that began at `at` and has to be of `wanted`. */
static enum type must_be(struct parser *parser, size_t at, enum type type, enum type wanted)
{
	if (type == TYPE_ERROR || type == wanted)
		return type;
	return refuse_at(
		parser, at,
		wanted == TYPE_NUMBER
			? "a condition stands where a number is expected"
			: "a number stands where a condition is expected, such as a comparison");
}

/* `-x` or `not x`: one word before an operand of its own kind. */
static enum type parse_prefix(struct parser *parser, enum gm_policy_op op, enum type wanted,
			      enum type (*parse)(struct parser *parser))
{
	if (!enter(parser))
		return TYPE_ERROR;
	advance(parser);
	size_t at = parser->at;
	enum type type = must_be(parser, at, parse(parser), wanted);
	if (type == TYPE_ERROR || !emit(parser, (struct gm_policy_step){.op = op}))
		return TYPE_ERROR;
	parser->depth--;
	return type;
}

static enum type parse_factor(struct parser *parser)
{
	if (is(parser, "-"))
		return parse_prefix(parser, GM_POLICY_NEGATE, TYPE_NUMBER, parse_factor);
	return parse_primary(parser);
}

struct symbol {
	const char *word;
	enum gm_policy_op op;
};

static const struct symbol *find_symbol(const struct parser *parser, const struct symbol *symbols)
{
	for (; symbols->word; symbols++) {
		if (is(parser, symbols->word))
			return symbols;
	}
	return NULL;
}

/* One level of symbols: operands of `wanted`, at most `most` symbols in a row, giving `result`. */
static enum type parse_level(struct parser *parser, const struct symbol *symbols, enum type wanted,
			     enum type result, unsigned most,
			     enum type (*operand)(struct parser *parser))
{
	size_t at = parser->at;
	enum type type = operand(parser);
	const struct symbol *found;

	while (type != TYPE_ERROR && most-- > 0 && (found = find_symbol(parser, symbols))) {
		if (must_be(parser, at, type, wanted) == TYPE_ERROR)
			return TYPE_ERROR;
		advance(parser);
		at = parser->at;
		if (must_be(parser, at, operand(parser), wanted) == TYPE_ERROR ||
		    !emit(parser, (struct gm_policy_step){.op = found->op}))
			return TYPE_ERROR;
		type = result;
	}
	return type;
}

static enum type parse_term(struct parser *parser)
{
	static const struct symbol symbols[] = {
		{"*", GM_POLICY_MULTIPLY}, {"/", GM_POLICY_DIVIDE}, {NULL, 0}};

	return parse_level(parser, symbols, TYPE_NUMBER, TYPE_NUMBER, GM_POLICY_STEPS,
			   parse_factor);
}

static enum type parse_sum(struct parser *parser)
{
	static const struct symbol symbols[] = {
		{"+", GM_POLICY_ADD}, {"-", GM_POLICY_SUBTRACT}, {NULL, 0}};

	return parse_level(parser, symbols, TYPE_NUMBER, TYPE_NUMBER, GM_POLICY_STEPS, parse_term);
}

static enum type parse_comparison(struct parser *parser)
{
	static const struct symbol symbols[] = {{"<", GM_POLICY_LESS},
						{"<=", GM_POLICY_LESS_EQUAL},
						{">", GM_POLICY_GREATER},
						{">=", GM_POLICY_GREATER_EQUAL},
						{"==", GM_POLICY_EQUAL},
						{"!=", GM_POLICY_NOT_EQUAL},
						{NULL, 0}};

	enum type type = parse_level(parser, symbols, TYPE_NUMBER, TYPE_CONDITION, 1, parse_sum);
	if (type == TYPE_NUMBER && parser->token == TOKEN_OTHER && strcmp(parser->word, "=") == 0)
		return refuse(parser, "`=` compares nothing; `==` compares two numbers");
	return type;
}

static enum type parse_not(struct parser *parser)
{
	if (is(parser, "not"))
		return parse_prefix(parser, GM_POLICY_NOT, TYPE_CONDITION, parse_not);
	return parse_comparison(parser);
}

static enum type parse_and(struct parser *parser)
{
	static const struct symbol symbols[] = {{"and", GM_POLICY_AND}, {NULL, 0}};

	return parse_level(parser, symbols, TYPE_CONDITION, TYPE_CONDITION, GM_POLICY_STEPS,
			   parse_not);
}

static enum type parse_or(struct parser *parser)
{
	static const struct symbol symbols[] = {{"or", GM_POLICY_OR}, {NULL, 0}};

	return parse_level(parser, symbols, TYPE_CONDITION, TYPE_CONDITION, GM_POLICY_STEPS,
			   parse_and);
}

int gm_policy_compile(const char *text, struct gm_policy_program **ret_program,
		      struct gm_policy_place *ret_place, struct gm_error *err)
{
	struct gm_policy_place unused;
	struct parser parser = {.text = text, .place = ret_place ? ret_place : &unused, .err = err};

	parser.program = calloc(1, sizeof(*parser.program) +
					   GM_POLICY_STEPS * sizeof(struct gm_policy_step));
	if (!parser.program)
		return gm_error_set(err, -ENOMEM, "out of memory");
	advance(&parser);
	size_t begin = parser.at;
	enum type type = must_be(&parser, begin, parse_or(&parser), TYPE_CONDITION);
	if (type != TYPE_ERROR && parser.token != TOKEN_END)
		type = refuse_token(&parser, "`and`, `or` or the end of the condition");
	if (type != TYPE_ERROR && parser.program->series_count == 0)
		type = refuse_at(&parser, 0, "the condition names no metric");
	if (type == TYPE_ERROR) {
		free(parser.program);
		return -EINVAL;
	}
	size_t used = parser.program->step_count * sizeof(struct gm_policy_step);
	struct gm_policy_program *smaller = realloc(parser.program, sizeof(*smaller) + used);
	*ret_program = smaller ? smaller : parser.program;
	return 0;
}
