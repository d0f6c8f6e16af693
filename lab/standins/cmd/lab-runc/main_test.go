package main

import (
	"encoding/json"
	"testing"
)

func TestWhatCannotBeGrantedIsLeftOut(t *testing.T) {
	data, err := soften([]byte(`{"process":{"oomScoreAdj":-997,"rlimits":[{"hard":18446744073709551615}],
		"capabilities":{"bounding":["CAP_CHOWN","CAP_SYS_RESOURCE"],"ambient":null}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"process":{"capabilities":{"ambient":null,"bounding":["CAP_CHOWN"]},"rlimits":[{"hard":18446744073709551615}]}}`
	if string(data) != want {
		t.Errorf("got %s", data)
	}
}

func TestWhatCanBeGrantedStays(t *testing.T) {
	for _, given := range []string{`{"process":{"oomScoreAdj":1000}}`, `{"root":{"path":"rootfs"}}`} {
		data, err := soften([]byte(given))
		if err != nil || !json.Valid(data) || string(data) != given {
			t.Errorf("got %s, %v of %s", data, err, given)
		}
	}
}

func TestTheBundleOfWhatStarts(t *testing.T) {
	if got := bundle([]string{"--root", "/run/x", "create", "--bundle", "/run/b", "id"}); got != "/run/b" {
		t.Errorf("got %q", got)
	}
	if got := bundle([]string{"delete", "--bundle", "/run/b"}); got != "" {
		t.Errorf("got %q", got)
	}
}
