/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsers of /proc; see procfs.h. They do not use strtoull() and its kin, which want a NUL and look at
 * the locale. Called by the other files of source/host, and with any bytes by the tests.
 */
#include "source/host/procfs.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/text.h"

/* A run of text that is eaten from the front. */
struct cursor {
	const char *at, *end;
};

static struct cursor cursor_of(const char *text, size_t length)
{
	return (struct cursor){.at = text, .end = text + length};
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* The line at the cursor without its end; false when no finished line is left. */
static bool next_line(struct cursor *rest, struct cursor *ret_line)
{
	const char *end = NULL;

	if (rest->at < rest->end) {
		end = memchr(rest->at, '\n', (size_t)(rest->end - rest->at));
	}
	if (end == NULL) {
		return false;
	}
	*ret_line = (struct cursor){.at = rest->at, .end = end};
	rest->at = end + 1;
	return true;
}

static struct cursor next_word(struct cursor *line)
{
	struct cursor word;

	while (line->at < line->end && is_blank(*line->at)) {
		line->at++;
	}
	word.at = line->at;
	while (line->at < line->end && !is_blank(*line->at) && *line->at != '\n') {
		line->at++;
	}
	word.end = line->at;
	return word;
}

static bool word_is(struct cursor word, const char *text)
{
	size_t length = strlen(text);

	return (size_t)(word.end - word.at) == length && memcmp(word.at, text, length) == 0;
}

/* A word of digits alone; what does not fit is the largest number. */
static bool word_number(struct cursor word, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (word.at == word.end) {
		return false;
	}
	for (; word.at < word.end; word.at++) {
		uint64_t digit = (uint64_t)(*word.at - '0');

		if (!is_digit(*word.at)) {
			return false;
		}
		number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
	}
	*ret_number = number;
	return true;
}

static bool next_number(struct cursor *line, uint64_t *ret_number)
{
	return word_number(next_word(line), ret_number);
}

static bool skip_words(struct cursor *line, int count)
{
	for (; count > 0; count--) {
		struct cursor word = next_word(line);

		if (word.at == word.end) {
			return false;
		}
	}
	return true;
}

/* "cpu0", "cpu17": one CPU's line. */
static bool is_one_cpu(struct cursor word)
{
	uint64_t number;

	if (word.end - word.at < 4 || memcmp(word.at, "cpu", 3) != 0) {
		return false;
	}
	word.at += 3;
	return word_number(word, &number);
}

int gm_procfs_parse_stat(const char *text, size_t length, struct gm_procfs_cpu *ret_cpu)
{
	struct cursor rest = cursor_of(text, length);
	struct gm_procfs_cpu cpu = {.count = 0};
	uint64_t *const fields[] = {&cpu.user, &cpu.nice, &cpu.system,  &cpu.idle,
				    &cpu.wait, &cpu.irq,  &cpu.softirq, &cpu.steal};
	bool found = false;
	struct cursor line;

	while (next_line(&rest, &line)) {
		struct cursor word = next_word(&line);

		if (word_is(word, "cpu")) {
			size_t i = 0;

			while (i < 8 && next_number(&line, fields[i])) {
				i++;
			}
			found = i >= 4; /* later ones came with later kernels */
		} else if (is_one_cpu(word)) {
			cpu.count++;
		} else if (found) {
			break; /* the CPUs come first, and what follows is long */
		}
	}
	if (!found) {
		return -EPROTO;
	}
	*ret_cpu = cpu;
	return 0;
}

void gm_procfs_parse_meminfo(const char *text, size_t length, struct gm_procfs_memory *ret_memory)
{
	static const char *const names[GM_PROCFS_MEMORY_FIELDS] = {
		[GM_PROCFS_MEM_TOTAL] = "MemTotal:",
		[GM_PROCFS_MEM_FREE] = "MemFree:",
		[GM_PROCFS_MEM_AVAILABLE] = "MemAvailable:",
		[GM_PROCFS_BUFFERS] = "Buffers:",
		[GM_PROCFS_CACHED] = "Cached:",
		[GM_PROCFS_RECLAIMABLE] = "SReclaimable:",
		[GM_PROCFS_SHMEM] = "Shmem:",
		[GM_PROCFS_SWAP_TOTAL] = "SwapTotal:",
		[GM_PROCFS_SWAP_FREE] = "SwapFree:",
	};
	struct cursor rest = cursor_of(text, length);
	struct gm_procfs_memory memory = {.present = 0};
	struct cursor line;

	while (next_line(&rest, &line)) {
		struct cursor word = next_word(&line);
		uint64_t kilobytes;

		for (unsigned i = 0; i < GM_PROCFS_MEMORY_FIELDS; i++) {
			if (word_is(word, names[i]) && next_number(&line, &kilobytes) &&
			    kilobytes <= UINT64_MAX / 1024) {
				memory.bytes[i] = kilobytes * 1024;
				memory.present |= 1U << i;
			}
		}
	}
	*ret_memory = memory;
}

/* "12.34": digits, and perhaps a point and more digits. */
static bool next_decimal(struct cursor *line, double *ret_number)
{
	struct cursor word = next_word(line);
	const char *point = word.at;
	uint64_t whole, digits = 0;
	double scale = 1;

	while (point < word.end && *point != '.') {
		point++;
	}
	if (!word_number((struct cursor){.at = word.at, .end = point}, &whole)) {
		return false;
	}
	if (point < word.end) {
		struct cursor fraction = {.at = point + 1, .end = word.end};

		if (fraction.end - fraction.at > 9 || !word_number(fraction, &digits)) {
			return false;
		}
		for (const char *at = fraction.at; at < fraction.end; at++) {
			scale *= 10;
		}
	}
	*ret_number = (double)whole + (double)digits / scale;
	return true;
}

int gm_procfs_parse_loadavg(const char *text, size_t length, double ret_load[3])
{
	struct cursor line = cursor_of(text, length);
	double load[3];

	for (int i = 0; i < 3; i++) {
		if (!next_decimal(&line, &load[i])) {
			return -EPROTO;
		}
	}
	memcpy(ret_load, load, sizeof(load));
	return 0;
}

int gm_procfs_parse_vmstat(const char *text, size_t length, uint64_t *ret_in, uint64_t *ret_out)
{
	struct cursor rest = cursor_of(text, length);
	uint64_t in = 0, out = 0;
	bool has_in = false, has_out = false;
	struct cursor line;

	while (!(has_in && has_out) && next_line(&rest, &line)) {
		struct cursor word = next_word(&line);

		if (word_is(word, "pswpin")) {
			has_in = next_number(&line, &in);
		} else if (word_is(word, "pswpout")) {
			has_out = next_number(&line, &out);
		}
	}
	if (!has_in || !has_out) {
		return -EPROTO;
	}
	*ret_in = in;
	*ret_out = out;
	return 0;
}

bool gm_procfs_find_number(const char *text, size_t length, const char *name, uint64_t *ret_number)
{
	struct cursor rest = cursor_of(text, length);
	struct cursor line;

	while (next_line(&rest, &line)) {
		if (word_is(next_word(&line), name)) {
			return next_number(&line, ret_number);
		}
	}
	return false;
}

/* A word of up to eight hexadecimal digits: the kernel prints 32 bits. */
static bool next_hexadecimal(struct cursor *line, uint64_t *ret_number)
{
	struct cursor word = next_word(line);
	uint64_t number = 0;

	if (word.at == word.end || word.end - word.at > 8) {
		return false;
	}
	for (; word.at < word.end; word.at++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = memchr(digits, *word.at, 16);

		if (digit == NULL) {
			return false;
		}
		number = number * 16 + (uint64_t)(digit - digits);
	}
	*ret_number = number;
	return true;
}

bool gm_procfs_parse_softnet(const char *text, size_t length, uint64_t *ret_dropped,
			     uint64_t *ret_squeezed)
{
	struct cursor rest = cursor_of(text, length);
	uint64_t dropped = 0, squeezed = 0, processed, one, other;
	bool found = false;
	struct cursor line;

	while (next_line(&rest, &line)) {
		if (next_hexadecimal(&line, &processed) && next_hexadecimal(&line, &one) &&
		    next_hexadecimal(&line, &other)) {
			dropped += one;
			squeezed += other;
			found = true;
		}
	}
	*ret_dropped = dropped;
	*ret_squeezed = squeezed;
	return found;
}

static bool parse_disk(struct cursor line, struct gm_procfs_disk *ret_disk)
{
	struct gm_procfs_disk disk = {.reads = 0};
	uint64_t read_ms, write_ms, merged;
	struct cursor name;
	size_t length;

	if (!skip_words(&line, 2)) { /* major and minor number */
		return false;
	}
	name = next_word(&line);
	length = (size_t)(name.end - name.at);
	if (length == 0 || length >= sizeof(disk.name)) {
		return false;
	}
	memcpy(disk.name, name.at, length);
	if (!next_number(&line, &disk.reads) || !next_number(&line, &merged) ||
	    !next_number(&line, &disk.read_sectors) || !next_number(&line, &read_ms) ||
	    !next_number(&line, &disk.writes) || !next_number(&line, &merged) ||
	    !next_number(&line, &disk.written_sectors) || !next_number(&line, &write_ms)) {
		return false;
	}
	disk.read_ms = (uint32_t)read_ms;
	disk.write_ms = (uint32_t)write_ms;
	*ret_disk = disk;
	return true;
}

bool gm_procfs_next_disk(const char *text, size_t length, size_t *at,
			 struct gm_procfs_disk *ret_disk)
{
	struct cursor rest = cursor_of(text, length);
	struct cursor line;

