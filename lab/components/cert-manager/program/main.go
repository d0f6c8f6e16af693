// Program cert-manager is each of cert-manager's programs, by its first argument.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/klog/v2"

	"github.com/cert-manager/cert-manager/internal/kube"
	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/util/cmapichecker"
	utilfeature "github.com/cert-manager/cert-manager/pkg/util/feature"
)

var programs = map[string]func(context.Context, []string) error{
	"controller":      controllers,
	"webhook":         webhook,
	"cainjector":      injector,
	"acmesolver":      solve,
	"startupapicheck": check,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	name := ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	program, known := programs[name]
	if !known {
		fail(fmt.Errorf("cert-manager: no program %q", name))
	}
	ctx = logf.NewContext(ctx, klog.Background(), name)
	if err := program(ctx, os.Args[2:]); err != nil && ctx.Err() == nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// parse takes the flags that every program has besides its own.
func parse(flags *pflag.FlagSet, arguments []string) error {
	verbosity := flags.IntP("v", "v", 2, "how much is logged")
	flags.Lookup("v").NoOptDefVal = "2" // the chart of startupapicheck gives -v alone
	gates := flags.String("feature-gates", "", "features to switch on or off, such as A=true,B=false")
	flags.String("metrics-listen-address", "", "not served")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	var level klog.Level
	if err := level.Set(fmt.Sprint(*verbosity)); err != nil {
		return err
	}
	return utilfeature.DefaultMutableFeatureGate.Set(*gates)
}

// solve answers one HTTP-01 challenge.
func solve(ctx context.Context, arguments []string) error {
	flags := pflag.NewFlagSet("acmesolver", pflag.ContinueOnError)
	answer := &solver.HTTP01Solver{}
	flags.IntVar(&answer.ListenPort, "listen-port", 8089, "port to listen on")
	flags.StringVar(&answer.Domain, "domain", "", "the name that is proved")
	flags.StringVar(&answer.Token, "token", "", "the challenge's token")
	flags.StringVar(&answer.Key, "key", "", "the key authorization")
	if err := parse(flags, arguments); err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		_ = answer.Shutdown(context.Background())
	}()
	return answer.Listen(logf.FromContext(ctx))
}

// check waits until the API accepts a CertificateRequest, webhook and all: what the chart's Job runs.
func check(ctx context.Context, arguments []string) error {
	flags := pflag.NewFlagSet("startupapicheck", pflag.ContinueOnError)
	wait := flags.Duration("wait", time.Minute, "how long to wait")
	namespace := flags.StringP("namespace", "n", os.Getenv("POD_NAMESPACE"), "where to ask")
	if err := parse(flags, arguments); err != nil {
		return err
	}
	config, err := kube.BuildClientConfig("", "")
	if err != nil {
		return err
	}
	checker, err := cmapichecker.New(config, *namespace)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *wait)
	defer cancel()
	for {
		err := checker.Check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API is not ready: %w", err)
		case <-time.After(time.Second):
		}
	}
}
