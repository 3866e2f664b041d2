import { describe, expect, it } from 'vitest';
import type { Fault } from '../../local/core/faults.ts';
import { testCloud } from '../support/cloud.ts';
import { connectionPoints, type Interruption, interrupted, play, prepareCourses, unschedule, warmUp } from '../support/connection-flow.ts';
import { type FaultPoint, pointName } from '../support/fault-points.ts';

type Trouble = { readonly how: string; readonly modes: readonly Fault['mode'][] };

/** Longer than the SDK repeats. */
const fails: Trouble = { how: 'fails, however often it is repeated', modes: ['before', 'before', 'before', 'before'] };
const failsOnce: Trouble = { how: 'fails', modes: ['before'] };
const isLost: Trouble = { how: 'is done and its answer is lost', modes: ['after'] };
const staysLost: Trouble = { how: 'is done, its answer is lost and asking again fails', modes: ['after', 'before', 'before', 'before'] };
const dies: Trouble = { how: 'is done and the worker dies', modes: ['crash'] };
const twice: Trouble = { how: 'is done or delivered twice', modes: ['duplicate'] };

const changesNothing = /^(AssumeRole|Get|Query|Simulate)/;
/** Calls of the event source mapping and of the scheduler: no worker dies of them. */
const ofTheCloud = /^(ReceiveMessage|DeleteMessageBatch|Invoke)$/;

/**
 * The worker dies at each of its own calls, and those of the cloud itself fail or lose their answer: that is what leaves most undone. The rest is sampled,
 * or the file would take minutes: a call that changes something suffers one of the other four troubles besides, each in its turn, and of the calls that only read, which
 * all go the same way through the code, every eighth fails.
 */
function troublesOf({ action }: FaultPoint, index: number): readonly Trouble[] {
  if (ofTheCloud.test(action)) return [failsOnce, isLost];
  if (changesNothing.test(action)) return index % 8 === 0 ? [dies, fails] : [dies];
  return [dies, ...[fails, isLost, staysLost, twice].slice(index % 4, (index % 4) + 1)];
}

const test = await testCloud();
const [first] = await prepareCourses(test, 1);
if (first === undefined) throw new Error('there is no course');
await warmUp(test);
const since = test.cloud.journal.lastSeq;
const clean = await play(test, first);
const all = await connectionPoints(test, since, first);
// The sweep asks every shard the same at once: the first of such a row stands for it, and every eighth.
const points = all.filter(({ action }, index) => action !== 'Query' || all[index - 1]?.action !== 'Query' || index % 8 === 0);
await unschedule(test, first);

const cases: Interruption[] = points.flatMap((point, index) =>
  troublesOf(point, index).map(({ how, modes }) => ({ title: `${pointName(point)} ${how}`, point, modes })),
);
// At-least-once delivery, on each leg of the way.
for (const leg of ['events PutEvents', 'sqs SendMessage', 'sqs ReceiveMessage', 'lambda Invoke']) {
  const [service = '', action = ''] = leg.split(' ');
  cases.push({ title: `${leg} 1 ${twice.how}`, point: { service, action, nth: 1 }, modes: twice.modes });
}
const courses = await prepareCourses(test, cases.length);

describe('B1 B2 a connection from the request to the verified role', () => {
  it('is one connection with one external ID, its credentials and rules once, told and proven', () => {
    expect(points.length).toBeGreaterThan(45);
    expect(clean).toMatchObject({
      registry: {
        TENANT: { rulesVersion: 1, rules: [{ use: 'aws-{account}-bedrock-us-east-1' }, { use: 'aws-{account}' }] },
        'CONNECTION#{account}': { status: 'active', announced: true, leaseUntil: 0, setbacks: 0, epoch: 0, findings: [] },
        'CREDENTIAL#aws-{account}': { source: 'customer-role', status: 'recorded' },
        'CREDENTIAL#aws-{account}-bedrock-us-east-1': { source: 'customer-role', status: 'recorded' },
      },
      asOffered: true,
      isScheduled: true,
      isProven: true,
      published: ['RoleConnectionOffered', 'RoleConnectionVerified', 'TenantProvisioned'],
      left: { queued: 0, putAside: 0 },
    });
  });

  for (const [index, one] of cases.entries()) {
    it(`ends the same when ${one.title}`, async () => {
      const course = courses[index];
      if (course === undefined) throw new Error('there is no course');
      const { struck, state } = await interrupted(test, course, one);
      expect(struck, 'the fault struck').toBe(true);
      expect(state).toEqual(clean);
    });
  }
});
