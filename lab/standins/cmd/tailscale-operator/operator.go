package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"rebirth.local/standins/internal/kube"
	"rebirth.local/standins/internal/tailnet"
)

const (
	manager    = "tailscale-operator"
	fqdnKey    = "tailscale.com/tailnet-fqdn"
	recordsMap = "dnsrecords"
	deviceID   = "device_id" // the key of a Secret
)

var (
	dnsConfigs  = schema.GroupVersionResource{Group: "tailscale.com", Version: "v1alpha1", Resource: "dnsconfigs"}
	services    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	pods        = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	configMaps  = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
)

type operator struct {
	kube.Client
	oauth     tailnet.OAuth
	namespace string
	image     string
	proxyTags []string
}

func read(variable string) string {
	data, err := os.ReadFile(os.Getenv(variable))
	if err != nil {
		log.Fatalf("%s: %v", variable, err)
	}
	return strings.TrimSpace(string(data))
}

func runOperator() {
	ctx, cancel := kube.Context()
	defer cancel()
	o := operator{
		Client:    kube.New(),
		oauth:     tailnet.OAuth{ID: read("CLIENT_ID_FILE"), Secret: read("CLIENT_SECRET_FILE")},
		namespace: os.Getenv("OPERATOR_NAMESPACE"),
		image:     os.Getenv("PROXY_IMAGE"),
		proxyTags: strings.Split(os.Getenv("PROXY_TAGS"), ","),
	}
	state := kube.SecretKey{Client: o.Client, Namespace: o.namespace, Name: "operator", Key: deviceID}
	tags := strings.Split(os.Getenv("OPERATOR_INITIAL_TAGS"), ",")
	key := func(ctx context.Context) (string, error) { return o.oauth.Mint(ctx, tags) }
	device, err := tailnet.Join(ctx, state, os.Getenv("OPERATOR_HOSTNAME"), key)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("on the tailnet as %s", device.Name)
	go o.Loop(ctx, o.reconcile, dnsConfigs, services, pods)
	device.Stay(ctx)
}

func (o operator) reconcile(ctx context.Context) error {
	records, err := o.proxies(ctx)
	if err != nil {
		return err
	}
	configs, err := o.Dynamic.Resource(dnsConfigs).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, config := range configs.Items {
		if err := o.nameserver(ctx, config, records); err != nil {
			return err
		}
	}
	return nil
}

// proxies makes an egress proxy for each annotated Service; it returns the records of those that are ready.
func (o operator) proxies(ctx context.Context) (map[string][]string, error) {
	found, err := o.CoreV1().Services("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	records := map[string][]string{}
	for _, service := range found.Items {
		fqdn := strings.TrimSuffix(service.Annotations[fqdnKey], ".")
		if fqdn == "" {
			continue
		}
		name := fmt.Sprintf("ts-%s-%s", service.Namespace, service.Name)
		if err := o.proxy(ctx, name, fqdn, service); err != nil {
			return nil, err
		}
		proxies, err := o.CoreV1().Pods(o.namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + name})
		if err != nil {
			return nil, err
		}
		for _, pod := range proxies.Items {
			if ready(pod) {
				records[fqdn] = append(records[fqdn], pod.Status.PodIP)
			}
		}
	}
	return records, nil
}

func ready(pod corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return false
}

func (o operator) proxy(ctx context.Context, name, fqdn string, service corev1.Service) error {
	if err := o.key(ctx, name); err != nil {
		return err
	}
	var ports []string
	for _, port := range service.Spec.Ports {
		ports = append(ports, fmt.Sprint(port.Port))
	}
	if len(ports) == 0 {
		ports = []string{"443"}
	}
	key := map[string]any{"secretKeyRef": map[string]any{"name": name, "key": "authkey"}}
	environment := []any{
		map[string]any{"name": "TS_AUTHKEY", "valueFrom": key},
		map[string]any{"name": "TS_HOSTNAME", "value": service.Namespace + "-" + service.Name},
		map[string]any{"name": "TS_TAILNET_TARGET_FQDN", "value": fqdn},
		map[string]any{"name": "PORTS", "value": strings.Join(ports, ",")},
		map[string]any{"name": "TS_KUBE_SECRET", "value": name},
		map[string]any{"name": "OPERATOR_NAMESPACE", "value": o.namespace},
	}
	container := map[string]any{"name": "tailscale", "image": o.image, "args": []any{"proxy"}, "env": environment,
		"readinessProbe": map[string]any{"httpGet": map[string]any{"path": "/healthz", "port": 9002}, "periodSeconds": 1}}
	if err := o.deploy(ctx, name, container, os.Getenv("SERVICE_ACCOUNT")); err != nil {
		return err
	}
	target := name + "." + o.namespace + ".svc." + os.Getenv("CLUSTER_DOMAIN")
	if service.Spec.Type != corev1.ServiceTypeExternalName || service.Spec.ExternalName == target {
		return nil
	}
	headless := map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": name},
		"spec": map[string]any{"clusterIP": "None", "selector": map[string]any{"app": name}}}
	if err := o.Apply(ctx, services, o.namespace, name, manager, headless); err != nil {
		return err
	}
	patch := map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": service.Name},
		"spec": map[string]any{"externalName": target}}
	return o.Apply(ctx, services, service.Namespace, service.Name, manager, patch)
}

