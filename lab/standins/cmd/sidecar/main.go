// Command sidecar stands in for kiwigrid's k8s-sidecar: ConfigMaps with a label become files in a folder.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"rebirth.local/standins/internal/kube"
)

func main() {
	ctx, cancel := kube.Context()
	defer cancel()
	client, folder, namespace := kube.New(), os.Getenv("FOLDER"), os.Getenv("NAMESPACE")
	var synced atomic.Bool
	http.HandleFunc("/healthz", func(writer http.ResponseWriter, _ *http.Request) {
		if !synced.Load() {
			writer.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	go func() { log.Fatal(http.ListenAndServe(":"+os.Getenv("HEALTH_PORT"), nil)) }()
	resource := schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	client.Loop(ctx, func(ctx context.Context) error {
		found, err := client.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{LabelSelector: os.Getenv("LABEL")})
		if err != nil {
			return err
		}
		for _, item := range found.Items {
			for name, text := range item.Data {
				if err := os.WriteFile(filepath.Join(folder, filepath.Base(name)), []byte(text), 0o644); err != nil {
					return err
				}
			}
		}
		synced.Store(true)
		return nil
	}, resource)
}
