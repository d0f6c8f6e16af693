"""What programs say when something goes wrong behind them, word for word as git 2.47, helm 3.19 and talosctl 1.12 write it."""

from faults.wrongs import Wrong

_GIT = "fatal: unable to access 'https://github.com/lushycorp/castle.git/': "
GIT_PASSING = (
    Wrong("HTTP 429", said=f"{_GIT}The requested URL returned error: 429"),
    Wrong("HTTP 500", said=f"{_GIT}The requested URL returned error: 500"),
    Wrong("HTTP 503", said=f"{_GIT}The requested URL returned error: 503"),
    Wrong(
        "nobody listens", said=f"{_GIT}Failed to connect to github.com port 443 after 5 ms: Could not connect to server"
    ),
    Wrong("its name does not resolve", said=f"{_GIT}Could not resolve host: github.com"),
    Wrong(
        "hangs up in the middle",
        said="error: RPC failed; curl 18 transfer closed with outstanding read data remaining\nfatal: early EOF",
    ),
    Wrong(
        "HTTP/2 stream broken",
        said="error: RPC failed; curl 92 HTTP/2 stream 5 was not closed cleanly: CANCEL (err 8)\nfatal: early EOF",
    ),
)
GIT_LASTING = (
    Wrong(
        "token rejected (HTTP 401)", said="fatal: Authentication failed for 'https://github.com/lushycorp/castle.git/'"
    ),
    Wrong(
        "token without the right (HTTP 403)",
        said=f"remote: Write access to repository not granted.\n{_GIT}The requested URL returned error: 403",
    ),
    Wrong(
        "repository not found",
        said="remote: Repository not found.\nfatal: repository 'https://github.com/lushycorp/castle.git/' not found",
    ),
    Wrong(
        "branch not found",
        said="warning: Could not find remote branch master to clone.\nfatal: Remote branch master not found in upstream origin",
    ),
    Wrong(
        "a sign-in page instead",
        said="fatal: https://github.com/lushycorp/castle.git/info/refs not valid: is this a git repository?",
    ),
    Wrong("certificate expired", said=f"{_GIT}SSL certificate problem: certificate has expired"),
    Wrong("certificate not valid yet", said=f"{_GIT}SSL certificate problem: certificate is not yet valid"),
    Wrong("certificate of a stranger", said=f"{_GIT}SSL certificate problem: unable to get local issuer certificate"),
    Wrong(
        "certificate for another name",
        said=f"{_GIT}SSL: no alternative certificate subject name matches target host name 'github.com'",
    ),
    Wrong(
        "disk full here",
        said="fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output",
    ),
    Wrong(
        "over its quota",
        said="remote: This repository is over its data quota. Account responsible for LFS bandwidth should purchase more data packs.\nfatal: the remote end refused",
    ),
    Wrong(
        "damaged on the way",
        said="fatal: pack has bad object at offset 12345: inflate returned -3\nfatal: fetch-pack: invalid index-pack output",
    ),
    Wrong("success said, nothing fetched", instead=""),
    Wrong("never answers", seconds=10**6),
)

