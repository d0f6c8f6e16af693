// Command grafana stands in for Grafana: healthy only while it can log in to its PostgreSQL database with the password that
// its environment holds (GF_DATABASE_*, as Grafana reads them). A password that the database refuses ends it, as it ends Grafana
// when it starts: the kubelet starts it again, with what the Secret holds by then.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"rebirth.local/standins/internal/kube"
)

func address() string {
	login := url.UserPassword(os.Getenv("GF_DATABASE_USER"), os.Getenv("GF_DATABASE_PASSWORD"))
	place := url.URL{Scheme: "postgres", User: login, Host: os.Getenv("GF_DATABASE_HOST"), Path: os.Getenv("GF_DATABASE_NAME")}
	return place.String()
}

func login(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	connection, err := pgx.Connect(ctx, address())
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	_, err = connection.Exec(ctx, "select 1")
	return err
}

func main() {
	ctx, cancel := kube.Context()
	defer cancel()
	var healthy atomic.Bool
	go func() {
		for ctx.Err() == nil {
			err := login(ctx)
			if refused := new(pgconn.PgError); errors.As(err, &refused) && !healthy.Load() {
				log.Fatalf("the database refuses the login: %s", refused.Code)
			}
			if err != nil && healthy.Load() {
				log.Print("lost the database")
			}
			healthy.Store(err == nil)
			time.Sleep(time.Second)
		}
	}()
	http.HandleFunc("/api/health", func(writer http.ResponseWriter, _ *http.Request) {
		state := map[string]string{"database": "ok", "version": "stand-in"}
		if !healthy.Load() {
			state["database"] = "failing"
			writer.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(writer).Encode(state)
	})
	go func() { log.Fatal(http.ListenAndServe(":3000", nil)) }()
	<-ctx.Done()
}
