package main

import (
	"bytes"
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/siderolabs/discovery-api/api/v1alpha1/server/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

const (
	longest = 30 * time.Minute // as long as an affiliate may be kept without a word
	backlog = 64               // changes that a watcher may be behind
)

// service holds what machines of any number of clusters tell of themselves, in memory.
type service struct {
	pb.UnimplementedClusterServer

	mu       sync.Mutex
	clusters map[string]*cluster
}

type cluster struct {
	affiliates map[string]*affiliate
	watchers   map[chan *pb.WatchResponse]struct{}
}

type affiliate struct {
	data      []byte
	endpoints [][]byte
	expiry    *time.Timer
}

func (s *service) cluster(id string) (*cluster, error) {
	if id == "" {
		return nil, status.Error(codes.InvalidArgument, "cluster ID can't be empty")
	}
	found, ok := s.clusters[id]
	if !ok {
		found = &cluster{map[string]*affiliate{}, map[chan *pb.WatchResponse]struct{}{}}
		s.clusters[id] = found
	}
	return found, nil
}

func (s *service) Hello(ctx context.Context, _ *pb.HelloRequest) (*pb.HelloResponse, error) {
	answer := &pb.HelloResponse{}
	if client, ok := peer.FromContext(ctx); ok {
		if address, ok := client.Addr.(*net.TCPAddr); ok {
			answer.ClientIp = address.IP
		}
	}
	return answer, nil
}

func (s *service) AffiliateUpdate(_ context.Context, told *pb.AffiliateUpdateRequest) (*pb.AffiliateUpdateResponse, error) {
	ttl := told.GetTtl().AsDuration()
	if told.GetAffiliateId() == "" || ttl <= 0 || ttl > longest {
		return nil, status.Error(codes.InvalidArgument, "affiliate ID can't be empty, and its TTL is positive and at most 30m")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	of, err := s.cluster(told.GetClusterId())
	if err != nil {
		return nil, err
	}
	id := told.GetAffiliateId()
	known, ok := of.affiliates[id]
	if !ok {
		known = &affiliate{}
		of.affiliates[id] = known
	}
	if told.AffiliateData != nil {
		known.data = told.AffiliateData
	}
	for _, endpoint := range told.GetAffiliateEndpoints() {
		if !slices.ContainsFunc(known.endpoints, func(one []byte) bool { return bytes.Equal(one, endpoint) }) {
			known.endpoints = append(known.endpoints, endpoint)
		}
	}
	if known.expiry != nil {
		known.expiry.Stop()
	}
	known.expiry = time.AfterFunc(ttl, func() { s.drop(told.GetClusterId(), id, known) })
	of.tell(&pb.WatchResponse{Affiliates: []*pb.Affiliate{known.message(id)}})
	return &pb.AffiliateUpdateResponse{}, nil
}

func (s *service) AffiliateDelete(_ context.Context, asked *pb.AffiliateDeleteRequest) (*pb.AffiliateDeleteResponse, error) {
	s.drop(asked.GetClusterId(), asked.GetAffiliateId(), nil)
	return &pb.AffiliateDeleteResponse{}, nil
}

// drop forgets the affiliate; with `only`, nothing but that one, not what was told since.
func (s *service) drop(clusterID, id string, only *affiliate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.clusters[clusterID]
	if of == nil || of.affiliates[id] == nil || only != nil && of.affiliates[id] != only {
		return
	}
	of.affiliates[id].expiry.Stop()
	delete(of.affiliates, id)
	of.tell(&pb.WatchResponse{Affiliates: []*pb.Affiliate{{Id: id}}, Deleted: true})
}

func (s *service) List(_ context.Context, asked *pb.ListRequest) (*pb.ListResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of, err := s.cluster(asked.GetClusterId())
	if err != nil {
		return nil, err
	}
	return &pb.ListResponse{Affiliates: of.messages()}, nil
}

// Watch sends what there is, then every change.
func (s *service) Watch(asked *pb.WatchRequest, stream grpc.ServerStreamingServer[pb.WatchResponse]) error {
	changes := make(chan *pb.WatchResponse, backlog)
	s.mu.Lock()
	of, err := s.cluster(asked.GetClusterId())
	if err != nil {
		s.mu.Unlock()
		return err
	}
	changes <- &pb.WatchResponse{Affiliates: of.messages()}
	of.watchers[changes] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(of.watchers, changes)
		s.mu.Unlock()
	}()
	for {
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case change, open := <-changes:
			if !open {
				return status.Error(codes.Aborted, "lost update")
			}
			if err := stream.Send(change); err != nil {
				return err
			}
		}
	}
}

// tell passes a change on; who cannot keep up has to begin anew.
func (c *cluster) tell(change *pb.WatchResponse) {
	for watcher := range c.watchers {
		select {
		case watcher <- change:
		default:
			close(watcher)
			delete(c.watchers, watcher)
		}
	}
}

func (c *cluster) messages() []*pb.Affiliate {
	found := make([]*pb.Affiliate, 0, len(c.affiliates))
	for id, one := range c.affiliates {
		found = append(found, one.message(id))
	}
	return found
}

func (a *affiliate) message(id string) *pb.Affiliate {
	return &pb.Affiliate{Id: id, Data: a.data, Endpoints: slices.Clone(a.endpoints)}
}
