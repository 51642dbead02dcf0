#include "setup/settings.h"

#include "lib/os/net.h"
#include "lib/value/name.h"

#define PREFIX "coracle."

enum { LIST_MAX = 32 };

struct row {
	const char *name, *preset, *example;
	bool (*good)(str value);
	const char *what; /* it has to be */
	bool secret, not_kept;
};

static bool is_role(str s);
static bool is_name(str s);
static bool is_interface(str s);
static bool is_address(str s);
static bool is_prefix(str s);
static bool is_dhcp_or_prefix(str s);
static bool is_state(str s);
static bool is_token(str s);
static bool are_names(str s);
static bool are_addresses(str s);

static const struct row rows[SETTING_COUNT] = {
	[SETTING_ROLE] = {"role", "master,node", "master", is_role, "master, node or master,node",
		false, false},
	[SETTING_NODE_NAME] = {"node-name", NULL, "boat-1", is_name, "a lower-case DNS name", false,
		false},
	[SETTING_INTERFACE] = {"interface", NULL, "eth0", is_interface,
		"the name of a network interface", false, false},
	[SETTING_ADDRESS] = {"address", "dhcp", "192.0.2.10/24", is_dhcp_or_prefix,
		"dhcp or an IPv4 address with its prefix length", false, false},
	[SETTING_GATEWAY] = {"gateway", NULL, "192.0.2.1", is_address, "an IP address", false,
		false},
	[SETTING_DNS] = {"dns", NULL, "192.0.2.53,192.0.2.54", are_addresses,
		"IP addresses with commas between", false, false},
	[SETTING_NTP] = {"ntp", NULL, "192.0.2.123,time.example.org", are_names,
		"names or IP addresses with commas between", false, false},
	[SETTING_STATE] = {"state", "auto", "/dev/vdb", is_state, "auto, disk, ram or a device",
		false, true},
	[SETTING_NAMES] = {"names", NULL, "cluster.example.org", are_names,
		"DNS names with commas between", false, false},
	[SETTING_ADDRESSES] = {"addresses", NULL, "192.0.2.10,2001:db8::10", are_addresses,
		"IP addresses with commas between", false, false},
	[SETTING_ADVERTISE_ADDRESS] = {"advertise-address", "10.255.255.1", "192.0.2.10",
		is_address, "an IP address", false, false},
	[SETTING_SERVICE_CIDR] = {"service-cidr", "10.96.0.0/12", "10.96.0.0/12", is_prefix,
		"an IPv4 network with its prefix length", false, false},
	[SETTING_POD_CIDR] = {"pod-cidr", "10.244.0.0/16", "10.244.0.0/16", is_prefix,
		"an IPv4 network with its prefix length", false, false},
	[SETTING_TOKEN] = {"token", NULL, "abcdef.0123456789abcdef", is_token,
		"6 lower-case letters or digits, a dot, 16 more", true, true},
};

/* Of stage 1, the boot loader and the installer. */
static const char *const others[] = {"root", "slot", "config"};

static const char *const source_names[SOURCE_COUNT] = {
	[SOURCE_PRESET] = "preset",
	[SOURCE_KEPT] = "kept from the first boot",
	[SOURCE_CONFIG_DISK] = "config disk",
	[SOURCE_FW_CFG] = "fw_cfg file",
	[SOURCE_CMDLINE] = "kernel command line",
};

static void check_names(const struct pair_list *p, enum setting_source from, struct buf *problems);
static int find(str name);
static void problem(struct buf *to, const struct row *r, str value, enum setting_source from);
static str without_prefix(str key);

const char *setting_name(enum setting s)
{
	return rows[s].name;
}

const char *setting_source_name(enum setting_source s)
{
	return source_names[s];
}

bool setting_is_secret(enum setting s)
{
	return rows[s].secret;
}

int settings_read_cmdline(struct arena *a, str text, struct pair_list *to, struct err *e)
{
	struct buf lines;
	bool quoted = false;

	buf_init(&lines, 64 << 10);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '"')
			quoted = !quoted;
		else
			buf_add_char(&lines, c == '\n' || (c == ' ' && !quoted) ? '\n' : c);
	}
	str ours = {0};
	struct buf kept;

	buf_init(&kept, 64 << 10);
	for (str rest = buf_str(&lines); rest.at;) {
		str word = str_cut(&rest, '\n');

		if (str_starts(word, STR(PREFIX))) {
			buf_add_str(&kept, word);
			buf_add_char(&kept, '\n');
		}
	}
	int done = buf_ok(&kept, "the kernel command line", e);

	if (done == 0)
		done = arena_str_try(a, buf_str(&kept), &ours, e);
	buf_free(&kept);
	buf_free(&lines);
	return done < 0 ? -1 : settings_read_file(a, ours, to, e);
}

int settings_read_file(struct arena *a, str text, struct pair_list *to, struct err *e)
{
	struct pair_list list;

	TRY(pairs_read(a, text, &list, e));
	for (size_t i = 0; i < list.len; i++)
		list.at[i].key = without_prefix(list.at[i].key);
	*to = list;
	return 0;
}

