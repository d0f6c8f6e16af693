module rebirth.local/components/etcd

go 1.26.0

require go.etcd.io/etcd/server/v3 v3.6.7

// Raised to what other components have: what is compiled for one serves all.
require (
	github.com/prometheus/client_golang v1.24.1
	github.com/prometheus/common v0.70.1
	github.com/prometheus/procfs v0.21.1
	go.uber.org/zap v1.28.0
	google.golang.org/protobuf v1.36.12-0.20260120151049-f2248ac996af
	sigs.k8s.io/json v0.0.0-20250730193827-2d320260d730
)
