package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"rebirth.local/standins/internal/kube"
)

const manager = "postgres-operator"

var (
	clusters     = schema.GroupVersionResource{Group: "postgres-operator.crunchydata.com", Version: "v1beta1", Resource: "postgresclusters"}
	services     = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	statefulSets = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"}
)

type user struct {
	name      string
	databases []string
}

func operate() {
	ctx, cancel := kube.Context()
	defer cancel()
	client := kube.New()
	client.Loop(ctx, func(ctx context.Context) error {
		found, err := client.Dynamic.Resource(clusters).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, cluster := range found.Items {
			if err := reconcile(ctx, client, cluster); err != nil {
				return fmt.Errorf("%s/%s: %w", cluster.GetNamespace(), cluster.GetName(), err)
			}
		}
		return nil
	}, clusters, statefulSets)
}

func users(cluster unstructured.Unstructured) []user {
	listed, _, _ := unstructured.NestedSlice(cluster.Object, "spec", "users")
	var found []user
	for _, entry := range listed {
		fields, _ := entry.(map[string]any)
		name, _, _ := unstructured.NestedString(fields, "name")
		databases, _, _ := unstructured.NestedStringSlice(fields, "databases")
		found = append(found, user{name, databases})
	}
	if len(found) == 0 { // as PGO does: a user and a database named like the cluster
		found = append(found, user{cluster.GetName(), []string{cluster.GetName()}})
	}
	return found
}

func owner(cluster unstructured.Unstructured) []any {
	return []any{map[string]any{"apiVersion": cluster.GetAPIVersion(), "kind": cluster.GetKind(), "name": cluster.GetName(),
		"uid": string(cluster.GetUID()), "controller": true, "blockOwnerDeletion": true}}
}

func reconcile(ctx context.Context, client kube.Client, cluster unstructured.Unstructured) error {
	name, namespace := cluster.GetName(), cluster.GetNamespace()
	for _, user := range users(cluster) {
		if err := secret(ctx, client, cluster, user); err != nil {
			return err
		}
	}
	labels := map[string]any{"postgres-operator.crunchydata.com/cluster": name}
	primary := map[string]any{"apiVersion": "v1", "kind": "Service",
		"metadata": map[string]any{"name": name + "-primary", "labels": labels, "ownerReferences": owner(cluster)},
		"spec":     map[string]any{"selector": labels, "ports": []any{map[string]any{"name": "postgres", "port": 5432}}}}
	if err := client.Apply(ctx, services, namespace, name+"-primary", manager, primary); err != nil {
		return err
	}
	return client.Apply(ctx, statefulSets, namespace, name+"-instance1", manager, instance(cluster, labels))
}

// secret makes the user's Secret, once: a new cluster has new passwords.
func secret(ctx context.Context, client kube.Client, cluster unstructured.Unstructured, user user) error {
	name := fmt.Sprintf("%s-pguser-%s", cluster.GetName(), user.name)
	_, err := client.CoreV1().Secrets(cluster.GetNamespace()).Get(ctx, name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return err
	}
	password, database := rand.Text(), ""
	if len(user.databases) > 0 {
		database = user.databases[0]
	}
	host := fmt.Sprintf("%s-primary.%s.svc", cluster.GetName(), cluster.GetNamespace())
	yes := true
	reference := metav1.OwnerReference{APIVersion: cluster.GetAPIVersion(), Kind: cluster.GetKind(), Name: cluster.GetName(), UID: cluster.GetUID(), Controller: &yes}
	object := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, OwnerReferences: []metav1.OwnerReference{reference}, Labels: map[string]string{
			"postgres-operator.crunchydata.com/cluster": cluster.GetName(), "postgres-operator.crunchydata.com/pguser": user.name}},
		StringData: map[string]string{
			"user": user.name, "password": password, "host": host, "port": "5432", "dbname": database,
			"uri":       fmt.Sprintf("postgresql://%s:%s@%s:5432/%s", user.name, password, host, database),
			"jdbc-uri":  fmt.Sprintf("jdbc:postgresql://%s:5432/%s?password=%s&user=%s", host, database, password, user.name),
			"databases": strings.Join(user.databases, ","),
		},
	}
	_, err = client.CoreV1().Secrets(cluster.GetNamespace()).Create(ctx, object, metav1.CreateOptions{FieldManager: manager})
	if err == nil {
		log.Printf("made %s", name)
	}
	return err
}

func instance(cluster unstructured.Unstructured, labels map[string]any) map[string]any {
	name := cluster.GetName()
	claim := map[string]any{"accessModes": []any{"ReadWriteOnce"}, "resources": map[string]any{"requests": map[string]any{"storage": "1Gi"}}}
	if instances, _, _ := unstructured.NestedSlice(cluster.Object, "spec", "instances"); len(instances) > 0 {
		if asked, found, _ := unstructured.NestedMap(instances[0].(map[string]any), "dataVolumeClaimSpec"); found {
			claim = asked
		}
	}
	mounts := []any{map[string]any{"name": "pgdata", "mountPath": "/pgdata"}}
	volumes := []any{}
	for _, user := range users(cluster) {
		volume := "pguser-" + user.name
		volumes = append(volumes, map[string]any{"name": volume, "secret": map[string]any{"secretName": fmt.Sprintf("%s-pguser-%s", name, user.name)}})
		mounts = append(mounts, map[string]any{"name": volume, "mountPath": "/pgusers/" + user.name, "readOnly": true})
	}
	container := map[string]any{"name": "database", "image": os.Getenv("RELATED_IMAGE_POSTGRES"), "volumeMounts": mounts,
		"ports":          []any{map[string]any{"name": "postgres", "containerPort": 5432}},
		"readinessProbe": map[string]any{"tcpSocket": map[string]any{"port": 5432}, "periodSeconds": 1}}
	pod := map[string]any{"containers": []any{container}, "volumes": volumes, "terminationGracePeriodSeconds": 5,
		"securityContext": map[string]any{"runAsUser": 26, "runAsGroup": 26, "fsGroup": 26}}
	spec := map[string]any{
		"serviceName": name + "-primary", "replicas": 1, "selector": map[string]any{"matchLabels": labels},
		"template":             map[string]any{"metadata": map[string]any{"labels": labels}, "spec": pod},
		"volumeClaimTemplates": []any{map[string]any{"metadata": map[string]any{"name": "pgdata"}, "spec": claim}},
	}
	return map[string]any{"apiVersion": "apps/v1", "kind": "StatefulSet",
		"metadata": map[string]any{"name": name + "-instance1", "labels": labels, "ownerReferences": owner(cluster)}, "spec": spec}
}
