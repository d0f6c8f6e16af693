package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// stub serves on a free port, and returns its address and an authority that signs for it.
func stub(t *testing.T, sites ...Site) (string, *x509.CertPool) {
	t.Helper()
	folder, trusted := t.TempDir(), x509.NewCertPool()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	signed, err := x509.CreateCertificate(rand.Reader, authority, authority, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, _ := x509.MarshalPKCS8PrivateKey(key)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})
	_ = os.WriteFile(filepath.Join(folder, "ca.crt"), certificate, 0o600)
	_ = os.WriteFile(filepath.Join(folder, "ca.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)
	trusted.AppendCertsFromPEM(certificate)
	signer, err := NewSigner(folder)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go serve(listener, signer, Answers{"ghcr.io/a/b:1", sites})
	return listener.Addr().String(), trusted
}

func read(t *testing.T, answer *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return string(body)
}

func TestAPageSaysWhichImageItStandsInFor(t *testing.T) {
	address, _ := stub(t)
	answer, err := http.Get("http://" + address + "/healthz")
	if page := read(t, answer, err); !strings.Contains(page, "on paper: ghcr.io/a/b:1") {
		t.Error(page)
	}
	if answer.StatusCode != 200 || answer.Header.Get(header) != "ghcr.io/a/b:1" {
		t.Error(answer.Status, answer.Header)
	}
}

func TestASiteAnswersAsIsExpected(t *testing.T) {
	address, _ := stub(t, Site{Host: "www.example", Status: 401, Contains: "Please log in"})
	request, _ := http.NewRequest(http.MethodGet, "http://"+address, nil)
	request.Host = "www.example"
	answer, err := http.DefaultClient.Do(request)
	if page := read(t, answer, err); answer.StatusCode != 401 || !strings.Contains(page, "Please log in") {
		t.Error(answer.Status, page)
	}
}

func TestTLSIsForTheNameThatIsAsked(t *testing.T) {
	address, trusted := stub(t)
	for _, name := range []string{"hook.apps.svc", "www.example", ""} {
		client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: name}}}
		answer, err := client.Get("https://" + address)
		if page := read(t, answer, err); !strings.Contains(page, "on paper") {
			t.Error(name, page)
		}
	}
}

func asked(t *testing.T, address, review string) map[string]any {
	t.Helper()
	answer, err := http.Post("http://"+address+"/validate", "application/json", strings.NewReader(review))
	var said map[string]any
	if err := json.Unmarshal([]byte(read(t, answer, err)), &said); err != nil {
		t.Fatal(err)
	}
	response, _ := said["response"].(map[string]any)
	if response["uid"] != "7" || said["apiVersion"] == "" || said["kind"] == "" {
		t.Error(said)
	}
	return response
}

func TestWebhooksAdmitAndConvert(t *testing.T) {
	address, _ := stub(t)
	response := asked(t, address, `{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "7"}}`)
	if response["allowed"] != true {
		t.Error(response)
	}
	response = asked(t, address, `{"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview", "request":
		{"uid": "7", "desiredAPIVersion": "a.example/v2", "objects": [{"apiVersion": "a.example/v1", "kind": "A"}]}}`)
	converted := response["convertedObjects"].([]any)[0].(map[string]any)
	if converted["apiVersion"] != "a.example/v2" || response["result"].(map[string]any)["status"] != "Success" {
		t.Error(response)
	}
}

func TestAnAggregatedAPIHasNoResources(t *testing.T) {
	address, trusted := stub(t)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}
	answer, err := client.Get("https://" + address + "/apis/metrics.k8s.io/v1beta1")
	if said := read(t, answer, err); !strings.Contains(said, `"groupVersion":"metrics.k8s.io/v1beta1"`) {
		t.Error(said)
	}
}

func TestHealthOverGRPC(t *testing.T) {
	address, _ := stub(t)
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	client := http.Client{Transport: transport}
	answer, err := client.Post("http://"+address+"/grpc.health.v1.Health/Check", "application/grpc", bytes.NewReader(make([]byte, 5)))
	said := read(t, answer, err)
	if said != "\x00\x00\x00\x00\x02\x08\x01" || answer.Trailer.Get("Grpc-Status") != "0" || answer.ProtoMajor != 2 {
		t.Errorf("%q %v %s", said, answer.Trailer, answer.Proto)
	}
}
