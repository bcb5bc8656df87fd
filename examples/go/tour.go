// kvd from Go, with stubs that are generated from its contract.
//
// Puts, gets, decides in a transaction, sends a batch, watches, and reads an error's reason. Tells
// what it does, and ends with 1 when something is not as it should be. See README.md beside it.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	kvdv1 "kvd/v1"
)

const (
	prefix   = "tour:go:"
	deadline = 10 * time.Second
)

func main() {
	address := "127.0.0.1:7856"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	if err := tour(address); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func tour(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	connection, err := grpc.DialContext(ctx, address, grpc.WithInsecure())
	if err != nil {
		return err
	}
	defer connection.Close()
	kv := kvdv1.NewKvServiceClient(connection)
	everything := &kvdv1.DeleteRequest{Selector: &kvdv1.DeleteRequest_Prefix{Prefix: prefix}}
	if _, err := kv.Delete(ctx, everything); err != nil {
		return err
	}
	start, err := putAndGet(ctx, kv)
	if err != nil {
		return err
	}
	if err := elect(ctx, kv); err != nil {
		return err
	}
	if err := sendABatch(ctx, kv); err != nil {
		return err
	}
	if err := watch(ctx, kv, start); err != nil {
		return err
	}
	return loseARace(ctx, kv)
}

func putAndGet(ctx context.Context, kv kvdv1.KvServiceClient) (start int64, err error) {
	key := prefix + "capital"
	put, err := kv.Put(ctx, putRequest(key, "Nairobi"))
	if err != nil {
		return 0, err
	}
	got, err := kv.Get(ctx, getRequest(key))
	if err != nil {
		return 0, err
	}
	if string(got.Kv.GetValue()) != "Nairobi" || got.Kv.GetModRevision() != put.Revision {
		return 0, unexpected(got)
	}
	absent, err := kv.Get(ctx, getRequest(prefix+"nobody"))
	if err != nil {
		return 0, err
	}
	if absent.Kv != nil {
		return 0, unexpected(absent)
	}
	fmt.Printf("put and got %s: %s\n", key, got.Kv.Value)
	return put.Revision, nil
}

// The first one becomes the leader, for 30 seconds; the second one learns who it is.
func elect(ctx context.Context, kv kvdv1.KvServiceClient) error {
	key := prefix + "leader"
	var leader []byte
	for _, node := range []string{"node-1", "node-2"} {
		put := putRequest(key, node)
		put.Ttl = durationpb.New(30 * time.Second)
		answer, err := kv.Txn(ctx, &kvdv1.TxnRequest{
			Compares: []*kvdv1.Compare{{
				Selector: &kvdv1.Compare_Key{Key: key},
				Target:   &kvdv1.Compare_Exists{Exists: false},
			}},
			Success: []*kvdv1.Operation{{Operation: &kvdv1.Operation_Put{Put: put}}},
			Failure: []*kvdv1.Operation{{Operation: &kvdv1.Operation_Get{Get: getRequest(key)}}},
		})
		if err != nil {
			return err
		}
		if answer.Succeeded != (node == "node-1") || len(answer.Results) != 1 {
			return unexpected(answer)
		}
		leader = answer.Results[0].GetGet().GetKv().GetValue()
	}
	if string(leader) != "node-1" {
		return fmt.Errorf("not as expected: the leader is %q", leader)
	}
	fmt.Printf("elected once: %s\n", leader)
	return nil
}

// Each operation stands alone: the one that fails does not stop the others.
func sendABatch(ctx context.Context, kv kvdv1.KvServiceClient) error {
	kisumu, mombasa := prefix+"city:Kisumu", prefix+"city:Mombasa"
	late := putRequest(mombasa, "1208333")
	late.ExpectedModRevision = proto.Int64(1)
	answer, err := kv.Batch(ctx, &kvdv1.BatchRequest{Operations: []*kvdv1.BatchOperation{
		{Operation: &kvdv1.BatchOperation_Put{Put: putRequest(kisumu, "397957")}},
		{Operation: &kvdv1.BatchOperation_Put{Put: late}},
		{Operation: &kvdv1.BatchOperation_Get{Get: getRequest(kisumu)}},
	}})
	if err != nil {
		return err
	}
	if len(answer.Results) != 3 || answer.Results[0].GetPut() == nil ||
		string(answer.Results[2].GetGet().GetKv().GetValue()) != "397957" {
		return unexpected(answer)
	}
	reason := answer.Results[1].GetFailure().GetReason()
	if reason != kvdv1.ErrorReason_ERROR_REASON_PRECONDITION_FAILED {
		return unexpected(answer)
	}
	name := strings.TrimPrefix(reason.String(), "ERROR_REASON_")
	fmt.Printf("sent a batch: put, failure, get (%s)\n", name)
	return nil
}

// From the first change on, although all of them are past: history is kept.
func watch(ctx context.Context, kv kvdv1.KvServiceClient, start int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers, err := kv.Watch(ctx, &kvdv1.WatchRequest{
		Selector:      &kvdv1.WatchRequest_Prefix{Prefix: prefix},
		StartRevision: start,
	})
	if err != nil {
		return err
	}
	var keys []string
	for len(keys) < 3 {
		answer, err := answers.Recv()
		if err != nil {
			return err
		}
		for _, event := range answer.GetEvents().GetEvents() {
			if event.Type != kvdv1.EventType_EVENT_TYPE_PUT {
				return unexpected(answer)
			}
			keys = append(keys, strings.TrimPrefix(event.Kv.GetKey(), prefix))
		}
	}
	seen := strings.Join(keys, ", ")
	if seen != "capital, leader, city:Kisumu" {
		return fmt.Errorf("not as expected: watched %s", seen)
	}
	fmt.Printf("watched: %s\n", seen)
	return nil
}

func loseARace(ctx context.Context, kv kvdv1.KvServiceClient) error {
	put := putRequest(prefix+"capital", "")
	put.ExpectedModRevision = proto.Int64(0)
	_, err := kv.Put(ctx, put)
	info := errorInfo(err)
	if status.Code(err) != codes.FailedPrecondition || info == nil ||
		info.Reason != "PRECONDITION_FAILED" || info.Metadata["mod_revision"] == "" {
		return fmt.Errorf("not as expected: %v, %v", err, info)
	}
	refusal := status.Convert(err)
	fmt.Printf("refused with %s, %s of %s: %s\n",
		refusal.Code(), info.Reason, info.Domain, refusal.Message())
	return nil
}

// The google.rpc.ErrorInfo of an error, nil if it has none.
func errorInfo(err error) *errdetails.ErrorInfo {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info
		}
	}
	return nil
}

func getRequest(key string) *kvdv1.GetRequest {
	return &kvdv1.GetRequest{KeyForm: &kvdv1.GetRequest_Key{Key: key}}
}

func putRequest(key, value string) *kvdv1.PutRequest {
	return &kvdv1.PutRequest{KeyForm: &kvdv1.PutRequest_Key{Key: key}, Value: []byte(value)}
}

func unexpected(answer fmt.Stringer) error {
	return fmt.Errorf("not as expected: %v", answer)
}
