#!/usr/bin/env python3
"""kvd from Python, with stubs that are generated from its contract.

Puts, gets, decides in a transaction, sends a batch, watches, and reads an error's reason. Tells
what it does, and ends with 1 when something is not as it should be. See README.md beside it.
"""

import sys

import grpc
from google.protobuf.duration_pb2 import Duration
from kvd.v1 import error_pb2, kv_pb2, kv_pb2_grpc, watch_pb2

PREFIX = "tour:python:"
DEADLINE_S = 10


def main(address):
    with grpc.insecure_channel(address) as channel:
        kv = kv_pb2_grpc.KvServiceStub(channel)
        kv.Delete(kv_pb2.DeleteRequest(prefix=PREFIX), timeout=DEADLINE_S)
        start = put_and_get(kv)
        elect(kv)
        send_a_batch(kv)
        watch(kv, start)
        lose_a_race(kv)


def put_and_get(kv):
    key = PREFIX + "capital"
    put = kv.Put(kv_pb2.PutRequest(key=key, value=b"Nairobi"), timeout=DEADLINE_S)
    got = kv.Get(kv_pb2.GetRequest(key=key), timeout=DEADLINE_S)
    expect(got.kv.value == b"Nairobi" and got.kv.mod_revision == put.revision, got)
    absent = kv.Get(kv_pb2.GetRequest(key=PREFIX + "nobody"), timeout=DEADLINE_S)
    expect(not absent.HasField("kv"), absent)
    print(f"put and got {key}: {got.kv.value.decode()}")
    return put.revision


def elect(kv):
    """The first one becomes the leader, for 30 seconds; the second one learns who it is."""
    key = PREFIX + "leader"
    for node in (b"node-1", b"node-2"):
        put = kv_pb2.PutRequest(key=key, value=node, ttl=Duration(seconds=30))
        txn = kv_pb2.TxnRequest(
            compares=[kv_pb2.Compare(key=key, exists=False)],
            success=[kv_pb2.Operation(put=put)],
            failure=[kv_pb2.Operation(get=kv_pb2.GetRequest(key=key))],
        )
        answer = kv.Txn(txn, timeout=DEADLINE_S)
        expect(answer.succeeded == (node == b"node-1"), answer)
    leader = answer.results[0].get.kv.value
    expect(leader == b"node-1", answer)
    print(f"elected once: {leader.decode()}")


def send_a_batch(kv):
    """Each operation stands alone: the one that fails does not stop the others."""
    city = PREFIX + "city:"
    operations = [
        kv_pb2.BatchOperation(put=kv_pb2.PutRequest(key=city + "Kisumu", value=b"397957")),
        kv_pb2.BatchOperation(put=kv_pb2.PutRequest(key=city + "Mombasa", expected_mod_revision=1)),
        kv_pb2.BatchOperation(get=kv_pb2.GetRequest(key=city + "Kisumu")),
    ]
    answer = kv.Batch(kv_pb2.BatchRequest(operations=operations), timeout=DEADLINE_S)
    kinds = [result.WhichOneof("result") for result in answer.results]
    expect(kinds == ["put", "failure", "get"], answer)
    expect(answer.results[2].get.kv.value == b"397957", answer)
    failure = answer.results[1].failure
    expect(failure.reason == error_pb2.ERROR_REASON_PRECONDITION_FAILED, failure)
    print(f"sent a batch: {', '.join(kinds)} ({reason_name(failure.reason)})")


def watch(kv, start):
    """From the first change on, although all of them are past: history is kept."""
    request = watch_pb2.WatchRequest(prefix=PREFIX, start_revision=start)
    events = []
    answers = kv.Watch(request, timeout=DEADLINE_S)
    for answer in answers:
        events.extend(answer.events.events)
        if len(events) >= 3:
            break
    answers.cancel()
    keys = [event.kv.key.removeprefix(PREFIX) for event in events]
    expect(keys == ["capital", "leader", "city:Kisumu"], events)
    expect(all(event.type == watch_pb2.EVENT_TYPE_PUT for event in events), events)
    print(f"watched: {', '.join(keys)}")


def lose_a_race(kv):
    key = PREFIX + "capital"
    try:
        kv.Put(kv_pb2.PutRequest(key=key, expected_mod_revision=0), timeout=DEADLINE_S)
    except grpc.RpcError as error:
        info = error_info(error)
        expect(error.code() == grpc.StatusCode.FAILED_PRECONDITION, error)
        expect(info is not None and info.reason == "PRECONDITION_FAILED", info)
        expect(int(info.metadata["mod_revision"]) > 1, info)
        why = f"{info.reason} of {info.domain}: {error.details()}"
        print(f"refused with {error.code().name}, {why}")
    else:
        expect(False, "a put that expects an absent key, of one that is there")


def error_info(error):
    """The google.rpc.ErrorInfo of an error, in kvd's own message of the same shape."""
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            for detail in error_pb2.Status.FromString(value).details:
                if detail.type_url == "type.googleapis.com/google.rpc.ErrorInfo":
                    return error_pb2.ErrorInfo.FromString(detail.value)
    return None


def reason_name(reason):
    return error_pb2.ErrorReason.Name(reason).removeprefix("ERROR_REASON_")


def expect(true, seen):
    if not true:
        sys.exit(f"not as expected: {seen}")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:7856")
    except grpc.RpcError as failure:
        sys.exit(f"{failure.code().name}: {failure.details()}")
