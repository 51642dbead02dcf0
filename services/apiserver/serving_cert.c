#include "apiserver/serving_cert.h"

#include "apiserver/bootstrap.h"
#include "lib/daemon/daemon.h"
#include "lib/os/file.h"

#include <errno.h>
#include <sys/stat.h>

enum { PEM_MAX_BYTES = 1 << 20 };

static int make(struct arena *a, const struct apiserver_flags *f, const struct clock *c,
	str *cert_pem, str *key_pem, struct err *e)
{
	const str dns[] = {STR("kubernetes.default.svc"), STR("kubernetes.default"),
		STR("kubernetes"), STR("localhost")};
	str ips[] = {f->advertise_address.len ? f->advertise_address : f->bind_address,
		STR("127.0.0.1"), bootstrap_service_address(a, f->service_cluster_ip_range)};
	size_t ip_count = ips[COUNT_OF(ips) - 1].len ? COUNT_OF(ips) : COUNT_OF(ips) - 1;

	return daemon_self_signed(a, (struct cert_list){dns, COUNT_OF(dns)},
		(struct cert_list){ips, ip_count}, c, cert_pem, key_pem, e);
}

static int read_pair(struct arena *a, const char *cert_path, const char *key_path, str *cert_pem,
	str *key_pem, struct err *e)
{
	TRY(file_read(a, cert_path, PEM_MAX_BYTES, cert_pem, e));
	return file_read(a, key_path, PEM_MAX_BYTES, key_pem, e);
}

int serving_cert(struct arena *a, const struct apiserver_flags *f, const struct clock *c,
	str *cert_pem, str *key_pem, struct err *e)
{
	if (!f->cert_dir.len)
		return make(a, f, c, cert_pem, key_pem, e);

	const char *folder = arena_str(a, f->cert_dir).at;
	const char *cert_path = arena_fmt(a, "%s/apiserver.crt", folder).at;
	const char *key_path = arena_fmt(a, "%s/apiserver.key", folder).at;

	if (read_pair(a, cert_path, key_path, cert_pem, key_pem, e) == 0)
		return 0;
	if (e->kind != ERR_NOT_FOUND)
		return -1;
	TRY(make(a, f, c, cert_pem, key_pem, e));
	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return err_set_errno(e, errno, "making %s", folder);
	TRY(file_write(cert_path, 0644, *cert_pem, e));
	return file_write(key_path, 0600, *key_pem, e);
}
