/*
 * The two screens: a terminal, which is drawn anew, and a serial line, which gets the lines that
 * are new. A line that nobody reads loses them; nothing here waits. Threading: one.
 */
#pragma once

#include "lib/base/buf.h"

struct screen {
	int terminal, serial; /* -1: there is none */
	struct buf shown;
};

void screen_open(struct screen *s);

/* Nothing when the text is what is shown already. */
void screen_show(struct screen *s, str text);
