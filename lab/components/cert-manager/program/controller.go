package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	config "github.com/cert-manager/cert-manager/internal/apis/config/controller"
	"github.com/cert-manager/cert-manager/internal/apis/config/controller/scheme"
	defaults "github.com/cert-manager/cert-manager/internal/apis/config/controller/v1alpha1"
	"github.com/cert-manager/cert-manager/pkg/apis/config/controller/v1alpha1"
	"github.com/cert-manager/cert-manager/pkg/controller"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	"github.com/cert-manager/cert-manager/pkg/healthz"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/vault"
	dnsutil "github.com/cert-manager/cert-manager/pkg/issuer/acme/dns/util"
)

// configured is cert-manager's own default configuration, changed by the flags that its chart knows.
func configured(arguments []string) (*config.ControllerConfiguration, error) {
	known, _, err := scheme.NewSchemeAndCodecs()
	if err != nil {
		return nil, err
	}
	published, c := &v1alpha1.ControllerConfiguration{}, &config.ControllerConfiguration{}
	known.Default(published)
	if err := known.Convert(published, c, nil); err != nil {
		return nil, err
	}
	flags := pflag.NewFlagSet("controller", pflag.ContinueOnError)
	flags.StringVar(&c.ClusterResourceNamespace, "cluster-resource-namespace", c.ClusterResourceNamespace, "")
	flags.StringVar(&c.Namespace, "namespace", c.Namespace, "")
	elect := &c.LeaderElectionConfig
	flags.BoolVar(&elect.Enabled, "leader-elect", elect.Enabled, "")
	flags.StringVar(&elect.Namespace, "leader-election-namespace", elect.Namespace, "")
	flags.DurationVar(&elect.LeaseDuration, "leader-election-lease-duration", elect.LeaseDuration, "")
	flags.DurationVar(&elect.RenewDeadline, "leader-election-renew-deadline", elect.RenewDeadline, "")
	flags.DurationVar(&elect.RetryPeriod, "leader-election-retry-period", elect.RetryPeriod, "")
	flags.StringSliceVar(&c.Controllers, "controllers", c.Controllers, "")
	flags.IntVar(&c.MaxConcurrentChallenges, "max-concurrent-challenges", c.MaxConcurrentChallenges, "")
	flags.BoolVar(&c.EnableCertificateOwnerRef, "enable-certificate-owner-ref", c.EnableCertificateOwnerRef, "")
	shim := &c.IngressShimConfig
	flags.StringVar(&shim.DefaultIssuerName, "default-issuer-name", shim.DefaultIssuerName, "")
	flags.StringVar(&shim.DefaultIssuerKind, "default-issuer-kind", shim.DefaultIssuerKind, "")
	flags.StringVar(&shim.DefaultIssuerGroup, "default-issuer-group", shim.DefaultIssuerGroup, "")
	http01, dns01 := &c.ACMEHTTP01Config, &c.ACMEDNS01Config
	flags.StringVar(&http01.SolverImage, "acme-http01-solver-image", http01.SolverImage, "")
	flags.StringSliceVar(&http01.SolverNameservers, "acme-http01-solver-nameservers", http01.SolverNameservers, "")
	flags.StringVar(&http01.SolverRuntimeClassName, "acme-http01-solver-runtime-class-name", "", "")
	flags.StringToStringVar(&http01.SolverExtraLabels, "acme-http01-solver-extra-labels", nil, "")
	flags.StringSliceVar(&dns01.RecursiveNameservers, "dns01-recursive-nameservers", dns01.RecursiveNameservers, "")
	flags.BoolVar(&dns01.RecursiveNameserversOnly, "dns01-recursive-nameservers-only", false, "")
	return c, parse(flags, arguments)
}

