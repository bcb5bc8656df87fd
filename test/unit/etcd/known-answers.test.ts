// Auth while it is off, members that are not there, alarms that nobody has raised: as etcd answers.

import test from "ava";
import { answersOf, KNOWN_ANSWERS, shownCall } from "../../support/etcd/known-answers.js";
import { serveEtcd } from "../../support/etcd/served-etcd.js";

test("what etcd answers without users, alarms and other members, kvd answers too", async (t) => {
  const { address } = await serveEtcd(t);
  const answerTo = answersOf(t, address);
  for (const known of KNOWN_ANSWERS) t.is(await answerTo(known), known.answer, shownCall(known));
});

test("users and roles cannot be made, and the refusal says what that means", async (t) => {
  const { address } = await serveEtcd(t);
  const answerTo = answersOf(t, address);
  const user = { name: "a", password: "b", hashedPassword: "", options: undefined };
  for (const [method, request] of [
    ["userAdd", user],
    ["roleAdd", { name: "a" }],
  ] as const) {
    const text = await answerTo({ service: "auth", method, request, answer: "" });
    t.is(
      text,
      "12 kvd: there are neither users nor roles: whoever reaches the server may do everything",
    );
  }
});
