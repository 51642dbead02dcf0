#include "setup/pki.h"

#include "lib/client/kubeconfig.h"
#include "lib/codec/base64.h"
#include "lib/crypto/cert.h"
#include "lib/os/file.h"

#include <errno.h>
#include <sys/stat.h>

enum {
	YEAR_S = 365 * 86400,
	EARLY_S = 3600,
	RENEW_S = 120 * 86400,
	FILE_BYTES_MAX = 64 << 10,
};

enum alternative { NAMES_NONE, NAMES_APISERVER, NAMES_ETCD };

/* One certificate with its key. Those that sign come before those that they sign. */
struct issue {
	const char *file, *ca; /* below pki/; ca NULL: signs itself */
	const char *common_name, *organization;
	enum alternative names;
	unsigned usages; /* beside signing and key encipherment */
	enum pki_user user;
};

static const struct issue issues[] = {
	{"ca", NULL, "kubernetes", NULL, NAMES_NONE, CERT_SIGN, PKI_CA},
	{"apiserver", "ca", "kube-apiserver", NULL, NAMES_APISERVER, CERT_SERVER_AUTH,
		PKI_API_SERVING},
	{"apiserver-kubelet-client", "ca", "kube-apiserver-kubelet-client",
		"kubeadm:cluster-admins", NAMES_NONE, CERT_CLIENT_AUTH, PKI_API_CLIENTS},
	{"front-proxy-ca", NULL, "front-proxy-ca", NULL, NAMES_NONE, CERT_SIGN, PKI_CA},
	{"front-proxy-client", "front-proxy-ca", "front-proxy-client", NULL, NAMES_NONE,
		CERT_CLIENT_AUTH, PKI_API_CLIENTS},
	{"etcd/ca", NULL, "etcd-ca", NULL, NAMES_NONE, CERT_SIGN, PKI_CA},
	{"etcd/server", "etcd/ca", NULL, NULL, NAMES_ETCD, CERT_SERVER_AUTH | CERT_CLIENT_AUTH,
		PKI_ETCD},
	{"etcd/peer", "etcd/ca", NULL, NULL, NAMES_ETCD, CERT_SERVER_AUTH | CERT_CLIENT_AUTH,
		PKI_ETCD},
	{"etcd/healthcheck-client", "etcd/ca", "kube-etcd-healthcheck-client", NULL, NAMES_NONE,
		CERT_CLIENT_AUTH, PKI_ADMIN},
	{"apiserver-etcd-client", "etcd/ca", "kube-apiserver-etcd-client", NULL, NAMES_NONE,
		CERT_CLIENT_AUTH, PKI_API_CLIENTS},
};

/* A kubeconfig holds a client certificate of its own. */
struct config {
	const char *file, *name, *organization;
	enum pki_user user;
};

static const struct config configs[] = {
	{"super-admin.conf", "kubernetes-super-admin", "system:masters", PKI_ADMIN},
	{"admin.conf", "kubernetes-admin", "kubeadm:cluster-admins", PKI_ADMIN},
	{"controller-manager.conf", "system:kube-controller-manager", NULL, PKI_CONTROLLER_MANAGER},
	{"scheduler.conf", "system:kube-scheduler", NULL, PKI_SCHEDULER},
};

struct pki {
	const struct pki_options *o;
	struct arena arena;
	int64_t now_s;
	unsigned changed;
};

static int make_all(struct pki *p, struct err *e);
static int make_folder(struct pki *p, const char *below, struct err *e);
static int make_issue(struct pki *p, const struct issue *i, struct err *e);
static bool is_good(struct pki *p, const struct issue *i, const char *path);
static bool fits(struct pki *p, str pem, const struct cert_subject *wanted);
static bool has_all(struct cert_list have, struct cert_list wanted);
static int sign(struct pki *p, const struct issue *i, struct key *k, str *pem, struct err *e);
static int make_service_account_key(struct pki *p, struct err *e);
static int make_config(struct pki *p, const struct config *c, struct err *e);
static bool is_good_config(struct pki *p, const char *at);
static struct cert_subject subject_of(struct pki *p, const struct issue *i);
static str config_text(struct pki *p, const char *user, str ca_pem, str cert_pem, str key_pem);
static const char *path(struct pki *p, const char *below, const char *suffix);
static bool exists(const char *at);
static void put_base64(struct buf *b, str s);

