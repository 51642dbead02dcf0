/*
 * What protobuf objects are wrapped in (apimachinery's runtime.Unknown):
 * four bytes, then a message.
 */
#pragma once

#include "lib/schema/walk.h"

#define ENVELOPE_MAGIC str_span("k8s\0", 4)

enum {
	ENVELOPE_TYPE = 1,
	ENVELOPE_RAW = 2,
	ENVELOPE_CONTENT_ENCODING = 3,
	ENVELOPE_CONTENT_TYPE = 4,

	ENVELOPE_API_VERSION = 1,
	ENVELOPE_KIND = 2,
};
