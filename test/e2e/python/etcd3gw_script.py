"""What python3-etcd3gw does with a server over JSON, printed, so that two can be compared."""

import sys
import threading

from etcd3gw.client import Etcd3Client
from etcd3gw.exceptions import Etcd3Exception

host, port = sys.argv[1].split(":")
client = Etcd3Client(host=host, port=int(port), api_path=sys.argv[2], timeout=10)


def show(entry):
    """An entry with what is known of it."""
    value, meta = entry
    names = ("key", "create_revision", "mod_revision", "version")
    return (value, *(meta.get(name) for name in names))


print("put", client.put("a", "1"), client.put("a", "2"))
client.put("b/1", b"\x00\xff")
client.put("b/2", "y")
print("get", client.get("a"), client.get("absent"))
print("metadata", [show(each) for each in client.get("a", metadata=True)])
print("prefix", [show(each) for each in client.get_prefix("b/", sort_order="descend")])
print("all", len(client.get_all()))
print("create", client.create("a", "3"), client.create("c", "3"))
print("replace", client.replace("c", "3", "4"), client.replace("c", "3", "5"))
transaction = {
    "compare": [{"key": "YQ==", "result": "EQUAL", "target": "VALUE", "value": "Mg=="}],
    "success": [{"request_put": {"key": "ZA==", "value": "Ng=="}}],
    "failure": [{"request_range": {"key": "YQ=="}}],
}
answer = client.transaction(transaction)
print("transaction", answer["succeeded"], answer["header"]["revision"])

lease = client.lease(100)
client.put("leased", "x", lease=lease)
print("lease", lease.keys(), 90 < lease.ttl() <= 100, lease.refresh())
print("revoke", lease.revoke(), client.get("leased"))
try:
    lease.revoke()
except Etcd3Exception as error:
    print("revoke", type(error).__name__)

held = client.lock("m", ttl=30)
print("lock", held.acquire(), held.is_acquired(), client.lock("m", ttl=30).acquire())
print("lock", held.release(), client.lock("m", ttl=30).acquire())

events, cancel = client.watch_prefix("w/")
threading.Thread(target=lambda: (client.put("w/1", "v"), client.delete("w/1"))).start()
for event in (next(events), next(events)):
    kv = event["kv"]
    print("event", event.get("type", "PUT"), kv["key"], kv.get("value"), kv["mod_revision"])
cancel()
print("delete", client.delete("a"), client.delete("a"), client.delete_prefix("b/"))
print("members", len(client.members()), client.status()["leader"] == client.members()[0]["ID"])
