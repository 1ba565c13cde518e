/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ALIGN alignof(max_align_t)

/* Blocks double from one page on: most arenas are small, and none has many blocks. */
enum { BLOCK_MIN = 4096, BLOCK_MAX = 64 * 1024 };

static bool left_to_exit;

struct arena_block {
	struct arena_block *older;
	size_t bytes_n; /* of the whole block */
	alignas(max_align_t) char bytes[];
};

static void say_so(void)
{
	static const char words[] = "clade: out of memory\n";

	(void)!write(STDERR_FILENO, words, sizeof(words) - 1);
}

static struct {
	void (*say)(void);
	int code;
} failure = { say_so, 125 };

void mem_on_failure(void (*say)(void), int code)
{
	failure.say = say;
	failure.code = code;
}

static _Noreturn void out_of_memory(void)
{
	failure.say();
	_exit(failure.code);
}

void *mem_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *mem_resize(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		out_of_memory();
	p = realloc(p, bytes ? bytes : 1);
	if (!p)
		out_of_memory();
	return p;
}

char *mem_strdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(mem_alloc(n), s, n);
}

/*
 * Straight from the kernel, which clears it, and with its pages in place: one call costs less than
 * a fault for each of them, and malloc would touch them all to clear them once more. What is much
 * larger than a block is as large as somebody's file says: that comes page by page, as it is used.
 */
static void add_block(struct arena *a, size_t size)
{
	size_t bytes = a->blocks ? a->blocks->bytes_n * 2 : BLOCK_MIN, want;
	struct arena_block *b;

	if (__builtin_add_overflow(size, sizeof(*b) + BLOCK_MIN - 1, &want))
		out_of_memory();
	want &= ~(size_t)(BLOCK_MIN - 1);
	if (bytes > BLOCK_MAX)
		bytes = BLOCK_MAX;
	if (bytes < want)
		bytes = want;
	b = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | (bytes <= 4 * BLOCK_MAX ? MAP_POPULATE : 0), -1, 0);
	if (b == MAP_FAILED)
		out_of_memory();
	b->older = a->blocks;
	b->bytes_n = bytes;
	a->blocks = b;
	a->next = b->bytes;
	a->end = (char *)b + bytes;
}

void arena_reserve(struct arena *a, size_t size)
{
	if (!a->blocks || (size_t)(a->end - a->next) < size)
		add_block(a, size);
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t want;
	void *p;

	if (__builtin_add_overflow(size, ALIGN - 1, &want))
		out_of_memory();
	want &= ~(ALIGN - 1);
	if (want == 0)
		want = ALIGN;
	if (!a->blocks || (size_t)(a->end - a->next) < want)
		add_block(a, want);
	p = a->next;
	a->next += want;
	a->used_bytes += want;
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		out_of_memory();
	return arena_alloc(a, bytes);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = arena_alloc(a, len + 1);

	memcpy(p, s, len);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *p;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

void *arena_grow(struct arena *a, void *array_ptr, size_t *n, size_t size)
{
	void **array = array_ptr;

	if ((*n & (*n - 1)) == 0) { /* 0, 1, 2, 4, ...: the room is full */
		size_t room = *n ? *n * 2 : 1;
		void *bigger = arena_array(a, room, size);

		if (*n)
			memcpy(bigger, *array, *n * size);
		*array = bigger;
	}
	return (char *)*array + (*n)++ * size;
}

void arena_leave_to_exit(void)
{
	left_to_exit = true;
}

void arena_done(struct arena *a)
{
	if (!a)
		return;
	for (struct arena_block *b = left_to_exit ? NULL : a->blocks, *older; b; b = older) {
		older = b->older;
		munmap(b, b->bytes_n);
	}
	memset(a, 0, sizeof(*a));
}
