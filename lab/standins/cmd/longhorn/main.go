// Command longhorn stands in for Longhorn: a StorageClass whose claims become volumes. One runs on each node and makes
// the volumes that fall to its node: a folder, and a local PersistentVolume. Nothing is replicated.
package main

import (
	"context"
	"hash/fnv"
	"log"
	"os"
	"path/filepath"
	"sort"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"rebirth.local/standins/internal/kube"
)

const (
	provisioner = "driver.longhorn.io"
	root        = "/var/lib/longhorn"
	selected    = "volume.kubernetes.io/selected-node"
)

func main() {
	ctx, cancel := kube.Context()
	defer cancel()
	client, node := kube.New(), os.Getenv("NODE_NAME")
	resource := func(name string) schema.GroupVersionResource {
		return schema.GroupVersionResource{Version: "v1", Resource: name}
	}
	client.Loop(ctx, func(ctx context.Context) error {
		if err := provision(ctx, client, node); err != nil {
			return err
		}
		return reclaim(ctx, client, node)
	}, resource("persistentvolumeclaims"), resource("persistentvolumes"))
}

// home says on which node a claim's volume lives.
func home(claim corev1.PersistentVolumeClaim, nodes []string) string {
	if chosen := claim.Annotations[selected]; chosen != "" {
		return chosen
	}
	if len(nodes) == 0 {
		return ""
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(claim.UID))
	return nodes[int(hash.Sum32())%len(nodes)]
}

func schedulable(ctx context.Context, client kube.Client) ([]string, error) {
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, node := range nodes.Items {
		tainted := false
		for _, taint := range node.Spec.Taints {
			tainted = tainted || taint.Effect != corev1.TaintEffectPreferNoSchedule
		}
		if !tainted {
			names = append(names, node.Name)
		}
	}
	sort.Strings(names)
	return names, nil
}

func provision(ctx context.Context, client kube.Client, node string) error {
	classes, err := client.StorageV1().StorageClasses().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	ours := map[string]corev1.PersistentVolumeReclaimPolicy{}
	for _, class := range classes.Items {
		if class.Provisioner == provisioner {
			ours[class.Name] = *class.ReclaimPolicy
		}
	}
	nodes, err := schedulable(ctx, client)
	if err != nil {
		return err
	}
	claims, err := client.CoreV1().PersistentVolumeClaims("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, claim := range claims.Items {
		if claim.Spec.StorageClassName == nil || claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil {
			continue
		}
		policy, known := ours[*claim.Spec.StorageClassName]
		if known && home(claim, nodes) == node {
			if err := provisionOne(ctx, client, node, claim, policy); err != nil {
				return err
			}
		}
	}
	return nil
}

func provisionOne(ctx context.Context, client kube.Client, node string, claim corev1.PersistentVolumeClaim, policy corev1.PersistentVolumeReclaimPolicy) error {
	name := "pvc-" + string(claim.UID)
	path := filepath.Join(root, name)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	if err := os.Chmod(path, 0o777); err != nil {
		return err
	}
	term := corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{
		{Key: "kubernetes.io/hostname", Operator: corev1.NodeSelectorOpIn, Values: []string{node}}}}
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": provisioner}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      claim.Spec.Resources.Requests,
			AccessModes:                   claim.Spec.AccessModes,
			StorageClassName:              *claim.Spec.StorageClassName,
			PersistentVolumeReclaimPolicy: policy,
			ClaimRef:                      &corev1.ObjectReference{Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID},
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: path}},
			NodeAffinity:                  &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{term}}},
		},
	}
	_, err := client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err == nil {
		log.Printf("made %s for %s/%s", name, claim.Namespace, claim.Name)
	}
	return err
}

// reclaim removes released volumes of this node.
func reclaim(ctx context.Context, client kube.Client, node string) error {
	volumes, err := client.CoreV1().PersistentVolumes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, volume := range volumes.Items {
		if volume.Annotations["pv.kubernetes.io/provisioned-by"] != provisioner || volume.Status.Phase != corev1.VolumeReleased ||
			volume.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
			continue
		}
		required := volume.Spec.NodeAffinity.Required.NodeSelectorTerms
		if required[0].MatchExpressions[0].Values[0] != node {
			continue
		}
		if err := os.RemoveAll(filepath.Join(root, volume.Name)); err != nil {
			return err
		}
		if err := client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{}); kube.Ignore(err) != nil {
			return err
		}
	}
	return nil
}
