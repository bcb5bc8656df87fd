"""What python-etcd3 does with a server, printed, so that two servers can be compared."""

import io
import sys
import threading

import etcd3

host, port = sys.argv[1].split(":")
client = etcd3.client(host=host, port=int(port))


def show(value, meta):
    """An entry with what is known of it."""
    if meta is None:
        return None
    return (value, meta.key, meta.create_revision, meta.mod_revision, meta.version)


def refused(call, *arguments):
    """The name of the error that a call ends with."""
    try:
        call(*arguments)
    except Exception as error:  # Every error is what is looked for.
        return type(error).__name__
    return "not refused"


print("put", client.put("a", "1").header.revision)
print("put", client.put("a", "2", prev_kv=True).prev_kv.value)
client.put("b/1", b"\x00\xff")
client.put("b/2", "y")
print("get", show(*client.get("a")), show(*client.get("absent")))
print("prefix", [show(*each) for each in client.get_prefix("b/")])
descending = client.get_prefix("b/", sort_order="descend", sort_target="value", keys_only=True)
print("descending", [show(*each) for each in descending])
print("range", [show(*each) for each in client.get_range("a", "b/2")])
print("all", len(list(client.get_all())))
print("if absent", client.put_if_not_exists("a", "3"), client.put_if_not_exists("c", "3"))
print("replace", client.replace("c", "3", "4"), client.replace("c", "3", "5"))

transaction = client.transaction(
    compare=[
        client.transactions.value("a") == "2",
        client.transactions.version("absent") == 0,
        client.transactions.create("b/1") > 0,
    ],
    success=[
        client.transactions.put("d", "6"),
        client.transactions.get("d"),
        client.transactions.delete("c"),
    ],
    failure=[client.transactions.put("d", "no")],
)
print("transaction", transaction[0], [show(*each) for each in transaction[1][1]])

lease = client.lease(100)
client.put("leased", "x", lease=lease)
print("lease", lease.ttl, lease.granted_ttl, lease.keys, 90 < lease.remaining_ttl <= 100)
print("refresh", [answer.TTL for answer in lease.refresh()])
lease.revoke()
print("revoked", client.get("leased")[0], client.get_lease_info(lease.id).TTL)
print("revoked", refused(client.revoke_lease, lease.id))

held = client.lock("m", ttl=30)
print("lock", held.acquire(timeout=5), held.is_acquired())
print("lock", held.release(), client.lock("m", ttl=30).acquire(timeout=5))

events, cancel = client.watch_prefix("w/", prev_kv=True)
threading.Thread(target=lambda: (client.put("w/1", "v"), client.delete("w/1"))).start()
for event in (next(events), next(events)):
    print("event", type(event).__name__, event.key, event.value, event.prev_value, event.mod_revision)
cancel()
old, cancel_old = client.watch("a", start_revision=2)
print("old", [next(old).value, next(old).value])
cancel_old()

revision = client.get("a")[1].response_header.revision
client.compact(revision, physical=True)
print("compacted", refused(client.compact, revision))
compacted, _ = client.watch("a", start_revision=2)
print("compacted", refused(lambda: next(compacted)))
print("delete", client.delete("a"), client.delete("a"), client.delete_prefix("b/").deleted)

status = client.status()
print("status", status.leader.id == list(client.members)[0].id, status.db_size > 0)
print("members", len(list(client.members)), all(each.name for each in client.members))
print("alarms", list(client.list_alarms()), client.disarm_alarm() == [])
client.defragment()
file = io.BytesIO()
client.snapshot(file)
print("snapshot", file.tell() % 512)
print("last", client.get("d")[1].response_header.revision)