	rest.at += *at < length ? *at : length;
	while (next_line(&rest, &line)) {
		*at = (size_t)(rest.at - text);
		if (parse_disk(line, ret_disk)) {
			return true;
		}
	}
	*at = length;
	return false;
}

bool gm_procfs_is_partition(const char *name, const char *disk)
{
	size_t length = strlen(disk);
	const char *number = name + length;

	if (length == 0 || strncmp(name, disk, length) != 0) {
		return false;
	}
	/* The kernel puts a 'p' between where the disk's own name ends with a digit. */
	if (is_digit(disk[length - 1])) {
		if (*number != 'p') {
			return false;
		}
		number++;
	}
	return *number != '\0' && number[strspn(number, "0123456789")] == '\0';
}

int gm_procfs_parse_process(const char *text, size_t length, struct gm_procfs_process *ret_process)
{
	struct gm_procfs_process process = {.state = 0};
	uint64_t user, system;
	struct cursor line, word;
	/* The name may hold anything, blanks and parentheses too: it ends at the last one. */
	const char *name_end = length > 0 ? memrchr(text, ')', length) : NULL;

	if (name_end == NULL) {
		return -EPROTO;
	}
	line = (struct cursor){.at = name_end + 1, .end = text + length};
	word = next_word(&line); /* field 3 */
	if (word.end - word.at != 1) {
		return -EPROTO;
	}
	process.state = *word.at;
	if (!skip_words(&line, 10) || !next_number(&line, &user) ||
	    !next_number(&line, &system) || /* 14, 15 */
	    !skip_words(&line, 4) || !next_number(&line, &process.threads) /* 20 */ ||
	    !skip_words(&line, 1) || !next_number(&line, &process.start_time) /* 22 */ ||
	    !skip_words(&line, 1) || !next_number(&line, &process.resident) /* 24 */) {
		return -EPROTO;
	}
	process.cpu_ticks = user > UINT64_MAX - system ? UINT64_MAX : user + system;
	*ret_process = process;
	return 0;
}

/* Its octets as text: malformed ones are replaced, and a NUL ends it. */
static void copy_word(struct cursor word, char *text, size_t size)
{
	char raw[256];
	size_t length = (size_t)(word.end - word.at);

	length = length < sizeof(raw) - 1 ? length : sizeof(raw) - 1;
	memcpy(raw, word.at, length);
	raw[length] = '\0';
	gm_text_copy(text, size, raw);
}

int gm_procfs_parse_name(const char *text, size_t length, char *name, size_t size)
{
	const char *from = length > 0 ? memchr(text, '(', length) : NULL;
	const char *end = length > 0 ? memrchr(text, ')', length) : NULL;

	if (from == NULL || end == NULL || end <= from + 1) {
		return -EPROTO;
	}
	copy_word((struct cursor){.at = from + 1, .end = end}, name, size);
	return name[0] != '\0' ? 0 : -EPROTO;
}

int gm_procfs_pid(const char *name)
{
	struct cursor word = cursor_of(name, strlen(name));
	uint64_t pid;

	if (name[0] == '0' || !word_number(word, &pid) || pid > INT_MAX) {
		return -1;
	}
	return (int)pid;
}

static const char *base_of(struct cursor path)
{
	const char *slash =
		path.at < path.end ? memrchr(path.at, '/', (size_t)(path.end - path.at)) : NULL;

	return slash != NULL ? slash + 1 : path.at;
}

/* The argument at *at, which ends with a NUL or with the text; false when there is none. */
static bool next_argument(struct cursor *rest, struct cursor *ret_argument)
{
	const char *end;

	if (rest->at >= rest->end) {
		return false;
	}
	end = memchr(rest->at, '\0', (size_t)(rest->end - rest->at));
	*ret_argument = (struct cursor){.at = rest->at, .end = end != NULL ? end : rest->end};
	rest->at = end != NULL ? end + 1 : rest->end;
	return true;
}

static bool is_qemu(struct cursor program)
{
	const char *base = base_of(program);
	size_t length = (size_t)(program.end - base);

	return (length >= 4 && memcmp(base, "qemu", 4) == 0) ||
	       (length >= 3 && memmem(base, length, "kvm", 3) != NULL);
}

void gm_procfs_parse_program(const char *text, size_t length, char *name, size_t size)
{
	struct cursor rest = cursor_of(text, length);
	struct cursor program = {.at = text, .end = text};

	(void)next_argument(&rest, &program);
	program.at = base_of(program);
	copy_word(program, name, size);
}

int gm_procfs_parse_cmdline(const char *text, size_t length, uint8_t ret_uuid[GM_UUID_SIZE])
{
	struct cursor rest = cursor_of(text, length);
	struct cursor argument;

	if (!next_argument(&rest, &argument) || !is_qemu(argument)) {
		return -ENOENT;
	}
	while (next_argument(&rest, &argument)) {
		char uuid[GM_UUID_TEXT] = {0};

		if (!word_is(argument, "-uuid")) {
			continue;
		}
		if (!next_argument(&rest, &argument) ||
		    argument.end - argument.at != GM_UUID_TEXT - 1) {
			return -ENOENT;
		}
		memcpy(uuid, argument.at, GM_UUID_TEXT - 1);
		return gm_uuid_parse(uuid, ret_uuid) == 0 ? 0 : -ENOENT;
	}
	return -ENOENT;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345": the number after "total=". */
static uint64_t total_of(struct cursor line)
{
	static const char key[] = "total=";
	struct cursor word;
	uint64_t total;

	while ((word = next_word(&line)), word.at < word.end) {
		if ((size_t)(word.end - word.at) >= sizeof(key) &&
		    memcmp(word.at, key, sizeof(key) - 1) == 0) {
			word.at += sizeof(key) - 1;
			return word_number(word, &total) ? total : GM_PROCFS_NO_PRESSURE;
		}
	}
	return GM_PROCFS_NO_PRESSURE;
}

void gm_procfs_parse_pressure(const char *text, size_t length,
			      struct gm_procfs_pressure *ret_pressure)
{
	struct cursor rest = cursor_of(text, length);
	struct cursor line;

	*ret_pressure = (struct gm_procfs_pressure){GM_PROCFS_NO_PRESSURE, GM_PROCFS_NO_PRESSURE};
	while (next_line(&rest, &line)) {
		struct cursor word = next_word(&line);

		if (word_is(word, "some")) {
			ret_pressure->some_us = total_of(line);
		} else if (word_is(word, "full")) {
			ret_pressure->full_us = total_of(line);
		}
	}
}

bool gm_procfs_parse_machine_checks(const char *text, size_t length, uint64_t *ret_count)
{
	struct cursor rest = cursor_of(text, length);
	struct cursor line;

	while (next_line(&rest, &line)) {
		uint64_t sum = 0, count;
		bool found = false;

		if (!word_is(next_word(&line), "MCE:")) {
			continue;
		}
		/* A column for each CPU, then words. */
		while (next_number(&line, &count)) {
			sum = count > UINT64_MAX - sum ? UINT64_MAX : sum + count;
			found = true;
		}
		if (found) {
			*ret_count = sum;
		}
		return found;
	}
	return false;
}

bool gm_procfs_parse_anonymous(const char *text, size_t length, uint64_t *ret_pages)
{
	struct cursor rest = cursor_of(text, length);
	struct cursor line;
	uint64_t size, resident, shared;

	if (!next_line(&rest, &line) || !next_number(&line, &size) ||
	    !next_number(&line, &resident) || !next_number(&line, &shared)) {
		return false;
	}
	*ret_pages = resident > shared ? resident - shared : 0;
	return true;
}

bool gm_procfs_parse_count(const char *text, size_t length, uint64_t *ret_count)
{
	struct cursor rest = cursor_of(text, length);
	struct cursor line;

	return next_line(&rest, &line) && next_number(&line, ret_count);
}
