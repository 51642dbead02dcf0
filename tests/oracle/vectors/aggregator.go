package main

// The kinds of kube-aggregator, whose package Debian does not have; etcd holds them as JSON.

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	admission "k8s.io/api/admission/v1"
	apidiscovery "k8s.io/api/apidiscovery/v2"
)

type APIServiceList struct {
	metav1.TypeMeta `json:""`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []APIService `json:"items"`
}

type ServiceReference struct {
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	Port      *int32 `json:"port,omitempty"`
}

type APIServiceSpec struct {
	Service               *ServiceReference `json:"service,omitempty"`
	Group                 string            `json:"group,omitempty"`
	Version               string            `json:"version,omitempty"`
	InsecureSkipTLSVerify bool              `json:"insecureSkipTLSVerify,omitempty"`
	CABundle              []byte            `json:"caBundle,omitempty"`
	GroupPriorityMinimum  int32             `json:"groupPriorityMinimum"`
	VersionPriority       int32             `json:"versionPriority"`
}

type (
	APIServiceConditionType string
	ConditionStatus         string
)

type APIServiceCondition struct {
	Type               APIServiceConditionType `json:"type"`
	Status             ConditionStatus         `json:"status"`
	LastTransitionTime metav1.Time             `json:"lastTransitionTime,omitempty"`
	Reason             string                  `json:"reason,omitempty"`
	Message            string                  `json:"message,omitempty"`
}

type APIServiceStatus struct {
	Conditions []APIServiceCondition `json:"conditions,omitempty"`
}

type APIService struct {
	metav1.TypeMeta   `json:""`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              APIServiceSpec   `json:"spec,omitempty"`
	Status            APIServiceStatus `json:"status,omitempty"`
}

func (s *APIService) DeepCopyObject() runtime.Object     { c := *s; return &c }
func (s *APIServiceList) DeepCopyObject() runtime.Object { c := *s; return &c }

func addAggregator(s *runtime.Scheme) error {
	s.AddKnownTypes(schema.GroupVersion{Group: "apiregistration.k8s.io", Version: "v1"},
		&APIService{}, &APIServiceList{})
	return nil
}

// Registered nowhere in client-go: what the server sends to webhooks and as discovery.
func addReviews(s *runtime.Scheme) error {
	if err := admission.AddToScheme(s); err != nil {
		return err
	}
	return apidiscovery.AddToScheme(s)
}