int pki_make(const struct pki_options *o, const struct clock *c, unsigned *changed, struct err *e)
{
	struct pki p = {.o = o, .now_s = c->wall_ns(c) / NS_PER_S};

	arena_init(&p.arena, ARENA_NO_LIMIT);
	int made = make_all(&p, e);
	arena_free(&p.arena);
	*changed = p.changed;
	return made;
}

static int make_all(struct pki *p, struct err *e)
{
	TRY(make_folder(p, "", e));
	TRY(make_folder(p, "pki", e));
	TRY(make_folder(p, "pki/etcd", e));
	for (size_t i = 0; i < sizeof(issues) / sizeof(issues[0]); i++)
		TRY(make_issue(p, &issues[i], e));
	TRY(make_service_account_key(p, e));
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
		TRY(make_config(p, &configs[i], e));
	return 0;
}

static int make_folder(struct pki *p, const char *below, struct err *e)
{
	const char *at = arena_fmt(&p->arena, "%.*s/%s", STR_ARG(p->o->folder), below).at;

	if (mkdir(at, 0755) < 0 && errno != EEXIST)
		return err_set_errno(e, errno, "making the folder %s", at);
	return 0;
}

static int make_issue(struct pki *p, const struct issue *i, struct err *e)
{
	const char *cert_path = path(p, i->file, ".crt"), *key_path = path(p, i->file, ".key");
	struct key *key;
	str pem;

	if (exists(cert_path) && exists(key_path) && (!i->ca || is_good(p, i, cert_path)))
		return 0;
	TRY(key_make(&key, e));
	int made = sign(p, i, key, &pem, e);
	if (made == 0)
		made = file_write(key_path, 0600, key_private_pem(key, &p->arena), e);
	if (made == 0)
		made = file_write(cert_path, 0644, pem, e);
	if (made == 0)
		p->changed |= i->user;
	key_drop(key);
	return made;
}

/* What cannot be read is made anew. */
static bool is_good(struct pki *p, const struct issue *i, const char *path)
{
	struct cert_subject wanted = subject_of(p, i);
	struct err unused;
	str pem;

	return file_read(&p->arena, path, FILE_BYTES_MAX, &pem, &unused) == 0 &&
		fits(p, pem, &wanted);
}

static bool fits(struct pki *p, str pem, const struct cert_subject *wanted)
{
	struct cert *have;
	struct err unused;
	size_t len;

	return cert_read(&p->arena, pem, &have, &len, &unused) == 0 &&
		have->not_after_s - p->now_s >= RENEW_S &&
		has_all(have->subject.dns, wanted->dns) && has_all(have->subject.ips, wanted->ips);
}

static bool has_all(struct cert_list have, struct cert_list wanted)
{
	for (size_t i = 0; i < wanted.len; i++) {
		size_t k = 0;

		while (k < have.len && !str_eq(have.at[k], wanted.at[i]))
			k++;
		if (k == have.len)
			return false;
	}
	return true;
}

static int sign(struct pki *p, const struct issue *i, struct key *k, str *pem, struct err *e)
{
	struct cert_order o = {
		.subject = subject_of(p, i),
		.key = k,
		.ca_key = k,
		.is_ca = !i->ca,
		.usages = CERT_DIGITAL_SIGNATURE | CERT_KEY_ENCIPHERMENT | i->usages,
		.not_before_s = p->now_s - EARLY_S,
		.not_after_s = p->now_s + (i->ca ? 1 : 10) * (int64_t)YEAR_S,
	};
	struct key *ca_key = NULL;
	str ca_key_pem;

	if (i->ca) {
		TRY(file_read(&p->arena, path(p, i->ca, ".crt"), FILE_BYTES_MAX, &o.ca_pem, e));
		TRY(file_read(&p->arena, path(p, i->ca, ".key"), FILE_BYTES_MAX, &ca_key_pem, e));
		TRY(key_read_private(ca_key_pem, &ca_key, e));
		o.ca_key = ca_key;
	}
	int made = cert_make(&p->arena, &o, pem, e);
	if (ca_key)
		key_drop(ca_key);
	return made;
}

static struct cert_subject subject_of(struct pki *p, const struct issue *i)
{
	static const char *const cluster_names[] = {"kubernetes", "kubernetes.default",
		"kubernetes.default.svc", "kubernetes.default.svc.cluster.local"};
	const struct pki_options *o = p->o;
	struct cert_subject s = {
		.common_name = i->common_name ? str_of(i->common_name) : o->node_name,
	};
	str *names = arena_get(&p->arena, (o->names.len + 6) * sizeof(*names));
	str *addresses = arena_get(&p->arena, (o->addresses.len + 2) * sizeof(*addresses));
	str *organization = arena_get(&p->arena, sizeof(*organization));
	size_t name_count = 0, address_count = 0;

