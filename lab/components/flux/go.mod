module rebirth.local/components/flux

go 1.26.0

require github.com/fluxcd/flux2/v2 v2.9.5
replace gopkg.in/yaml.v3 => gopkg.in/yaml.v3 v3.0.1

// Raised to what other components have: what is compiled for one serves all.
require (
	cloud.google.com/go/auth v0.22.0
	github.com/Azure/azure-sdk-for-go/sdk/azcore v1.22.0
	github.com/Azure/azure-sdk-for-go/sdk/azidentity v1.14.0
	github.com/AzureAD/microsoft-authentication-library-for-go v1.7.2
	github.com/aws/aws-sdk-go-v2 v1.43.4
	github.com/aws/aws-sdk-go-v2/config v1.32.35
	github.com/aws/aws-sdk-go-v2/service/signin v1.5.4
	github.com/aws/aws-sdk-go-v2/service/sso v1.33.4
	github.com/aws/aws-sdk-go-v2/service/ssooidc v1.38.4
	github.com/aws/aws-sdk-go-v2/service/sts v1.45.4
	github.com/aws/smithy-go v1.27.6
	github.com/cloudflare/circl v1.6.4
	github.com/go-logr/logr v1.4.4
	github.com/go-openapi/swag v0.26.0
	github.com/go-openapi/swag/mangling v0.26.0
	github.com/json-iterator/go v1.1.13-0.20220915233716-71ac16282d12
	github.com/klauspost/compress v1.19.1
	github.com/prometheus/client_golang v1.24.1
	github.com/prometheus/common v0.70.1
	github.com/prometheus/procfs v0.21.1
	github.com/rivo/uniseg v0.4.7
	go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp v0.69.0
	go.opentelemetry.io/otel v1.45.0
	go.opentelemetry.io/otel/metric v1.45.0
	go.opentelemetry.io/otel/trace v1.45.0
	golang.org/x/crypto v0.58.0
	golang.org/x/net v0.61.0
	golang.org/x/sys v0.49.0
	golang.org/x/term v0.47.0
	golang.org/x/text v0.43.0
	google.golang.org/api v0.292.0
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260803160001-6ac0973c030d
	google.golang.org/grpc v1.83.2
)
