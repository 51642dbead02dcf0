#include "lib/crypto/access_code.h"

static const char alphabet[] = "23456789abcdefghijkmnpqrstuvwxyz";

enum {
	HASH_CHARS = ACCESS_CODE_HASH_BYTES * 8 / 5,
	CHARS = HASH_CHARS + ACCESS_CODE_SECRET_CHARS,
	GROUP = 4,
};

void access_code_make(
	struct random *r, const uint8_t key_hash[ACCESS_CODE_HASH_BYTES], struct access_code *to)
{
	memcpy(to->key_hash, key_hash, ACCESS_CODE_HASH_BYTES);
	for (size_t i = 0; i < ACCESS_CODE_SECRET_CHARS; i++)
		to->secret[i] = alphabet[random_below(r, sizeof(alphabet) - 1)];
}

void access_code_text(const struct access_code *c, char to[ACCESS_CODE_CHARS + 1])
{
	char plain[CHARS];
	size_t len = 0;

	for (size_t i = 0; i < HASH_CHARS; i++) {
		unsigned value = 0;

		for (size_t bit = i * 5; bit < i * 5 + 5; bit++)
			value = value << 1 | (c->key_hash[bit / 8] >> (7 - bit % 8) & 1);
		plain[i] = alphabet[value];
	}
	memcpy(plain + HASH_CHARS, c->secret, ACCESS_CODE_SECRET_CHARS);
	for (size_t i = 0; i < CHARS; i++) {
		if (i && i % GROUP == 0)
			to[len++] = '-';
		to[len++] = plain[i];
	}
	to[len] = 0;
}

bool access_code_read(str text, struct access_code *to)
{
	struct access_code c = {0};
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++) {
		char letter = text.at[i];

		if (letter == '-' || letter == ' ')
			continue;
		if (letter >= 'A' && letter <= 'Z')
			letter = (char)(letter - 'A' + 'a');
		const char *found = letter ? strchr(alphabet, letter) : NULL;

		if (!found || count == CHARS)
			return false;
		unsigned value = (unsigned)(found - alphabet);

		for (size_t bit = 0; bit < 5 && count < HASH_CHARS; bit++) {
			size_t at = count * 5 + bit;

			c.key_hash[at / 8] |= (uint8_t)((value >> (4 - bit) & 1) << (7 - at % 8));
		}
		if (count >= HASH_CHARS)
			c.secret[count - HASH_CHARS] = letter;
		count++;
	}
	*to = c;
	return count == CHARS;
}
