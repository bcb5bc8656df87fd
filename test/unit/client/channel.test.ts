// Addresses: the forms that are taken, and those that are refused with a text that says which.
// Nothing is connected here.

import test from "ava";
import { targetFromAddress } from "../../../client/channel.js";
import { connect } from "../../../client/index.js";

const takes = test.macro({
  exec(t, address: string, target: string) {
    t.is(targetFromAddress(address), target);
  },
  title: (_, address) => `the address ${address} is taken`,
});

test(takes, "127.0.0.1:7856", "127.0.0.1:7856");
test(takes, "localhost:7856", "localhost:7856");
test(takes, "[::1]:7856", "[::1]:7856");
test(takes, "kvd-1.internal:65535", "kvd-1.internal:65535");
test(takes, "http://127.0.0.1:7856", "127.0.0.1:7856");
test(takes, "http://[::1]:7856/", "[::1]:7856");
test(takes, "unix:/run/kvd.sock", "unix:/run/kvd.sock");
test(takes, "unix:///run/kvd.sock", "unix:///run/kvd.sock");

const refuses = test.macro({
  exec(t, address: unknown) {
    const error = t.throws(() => connect(address as string), { instanceOf: TypeError });
    t.regex(error?.message ?? "", /"host:port"/);
  },
  title: (_, address) => `the address ${JSON.stringify(address)} is refused`,
});

test(refuses, "");
test(refuses, "localhost");
test(refuses, "7856");
test(refuses, ":7856");
test(refuses, "localhost:");
test(refuses, "localhost:0");
test(refuses, "localhost:65536");
test(refuses, "localhost:7856x");
test(refuses, "::1:7856");
test(refuses, "https://localhost:7856");
test(refuses, "http://localhost:7856/path");
test(refuses, "dns:///localhost:7856");
test(refuses, "unix:");
test(refuses, " localhost:7856");
test(refuses, undefined);
test(refuses, 7856);

test("a timeout and a size that are none are refused", (t) => {
  const to = "127.0.0.1:7856";
  t.throws(() => connect(to, { timeout: "soon" }), { instanceOf: TypeError });
  t.throws(() => connect(to, { timeout: -1 }), { instanceOf: TypeError });
  t.throws(() => connect(to, { responseMaxBytes: 0 }), { instanceOf: TypeError });
  t.throws(() => connect(to, { responseMaxBytes: 1.5 }), { instanceOf: TypeError });
});
