module rebirth.local/components/openbao

go 1.26.0

require github.com/openbao/openbao v0.0.0-20250828202315-f9407a27fbee

// Raised to what other components have: what is compiled for one serves all.
require (
	cloud.google.com/go/auth v0.22.0
	cloud.google.com/go/kms v1.31.0
	cloud.google.com/go/monitoring v1.29.0
	github.com/Azure/azure-sdk-for-go/sdk/azcore v1.22.0
	github.com/Azure/azure-sdk-for-go/sdk/azidentity v1.14.0
	github.com/AzureAD/microsoft-authentication-library-for-go v1.7.2
	github.com/ProtonMail/go-crypto v1.4.1
	github.com/antlr4-go/antlr/v4 v4.13.1
	github.com/aws/aws-sdk-go v1.55.8
	github.com/caddyserver/certmagic v0.25.4
	github.com/cloudflare/circl v1.6.4
	github.com/docker/docker v28.5.2+incompatible
	github.com/fxamacker/cbor/v2 v2.9.2
	github.com/go-jose/go-jose/v4 v4.1.4
	github.com/google/gnostic-models v0.7.0
	github.com/googleapis/gax-go/v2 v2.23.0
	github.com/jackc/pgx/v5 v5.7.6
	github.com/klauspost/compress v1.19.1
	github.com/miekg/dns v1.1.72
	github.com/prometheus/client_golang v1.24.1
	github.com/prometheus/common v0.70.1
	github.com/prometheus/procfs v0.21.1
	github.com/softlayer/softlayer-go v1.2.1
	github.com/spf13/pflag v1.0.10
	github.com/zclconf/go-cty v1.17.0
	go.opentelemetry.io/otel v1.45.0
	go.opentelemetry.io/otel/metric v1.45.0
	go.opentelemetry.io/otel/sdk v1.45.0
	go.opentelemetry.io/otel/trace v1.45.0
	go.uber.org/zap v1.28.0
	golang.org/x/crypto v0.58.0
	golang.org/x/net v0.61.0
	golang.org/x/oauth2 v0.36.0
	golang.org/x/sys v0.49.0
	golang.org/x/text v0.43.0
	google.golang.org/api v0.292.0
	google.golang.org/genproto/googleapis/api v0.0.0-20260803160001-6ac0973c030d
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260803160001-6ac0973c030d
	google.golang.org/grpc v1.83.2
	google.golang.org/protobuf v1.36.12-0.20260120151049-f2248ac996af
	k8s.io/api v0.35.4
	k8s.io/apimachinery v0.35.4
	k8s.io/client-go v0.35.4
	k8s.io/kube-openapi v0.0.0-20250910181357-589584f1c912
	sigs.k8s.io/json v0.0.0-20250730193827-2d320260d730
	sigs.k8s.io/structured-merge-diff/v6 v6.3.2-0.20260122202528-d9cc6641c482
)
