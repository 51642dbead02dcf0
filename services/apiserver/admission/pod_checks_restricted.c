#include "apiserver/admission/pod_checks.h"

enum { WINDOWS_EXEMPT_FROM = 25 };

/* Linux' notions bind no Windows pod since v1.25. */
static bool is_exempt(const struct checked_pod *p)
{
	return p->minor >= WINDOWS_EXEMPT_FROM && pod_is_windows(p);
}

void check_privilege_escalation(struct checked_pod *p)
{
	struct names containers = {0};

	for (size_t i = 0; i < p->count && !is_exempt(p); i++) {
		const struct security_context *s = p->containers[i].security;

		if (!s || !s->allow_privilege_escalation || *s->allow_privilege_escalation)
			names_add(p, &containers, p->containers[i].name);
	}
	if (containers.list.len > 0)
		violated(p, "allowPrivilegeEscalation != false",
			"%.*s must set securityContext.allowPrivilegeEscalation=false",
			STR_ARG(names_containers(p, &containers)));
}

static bool drops_all(const struct capabilities *c)
{
	for (size_t i = 0; c && i < c->drop.len; i++)
		if (str_eq(c->drop.at[i], STR("ALL")))
			return true;
	return false;
}

void check_capabilities_restricted(struct checked_pod *p)
{
	struct names keeping = {0}, adding = {0}, added = {0};
	str first = STR(""), second = STR("");

	for (size_t i = 0; i < p->count && !is_exempt(p); i++) {
		const struct security_context *s = p->containers[i].security;
		const struct capabilities *c = s ? s->capabilities : NULL;
		size_t before = added.list.len;

		if (!drops_all(c))
			names_add(p, &keeping, p->containers[i].name);
		for (size_t k = 0; c && k < c->add.len; k++)
			if (!str_eq(c->add.at[k], STR("NET_BIND_SERVICE")))
				names_add(p, &added, c->add.at[k]);
		if (added.list.len > before)
			names_add(p, &adding, p->containers[i].name);
	}
	if (keeping.list.len > 0)
		first = arena_fmt(p->arena,
			"%.*s must set securityContext.capabilities.drop=[\"ALL\"]",
			STR_ARG(names_containers(p, &keeping)));
	if (adding.list.len > 0)
		second = arena_fmt(p->arena,
			"%.*s must not include %.*s in securityContext.capabilities.add",
			STR_ARG(names_containers(p, &adding)), STR_ARG(names_sorted(p, &added)));
	if (first.len + second.len > 0)
		violated(p, "unrestricted capabilities", "%.*s%s%.*s", STR_ARG(first),
			first.len && second.len ? "; " : "", STR_ARG(second));
}

/* NULL for the kinds that are allowed. */
static const char *restricted_kind(const struct volume_source *s)
{
	if (s->config_map || s->csi || s->downward_api || s->empty_dir || s->ephemeral ||
		s->image || s->persistent_volume_claim || s->projected || s->secret)
		return NULL;
	return s->host_path                  ? "hostPath"
		: s->gce_persistent_disk     ? "gcePersistentDisk"
		: s->aws_elastic_block_store ? "awsElasticBlockStore"
		: s->git_repo                ? "gitRepo"
		: s->nfs                     ? "nfs"
		: s->iscsi                   ? "iscsi"
		: s->glusterfs               ? "glusterfs"
		: s->rbd                     ? "rbd"
		: s->flex_volume             ? "flexVolume"
		: s->cinder                  ? "cinder"
		: s->cephfs                  ? "cephfs"
		: s->flocker                 ? "flocker"
		: s->fc                      ? "fc"
		: s->azure_file              ? "azureFile"
		: s->vsphere_volume          ? "vsphereVolume"
		: s->quobyte                 ? "quobyte"
		: s->azure_disk              ? "azureDisk"
		: s->photon_persistent_disk  ? "photonPersistentDisk"
		: s->portworx_volume         ? "portworxVolume"
		: s->scale_io                ? "scaleIO"
		: s->storageos               ? "storageos"
					     : "unknown";
}

