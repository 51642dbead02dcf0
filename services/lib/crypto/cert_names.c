#include "lib/crypto/openssl.h"

#include <arpa/inet.h>
#include <openssl/err.h>

/* What a certificate says of its subject, out of OpenSSL's form and into it. */

static int add(struct arena *a, struct cert_list *to, size_t *cap, str text, struct err *e);
static bool is_uid(const ASN1_OBJECT *o);
static unsigned key_usages(const ASN1_BIT_STRING *bits);
static unsigned extended_usages(const EXTENDED_KEY_USAGE *list);

int openssl_read_name(struct arena *a, const X509_NAME *from, struct cert_subject *s, struct err *e)
{
	size_t cap = 0, uids_cap = 0;

	for (int i = 0; i < X509_NAME_entry_count(from); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(from, i);
		int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
		uint8_t *utf8;
		int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));

		if (len < 0)
			return openssl_error(e, ERR_INVALID, "a certificate's subject");
		str text = str_span((char *)utf8, (size_t)len);
		int result = 0;

		/* The last common name counts, as in Go. */
		if (nid == NID_commonName)
			result = arena_str_try(a, text, &s->common_name, e);
		else if (nid == NID_organizationName)
			result = add(a, &s->organizations, &cap, text, e);
		else if (is_uid(X509_NAME_ENTRY_get_object(entry)))
			result = add(a, &s->uids, &uids_cap, text, e);
		else
			s->other_names = true;
		OPENSSL_free(utf8);
		TRY(result);
	}
	return 0;
}

static bool is_uid(const ASN1_OBJECT *o)
{
	/* The DER of the object identifier's value. */
	static const uint8_t uid[] = {0x2b, 6, 1, 4, 1, 0x83, 0xc2, 0x53, 2};

	return OBJ_length(o) == sizeof(uid) && memcmp(OBJ_get0_data(o), uid, sizeof(uid)) == 0;
}

static int read_ip(struct arena *a, const ASN1_OCTET_STRING *ip, struct cert_list *to, size_t *cap,
	struct err *e)
{
	char text[INET6_ADDRSTRLEN];
	int len = ASN1_STRING_length(ip);

	if (len != sizeof(struct in_addr) && len != sizeof(struct in6_addr))
		return err_set(e, ERR_INVALID, "an IP address of %d bytes in a certificate", len);
	inet_ntop(len == sizeof(struct in_addr) ? AF_INET : AF_INET6, ASN1_STRING_get0_data(ip),
		text, sizeof(text));
	return add(a, to, cap, str_of(text), e);
}

static int read_alternative_names(
	struct arena *a, GENERAL_NAMES *names, struct cert_subject *s, struct err *e)
{
	size_t dns = 0, ips = 0, emails = 0, uris = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		int kind;
		const ASN1_STRING *v = GENERAL_NAME_get0_value(
			sk_GENERAL_NAME_value(names, i), &kind);
		str text = {NULL, 0};

		if (kind == GEN_DNS || kind == GEN_EMAIL || kind == GEN_URI)
			text = str_span((const char *)ASN1_STRING_get0_data(v),
				(size_t)ASN1_STRING_length(v));
		switch (kind) {
		case GEN_DNS: TRY(add(a, &s->dns, &dns, text, e)); break;
		case GEN_EMAIL: TRY(add(a, &s->emails, &emails, text, e)); break;
		case GEN_URI: TRY(add(a, &s->uris, &uris, text, e)); break;
		case GEN_IPADD: TRY(read_ip(a, v, &s->ips, &ips, e)); break;
		default: s->other_names = true; break;
		}
	}
	return 0;
}

/* NULL when there is none; one that is malformed or comes twice is not taken for absent. */
static void *get_extension(const STACK_OF(X509_EXTENSION) * from, int nid, bool *well_formed)
{
	enum { ABSENT = -1 };
	int found;
	void *value = X509V3_get_d2i(from, nid, &found, NULL);

	if (!value && found != ABSENT)
		*well_formed = false;
	return value;
}

int openssl_read_extensions(struct arena *a, const STACK_OF(X509_EXTENSION) * from,
	struct cert_subject *s, unsigned *usages, bool *is_ca, struct err *e)
{
	bool well_formed = true;
	GENERAL_NAMES *names = get_extension(from, NID_subject_alt_name, &well_formed);
	ASN1_BIT_STRING *bits = get_extension(from, NID_key_usage, &well_formed);
	EXTENDED_KEY_USAGE *extended = get_extension(from, NID_ext_key_usage, &well_formed);
	BASIC_CONSTRAINTS *basic = get_extension(from, NID_basic_constraints, &well_formed);
	int result = names ? read_alternative_names(a, names, s, e) : 0;

	if (!well_formed)
		result = err_set(
			e, ERR_INVALID, "a certificate's extension is malformed or comes twice");
	*usages = (bits ? key_usages(bits) : 0) | (extended ? extended_usages(extended) : 0);
	*is_ca = basic && basic->ca;
	GENERAL_NAMES_free(names);
	ASN1_BIT_STRING_free(bits);
	EXTENDED_KEY_USAGE_free(extended);
	BASIC_CONSTRAINTS_free(basic);
	ERR_clear_error();
	return result;
}

