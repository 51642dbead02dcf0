/*
 * Certificate signing requests: what has been decided on them, and what the signers of Kubernetes
 * itself allow in them. Texts of failures are upstream's, they end in the request's conditions.
 *
 * Threading: any. Source: pkg/apis/certificates/helpers.go, pkg/controller/certificates.
 */
#pragma once

#include "lib/api/meta.h"
#include "lib/crypto/cert.h"

#define SIGNER_KUBELET_SERVING  STR_INIT("kubernetes.io/kubelet-serving")
#define SIGNER_KUBELET_CLIENT   STR_INIT("kubernetes.io/kube-apiserver-client-kubelet")
#define SIGNER_APISERVER_CLIENT STR_INIT("kubernetes.io/kube-apiserver-client")
#define SIGNER_LEGACY_UNKNOWN   STR_INIT("kubernetes.io/legacy-unknown")

/* The condition of this type, NULL if there is none. */
const struct certificates_certificate_signing_request_condition *csr_condition(
	const struct certificates_certificate_signing_request *r, str type);

/* Adds a condition of status True; the list is the object's own afterwards. */
struct certificates_certificate_signing_request_condition *csr_add_condition(
	struct arena *a, struct certificates_certificate_signing_request *r, const char *type);

/* Usages as the names of the API; `to` gets bits of enum cert_usage. ERR_INVALID for one that no
 * certificate made here can hold. */
NODISCARD int csr_usages(const struct str_list *usages, unsigned *to, struct err *e);

/* ERR_INVALID when a signer does not sign such a request. */
NODISCARD int csr_check_kubelet_client(
	const struct cert_subject *s, const struct str_list *usages, struct err *e);
NODISCARD int csr_check_kubelet_serving(
	const struct cert_subject *s, const struct str_list *usages, struct err *e);
NODISCARD int csr_check_apiserver_client(
	const struct cert_subject *s, const struct str_list *usages, struct err *e);

/* How long a certificate lives that was asked to live `asked_s` (NULL: no matter). */
int64_t csr_lifetime_s(int64_t longest_s, const int32_t *asked_s);
