// Informers of client-go over protobuf against a namespace.
//
//	informers KUBECONFIG NAMESPACE
//
// Ends with status 0 and prints "ok" if everything was as expected.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
)

const protobuf = "application/vnd.kubernetes.protobuf"

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func expect(what string, holds bool) {
	if !holds {
		check(what, fmt.Errorf("it does not hold"))
	}
}

func connect(kubeconfig string) *kubernetes.Clientset {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	check("reading the kubeconfig", err)
	config.ContentType = protobuf
	config.AcceptContentTypes = protobuf
	client, err := kubernetes.NewForConfig(config)
	check("a client", err)
	return client
}

// One word for each event of a kind of object.
func events(informer cache.SharedIndexInformer) <-chan string {
	told := make(chan string, 1000)
	name := func(object any) string {
		key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
		check("the key of an object", err)
		return key
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { told <- "add " + name(object) },
		UpdateFunc: func(_, object any) { told <- "update " + name(object) },
		DeleteFunc: func(object any) { told <- "delete " + name(object) },
	})
	check("a handler", err)
	return told
}

func await(ctx context.Context, told <-chan string, want string) {
	for {
		select {
		case have := <-told:
			if have == want {
				return
			}
		case <-ctx.Done():
			check("waiting for "+want, ctx.Err())
		}
	}
}

func configMaps(ctx context.Context, client *kubernetes.Clientset, namespace string, told <-chan string) {
	api := client.CoreV1().ConfigMaps(namespace)
	key := namespace + "/go"
	_, err := api.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "go"},
		Data: map[string]string{"k": "v"}, BinaryData: map[string][]byte{"b": {0, 255}}}, metav1.CreateOptions{})
	check("create", err)
	await(ctx, told, "add "+key)
	check("update", retry.RetryOnConflict(retry.DefaultRetry, func() error {
		object, err := api.Get(ctx, "go", metav1.GetOptions{})
		check("get", err)
		expect("binary data", string(object.BinaryData["b"]) == "\x00\xff")
		object.Data["k"] = "w"
		_, err = api.Update(ctx, object, metav1.UpdateOptions{})
		return err
	}))
	await(ctx, told, "update "+key)
	check("delete", api.Delete(ctx, "go", metav1.DeleteOptions{}))
	await(ctx, told, "delete "+key)
	_, err = api.Get(ctx, "go", metav1.GetOptions{})
	expect("not found, as an error of client-go", apierrors.IsNotFound(err))
}

func deployment(ctx context.Context, client *kubernetes.Clientset, namespace string) {
	one, label := int32(1), map[string]string{"app": "go"}
	_, err := client.AppsV1().Deployments(namespace).Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "go"},
		Spec: appsv1.DeploymentSpec{Replicas: &one, Selector: &metav1.LabelSelector{MatchLabels: label},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: label},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "registry.test/go:1"}}}}},
	}, metav1.CreateOptions{})
	check("create a deployment", err)
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	client, namespace := connect(os.Args[1]), os.Args[2]
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	configs, pods := factory.Core().V1().ConfigMaps(), factory.Core().V1().Pods()
	toldOfConfigs, toldOfPods := events(configs.Informer()), events(pods.Informer())
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		expect(kind.String()+" synced", synced)
	}
	root, err := configs.Lister().ConfigMaps(namespace).Get("kube-root-ca.crt")
	check("the lister knows the root CA", err)
	expect("the certificate", root.Data["ca.crt"] != "")
	configMaps(ctx, client, namespace, toldOfConfigs)

	deployment(ctx, client, namespace)
	select {
	case <-toldOfPods:
	case <-ctx.Done():
		check("waiting for a pod", ctx.Err())
	}
	found, err := pods.Lister().Pods(namespace).List(labels.SelectorFromSet(labels.Set{"app": "go"}))
	check("listing from the cache", err)
	expect("one pod, its owner a replica set", len(found) == 1 && found[0].OwnerReferences[0].Kind == "ReplicaSet")
	fmt.Println("ok")
}
