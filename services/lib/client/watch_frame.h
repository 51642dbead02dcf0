/*
 * Frames of a watch in protobuf: four bytes of length, highest first, then a WatchEvent.
 *
 * Ownership: a frame points into what it was cut from. Threading: any.
 * Source: apimachinery/pkg/util/framer.
 */
#pragma once

#include "lib/base/err.h"
#include "lib/base/str.h"

enum { WATCH_FRAME_BYTES_MAX = 64 << 20 };

/* Cuts the first frame off `*rest`; `*frame` is absent until it has come whole. ERR_LIMIT for one
 * that is larger than WATCH_FRAME_BYTES_MAX. */
NODISCARD int watch_frame_cut(str *rest, str *frame, struct err *e);
