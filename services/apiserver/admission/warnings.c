#include "apiserver/admission/admission.h"

enum { TOTAL_MAX_BYTES = 4 << 10, TEXT_MAX_RUNES = 256 };

static str cut(str text, size_t runes);

/* Upstream keeps all texts whole until their sum is too large, then cuts each, and drops what comes
 * when even these are too much. */
void warnings_add(struct warnings *w, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	str text = arena_vfmt(w->arena, fmt, args);
	va_end(args);
	void *at = w->texts.at;
	size_t total;

	total = text.len;
	for (size_t i = 0; i < w->texts.len; i++) {
		if (str_eq(w->texts.at[i], text))
			return;
		total += w->texts.at[i].len;
	}
	if (total > TOTAL_MAX_BYTES) {
		text = cut(text, TEXT_MAX_RUNES);
		total = text.len;
		for (size_t i = 0; i < w->texts.len; i++) {
			w->texts.at[i] = cut(w->texts.at[i], TEXT_MAX_RUNES);
			total += w->texts.at[i].len;
		}
	}
	if (total > TOTAL_MAX_BYTES ||
		arena_grow(w->arena, &at, w->texts.len, &w->cap, sizeof(str)) < 0)
		return;
	w->texts.at = at;
	w->texts.at[w->texts.len++] = text;
}

static str cut(str text, size_t runes)
{
	enum { CONTINUATION_MASK = 0xc0, CONTINUATION = 0x80 };
	size_t at = 0;

	for (; at < text.len; at++)
		if ((text.at[at] & CONTINUATION_MASK) != CONTINUATION && runes-- == 0)
			break;
	return str_slice(text, 0, at);
}