// key makes the proxy's Secret with a fresh key, once.
func (o operator) key(ctx context.Context, name string) error {
	_, err := o.CoreV1().Secrets(o.namespace).Get(ctx, name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return err
	}
	value, err := o.oauth.Mint(ctx, o.proxyTags)
	if err != nil {
		return err
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: map[string]string{"authkey": value}}
	_, err = o.CoreV1().Secrets(o.namespace).Create(ctx, secret, metav1.CreateOptions{FieldManager: manager})
	return err
}

func (o operator) deploy(ctx context.Context, name string, container map[string]any, account string) error {
	labels := map[string]any{"app": name, "app.kubernetes.io/managed-by": "tailscale-operator-stand-in"}
	pod := map[string]any{"containers": []any{container}, "terminationGracePeriodSeconds": 5}
	if account != "" {
		pod["serviceAccountName"] = account
	}
	spec := map[string]any{
		"replicas": 1,
		"strategy": map[string]any{"type": "Recreate"},
		"selector": map[string]any{"matchLabels": map[string]any{"app": name}},
		"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": pod},
	}
	object := map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": name, "labels": labels}, "spec": spec}
	return o.Apply(ctx, deployments, o.namespace, name, manager, object)
}

// nameserver deploys what a DNSConfig asks for, and hands it the records.
func (o operator) nameserver(ctx context.Context, config unstructured.Unstructured, records map[string][]string) error {
	address, _, _ := unstructured.NestedString(config.Object, "spec", "nameserver", "service", "clusterIP")
	if address != "" && net.ParseIP(address) == nil {
		return fmt.Errorf("DNSConfig %s: %q is no address", config.GetName(), address)
	}
	data, err := json.Marshal(map[string]any{"version": "v1alpha1", "ip4": records})
	if err != nil {
		return err
	}
	meta := map[string]any{"name": recordsMap}
	object := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": map[string]any{"records.json": string(data)}}
	if err := o.Apply(ctx, configMaps, o.namespace, recordsMap, manager, object); err != nil {
		return err
	}
	container := map[string]any{"name": "nameserver", "image": o.image, "args": []any{"nameserver"},
		"env":            []any{map[string]any{"name": "OPERATOR_NAMESPACE", "value": o.namespace}},
		"readinessProbe": map[string]any{"tcpSocket": map[string]any{"port": 1053}, "periodSeconds": 1}}
	if err := o.deploy(ctx, "nameserver", container, os.Getenv("SERVICE_ACCOUNT")); err != nil {
		return err
	}
	port := func(protocol string) map[string]any {
		return map[string]any{"name": strings.ToLower(protocol), "port": 53, "targetPort": 1053, "protocol": protocol}
	}
	spec := map[string]any{"selector": map[string]any{"app": "nameserver"}, "ports": []any{port("UDP"), port("TCP")}}
	if address != "" {
		spec["clusterIP"] = address
	}
	service := map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "nameserver"}, "spec": spec}
	if err := o.Apply(ctx, services, o.namespace, "nameserver", manager, service); err != nil {
		return err
	}
	return o.report(ctx, config, len(records))
}

// report sets the DNSConfig's condition: true once the nameserver answers.
func (o operator) report(ctx context.Context, config unstructured.Unstructured, records int) error {
	deployment, err := o.AppsV1().Deployments(o.namespace).Get(ctx, "nameserver", metav1.GetOptions{})
	if err != nil {
		return kube.Ignore(err)
	}
	service, err := o.CoreV1().Services(o.namespace).Get(ctx, "nameserver", metav1.GetOptions{})
	if err != nil {
		return kube.Ignore(err)
	}
	status := "False"
	if deployment.Status.AvailableReplicas > 0 {
		status = "True"
	}
	condition := map[string]any{"type": "NameserverReady", "status": status, "reason": "NameserverCreated",
		"message": fmt.Sprintf("%d records", records), "observedGeneration": config.GetGeneration(),
		"lastTransitionTime": time.Now().UTC().Format(time.RFC3339)}
	old, _, _ := unstructured.NestedSlice(config.Object, "status", "conditions")
	if len(old) == 1 && old[0].(map[string]any)["status"] == status && old[0].(map[string]any)["message"] == condition["message"] {
		return nil
	}
	copied := config.DeepCopy()
	copied.Object["status"] = map[string]any{"conditions": []any{condition}, "nameserver": map[string]any{"ip": service.Spec.ClusterIP}}
	_, err = o.Dynamic.Resource(dnsConfigs).UpdateStatus(ctx, copied, metav1.UpdateOptions{FieldManager: manager})
	return err
}
