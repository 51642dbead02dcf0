#include "apiserver/admission/pod_security.h"
#include "lib/base/test.h"

/* What a restricted pod must say; cases change it. */
#define GOOD_CONTAINER \
	"\"securityContext\":{\"allowPrivilegeEscalation\":false,\"capabilities\":{\"drop\":[" \
	"\"ALL\"]}}"
#define GOOD_POD \
	"\"securityContext\":{\"runAsNonRoot\":true,\"seccompProfile\":{\"type\":" \
	"\"RuntimeDefault\"}}"

static str check(struct test *t, enum pod_level level, int minor, str spec, const char *metadata)
{
	struct pod_violations v;
	struct pod *p;
	void *o;
	struct err e;

	REQUIRE_OK(object_decode(&t->arena, api_type(API_POD), FORMAT_JSON,
			   arena_fmt(&t->arena, "{\"metadata\":{%s},\"spec\":{%.*s}}", metadata,
				   STR_ARG(spec)),
			   &o, NULL, &e),
		&e);
	p = o;
	pod_policy_check(&t->arena, (struct pod_policy){level, minor}, &p->metadata, &p->spec, &v);
	return pod_violations_details(&t->arena, &v);
}

/* Fields of the pod and of its container "a"; what baseline says of them. */
static const struct {
	const char *metadata, *pod, *container;
	int minor;
	const char *violation;
} baseline[] = {
	{"", "", "", 36, ""},
	{"", "", "\"securityContext\":{\"privileged\":true}", 0,
		"privileged (container \"a\" must not set securityContext.privileged=true)"},
	{"", "", "\"securityContext\":{\"privileged\":false}", -1, ""},
	{"", "\"hostNetwork\":true,\"hostPID\":true,\"hostIPC\":true", "", -1,
		"host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)"},
	{"", "\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/\"}}]", "", -1,
		"hostPath volumes (volume \"v\")"},
	{"",
		"\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/\"}},{\"name\":\"w\","
		"\"hostPath\":{\"path\":\"/\"}},{\"name\":\"x\",\"emptyDir\":{}}]",
		"", -1, "hostPath volumes (volumes \"v\", \"w\")"},
	{"", "", "\"ports\":[{\"hostPort\":80},{\"hostPort\":8},{\"containerPort\":1}]", -1,
		"hostPort (container \"a\" uses hostPorts 8, 80)"},
	{"", "", "\"livenessProbe\":{\"httpGet\":{\"host\":\"h\"}}", 33, ""},
	{"", "", "\"livenessProbe\":{\"httpGet\":{\"host\":\"h\"}}", 34,
		"probe or lifecycle host (container \"a\" uses probe or lifecycle host \"h\")"},
	{"", "", "\"lifecycle\":{\"preStop\":{\"tcpSocket\":{\"host\":\"h\"}}}", -1,
		"probe or lifecycle host (container \"a\" uses probe or lifecycle host \"h\")"},
	{"", "",
		"\"securityContext\":{\"capabilities\":{\"add\":[\"CHOWN\",\"SYS_ADMIN\",\"BPF\"]}"
		"}",
		-1,
		"non-default capabilities (container \"a\" must not include \"BPF\", "
		"\"SYS_ADMIN\" in securityContext.capabilities.add)"},
	{"\"annotations\":{\"container.apparmor.security.beta.kubernetes.io/a\":\"unconfined\"}",
		"", "", -1,
		"forbidden AppArmor profile (annotation must not set AppArmor profile type to "
		"\"container.apparmor.security.beta.kubernetes.io/a=\"unconfined\"\")"},
	{"", "\"securityContext\":{\"appArmorProfile\":{\"type\":\"Unconfined\"}}",
		"\"securityContext\":{\"appArmorProfile\":{\"type\":\"Other\"}}", -1,
		"forbidden AppArmor profiles (pod and container \"a\" must not set AppArmor "
		"profile "
		"type to \"Other\", \"Unconfined\")"},
	{"", "\"securityContext\":{\"appArmorProfile\":{\"type\":\"Localhost\"}}", "", -1, ""},
	{"", "", "\"securityContext\":{\"procMount\":\"Unmasked\"}", -1,
		"procMount (container \"a\" must not set securityContext.procMount to "
		"\"Unmasked\")"},
	{"", "\"hostUsers\":false", "\"securityContext\":{\"procMount\":\"Unmasked\"}", 34,
		"procMount (container \"a\" must not set securityContext.procMount to "
		"\"Unmasked\")"},
	{"", "\"hostUsers\":false", "\"securityContext\":{\"procMount\":\"Unmasked\"}", 35, ""},
	{"", "", "\"securityContext\":{\"seLinuxOptions\":{\"type\":\"container_engine_t\"}}", 31,
		""},
	{"", "", "\"securityContext\":{\"seLinuxOptions\":{\"type\":\"container_engine_t\"}}", 30,
		"seLinuxOptions (container \"a\" set forbidden securityContext.seLinuxOptions: "
		"type "
		"\"container_engine_t\")"},
	{"", "\"securityContext\":{\"seLinuxOptions\":{\"user\":\"u\",\"role\":\"r\"}}", "", -1,
		"seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: user may not be "
		"set; role may not be set)"},
	{"", "\"securityContext\":{\"seccompProfile\":{\"type\":\"Unconfined\"}}", "", 19,
		"seccompProfile (pod must not set securityContext.seccompProfile.type to "
		"\"Unconfined\")"},
	{"", "\"securityContext\":{\"seccompProfile\":{\"type\":\"Unconfined\"}}", "", 18, ""},
	{"\"annotations\":{\"seccomp.security.alpha.kubernetes.io/pod\":\"unconfined\"}", "", "",
		18,
		"seccompProfile (forbidden annotation "
		"seccomp.security.alpha.kubernetes.io/pod=\"unconfined\")"},
	{"",
		"\"securityContext\":{\"sysctls\":[{\"name\":\"net.ipv4.tcp_rmem\"},{\"name\":"
		"\"x\"}]}",
		"", 32, "forbidden sysctls (x)"},
	{"",
		"\"securityContext\":{\"sysctls\":[{\"name\":\"net.ipv4.tcp_rmem\"},{\"name\":"
		"\"x\"}]}",
		"", 31, "forbidden sysctls (net.ipv4.tcp_rmem, x)"},
	{"", "\"securityContext\":{\"windowsOptions\":{\"hostProcess\":true}}",
		"\"securityContext\":{\"windowsOptions\":{\"hostProcess\":true}}", -1,
		"hostProcess (pod and container \"a\" must not set "
		"securityContext.windowsOptions.hostProcess=true)"},
	{"", "\"hostPID\":true", "\"securityContext\":{\"privileged\":true}", -1,
		"host namespaces (hostPID=true), privileged (container \"a\" must not set "
		"securityContext.privileged=true)"},
};

