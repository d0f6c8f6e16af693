// Package kube is the little that the stand-ins share: a client, and a loop that reconciles when something changed.
package kube

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// Client speaks to the API of the cluster that the program runs in.
type Client struct {
	kubernetes.Interface
	Dynamic dynamic.Interface
}

// New connects with the pod's own service account.
func New() Client {
	config, err := rest.InClusterConfig()
	if err != nil {
		log.Fatalf("not in a cluster: %v", err)
	}
	config.QPS, config.Burst = 50, 100
	return Client{kubernetes.NewForConfigOrDie(config), dynamic.NewForConfigOrDie(config)}
}

// Context ends with SIGTERM.
func Context() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
}

// Loop calls reconcile whenever an object of one of the resources changed, and every ten seconds. It returns with ctx.
func (c Client) Loop(ctx context.Context, reconcile func(context.Context) error, resources ...schema.GroupVersionResource) {
	changed := make(chan struct{}, 1)
	wake := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	factory := dynamicinformer.NewDynamicSharedInformerFactory(c.Dynamic, 0)
	for _, resource := range resources {
		_, _ = factory.ForResource(resource).Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: func(any) { wake() }, UpdateFunc: func(any, any) { wake() }, DeleteFunc: func(any) { wake() },
		})
	}
	factory.Start(ctx.Done())
	for {
		if err := reconcile(ctx); err != nil {
			log.Printf("reconcile: %v", err)
			time.AfterFunc(time.Second, wake)
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
			time.Sleep(100 * time.Millisecond) // changes come in bursts
		case <-time.After(10 * time.Second):
		}
	}
}

// Apply is server-side apply of one object, given as plain maps.
func (c Client) Apply(ctx context.Context, resource schema.GroupVersionResource, namespace, name, manager string, object map[string]any) error {
	data, err := json.Marshal(object)
	if err != nil {
		return err
	}
	force := true
	_, err = c.Dynamic.Resource(resource).Namespace(namespace).Patch(ctx, name, types.ApplyPatchType, data,
		metav1.PatchOptions{FieldManager: manager, Force: &force})
	return err
}

// SecretKey is one key of a Secret that exists.
type SecretKey struct {
	Client
	Namespace, Name, Key string
}

// Load returns what stands there, "" for nothing.
func (k SecretKey) Load(ctx context.Context) (string, error) {
	found, err := k.CoreV1().Secrets(k.Namespace).Get(ctx, k.Name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	return string(found.Data[k.Key]), nil
}

// Save sets it.
func (k SecretKey) Save(ctx context.Context, value string) error {
	data, err := json.Marshal(map[string]any{"stringData": map[string]string{k.Key: value}})
	if err != nil {
		return err
	}
	_, err = k.CoreV1().Secrets(k.Namespace).Patch(ctx, k.Name, types.MergePatchType, data, metav1.PatchOptions{})
	return err
}

// Ignore says nil for an object that is not there.
func Ignore(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
