module rebirth.local/components/containerd

go 1.25.0

require github.com/containerd/containerd/v2 v2.1.6

replace k8s.io/cri-api => k8s.io/cri-api v0.32.3

require (
	k8s.io/api v0.35.4 // indirect
	k8s.io/apimachinery v0.35.4 // indirect
	k8s.io/apiserver v0.35.4 // indirect
	k8s.io/client-go v0.35.4 // indirect
	k8s.io/cri-api v0.35.4 // indirect
	k8s.io/kubelet v0.35.4 // indirect
)