TEST(baseline_names_each_violation)
{
	for (size_t i = 0; i < COUNT_OF(baseline); i++) {
		str spec = arena_fmt(&t->arena, "%s%s\"containers\":[{\"name\":\"a\"%s%s}]",
			baseline[i].pod, baseline[i].pod[0] ? "," : "",
			baseline[i].container[0] ? "," : "", baseline[i].container);

		test_note(t, "case %zu", i);
		CHECK_STR(check(t, POD_BASELINE, baseline[i].minor, spec, baseline[i].metadata),
			baseline[i].violation);
		CHECK_STR(check(t, POD_PRIVILEGED, baseline[i].minor, spec, baseline[i].metadata),
			"");
	}
}

/* Whole pods; what restricted says of them. */
static const struct {
	const char *pod, *container;
	int minor;
	const char *violation;
} restricted[] = {
	{GOOD_POD, GOOD_CONTAINER, -1, ""},
	{GOOD_POD, "\"image\":\"x\"", -1,
		"allowPrivilegeEscalation != false (container \"a\" must set "
		"securityContext.allowPrivilegeEscalation=false), unrestricted capabilities "
		"(container \"a\" must set securityContext.capabilities.drop=[\"ALL\"])"},
	{GOOD_POD, "\"image\":\"x\"", 7, ""},
	{GOOD_POD ",\"os\":{\"name\":\"windows\"}", "\"image\":\"x\"", 25, ""},
	{GOOD_POD ",\"os\":{\"name\":\"windows\"}", "\"image\":\"x\"", 21,
		"allowPrivilegeEscalation != false (container \"a\" must set "
		"securityContext.allowPrivilegeEscalation=false)"},
	{GOOD_POD,
		"\"securityContext\":{\"allowPrivilegeEscalation\":false,\"capabilities\":{"
		"\"drop\":"
		"[\"ALL\"],\"add\":[\"NET_BIND_SERVICE\",\"CHOWN\"]}}",
		-1,
		"unrestricted capabilities (container \"a\" must not include \"CHOWN\" in "
		"securityContext.capabilities.add)"},
	{GOOD_POD ",\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/\"}},{\"name\":\"n\","
		  "\"nfs\":{\"server\":\"s\",\"path\":\"/\"}},{\"name\":\"s\",\"secret\":{}}]",
		GOOD_CONTAINER, -1,
		"restricted volume types (volumes \"v\", \"n\" use restricted volume types "
		"\"hostPath\", \"nfs\")"},
	{"\"securityContext\":{\"seccompProfile\":{\"type\":\"Localhost\"}}", GOOD_CONTAINER, -1,
		"runAsNonRoot != true (pod or container \"a\" must set "
		"securityContext.runAsNonRoot=true)"},
	{"\"securityContext\":{\"runAsNonRoot\":false,\"seccompProfile\":{\"type\":\"Localhost\"}}",
		GOOD_CONTAINER, -1,
		"runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)"},
	{"\"hostUsers\":false,\"securityContext\":{\"runAsUser\":0,\"seccompProfile\":{\"type\":"
	 "\"Localhost\"}}",
		GOOD_CONTAINER, -1, ""},
	{"\"hostUsers\":false,\"securityContext\":{\"runAsNonRoot\":true,\"runAsUser\":0,"
	 "\"seccompProfile\":{\"type\":\"Localhost\"}}",
		GOOD_CONTAINER, 34, "runAsUser=0 (pod must not set runAsUser=0)"},
	{"\"securityContext\":{\"runAsNonRoot\":true}", GOOD_CONTAINER, -1,
		"seccompProfile (pod or container \"a\" must set "
		"securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")"},
	{"\"securityContext\":{\"runAsNonRoot\":true}", GOOD_CONTAINER, 18, ""},
	{"\"securityContext\":{\"runAsNonRoot\":true,\"seccompProfile\":{\"type\":"
	 "\"Unconfined\"}}",
		GOOD_CONTAINER, -1,
		"seccompProfile (pod must not set securityContext.seccompProfile.type to "
		"\"Unconfined\")"},
};

