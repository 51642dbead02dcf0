/*
 * What differs between compilers and sanitizers; the only file that may hold an #ifdef.
 */
#pragma once

#include <assert.h>
#include <stddef.h>

#define NODISCARD            __attribute__((warn_unused_result))
#define NORETURN             __attribute__((noreturn))
#define COLD                 __attribute__((cold))
#define PURE                 __attribute__((pure))
#define UNUSED               __attribute__((unused))
#define PRINTF_LIKE(fmt, at) __attribute__((format(printf, fmt, at)))
#define LIKELY(x)            __builtin_expect(!!(x), 1)
#define UNLIKELY(x)          __builtin_expect(!!(x), 0)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(member_ptr, type, member) \
	((type *)((char *)(member_ptr)-offsetof(type, member)))

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif

#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#define MEMORY_POISON(at, len)   ASAN_POISON_MEMORY_REGION(at, len)
#define MEMORY_UNPOISON(at, len) ASAN_UNPOISON_MEMORY_REGION(at, len)
#else
#define MEMORY_POISON(at, len)   ((void)(at), (void)(len))
#define MEMORY_UNPOISON(at, len) ((void)(at), (void)(len))
#endif
