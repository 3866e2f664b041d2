/** What each flow costs in AWS calls and in bytes kept: what `scale.ts` computes with. `node bench/flows.ts --write` puts it into `measured.json`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb';
import { awsClients } from '../local/aws-clients.ts';
import { synthesize } from '../local/synthesize.ts';
import { chat, openAiTenant } from '../test/support/broker-calls.ts';
import { type TestCloud, testCloud } from '../test/support/cloud.ts';
import { administratorOf } from '../test/support/neighbours.ts';
import { callsSince, costOfMinute } from '../test/support/revocation-calls.ts';
import { requestRotation, stateOf } from '../test/support/rotations.ts';
import { pause } from '../test/support/settle.ts';
import type { Measured } from './scale-measured.ts';

/** What runs anyhow, whatever the flow. */
const anyhow = /^Cordon-(Sweep|CutOff)Function/;

/** What came of it, and calls by `service operation` of all who took part. */
async function during<Value>(
  test: TestCloud,
  flow: () => Promise<Value>,
): Promise<{ readonly value: Value; readonly calls: Record<string, number> }> {
  await pause(test.cloud);
  const since = test.cloud.journal.lastSeq;
  const value = await flow();
  await pause(test.cloud);
  const sum: Record<string, number> = {};
  for (const [name, count] of Object.entries(callsSince(test.cloud, since))) {
    const [who = '', service = '', operation = ''] = name.split(' ');
    if (anyhow.test(who) || who.includes('operator') || who === 'events.amazonaws.com') continue;
    sum[`${service} ${operation}`] = (sum[`${service} ${operation}`] ?? 0) + count;
  }
  return { value, calls: sum };
}

async function measure(): Promise<Measured> {
  const test = await testCloud();
  try {
    const token = (tenantId: string): Promise<string> =>
      test.cloud.oidc.mint({ tenantId, userId: 'ana', agentId: 'a', sessionId: 's', expiresIn: 86_400 });
    const use = async (tenantId: string): Promise<void> => {
      const answer = await chat(test, await token(tenantId));
      if (answer.status !== 200) throw new Error(`the use was answered with ${answer.status}`);
      await answer.text();
    };
    await openAiTenant(test);
    const { value: tenantId, calls: onboarding } = await during(test, () => openAiTenant(test));
    const firstUse = await during(test, () => use(tenantId));
    await use(tenantId);
    const before = await sizes(test, tenantId);
    const warmUse = await during(test, () => use(tenantId));
    const after = await sizes(test, tenantId);
    const which = { tenantId, credentialId: 'openai-main' };
    const rotation = await during(test, async () => {
      const { secretVersionId } = await stateOf(test, which);
      await requestRotation(test, which, { emergency: true });
      for (let steps = 0; steps < 200; steps += 1) {
        await pause(test.cloud);
        const now = await stateOf(test, which);
        if (now.secretVersionId !== secretVersionId && now.rotating === undefined) return;
        test.cloud.clock.advance(30_000);
      }
      throw new Error('the rotation did not end');
    });
    const minute = Object.values(await costOfMinute(test)).reduce((sum, count) => sum + count, 0);
    return {
      calls: { onboarding, firstUse: firstUse.calls, warmUse: warmUse.calls, rotation: rotation.calls },
      idleMinute: minute,
      bytes: { useEntries: after.attribution - before.attribution, registryOfTenant: after.registry },
    };
  } finally {
    await test.cloud.close();
  }
}

/** Of what one tenant has in the two tables, without indexes. */
async function sizes(test: TestCloud, tenantId: string): Promise<{ readonly attribution: number; readonly registry: number }> {
  const root = awsClients(test.cloud, administratorOf(test));
  const of = async (output: string): Promise<number> => {
    const { Items = [] } = await root.dynamodb.send(new ScanCommand({ TableName: test.cloud.outputs[output], ConsistentRead: true }));
    const own = Items.filter(({ pk }) => pk?.S?.startsWith(`TENANT#${tenantId}#`) === true);
    return own.reduce((sum, item) => sum + membersSize(item), 0);
  };
  try {
    return { attribution: await of('AttributionTable'), registry: await of('RegistryTable') };
  } finally {
    root.destroy();
  }
}

type Members = Readonly<Record<string, AttributeValue>>;

/** Source: DynamoDB Developer Guide, "Item sizes and formats": names and values, three bytes for a map or a list and one for each member. */
function membersSize(members: Members): number {
  return Object.entries(members).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOf(value), 0);
}

function sizeOf(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return Math.ceil(value.N.length / 2) + 1;
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + membersSize(value.M);
  if (value.L !== undefined) return 3 + value.L.reduce((sum, member) => sum + 1 + sizeOf(member), 0);
  return 1;
}

await synthesize();
const measured = `${JSON.stringify(await measure(), undefined, 2)}\n`;
process.stdout.write(measured);
if (process.argv.includes('--write')) writeFileSync(join(import.meta.dirname, 'measured.json'), measured);
process.exit(0);