_INDEX = 'Error: looks like "https://metallb.github.io/metallb" is not a valid chart repository or cannot be reached: '
_GET = 'Get "https://metallb.github.io/metallb/index.yaml": '
HELM_PASSING = (
    Wrong(
        "HTTP 429", said=f"{_INDEX}failed to fetch https://metallb.github.io/metallb/index.yaml : 429 Too Many Requests"
    ),
    Wrong(
        "HTTP 500",
        said=f"{_INDEX}failed to fetch https://metallb.github.io/metallb/index.yaml : 500 Internal Server Error",
    ),
    Wrong(
        "HTTP 503",
        said=f"{_INDEX}failed to fetch https://metallb.github.io/metallb/index.yaml : 503 Service Unavailable",
    ),
    Wrong("nobody listens", said=f"{_INDEX}{_GET}dial tcp 185.199.108.153:443: connect: connection refused"),
    Wrong(
        "its name does not resolve",
        said=f"{_INDEX}{_GET}dial tcp: lookup metallb.github.io on 192.168.50.1:53: no such host",
    ),
    Wrong(
        "DNS server fails",
        said=f"{_INDEX}{_GET}dial tcp: lookup metallb.github.io on 192.168.50.1:53: server misbehaving",
    ),
    Wrong("hangs up", said=f"{_INDEX}{_GET}EOF"),
    Wrong("silent", said=f"{_INDEX}{_GET}net/http: TLS handshake timeout"),
)
HELM_LASTING = (
    Wrong("HTTP 403", said=f"{_INDEX}failed to fetch https://metallb.github.io/metallb/index.yaml : 403 Forbidden"),
    Wrong("HTTP 404", said=f"{_INDEX}failed to fetch https://metallb.github.io/metallb/index.yaml : 404 Not Found"),
    Wrong(
        "a sign-in page instead",
        said=f"{_INDEX}error converting YAML to JSON: yaml: line 1: mapping values are not allowed in this context",
    ),
    Wrong(
        "no such version",
        said='Error: chart "metallb" version "0.15.2" not found in https://metallb.github.io/metallb repository',
    ),
    Wrong(
        "certificate expired",
        said=f"{_INDEX}{_GET}tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-27T08:00:00Z is after 2026-01-01T00:00:00Z",
    ),
    Wrong(
        "certificate of a stranger",
        said=f"{_INDEX}{_GET}tls: failed to verify certificate: x509: certificate signed by unknown authority",
    ),
    Wrong("archive damaged", said="Error: gzip: invalid header"),
    Wrong("success said, nothing installed", instead="[]"),
    Wrong("nonsense said", instead="<html>"),
    Wrong("never answers", seconds=10**6),
    Wrong("the answer is lost, then it works", said="Error: context deadline exceeded", lost=True),
)
REGISTRY_PASSING = (
    Wrong(
        "HTTP 429",
        said='Error: failed to perform "FetchReference" on source: GET "https://ghcr.io/v2/charts/metallb/manifests/0.15.2": response status code 429: toomanyrequests: retry-after: 1ms',
    ),
    Wrong(
        "HTTP 503",
        said='Error: failed to perform "FetchReference" on source: GET "https://ghcr.io/v2/charts/metallb/manifests/0.15.2": response status code 503: Service Unavailable',
    ),
    Wrong(
        "its name does not resolve",
        said='Error: failed to do request: Head "https://ghcr.io/v2/charts/metallb/manifests/0.15.2": dial tcp: lookup ghcr.io: no such host',
    ),
)
REGISTRY_LASTING = (
    Wrong(
        "HTTP 401",
        said="Error: failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token: 401 Unauthorized",
    ),
    Wrong(
        "HTTP 403",
        said='Error: failed to perform "FetchReference" on source: GET "https://ghcr.io/v2/charts/metallb/manifests/0.15.2": response status code 403: denied: permission_denied',
    ),
    Wrong(
        "HTTP 404", said='Error: failed to perform "FetchReference" on source: ghcr.io/charts/metallb:0.15.2: not found'
    ),
)
API_OF_HELM = (
    Wrong(
        "API server gone, by helm",
        said='Error: Kubernetes cluster unreachable: Get "https://192.168.50.11:6443/version": dial tcp 192.168.50.11:6443: connect: connection refused',
    ),
    Wrong(
        "quota, by helm",
        said='Error: UPGRADE FAILED: failed to create resource: daemonsets.apps "speaker" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=10, limited: pods=10',
    ),
    Wrong(
        "credentials rejected, by helm",
        said="Error: Kubernetes cluster unreachable: the server has asked for the client to provide credentials",
    ),
    Wrong("etcd full, by helm", said="Error: create: failed to create: etcdserver: mvcc: database space exceeded"),
    Wrong(
        "objects of somebody else, by helm",
        said='Error: Unable to continue with install: ServiceAccount "controller" in namespace "metallb-system" exists and cannot be imported into the current release: invalid ownership metadata; annotation validation error: key "meta.helm.sh/release-name" must equal "metallb": current value is "lb"',
    ),
    Wrong(
        "disk full here, by helm",
        said="Error: write /castle/.rebirth/real/helm/cache/repository/metallb-index.yaml: no space left on device",
    ),
)

_RPC = "error: rpc error: code = "
HUNG_UP = f"{_RPC}Unavailable desc = error reading from server: EOF"
NOT_AUTHORIZED = f"{_RPC}PermissionDenied desc = not authorized"
HAS_DATA = f"{_RPC}AlreadyExists desc = etcd data directory is not empty"
TALOS_PASSING = (
    Wrong(
        "nobody listens",
        said=f'{_RPC}Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 192.168.50.11:50000: connect: connection refused"',
    ),
    Wrong(
        "no way there",
        said=f'{_RPC}Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 192.168.50.11:50000: connect: no route to host"',
    ),
    Wrong("silent", said=f"{_RPC}DeadlineExceeded desc = context deadline exceeded"),
    Wrong("hangs up", said=HUNG_UP),
    Wrong(
        "resets the connection",
        said=f"{_RPC}Unavailable desc = error reading from server: read tcp: connection reset by peer",
    ),
    Wrong("overloaded", said=f"{_RPC}ResourceExhausted desc = grpc: received message larger than max"),
    Wrong(
        "clock off by an hour",
        said=f'{_RPC}Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-27T07:00:00Z is before 2026-11-27T08:00:00Z"',
    ),
)
TALOS_LASTING = (
    Wrong("not authorized", said=NOT_AUTHORIZED),
    Wrong(
        "configuration invalid",
        said=f"{_RPC}InvalidArgument desc = 1 error occurred:\n\t* unknown keys found during decoding: machine.nonsense",
    ),
    Wrong(
        "disk of the machine full", said=f"{_RPC}Unknown desc = open /system/state/config.yaml: no space left on device"
    ),
    Wrong(
        "another Talos",
        said=f"{_RPC}Unimplemented desc = unknown method ApplyConfiguration for service machine.MachineService",
    ),
    Wrong(
        "credentials of another cluster",
        said=f'{_RPC}Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority"',
    ),
    Wrong("never answers", seconds=10**6),
)
