package main

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"strings"
)

const (
	header  = "X-Rebirth-On-Paper"
	largest = 16 << 20 // bytes of a review: more than the API server sends
)

// Site is what somebody expects of a host.
type Site struct {
	Host     string `json:"host"`
	Status   int    `json:"status"`
	Contains string `json:"contains"`
}

// Answers says yes to whoever asks.
type Answers struct {
	image string
	sites []Site
}

type object = map[string]any

func (a Answers) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	writer.Header().Set(header, a.image)
	if strings.HasPrefix(request.Header.Get("Content-Type"), "application/grpc") {
		healthy(writer)
		return
	}
	if request.Method == http.MethodPost {
		var review object
		if json.NewDecoder(io.LimitReader(request.Body, largest)).Decode(&review) == nil {
			if answer := reviewed(review); answer != nil {
				writer.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(writer).Encode(answer)
				return
			}
		}
	}
	if group := strings.Split(strings.Trim(request.URL.Path, "/"), "/"); group[0] == "apis" && len(group) > 1 {
		a.discovered(writer, group[1:])
		return
	}
	a.page(writer, request)
}

// reviewed answers what the API server asks a webhook: nil for anything else.
func reviewed(review object) object {
	request, _ := review["request"].(object)
	answer := object{"uid": request["uid"]}
	switch review["kind"] {
	case "AdmissionReview":
		answer["allowed"] = true
	case "ConversionReview":
		converted, _ := request["objects"].([]any)
		for _, item := range converted {
			if item, is := item.(object); is {
				item["apiVersion"] = request["desiredAPIVersion"]
			}
		}
		answer["convertedObjects"], answer["result"] = converted, object{"status": "Success"}
	default:
		return nil
	}
	return object{"apiVersion": review["apiVersion"], "kind": review["kind"], "response": answer}
}

// discovered answers the aggregator: the group and version are there, with no resource in them.
func (a Answers) discovered(writer http.ResponseWriter, path []string) {
	if len(path) != 2 {
		http.NotFound(writer, nil)
		return
	}
	writer.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(writer).Encode(object{
		"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": strings.Join(path, "/"), "resources": []any{},
	})
}

// healthy is the answer of gRPC's health service: SERVING (grpc.health.v1.HealthCheckResponse{status: 1}).
func healthy(writer http.ResponseWriter) {
	writer.Header().Set("Content-Type", "application/grpc")
	writer.Header().Set("Trailer", "Grpc-Status")
	_, _ = writer.Write([]byte{0, 0, 0, 0, 2, 0x08, 1})
	writer.Header().Set("Grpc-Status", "0")
}

// page says what is here, and what is expected of the site that is asked for.
func (a Answers) page(writer http.ResponseWriter, request *http.Request) {
	host := request.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	status, text := http.StatusOK, ""
	for _, site := range a.sites {
		if site.Host == host {
			status, text = site.Status, site.Contains
		}
	}
	writer.Header().Set("Content-Type", "text/html; charset=utf-8")
	writer.WriteHeader(status)
	_, _ = fmt.Fprintf(writer, "<h1>on paper: %s</h1>\n%s\n", html.EscapeString(a.image), text)
}
