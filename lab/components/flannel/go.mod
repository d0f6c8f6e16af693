module rebirth.local/components/flannel

go 1.25.0

require github.com/flannel-io/flannel v0.27.4

require (
	k8s.io/api v0.35.4 // indirect
	k8s.io/apimachinery v0.35.4 // indirect
	k8s.io/client-go v0.35.4 // indirect
)
