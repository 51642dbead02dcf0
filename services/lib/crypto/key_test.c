#include "lib/base/test.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/key.h"

static str hex(struct test *t, const uint8_t *bytes, size_t len)
{
	char *to = arena_get(&t->arena, 2 * len + 1);

	for (size_t i = 0; i < len; i++) {
		to[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		to[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	return str_span(to, 2 * len);
}

/* FIPS 180-4's example and RFC 4231, case 2. */
TEST(digest_gives_the_published_values)
{
	uint8_t sum[DIGEST_SHA256_BYTES];

	digest_sha256(STR("abc"), sum);
	CHECK_STR(hex(t, sum, sizeof(sum)),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), sum);
	CHECK_STR(hex(t, sum, sizeof(sum)),
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	CHECK(digest_same(STR("ab"), STR("ab")));
	CHECK(!digest_same(STR("ab"), STR("ac")));
	CHECK(!digest_same(STR("ab"), STR("abc")));
}

TEST(key_survives_pem_and_signs_es256)
{
	uint8_t signature[KEY_SIGNATURE_MAX_BYTES];
	struct key *made, *read, *public;
	struct err e;
	size_t len;

	REQUIRE_OK(key_make(&made, &e), &e);
	CHECK_INT(key_kind(made), KEY_ECDSA_P256);
	str pem = key_private_pem(made, &t->arena);

	CHECK(str_starts(pem, STR("-----BEGIN EC PRIVATE KEY-----\n")));
	REQUIRE_OK(key_read_private(pem, &read, &e), &e);
	REQUIRE_OK(key_read_public(key_public_pem(made, &t->arena), &public, &e), &e);
	CHECK(key_same_public(made, read) && key_same_public(made, public));
	REQUIRE_OK(key_sign(read, KEY_ES256, STR("text"), signature, &len, &e), &e);
	CHECK_INT(len, 64);
	str s = str_span((char *)signature, len);

	CHECK_OK(key_verify(public, KEY_ES256, STR("text"), s, &e), &e);
	CHECK_FAILS(key_verify(public, KEY_ES256, STR("next"), s, &e), &e, ERR_UNAUTHORIZED, "fit");
	CHECK_FAILS(key_verify(public, KEY_ES256, STR("text"), str_slice(s, 0, 63), &e), &e,
		ERR_UNAUTHORIZED, "64 bytes");
	signature[0] ^= 1;
	CHECK_FAILS(key_verify(public, KEY_ES256, STR("text"), s, &e), &e, ERR_UNAUTHORIZED, "fit");
	CHECK_FAILS(
		key_verify(public, KEY_RS256, STR("text"), s, &e), &e, ERR_UNSUPPORTED, "RS256");
	CHECK_FAILS(key_sign(public, KEY_ES256, STR("x"), signature, &len, &e), &e, ERR_INVALID,
		"sign");
	key_drop(made);
	key_drop(read);
	key_drop(public);
}

/* Made by openssl genpkey for these tests; they open nothing. */
static const char rsa_2048[] = "-----BEGIN PRIVATE KEY-----\n"
			       "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCREK6WmcfLGxoN\n"
			       "zwYNS261iLtvg/F9sWRd41bdx9WKD96eYS2zABJtLCBU7x/Erf3iswEn/MQvYc0x\n"
			       "dMP9Vkn4NmrnOKNFj+2qVtATy5dR/T+YqW7KCrKGgbgD33z5kNIg5IKWYHXwutVf\n"
			       "hPfH1fQUS0qd4732AlD5U0wnqnR3JfUV2a+agyS3le1m7oQM5WFKoPGcmV3rqbC3\n"
			       "NdJ2XhSWFloqEKM1rxFfjCoXizqtWJUk6463Npl4U0WhA9mYbvyITSGm8SUtXFLP\n"
			       "zsezVqBWC+mZzfjs2OV3kEwPZuCWExRypLveSmdaoPg6FrhgII8tudKpxS8zM4RS\n"
			       "ZR8z3Zx1AgMBAAECggEAAOcBVFnT3qqQ00HUwCPA+4tvMba4u4HCpbwyn8yMwoAY\n"
			       "xWlwrFVgHU0R97/ztaMoxM6SP5pt6fw0wjhUuRsJThb15pxOlQcxK5xrTO7jm79J\n"
			       "3vw8KTDp2AuvMQRPNbTglGh3e3ymydQ6XDlqhSlf4aRvlriCR6kksc2tLUNSgs83\n"
			       "kbwbqrI+T05SG998JRAI5irahXhfg/7k0GItXzR1GO0VW2SVmGSZiC/pfEqt1Vps\n"
			       "U2c0hffRCW0nt8dJwi2tBZ2pu1gnjcsBk1XcV0Za1fKFeke6BqHTAKPDqOOEvZYg\n"
			       "NRJr4Hc//+QRGxaz3M43wFc8GgVBaxYoD/w4gzYmHQKBgQDJPjnRMK0AjW1iv9L7\n"
			       "alK0pgbIcqPcuuKrCFtmI1ioE7Q9JyKHf0OsZJG4NUTVCrL4Hf6stWe89HlLILvu\n"
			       "bhSIzBsVCbH2H/3PfDulTcl0pcgyQqgqXEU+9Vhbr67FggFwFtEgk+FnG1HXmKZS\n"
			       "lyy32E0kKpJDHfbivWoydW1T0wKBgQC4iVTjj1yFkqHllf0rxWq30cL27smOWwM3\n"
			       "iWPkPBpgILnZusBGOBOG0KA5PTn37kKYvYnrhu6s2Lcj/QhdyjYdGitXi/HMfq3S\n"
			       "3QjEU4gT2HB0EETNtiOvAkKiuWf1i0G0xVkvj52qwXccIyEYb4WZBhm4zXhZwwf/\n"
			       "em2HlF5JlwKBgDNAsNLxNa5lVo2G00IK0yOFAUc9wzPtONtcVoLNz7+GvSmx9N5T\n"
			       "cDXQqzgiAPTNM8VzRjBQRypdjSKwJIzV5k7sxJz4CiXoAek896fjBsK5kiISzedz\n"
			       "9oLRU36OYNGWia01cm98mjR7Rb3F994i+FWeNg9W9Ec5s24N1aUiOQTXAoGAVB41\n"
			       "1e1ZrYGjzvXKDBPXi6dQiiNbOUr/cmdsY3OKSltgnIFmeBvDuuaKwszICd5P+TQd\n"
			       "FIHTdnLrOLp0/9vXQvjU3Plr5V2xerdK8cNp+jHlQOLRmjv2lCYhne+KFgG+l9qF\n"
			       "xwpeQqIh22+f/HWJnrGLNBRlUfV3RdvW5cCaIk0CgYEAvQED4Np4GAsojhYX7n+8\n"
			       "2/a5QSIV6GA8lhsxFwyD9pGLVxvfkkxLmegJUm/ida53TH0wzDZXwEBVmcmdK/li\n"
			       "jrFzQyDAEbEz6UVrFFaKwWJ0fmjUMb3Yrm892bA5kCXNsuZNcUJuHP8sTroy5dN8\n"
			       "nI1c3iHBRuVtKi5pNPx6sxc=\n"
			       "-----END PRIVATE KEY-----\n";

static const char rsa_1024[] = "-----BEGIN PRIVATE KEY-----\n"
			       "MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBALp42/C3QZ6Bydtu\n"
			       "8C1uDribnT2TgWHi82Y26/cSLjc4i9w0Iq2VcGMTr1p1w9fJfkdZIsQusmNejgZd\n"
			       "iN5PiAeRyjSu94vnp2J4etw3KQbPaB6A5uLdrv/RffMi35DP6tzh8f+03/TLKd5F\n"
			       "ua87xTMzZGi/JCZI7XDEmki7MZ2vAgMBAAECgYBwG4NXiEV6L1uVgnABUB6nnF7/\n"
			       "izQJDrH47OIWi6afam6jd/C1XZfQ6R/OieixTiGOcad2PQDgvxMx/n/v7+6+Xmp9\n"
			       "BlFM+SpotSarbDZ5QK92yfkJDIOfoCRHTmstSF4399sQnAyDcLT6Wi4mvUELt9CQ\n"
			       "OoASEh6FVHx6n10ieQJBAO/idEXs0L+lCIqt4EBbd4HSOPpYoEcT/22+cZT0ktIr\n"
			       "iWHm/47Zc9SYydsOcPRzWGHQ8n8gJbIAfwVJPzeDOEsCQQDG/9CSAwKpmg64FCA7\n"
			       "lYLVbs/wUeFuPxOs1je76mjKTGtWmLQfeAV3tEtyn/U/ECXUswuEv6P50SwFg7wg\n"
			       "R9mtAkA9MVlT1RtTJ/hL2BsSj8KmnUfnpOAOAa3xAtnak6E4d96t2M1sVVBU9TzY\n"
			       "4pAx65KqMTEK+Npk0/eTE6JKuPCNAkAtZ2bGOcucuNrM40KrdaSBYCQvl+8QgXHS\n"
			       "yJm01XoNVjxTaMoIOBE/S7K/N4H0XpHTIvro0fTu5eveYj1FPD+NAkEAkdy5IvOI\n"
			       "1dphbugRi3qYPPTWRUBtfpbyNRG5hy8h7N3aUkOK6hcw+jVwHAnUcW8p3wu7OF44\n"
			       "1O89VowlPFhvSg==\n"
			       "-----END PRIVATE KEY-----\n";

static const char ed25519[] = "-----BEGIN PRIVATE KEY-----\n"
			      "MC4CAQAwBQYDK2VwBCIEIGH6J6u1MF1Ejm2pyWu1niS7IkCzes7ajoksBKEDWj7t\n"
			      "-----END PRIVATE KEY-----\n";

static const char locked[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
			     "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg+VeTaO0fQygICCAAw\n"
			     "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEMz7yQ3vGhupuV3dIlfpu8EEQLgw\n"
			     "HqgfwRQAYa7+fvGHOrrBw5bWxApFngQ/n8JeVMWQsmTO9u0HfCCxZsM5CXplGa6f\n"
			     "o8laM870Aab7XgiTr+4=\n"
			     "-----END ENCRYPTED PRIVATE KEY-----\n";

TEST(key_reads_rsa_and_ed25519_of_openssl)
{
	uint8_t signature[KEY_SIGNATURE_MAX_BYTES];
	struct key *k;
	struct err e;
	size_t len;

	REQUIRE_OK(key_read_private(str_of(rsa_2048), &k, &e), &e);
	CHECK_INT(key_kind(k), KEY_RSA);
	REQUIRE_OK(key_sign(k, KEY_RS256, STR("text"), signature, &len, &e), &e);
	CHECK_INT(len, 256);
	CHECK_OK(key_verify(k, KEY_RS256, STR("text"), str_span((char *)signature, len), &e), &e);
	CHECK(str_starts(key_private_pem(k, &t->arena), STR("-----BEGIN RSA PRIVATE KEY-----")));
	key_drop(k);
	REQUIRE_OK(key_read_private(str_of(ed25519), &k, &e), &e);
	CHECK_INT(key_kind(k), KEY_ED25519);
	CHECK(str_starts(key_private_pem(k, &t->arena), STR("-----BEGIN PRIVATE KEY-----")));
	key_drop(k);
}

TEST(key_shows_its_public_numbers)
{
	struct key *k;
	struct err e;
	str first, second;

	/* The point ends the SubjectPublicKeyInfo. */
	REQUIRE_OK(key_make(&k, &e), &e);
	str der = key_public_der(k, &t->arena);

	REQUIRE_OK(key_public_numbers(k, &t->arena, &first, &second, &e), &e);
	CHECK_INT(first.len, 32);
	CHECK_BYTES(first, str_slice(der, der.len - 64, 32));
	CHECK_BYTES(second, str_slice(der, der.len - 32, 32));
	key_drop(k);
	REQUIRE_OK(key_read_private(str_of(rsa_2048), &k, &e), &e);
	REQUIRE_OK(key_public_numbers(k, &t->arena, &first, &second, &e), &e);
	CHECK_INT(first.len, 256);
	CHECK(str_find(key_public_der(k, &t->arena), first) > 0);
	CHECK_BYTES(second, STR("\x01\x00\x01"));
	key_drop(k);
	REQUIRE_OK(key_read_private(str_of(ed25519), &k, &e), &e);
	CHECK_FAILS(key_public_numbers(k, &t->arena, &first, &second, &e), &e, ERR_UNSUPPORTED,
		"neither");
	key_drop(k);
}

TEST(key_refuses_what_is_weak_locked_or_none)
{
	struct key *k;
	struct err e;

	CHECK_FAILS(key_read_private(str_of(rsa_1024), &k, &e), &e, ERR_UNSUPPORTED, "1024 bits");
	CHECK_FAILS(key_read_private(str_of(locked), &k, &e), &e, ERR_INVALID, "private key");
	CHECK_FAILS(key_read_private(STR(""), &k, &e), &e, ERR_INVALID, "private key");
	CHECK_FAILS(
		key_read_public(STR("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
			&k, &e),
		&e, ERR_INVALID, "no public key");
}