// enabled are the controllers that run: by default, or by name, with * for the default and -NAME without one.
func enabled(asked []string) []string {
	var found, without []string
	for _, name := range asked {
		switch {
		case name == "*":
			found = append(found, defaults.DefaultEnabledControllers...)
		case strings.HasPrefix(name, "-"):
			without = append(without, name[1:])
		default:
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		found = slices.Clone(defaults.DefaultEnabledControllers)
	}
	return slices.DeleteFunc(found, func(name string) bool { return slices.Contains(without, name) })
}

func contextOptions(c *config.ControllerConfiguration) (controller.ContextOptions, error) {
	http01 := c.ACMEHTTP01Config
	var quantities [4]resource.Quantity
	for i, text := range []string{
		http01.SolverResourceRequestCPU, http01.SolverResourceRequestMemory,
		http01.SolverResourceLimitsCPU, http01.SolverResourceLimitsMemory,
	} {
		quantity, err := resource.ParseQuantity(text)
		if err != nil {
			return controller.ContextOptions{}, err
		}
		quantities[i] = quantity
	}
	nameservers := c.ACMEDNS01Config.RecursiveNameservers
	if len(nameservers) == 0 {
		nameservers = dnsutil.RecursiveNameservers
	}
	return controller.ContextOptions{
		KubernetesAPIQPS:   c.KubernetesAPIQPS,
		KubernetesAPIBurst: c.KubernetesAPIBurst,
		Namespace:          c.Namespace,
		IssuerOptions: controller.IssuerOptions{
			ClusterResourceNamespace:        c.ClusterResourceNamespace,
			ClusterIssuerAmbientCredentials: c.ClusterIssuerAmbientCredentials,
			IssuerAmbientCredentials:        c.IssuerAmbientCredentials,
		},
		ACMEOptions: controller.ACMEOptions{
			HTTP01SolverImage:                 http01.SolverImage,
			HTTP01SolverResourceRequestCPU:    quantities[0],
			HTTP01SolverResourceRequestMemory: quantities[1],
			HTTP01SolverResourceLimitsCPU:     quantities[2],
			HTTP01SolverResourceLimitsMemory:  quantities[3],
			ACMEHTTP01SolverRunAsNonRoot:      http01.SolverRunAsNonRoot,
			HTTP01SolverRuntimeClassName:      http01.SolverRuntimeClassName,
			HTTP01SolverNameservers:           http01.SolverNameservers,
			HTTP01SolverExtraLabels:           http01.SolverExtraLabels,
			DNS01Nameservers:                  nameservers,
			DNS01CheckAuthoritative:           !c.ACMEDNS01Config.RecursiveNameserversOnly,
			DNS01CheckRetryPeriod:             c.ACMEDNS01Config.CheckRetryPeriod,
		},
		IngressShimOptions: controller.IngressShimOptions{
			DefaultIssuerName:                 c.IngressShimConfig.DefaultIssuerName,
			DefaultIssuerKind:                 c.IngressShimConfig.DefaultIssuerKind,
			DefaultIssuerGroup:                c.IngressShimConfig.DefaultIssuerGroup,
			DefaultAutoCertificateAnnotations: c.IngressShimConfig.DefaultAutoCertificateAnnotations,
			ExtraCertificateAnnotations:       c.IngressShimConfig.ExtraCertificateAnnotations,
		},
		CertificateOptions: controller.CertificateOptions{
			EnableOwnerRef:                           c.EnableCertificateOwnerRef,
			CopiedAnnotationPrefixes:                 c.CopiedAnnotationPrefixes,
			CertificateRequestMinimumBackoffDuration: c.CertificateRequestMinimumBackoffDuration,
			CertificateRequestMaximumBackoffDuration: c.CertificateRequestMaximumBackoffDuration,
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: c.MaxConcurrentChallenges},
	}, nil
}

// controllers runs all that are enabled, once this replica is elected.
func controllers(ctx context.Context, arguments []string) error {
	c, err := configured(arguments)
	if err != nil {
		return err
	}
	options, err := contextOptions(c)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	factory, err := controller.NewContextFactory(ctx, options)
	if err != nil {
		return err
	}
	base, err := factory.Build()
	if err != nil {
		return err
	}
	listening, err := net.Listen("tcp", c.HealthzListenAddress)
	if err != nil {
		return err
	}
	health := healthz.NewServer(c.LeaderElectionConfig.HealthzTimeout)
	group.Go(func() error { return health.Start(ctx, listening) })
	elected, once := make(chan struct{}), sync.Once{}
	lead := func(context.Context) { once.Do(func() { close(elected) }) }
	if c.LeaderElectionConfig.Enabled {
		elector, err := newElector(c.LeaderElectionConfig, base, lead)
		if err != nil {
			return err
		}
		group.Go(func() error {
			elector.Run(ctx)
			if ctx.Err() == nil {
				return fmt.Errorf("no longer the leader")
			}
			return nil
		})
	} else {
		lead(ctx)
	}
	select {
	case <-ctx.Done():
		return group.Wait()
	case <-elected:
	}
	running := enabled(c.Controllers)
	for name, construct := range controller.Known() {
		if !slices.Contains(running, name) || (c.Namespace != "" && slices.Contains(defaults.ClusterScopedControllers, name)) {
			continue
		}
		one, err := construct(factory)
		if err != nil {
			return fmt.Errorf("controller %s: %w", name, err)
		}
		group.Go(func() error { return one.Run(c.NumberOfConcurrentWorkers, ctx) })
	}
	base.SharedInformerFactory.Start(ctx.Done())
	base.KubeSharedInformerFactory.Start(ctx.Done())
	base.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	return group.Wait()
}

func newElector(
	c config.LeaderElectionConfig, base *controller.Context, lead func(context.Context),
) (*leaderelection.LeaderElector, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	lock, err := resourcelock.New(
		resourcelock.LeasesResourceLock, c.Namespace, "cert-manager-controller",
		base.Client.CoreV1(), base.Client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: host, EventRecorder: base.Recorder},
	)
	if err != nil {
		return nil, err
	}
	return leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            lock,
		LeaseDuration:   max(c.LeaseDuration, time.Second),
		RenewDeadline:   c.RenewDeadline,
		RetryPeriod:     c.RetryPeriod,
		ReleaseOnCancel: true,
		Callbacks:       leaderelection.LeaderCallbacks{OnStartedLeading: lead, OnStoppedLeading: func() {}},
	})
}
