import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LocalKernel } from '../../../local/core/kernel.ts';
import type { Caller } from '../../../local/core/service.ts';
import { createBedrock } from '../../../local/services/bedrock.ts';
import { createAwsAccess } from '../../../local/world/aws-access.ts';
import { startWorld, type World } from '../../../local/world/world.ts';
import { allow, policy, startCloud, stringIn } from '../core/cloud.ts';
import { bearer, fingerprint, send } from './administrations.ts';

let kernel: LocalKernel;
let root: Caller;
let world: World;
let advance: (ms: number) => void;
beforeEach(async () => {
  const cloud = startCloud();
  ({ kernel, root } = cloud);
  advance = (ms) => cloud.clock.advance(ms);
  kernel.register(createBedrock());
  world = await startWorld({ clock: cloud.clock, takeFault: kernel.faults.match, aws: createAwsAccess(kernel) });
  await iam('CreateUser', { UserName });
  await permit(policy(allow(['bedrock:InvokeModel', 'bedrock:CallWithBearerToken'])));
});
afterEach(() => world.close());

const UserName = 'cordon.acme';
const iam = (operation: string, input: object) => kernel.call(root, 'iam', operation, input);
const permit = (PolicyDocument: string) => iam('PutUserPolicy', { UserName, PolicyName: 'Own', PolicyDocument });
const makeKey = async (more: object = {}) => {
  const answer = await iam('CreateServiceSpecificCredential', { UserName, ServiceName: 'bedrock.amazonaws.com', ...more });
  const made = answer.ServiceSpecificCredential;
  const id = { UserName, ServiceSpecificCredentialId: stringIn(made, 'ServiceSpecificCredentialId') };
  return { id, secret: stringIn(made, 'ServiceCredentialSecret') };
};
const body = { messages: [{ role: 'user', content: [{ text: 'one two' }] }] };
const use = (secret: string, operation = 'converse') =>
  send(`${world.providers['bedrock']?.baseUrl}/model/amazon.nova-micro-v1%3A0/${operation}`, 'POST', { headers: bearer(secret), body });
const unknownKey = { status: 403, json: { message: 'Authentication failed: Please make sure your API Key is valid.' } };
const bedrock = () => world.simulators['bedrock'];

describe('a long-term API key of Bedrock', () => {
  it('is accepted while it is active', async () => {
    const { id, secret } = await makeKey();
    expect((await use(secret)).status).toBe(200);
    await iam('UpdateServiceSpecificCredential', { ...id, Status: 'Inactive' });
    expect(await use(secret)).toMatchObject(unknownKey);
    await iam('UpdateServiceSpecificCredential', { ...id, Status: 'Active' });
    expect((await use(secret)).status).toBe(200);
    await iam('DeleteServiceSpecificCredential', id);
    expect(await use(secret)).toMatchObject(unknownKey);
  });

  it('is refused when it has expired, or is another', async () => {
    const { secret } = await makeKey({ CredentialAgeDays: 1 });
    expect((await use(secret)).status).toBe(200);
    expect(await use(`${secret}x`)).toMatchObject(unknownKey);
    advance(86_400_000);
    expect(await use(secret)).toMatchObject(unknownKey);
  });

  it('is accepted for a while after its end when told to, and counts as live as long', async () => {
    world.misbehave('bedrock', { deletionDelayMs: 30_000 });
    const [first, second] = [await makeKey(), await makeKey()];
    await iam('DeleteServiceSpecificCredential', first.id);
    expect((await use(first.secret)).status).toBe(200);
    expect(bedrock()?.liveKeys('cordon.acme+')).toEqual([
      { name: 'cordon.acme+1-at-111122223333', fingerprint: fingerprint(first.secret) },
      { name: 'cordon.acme+2-at-111122223333', fingerprint: fingerprint(second.secret) },
    ]);
    advance(30_001);
    expect(await use(first.secret)).toMatchObject(unknownKey);
    expect(bedrock()?.liveKeys('cordon.')).toHaveLength(1);
    expect(bedrock()?.liveKeys('cordon.globex')).toEqual([]);
    expect(world.plantedSecrets()).toEqual(expect.arrayContaining([first.secret, second.secret]));
  });

  it('may do what its user may, and needs the permission to be used as a key', async () => {
    const { secret } = await makeKey();
    expect((await use(secret, 'converse-stream')).status).toBe(403);
    await permit(policy(allow('bedrock:InvokeModel')));
    expect(JSON.stringify((await use(secret)).json)).toContain('bedrock:CallWithBearerToken');
    const longTerm = { Condition: { StringEquals: { 'bedrock:BearerTokenType': 'LONG_TERM' } } };
    await permit(policy(allow('bedrock:InvokeModel'), allow('bedrock:CallWithBearerToken', '*', longTerm)));
    expect((await use(secret)).status).toBe(200);
    await iam('DeleteUserPolicy', { UserName, PolicyName: 'Own' });
    expect((await use(secret)).status).toBe(403);
  });

  it('is on record with the user who has it, and signs nothing', async () => {
    const { id, secret } = await makeKey();
    const since = kernel.journal.lastSeq;
    await use(secret);
    const principal = `arn:aws:iam::111122223333:user/${UserName}`;
    expect(kernel.journal.since(since)).toMatchObject([
      { principal, action: 'bedrock:CallWithBearerToken', decision: 'allow' },
      { principal, action: 'bedrock:InvokeModel', decision: 'allow' },
    ]);
    expect(bedrock()?.requests()).toMatchObject([{ principalArn: principal, keyFingerprint: fingerprint(secret), status: 200 }]);
    expect(JSON.stringify(bedrock()?.requests())).not.toContain(secret);
    expect(kernel.secretOf(id.ServiceSpecificCredentialId)).toBeUndefined();
  });

  it('dies with its user', async () => {
    const { id, secret } = await makeKey();
    world.misbehave('bedrock', { deletionDelayMs: 30_000 });
    await iam('DeleteServiceSpecificCredential', id);
    await iam('DeleteUserPolicy', { UserName, PolicyName: 'Own' });
    await iam('DeleteUser', { UserName });
    expect((await use(secret)).status).toBe(403);
  });
});
