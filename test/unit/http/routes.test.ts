// The paths of etcd's gateway, over the services that there are.

import test from "ava";
import { etcdServices } from "../../../server/etcd/etcd-services.js";
import { ETCD_ROUTES } from "../../../server/http/routes.js";
import { defaultLimits } from "../../../server/kv/limits.js";
import { silentLogger } from "../../../server/lib/logger.js";
import { openMemoryFor } from "../../support/engines.js";
import { post } from "../../support/http-peer.js";
import { serveKvd } from "../../support/kvd-server.js";
import { ManualClock } from "../../support/manual-clock.js";

test("every path leads to a method that is served, and every method but one has a path", async (t) => {
  const clock = new ManualClock();
  const limits = defaultLimits();
  const engine = await openMemoryFor(t, { clock });
  const { services } = etcdServices({ engine, limits, clock, logger: silentLogger });
  const served = services.flatMap(({ definition }) =>
    Object.values(definition).map(({ path }) => path),
  );
  const routed = [...ETCD_ROUTES.values()].map(({ parent, name }) => `/${parent.typeName}/${name}`);
  t.deepEqual(
    routed.filter((path) => !served.includes(path)),
    [],
  );
  t.deepEqual(
    served.filter((path) => !routed.includes(path)),
    ["/etcdserverpb.KV/RangeStream"],
  );
});

test("a key that is put as JSON is read as JSON, under every prefix", async (t) => {
  const { server } = await serveKvd(t);
  for (const [index, prefix] of ["/v3", "/v3beta", "/v3alpha"].entries()) {
    const put = await post(server.address, `${prefix}/kv/put`, { key: "YQ==", value: "eA==" });
    t.is(put.status, 200);
    t.is(put.answer.header.revision, String(index + 2));
    const { answer } = await post(server.address, `${prefix}/kv/range`, { key: "YQ==" });
    t.is(answer.count, "1");
    t.is(answer.kvs[0].value, "eA==");
  }
});

test("a lock that is held is waited for", async (t) => {
  const { server, engine } = await serveKvd(t);
  const first = await post(server.address, "/v3/lock/lock", { name: "bA==" });
  t.is(first.status, 200);
  const second = post(server.address, "/v3/lock/lock", { name: "bA==" });
  while ((await engine.status()).keys < 2) await new Promise((resolve) => setImmediate(resolve));
  t.is((await post(server.address, "/v3/lock/unlock", { key: first.answer.key })).status, 200);
  t.is((await second).status, 200);
});
