package main

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/siderolabs/discovery-api/api/v1alpha1/server/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
)

func dial(t *testing.T) pb.ClusterClient {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterClusterServer(server, &service{clusters: map[string]*cluster{}})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return pb.NewClusterClient(connection)
}

func update(id, data string, ttl time.Duration) *pb.AffiliateUpdateRequest {
	return &pb.AffiliateUpdateRequest{ClusterId: "c", AffiliateId: id, AffiliateData: []byte(data), Ttl: durationpb.New(ttl)}
}

func TestMachinesOfOneClusterFindEachOther(t *testing.T) {
	ctx, client := t.Context(), dial(t)
	if _, err := client.AffiliateUpdate(ctx, update("a", "1", time.Minute)); err != nil {
		t.Fatal(err)
	}
	watch, err := client.Watch(ctx, &pb.WatchRequest{ClusterId: "c"})
	if err != nil {
		t.Fatal(err)
	}
	first, err := watch.Recv()
	if err != nil || len(first.Affiliates) != 1 || string(first.Affiliates[0].Data) != "1" {
		t.Fatalf("got %v, %v", first, err)
	}
	if _, err := client.AffiliateUpdate(ctx, update("b", "2", 50*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	second, err := watch.Recv()
	if err != nil || second.Affiliates[0].Id != "b" || second.Deleted {
		t.Fatalf("got %v, %v", second, err)
	}
	third, err := watch.Recv() // its time is up
	if err != nil || third.Affiliates[0].Id != "b" || !third.Deleted {
		t.Fatalf("got %v, %v", third, err)
	}
	other, err := client.List(ctx, &pb.ListRequest{ClusterId: "d"})
	if err != nil || len(other.Affiliates) != 0 {
		t.Fatalf("another cluster sees %v, %v", other, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	client := dial(t)
	for _, told := range []*pb.AffiliateUpdateRequest{update("", "1", time.Minute), update("a", "1", time.Hour), update("a", "1", 0)} {
		if _, err := client.AffiliateUpdate(context.Background(), told); err == nil {
			t.Errorf("%v was taken", told)
		}
	}
}

func TestEndpointsAreMergedAndTheClientSeesItsAddress(t *testing.T) {
	ctx, client := t.Context(), dial(t)
	for _, endpoints := range [][][]byte{{[]byte("x")}, {[]byte("x"), []byte("y")}} {
		told := update("a", "1", time.Minute)
		told.AffiliateEndpoints = endpoints
		if _, err := client.AffiliateUpdate(ctx, told); err != nil {
			t.Fatal(err)
		}
	}
	listed, err := client.List(ctx, &pb.ListRequest{ClusterId: "c"})
	if err != nil || len(listed.Affiliates) != 1 || len(listed.Affiliates[0].Endpoints) != 2 {
		t.Fatalf("got %v, %v", listed, err)
	}
	hello, err := client.Hello(ctx, &pb.HelloRequest{ClusterId: "c"})
	if err != nil || !net.IP(hello.ClientIp).IsLoopback() {
		t.Fatalf("got %v, %v", hello, err)
	}
}