TEST(restricted_names_each_violation)
{
	for (size_t i = 0; i < COUNT_OF(restricted); i++) {
		str spec = arena_fmt(&t->arena, "%s,\"containers\":[{\"name\":\"a\",%s}]",
			restricted[i].pod, restricted[i].container);

		test_note(t, "case %zu", i);
		CHECK_STR(check(t, POD_RESTRICTED, restricted[i].minor, spec, ""),
			restricted[i].violation);
	}
}

/* Containers of every kind are looked at, those that begin first. */
TEST(violations_name_containers_of_every_kind)
{
	str spec = STR(
		"\"initContainers\":[{\"name\":\"i\",\"securityContext\":{\"privileged\":true}}],"
		"\"containers\":[{\"name\":\"c\",\"securityContext\":{\"privileged\":true}}],"
		"\"ephemeralContainers\":[{\"name\":\"e\",\"securityContext\":{\"privileged\":"
		"true}}]");

	CHECK_STR(check(t, POD_BASELINE, -1, spec, ""),
		"privileged (containers \"i\", \"c\", \"e\" must not set "
		"securityContext.privileged=true)");
}

static struct str_map labels_of(struct test *t, const char *text)
{
	struct str_map m = {0};

	for (str rest = str_of(text); rest.len > 0;) {
		str value = str_cut(&rest, ','), mode = str_cut(&value, '=');

		str_map_set(&t->arena, &m,
			arena_fmt(&t->arena, "pod-security.kubernetes.io/%.*s", STR_ARG(mode)),
			value);
	}
	return m;
}

TEST(labels_say_what_is_asked)
{
	static const struct {
		const char *labels, *enforce, *audit, *warn;
		size_t faults;
	} cases[] = {
		{"", "privileged:latest", "privileged:latest", "privileged:latest", 0},
		{"enforce=baseline", "baseline:latest", "privileged:latest", "baseline:latest", 0},
		{"enforce=restricted,enforce-version=v1.30", "restricted:v1.30",
			"privileged:latest", "restricted:v1.30", 0},
		{"enforce=restricted,enforce-version=v1.30,warn-version=v1.2", "restricted:v1.30",
			"privileged:latest", "restricted:v1.2", 0},
		{"enforce=restricted,warn=baseline", "restricted:latest", "privileged:latest",
			"baseline:latest", 0},
		{"enforce=none", "restricted:latest", "privileged:latest", "privileged:latest", 1},
		{"audit=none,warn=none,enforce-version=1.3", "privileged:latest",
			"privileged:latest", "privileged:latest", 3},
		{"enforce=baseline,enforce-version=v1.03", "baseline:latest", "privileged:latest",
			"baseline:latest", 1},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str_map labels = labels_of(t, cases[i].labels);
		struct pod_policies p;
		struct causes c;

		test_note(t, "%s", cases[i].labels);
		causes_init(&c, &t->arena);
		pod_policies_read(&labels, &p, &c);
		CHECK_STR(pod_policy_text(&t->arena, p.enforce), cases[i].enforce);
		CHECK_STR(pod_policy_text(&t->arena, p.audit), cases[i].audit);
		CHECK_STR(pod_policy_text(&t->arena, p.warn), cases[i].warn);
		CHECK_INT(c.len, cases[i].faults);
	}
}
