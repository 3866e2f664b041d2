/** Cuts off STS sessions as the revocation function asks for it, and waits until the policy has it. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCutOffs } from '../../functions/revocation/cut-offs.dynamodb.ts';
import type { CutOffState } from '../../functions/revocation/cut-offs.ts';
import { tenantId as tenantIdField, userId as userIdField } from '../../functions/shared/identifier-fields.ts';
import type { Log } from '../../functions/shared/log.ts';
import type { TestCloud } from './cloud.ts';
import { administratorOf } from './neighbours.ts';

const log: Log = { info: () => {}, warn: () => {}, error: () => {}, with: () => log };

/** Every session of the tenant, or of that user of it, that is older than this very moment. Rejects when the policy does not have it after `timeoutMs`. */
export async function cutOff(
  test: TestCloud,
  whose: { readonly tenantId: string; readonly userId?: string },
  timeoutMs = 20_000,
): Promise<CutOffState> {
  const { dynamodb: client, sqs } = test.clients(administratorOf(test));
  const { CutOffsTable: table = '' } = test.cloud.outputs;
  const { url: queueUrl = '' } = test.cloud.queues['cutOff'] ?? {};
  const clock = test.cloud.clock.now;
  const cutOffs = createCutOffs({ client, table, sqs, queueUrl, clock, log });
  const wanted = { id: randomBytes(8).toString('hex'), before: clock() };
  const userId = whose.userId === undefined ? undefined : userIdField.parse(whose.userId);
  await cutOffs.request({ ...wanted, tenantId: tenantIdField.parse(whose.tenantId), ...(userId && { userId }) });
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const state = await cutOffs.state(wanted);
    if (state?.appliedAt !== undefined) return state;
    if (performance.now() > deadline) throw new Error(`The policy does not have the cut-off of ${whose.tenantId} after ${timeoutMs} ms.`);
    await sleep(50);
  }
}

/** Token issue times have whole seconds: a session of the second of its cut-off is cut off too. */
export async function nextSecond(test: TestCloud): Promise<void> {
  await sleep(1000 - (test.cloud.clock.now() % 1000) + 5);
}
