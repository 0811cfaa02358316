/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay FOLDER: every file of a corpus once through a fuzzer's function, each also cut at every length
 * (where it is short) and with every octet changed: what a compiler without libFuzzer can do. Exit 1 when
 * there is no corpus.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { INPUT_MAX = 65536, SHORT = 2048 };

/* From a block of its own size, so that a sanitizer sees what is read beyond it. */
static void feed(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL) {
		abort();
	}
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void feed_file(const char *path)
{
	static uint8_t data[INPUT_MAX];
	static const uint8_t changes[] = {0x00, 0x01, 0x7f, 0x80, 0x81, 0x84, 0xff};
	FILE *file = fopen(path, "rb");

	if (file == NULL) {
		perror(path);
		exit(1);
	}
	size_t size = fread(data, 1, sizeof(data), file);

	fclose(file);
	feed(data, size);
	for (size_t at = 0; size <= SHORT && at < size; at++) {
		uint8_t octet = data[at];

		feed(data, at);
		for (size_t i = 0; i < sizeof(changes); i++) {
			data[at] = changes[i];
			feed(data, size);
		}
		data[at] = octet;
	}
}

int main(int argc, char **argv)
{
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	unsigned count = 0;

	if (folder == NULL) {
		fprintf(stderr, "usage: replay FOLDER\n");
		return 1;
	}
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		char path[1024];

		if (entry->d_name[0] == '.') {
			continue;
		}
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		feed_file(path);
		count++;
	}
	closedir(folder);
	printf("%u inputs\n", count);
	return count > 0 ? 0 : 1;
}