/* An RDN for each, which keeps their order; lengths are not held to X.520's upper bounds. */
X509_NAME *openssl_name(const struct cert_subject *s)
{
	X509_NAME *name = openssl_need(X509_NAME_new());

	for (size_t i = 0; i < s->organizations.len; i++)
		X509_NAME_add_entry_by_NID(name, NID_organizationName, V_ASN1_UTF8STRING,
			(const uint8_t *)s->organizations.at[i].at, (int)s->organizations.at[i].len,
			-1, 0);
	if (s->common_name.at)
		X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
			(const uint8_t *)s->common_name.at, (int)s->common_name.len, -1, 0);
	for (size_t i = 0; i < s->uids.len; i++)
		X509_NAME_add_entry_by_txt(name, "1.3.6.1.4.1.57683.2", V_ASN1_UTF8STRING,
			(const uint8_t *)s->uids.at[i].at, (int)s->uids.at[i].len, -1, 0);
	return name;
}

static void add_name(GENERAL_NAMES *names, int kind, ASN1_STRING *value, str text)
{
	GENERAL_NAME *name = openssl_need(GENERAL_NAME_new());

	ASN1_STRING_set(value, text.at, (int)text.len);
	GENERAL_NAME_set0_value(name, kind, value);
	sk_GENERAL_NAME_push(names, name);
}

static void add_texts(GENERAL_NAMES *names, int kind, struct cert_list texts)
{
	for (size_t i = 0; i < texts.len; i++)
		add_name(names, kind, openssl_need(ASN1_IA5STRING_new()), texts.at[i]);
}

static int add_ip(GENERAL_NAMES *names, str ip, struct err *e)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr v6;
	struct in_addr v4;

	if (ip.len >= sizeof(text) || str_find_char(ip, '\0') >= 0)
		return err_set(e, ERR_INVALID, "not an IP address for a certificate");
	memcpy(text, ip.at, ip.len);
	text[ip.len] = '\0';
	if (inet_pton(AF_INET, text, &v4) == 1)
		add_name(names, GEN_IPADD, openssl_need(ASN1_OCTET_STRING_new()),
			str_span((char *)&v4, sizeof(v4)));
	else if (inet_pton(AF_INET6, text, &v6) == 1)
		add_name(names, GEN_IPADD, openssl_need(ASN1_OCTET_STRING_new()),
			str_span((char *)&v6, sizeof(v6)));
	else
		return err_set(e, ERR_INVALID, "%s is not an IP address for a certificate", text);
	return 0;
}

static int add_ips(GENERAL_NAMES *names, struct cert_list ips, struct err *e)
{
	for (size_t i = 0; i < ips.len; i++)
		TRY(add_ip(names, ips.at[i], e));
	return 0;
}

int openssl_alternative_names(const struct cert_subject *s, X509_EXTENSION **to, struct err *e)
{
	GENERAL_NAMES *names = openssl_need(GENERAL_NAMES_new());

	add_texts(names, GEN_DNS, s->dns);
	add_texts(names, GEN_EMAIL, s->emails);
	add_texts(names, GEN_URI, s->uris);
	if (add_ips(names, s->ips, e) < 0) {
		GENERAL_NAMES_free(names);
		return -1;
	}
	*to = sk_GENERAL_NAME_num(names)
		? openssl_need(X509V3_EXT_i2d(NID_subject_alt_name, 0, names))
		: NULL;
	GENERAL_NAMES_free(names);
	return 0;
}

static int add(struct arena *a, struct cert_list *to, size_t *cap, str text, struct err *e)
{
	void *at = (void *)to->at;

	if (arena_grow(a, &at, to->len, cap, sizeof(str)) < 0)
		return arena_full(a, e);
	to->at = at;
	TRY(arena_str_try(a, text, (str *)at + to->len, e));
	to->len++;
	return 0;
}

static unsigned key_usages(const ASN1_BIT_STRING *bits)
{
	enum { KEY_USAGE_BITS = 9 };
	static const unsigned known[KEY_USAGE_BITS] = {
		[0] = CERT_DIGITAL_SIGNATURE,
		[2] = CERT_KEY_ENCIPHERMENT,
		[5] = CERT_SIGN,
		[6] = CERT_CRL_SIGN,
	};
	unsigned usages = 0;

	for (int i = 0; i < KEY_USAGE_BITS; i++)
		if (ASN1_BIT_STRING_get_bit(bits, i))
			usages |= known[i] ? known[i] : (unsigned)CERT_OTHER_USAGE;
	return usages;
}

static unsigned extended_usages(const EXTENDED_KEY_USAGE *list)
{
	unsigned usages = 0;

	for (int i = 0; i < sk_ASN1_OBJECT_num(list); i++) {
		switch (OBJ_obj2nid(sk_ASN1_OBJECT_value(list, i))) {
		case NID_server_auth: usages |= CERT_SERVER_AUTH; break;
		case NID_client_auth: usages |= CERT_CLIENT_AUTH; break;
		default: usages |= CERT_OTHER_USAGE; break;
		}
	}
	return usages;
}
