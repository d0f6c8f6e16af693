package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	bin     = "/usr/pgsql/bin/"
	data    = "/pgdata/pg18"
	sockets = "/tmp"
)

// database is the container's program: it prepares the data directory, then becomes PostgreSQL.
func database() error {
	if _, err := os.Stat(data + "/PG_VERSION"); err != nil {
		if err := run(bin+"initdb", "--pgdata="+data, "--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256",
			"--encoding=UTF8", "--locale=C", "--no-sync"); err != nil {
			return err
		}
		rule := "host all all 0.0.0.0/0 scram-sha-256\n"
		file, err := os.OpenFile(data+"/pg_hba.conf", os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		if _, err := file.WriteString(rule); err != nil {
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	// A kubelet that mounts the volume again gives its group more than PostgreSQL lets anybody have.
	if err := os.Chmod(data, 0o700); err != nil {
		return err
	}
	// Users are made while nobody can reach the server: a client that connects finds them.
	private := exec.Command(bin+"postgres", "-D", data, "-c", "listen_addresses=", "-c", "unix_socket_directories="+sockets)
	private.Stdout, private.Stderr = os.Stdout, os.Stderr
	if err := private.Start(); err != nil {
		return err
	}
	if err := makeUsers(); err != nil {
		return err
	}
	_ = private.Process.Signal(syscall.SIGINT)
	_ = private.Wait()
	return syscall.Exec(bin+"postgres", []string{bin + "postgres", "-D", data, "-c", "listen_addresses=*", "-c", "unix_socket_directories=" + sockets}, os.Environ())
}

func run(argv ...string) error {
	command := exec.Command(argv[0], argv[1:]...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	return command.Run()
}

func connect(ctx context.Context) (*pgx.Conn, error) {
	var last error
	for range 100 {
		connection, err := pgx.Connect(ctx, "host="+sockets+" user=postgres dbname=postgres")
		if err == nil {
			return connection, nil
		}
		last = err
		time.Sleep(100 * time.Millisecond)
	}
	return nil, last
}

func makeUsers() error {
	ctx := context.Background()
	connection, err := connect(ctx)
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	folders, err := filepath.Glob("/pgusers/*")
	if err != nil {
		return err
	}
	for _, folder := range folders {
		name := filepath.Base(folder)
		password, err := os.ReadFile(folder + "/password")
		if err != nil {
			return err
		}
		if err := makeUser(ctx, connection, name, strings.TrimSpace(string(password))); err != nil {
			return err
		}
		databases, _ := os.ReadFile(folder + "/databases")
		for _, database := range strings.Split(strings.TrimSpace(string(databases)), ",") {
			if err := makeDatabase(ctx, connection, database, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

func makeUser(ctx context.Context, connection *pgx.Conn, name, password string) error {
	var there bool
	if err := connection.QueryRow(ctx, "select exists(select from pg_roles where rolname=$1)", name).Scan(&there); err != nil {
		return err
	}
	verb := "create"
	if there {
		verb = "alter"
	}
	literal := "'" + strings.ReplaceAll(password, "'", "''") + "'"
	_, err := connection.Exec(ctx, fmt.Sprintf("%s role %s login password %s", verb, quoted(name), literal))
	return err
}

func makeDatabase(ctx context.Context, connection *pgx.Conn, name, owner string) error {
	if name == "" {
		return nil
	}
	var there bool
	if err := connection.QueryRow(ctx, "select exists(select from pg_database where datname=$1)", name).Scan(&there); err != nil || there {
		return err
	}
	_, err := connection.Exec(ctx, fmt.Sprintf("create database %s owner %s", quoted(name), quoted(owner)))
	return err
}
