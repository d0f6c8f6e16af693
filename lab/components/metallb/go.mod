module rebirth.local/components/metallb

go 1.26.0

require go.universe.tf/metallb v0.15.2

// Raised to what other components have: what is compiled for one serves all.
require (
	github.com/fxamacker/cbor/v2 v2.9.2
	github.com/google/gnostic-models v0.7.0
	github.com/hashicorp/go-msgpack/v2 v2.1.2
	github.com/miekg/dns v1.1.72
	github.com/prometheus/client_golang v1.24.1
	github.com/prometheus/common v0.70.1
	github.com/prometheus/procfs v0.21.1
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.0.10
	go.uber.org/zap v1.28.0
	golang.org/x/net v0.61.0
	golang.org/x/oauth2 v0.36.0
	golang.org/x/sys v0.49.0
	golang.org/x/text v0.43.0
	google.golang.org/protobuf v1.36.12-0.20260120151049-f2248ac996af
	k8s.io/api v0.35.4
	k8s.io/apiextensions-apiserver v0.35.4
	k8s.io/apimachinery v0.35.4
	k8s.io/client-go v0.35.4
	k8s.io/kube-openapi v0.0.0-20250910181357-589584f1c912
	sigs.k8s.io/controller-runtime v0.22.4
	sigs.k8s.io/json v0.0.0-20250730193827-2d320260d730
)

// Its certificates' keeper, in a version that knows the controller-runtime above.
require github.com/open-policy-agent/cert-controller v0.15.0