void settings_resolve(
	const struct setting_sources *sources, struct settings *to, struct buf *problems)
{
	*to = (struct settings){0};
	for (int s = SOURCE_COUNT; s-- > SOURCE_KEPT;)
		check_names(&sources->at[s], (enum setting_source)s, problems);
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		enum setting_source from = SOURCE_PRESET;
		str value = str_of(rows[i].preset);

		for (int s = SOURCE_COUNT; s-- > SOURCE_KEPT && from == SOURCE_PRESET;) {
			str said = pairs_get(&sources->at[s], str_of(rows[i].name));

			if (said.at) {
				value = said;
				from = (enum setting_source)s;
			}
		}
		to->at[i] = value;
		to->from[i] = from;
		if (from != SOURCE_PRESET && !rows[i].good(value))
			problem(problems, &rows[i], value, from);
	}
}

void settings_put_kept(const struct settings *s, struct buf *to)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (s->from[i] != SOURCE_PRESET && !rows[i].not_kept)
			buf_add_fmt(to, "%s=%.*s\n", rows[i].name, STR_ARG(s->at[i]));
}

bool settings_has_role(const struct settings *s, str role)
{
	for (str rest = s->at[SETTING_ROLE]; rest.at;)
		if (str_eq(str_trim(str_cut(&rest, ',')), role))
			return true;
	return false;
}

struct str_list settings_list(struct arena *a, str value)
{
	struct str_list list = {0};

	if (value.len)
		list.at = arena_get(a, LIST_MAX * sizeof(*list.at));
	for (str rest = value; rest.len && list.len < LIST_MAX;)
		list.at[list.len++] = str_trim(str_cut(&rest, ','));
	return list;
}

static void check_names(const struct pair_list *p, enum setting_source from, struct buf *problems)
{
	for (size_t i = 0; i < p->len; i++) {
		str name = p->at[i].key;
		bool known = find(name) >= 0;

		for (size_t k = 0; k < COUNT_OF(others) && !known; k++)
			known = str_eq(name, str_of(others[k]));
		if (!known)
			buf_add_fmt(problems,
				"there is no setting " PREFIX "%.*s, which stands in the %s\n",
				STR_ARG(name), source_names[from]);
	}
}

static int find(str name)
{
	for (int i = 0; i < SETTING_COUNT; i++)
		if (str_eq(name, str_of(rows[i].name)))
			return i;
	return -1;
}

static void problem(struct buf *to, const struct row *r, str value, enum setting_source from)
{
	str shown = r->secret ? STR("...") : str_slice(value, 0, 80);

	buf_add_fmt(to,
		PREFIX "%s=%.*s from the %s is wrong: it has to be %s; for example " PREFIX
		       "%s=%s\n",
		r->name, STR_ARG(shown), source_names[from], r->what, r->name, r->example);
}

static str without_prefix(str key)
{
	return str_starts(key, STR(PREFIX)) ? str_slice(key, sizeof(PREFIX) - 1, key.len) : key;
}

static bool each(str list, bool (*good)(str))
{
	int count = 0;

	for (str rest = list; rest.at; count++)
		if (count == LIST_MAX || !good(str_trim(str_cut(&rest, ','))))
			return false;
	return count > 0;
}

static bool is_one_role(str s)
{
	return str_eq(s, STR("master")) || str_eq(s, STR("node"));
}

static bool is_role(str s)
{
	return each(s, is_one_role);
}

static bool is_name(str s)
{
	struct name_faults unused;

	return name_check(NAME_DNS1123_SUBDOMAIN, s, &unused);
}

/* IFNAMSIZ, as dev_valid_name() of Linux has it. */
static bool is_interface(str s)
{
	return s.len > 0 && s.len < 16 && str_find_char(s, '/') < 0 && str_find_char(s, ' ') < 0 &&
		s.at[0] != '.' && str_find_char(s, ':') < 0;
}

static bool is_address(str s)
{
	struct net_address a;
	struct err e;

	return net_address_parse(s, 0, &a, &e) == 0;
}

static bool is_prefix(str s)
{
	str rest = s, host = str_cut(&rest, '/');
	struct net_address a;
	struct err e;
	uint64_t bits;

	return net_address_parse(host, 0, &a, &e) == 0 && a.any.sa_family == AF_INET &&
		str_to_u64(rest, &bits) && bits > 0 && bits <= 32;
}

static bool is_dhcp_or_prefix(str s)
{
	return str_eq(s, STR("dhcp")) || is_prefix(s);
}

static bool is_state(str s)
{
	return str_eq(s, STR("auto")) || str_eq(s, STR("disk")) || str_eq(s, STR("ram")) ||
		(str_starts(s, STR("/dev/")) && s.len > 5 && str_find(s, STR("..")) < 0);
}

static bool is_token(str s)
{
	for (size_t i = 0; i < s.len; i++) {
		bool digit = s.at[i] >= '0' && s.at[i] <= '9';
		bool letter = s.at[i] >= 'a' && s.at[i] <= 'z';

		if (i == 6 ? s.at[i] != '.' : !digit && !letter)
			return false;
	}
	return s.len == 23;
}

static bool is_name_or_address(str s)
{
	return is_address(s) || is_name(s);
}

static bool are_names(str s)
{
	return each(s, is_name_or_address);
}

static bool are_addresses(str s)
{
	return each(s, is_address);
}