	if (i->organization) {
		*organization = str_of(i->organization);
		s.organizations = (struct cert_list){organization, 1};
	}
	if (i->names == NAMES_NONE)
		return s;
	names[name_count++] = STR("localhost");
	names[name_count++] = o->node_name;
	addresses[address_count++] = STR("127.0.0.1");
	addresses[address_count++] = STR("::1");
	if (i->names == NAMES_APISERVER) {
		for (size_t k = 0; k < sizeof(cluster_names) / sizeof(cluster_names[0]); k++)
			names[name_count++] = str_of(cluster_names[k]);
		for (size_t k = 0; k < o->names.len; k++)
			names[name_count++] = o->names.at[k];
		for (size_t k = 0; k < o->addresses.len; k++)
			addresses[address_count++] = o->addresses.at[k];
	}
	s.dns = (struct cert_list){names, name_count};
	s.ips = (struct cert_list){addresses, address_count};
	return s;
}

static int make_service_account_key(struct pki *p, struct err *e)
{
	struct key *key;

	if (exists(path(p, "sa", ".key")) && exists(path(p, "sa", ".pub")))
		return 0;
	TRY(key_make(&key, e));
	int made = file_write(path(p, "sa", ".key"), 0600, key_private_pem(key, &p->arena), e);
	if (made == 0)
		made = file_write(path(p, "sa", ".pub"), 0644, key_public_pem(key, &p->arena), e);
	key_drop(key);
	return made;
}

static int make_config(struct pki *p, const struct config *c, struct err *e)
{
	const struct issue client = {
		"", "ca", c->name, c->organization, NAMES_NONE, CERT_CLIENT_AUTH, c->user};
	const char *at = arena_fmt(&p->arena, "%.*s/%s", STR_ARG(p->o->folder), c->file).at;
	struct key *key;
	str ca_pem, cert_pem;

	if (is_good_config(p, at))
		return 0;
	TRY(file_read(&p->arena, path(p, "ca", ".crt"), FILE_BYTES_MAX, &ca_pem, e));
	TRY(key_make(&key, e));
	int made = sign(p, &client, key, &cert_pem, e);
	if (made == 0)
		made = file_write(at, 0600,
			config_text(p, c->name, ca_pem, cert_pem, key_private_pem(key, &p->arena)),
			e);
	if (made == 0)
		p->changed |= c->user;
	key_drop(key);
	return made;
}

static bool is_good_config(struct pki *p, const char *at)
{
	static const struct cert_subject nothing = {0};
	struct kubeconfig k;
	struct err unused;

	return kubeconfig_read(&p->arena, at, (str){0}, &k, &unused) == 0 &&
		fits(p, k.cert_pem, &nothing);
}

static str config_text(struct pki *p, const char *user, str ca_pem, str cert_pem, str key_pem)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_fmt(&b,
		"apiVersion: v1\nkind: Config\nclusters:\n- name: kubernetes\n  cluster:\n"
		"    server: %.*s\n    certificate-authority-data: ",
		STR_ARG(p->o->server));
	put_base64(&b, ca_pem);
	buf_add_fmt(&b, "users:\n- name: %s\n  user:\n    client-certificate-data: ", user);
	put_base64(&b, cert_pem);
	buf_add_fmt(&b, "    client-key-data: ");
	put_base64(&b, key_pem);
	buf_add_fmt(&b,
		"contexts:\n- name: %s@kubernetes\n  context:\n    cluster: kubernetes\n"
		"    user: %s\ncurrent-context: %s@kubernetes\n",
		user, user, user);
	str text = arena_str(&p->arena, buf_str(&b));
	buf_free(&b);
	return text;
}

static const char *path(struct pki *p, const char *below, const char *suffix)
{
	return arena_fmt(&p->arena, "%.*s/pki/%s%s", STR_ARG(p->o->folder), below, suffix).at;
}

static bool exists(const char *at)
{
	struct stat s;

	return stat(at, &s) == 0 && s.st_size > 0;
}

static void put_base64(struct buf *b, str s)
{
	base64_put(b, s);
	buf_add_char(b, '\n');
}