void check_restricted_volumes(struct checked_pod *p)
{
	struct names volumes = {0}, kinds = {0};

	for (size_t i = 0; i < p->spec->volumes.len; i++) {
		const char *kind = restricted_kind(&p->spec->volumes.at[i].volume_source);

		if (kind) {
			names_add(p, &volumes, p->spec->volumes.at[i].name);
			names_add(p, &kinds, str_of(kind));
		}
	}
	if (volumes.list.len == 0)
		return;
	str shown = names_sorted(p, &kinds);
	bool one = volumes.list.len == 1;

	violated(p, "restricted volume types", "volume%s %.*s %s restricted volume type%s %.*s",
		one ? "" : "s", STR_ARG(names_quoted(p, &volumes)), one ? "uses" : "use",
		kinds.list.len == 1 ? "" : "s", STR_ARG(shown));
}

void check_run_as_non_root(struct checked_pod *p)
{
	const bool *pod = p->security ? p->security->run_as_non_root : NULL;
	struct names bad = {0}, silent = {0};

	if (pod_is_in_user_namespace(p))
		return;
	for (size_t i = 0; i < p->count; i++) {
		const struct security_context *s = p->containers[i].security;

		if (s && s->run_as_non_root) {
			if (!*s->run_as_non_root)
				names_add(p, &bad, p->containers[i].name);
		} else if (!pod || !*pod) {
			names_add(p, &silent, p->containers[i].name);
		}
	}
	str setters = names_setters(p, pod && !*pod, &bad);

	if (setters.at)
		violated(p, "runAsNonRoot != true",
			"%.*s must not set securityContext.runAsNonRoot=false", STR_ARG(setters));
	else if (silent.list.len > 0)
		violated(p, "runAsNonRoot != true",
			"pod or %.*s must set securityContext.runAsNonRoot=true",
			STR_ARG(names_containers(p, &silent)));
}

void check_run_as_user(struct checked_pod *p)
{
	const int64_t *pod = p->security ? p->security->run_as_user : NULL;
	struct names bad = {0};

	if (pod_is_in_user_namespace(p))
		return;
	for (size_t i = 0; i < p->count; i++) {
		const struct security_context *s = p->containers[i].security;

		if (s && s->run_as_user && *s->run_as_user == 0)
			names_add(p, &bad, p->containers[i].name);
	}
	str setters = names_setters(p, pod && *pod == 0, &bad);

	if (setters.at)
		violated(p, "runAsUser=0", "%.*s must not set runAsUser=0", STR_ARG(setters));
}

static bool is_confined(const struct seccomp_profile *s)
{
	return str_eq(s->type, STR("RuntimeDefault")) || str_eq(s->type, STR("Localhost"));
}

void check_seccomp_restricted(struct checked_pod *p)
{
	const struct seccomp_profile *pod = p->security ? p->security->seccomp_profile : NULL;
	struct names bad = {0}, silent = {0}, values = {0};

	if (is_exempt(p))
		return;
	if (pod && !is_confined(pod))
		names_add(p, &values, pod->type);
	for (size_t i = 0; i < p->count; i++) {
		const struct security_context *s = p->containers[i].security;
		const struct seccomp_profile *own = s ? s->seccomp_profile : NULL;

		if (own && !is_confined(own)) {
			names_add(p, &bad, p->containers[i].name);
			names_add(p, &values, own->type);
		} else if (!own && (!pod || !is_confined(pod))) {
			names_add(p, &silent, p->containers[i].name);
		}
	}
	str setters = names_setters(p, pod && !is_confined(pod), &bad);

	if (setters.at)
		violated(p, "seccompProfile",
			"%.*s must not set securityContext.seccompProfile.type to %.*s",
			STR_ARG(setters), STR_ARG(names_sorted(p, &values)));
	else if (silent.list.len > 0)
		violated(p, "seccompProfile",
			"pod or %.*s must set securityContext.seccompProfile.type to "
			"\"RuntimeDefault\" or \"Localhost\"",
			STR_ARG(names_containers(p, &silent)));
}
