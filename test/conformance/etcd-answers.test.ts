// The answers that kvd's own tests want of it are those of a real etcd.

import { startEtcd, whyNoEtcd } from "../support/etcd/etcd-server.js";
import { answersOf, KNOWN_ANSWERS, shownCall } from "../support/etcd/known-answers.js";
import { whereAble } from "../support/where-able.js";

const { declare, note } = whereAble(whyNoEtcd());

declare(`${note}a real etcd answers as it is taken to`, async (t) => {
  const { address } = await startEtcd(t);
  const answerTo = answersOf(t, address);
  for (const known of KNOWN_ANSWERS.filter(({ isNewer }) => isNewer !== true)) {
    t.is(await answerTo(known), known.answer, shownCall(known));
  }
});
