/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory. What lives as long as a command lives in an arena and is freed with it; nothing in it
 * is freed by itself. Out of memory ends the program with a sentence (docs/decisions/memory.md):
 * these programs are short-lived, and what a birth made is undone by its parent.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdint.h>

struct arena_block;

/* An arena is ready when zeroed: struct arena a = { 0 }; */
struct arena {
	struct arena_block *blocks; /* newest first, owned */
	char *next, *end;	    /* free room in the newest block */
	size_t used_bytes;
};

/* size bytes, zeroed, aligned for any type. Never NULL. Overflowing n * size ends the program. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_array(struct arena *a, size_t n, size_t size);

/* Room for so much at once: one block instead of several. */
void arena_reserve(struct arena *a, size_t size);

/* Copies; s is lent. arena_strndup() copies at most n bytes and terminates. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Grows an array of *n items of size bytes by one and returns the new, zeroed item. The array
 * moves when its length reaches a power of two; the old one stays valid until arena_done().
 */
void *arena_grow(struct arena *a, void *array_ptr, size_t *n, size_t size);

/* Frees all blocks; the arena is as new. NULL is allowed. */
void arena_done(struct arena *a);

/*
 * For a command that does one thing and ends: from now on arena_done() forgets blocks instead of
 * giving them back, as the kernel clears a whole process sooner than its pieces.
 */
void arena_leave_to_exit(void);

#define autoarena __attribute__((cleanup(arena_done))) struct arena

/*
 * How it ends, where that is not "clade: out of memory" and 125: say() tells of it, which is to
 * need no memory, and code is the exit code.
 */
void mem_on_failure(void (*say)(void), int code);

/* malloc family that ends the program instead of returning NULL. */
void *mem_alloc(size_t size);			  /* zeroed */
void *mem_resize(void *p, size_t n, size_t size); /* realloc of n * size */
char *mem_strdup(const char *s);

static inline void mem_freep(void *p)
{
	free(*(void **)p);
	*(void **)p = NULL;
}

#define autofree __attribute__((cleanup(mem_freep)))

/* Gives a pointer away: the caller's variable forgets it. */
#define take_ptr(p)                                                                                \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
