import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InjectedSecret } from '../../../functions/providers/egress-adapter.ts';
import { egressAdapters } from '../../../functions/providers/egress-adapters.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import type { LocalKernel } from '../../../local/core/kernel.ts';
import type { Caller } from '../../../local/core/service.ts';
import { createBedrock } from '../../../local/services/bedrock.ts';
import { createAwsAccess } from '../../../local/world/aws-access.ts';
import type { ProviderRequest } from '../../../local/world/request-record.ts';
import { startWorld, type World } from '../../../local/world/world.ts';
import { allow, assume, customer, makeRole, otherCustomer, platform, policy, startCloud, trust } from '../core/cloud.ts';

const claude = 'anthropic.claude-sonnet-4-20250514-v1:0';
const invoking = ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'];
const converse = { messages: [{ role: 'user', content: [{ text: 'one two three' }] }] };
const modelIn = (region: string, id = claude): string => `arn:aws:bedrock:${region}::foundation-model/${id}`;
const profileIn = (region: string, id: string, account = customer): string =>
  `arn:aws:bedrock:${region}:${account}:inference-profile/${id}`;
const euDestinations = ['eu-central-1', 'eu-north-1', 'eu-south-1', 'eu-south-2', 'eu-west-1', 'eu-west-3'];

let kernel: LocalKernel;
let admin: Caller;
let world: World;
let advance: (ms: number) => void;
beforeEach(async () => {
  const cloud = startCloud();
  ({ kernel, admin } = cloud);
  advance = (ms) => cloud.clock.advance(ms);
  kernel.register(createBedrock());
  world = await startWorld({ clock: cloud.clock, takeFault: kernel.faults.match, aws: createAwsAccess(kernel) });
});
afterEach(() => world.close());

/** A session of a role of the customer's, assumed from the platform. */
const sessionWith = async (document: string | undefined, more: object = {}, accountId = customer): Promise<Caller> => {
  const name = `Role${kernel.identities.version}`;
  return assume(kernel, admin, await makeRole(kernel, name, trust({ AWS: platform }), document, {}, accountId), more);
};
const secretOf = (caller: Caller, over: Partial<{ secretAccessKey: string; sessionToken: string }> = {}): InjectedSecret => {
  const { secretAccessKey = '', sessionToken = '' } = { ...kernel.secretOf(caller.accessKeyId), ...over };
  const { accessKeyId } = caller;
  return { kind: 'aws-session', accessKeyId, secretAccessKey: new SecretText(secretAccessKey), sessionToken: new SecretText(sessionToken) };
};
async function use(
  secret: InjectedSecret,
  modelId: string,
  { region = 'eu-central-1', operation = 'converse', sent = converse as unknown } = {},
) {
  const url = new URL(`${world.providers['bedrock']?.baseUrl}/model/${encodeURIComponent(modelId)}/${operation}`);
  const headers = { 'content-type': 'application/json' };
  const signed = { method: 'POST', url, headers, body: Buffer.from(JSON.stringify(converse)) };
  const auth = egressAdapters.bedrock.authHeaders(secret, signed, { region });
  const response = await fetch(url, { method: 'POST', headers: { ...headers, ...auth }, body: JSON.stringify(sent) });
  return { status: response.status, type: response.headers.get('x-amzn-errortype'), text: await response.text() };
}
const requests = (): readonly ProviderRequest[] => world.simulators['bedrock']?.requests() ?? [];
const refusal = { status: 403, type: 'AccessDeniedException' };

describe('Bedrock, used with a session of a customer’s account', () => {
  it('asks IAM of that account for the model in the Region of the request, and journals it', async () => {
    const session = await sessionWith(policy(allow('bedrock:InvokeModel', modelIn('eu-central-1'))));
    const since = kernel.journal.lastSeq;
    expect(await use(secretOf(session), claude)).toMatchObject({ status: 200 });
    expect(kernel.journal.since(since)).toMatchObject([
      {
        principal: session.principal.arn,
        action: 'bedrock:InvokeModel',
        resource: modelIn('eu-central-1'),
        decision: 'allow',
        statement: 'Own/#0',
        service: 'bedrock',
      },
    ]);
    expect(await use(secretOf(session), modelIn('eu-central-1'))).toMatchObject({ status: 200 });
    const denied = await use(secretOf(session), claude, { region: 'eu-west-1' });
    expect(denied).toMatchObject(refusal);
    expect(denied.text).toContain(`bedrock:InvokeModel on resource: ${modelIn('eu-west-1')}`);
    expect(await use(secretOf(session), 'amazon.nova-micro-v1:0')).toMatchObject(refusal);
    expect(await use(secretOf(session), claude, { operation: 'converse-stream' })).toMatchObject(refusal);
  });

  it('streams with the permission to stream, which is another one', async () => {
    const session = await sessionWith(policy(allow('bedrock:InvokeModelWithResponseStream')));
    for (const operation of ['converse-stream', 'invoke-with-response-stream'])
      expect(await use(secretOf(session), claude, { operation }), operation).not.toMatchObject(refusal);
    for (const operation of ['converse', 'invoke'])
      expect(await use(secretOf(session), claude, { operation }), operation).toMatchObject(refusal);
  });

  it('is refused without a policy, beyond the session policy, by a Deny, and after the role is gone', async () => {
    expect(await use(secretOf(await sessionWith(undefined)), claude)).toMatchObject(refusal);
    const Policy = policy(allow(invoking, modelIn('eu-central-1', '*')));
    const narrowed = await sessionWith(policy(allow('*')), { Policy });
    expect(await use(secretOf(narrowed), claude)).toMatchObject({ status: 200 });
    expect(await use(secretOf(narrowed), claude, { region: 'us-east-1' })).toMatchObject(refusal);
    const deny = { Sid: 'NoModels', Effect: 'Deny', Action: 'bedrock:*', Resource: '*' };
    expect((await use(secretOf(await sessionWith(policy(allow('*'), deny))), claude)).text).toContain('Own/NoModels');
    const session = await sessionWith(policy(allow('*')));
    const RoleName = session.principal.roleArn?.split('/')[1];
    await kernel.call(kernel.rootCaller(customer), 'iam', 'DeleteRolePolicy', { RoleName, PolicyName: 'Own' });
    await kernel.call(kernel.rootCaller(customer), 'iam', 'DeleteRole', { RoleName });
    expect(await use(secretOf(session), claude)).toMatchObject(refusal);
  });

  it('asks for an inference profile, and for the model wherever the profile may send it', async () => {
    const eu = `eu.${claude}`;
    const profile = allow(invoking, profileIn('eu-central-1', eu));
    const through = { Condition: { StringEquals: { 'bedrock:InferenceProfileArn': profileIn('eu-central-1', eu) } } };
    const models = (regions: string[]): object =>
      allow(
        invoking,
        regions.map((region) => modelIn(region)),
        through,
      );
    const whole = await sessionWith(policy(profile, models(euDestinations)));
    expect(await use(secretOf(whole), eu)).toMatchObject({ status: 200 });
    expect(await use(secretOf(whole), profileIn('eu-central-1', eu))).toMatchObject({ status: 200 });
    // The model by itself is not reached through the profile.
    expect(await use(secretOf(whole), claude)).toMatchObject(refusal);
    for (const statements of [
      [profile],
      [models(euDestinations)],
      [profile, models(euDestinations.slice(1))],
      [profile, models(['eu-central-1'])],
    ])
      expect(await use(secretOf(await sessionWith(policy(...statements))), eu)).toMatchObject(refusal);
  });

  it('tells policies the Region that the model is asked for in', async () => {
    const eu = `eu.${claude}`;
    const inRegions = (regions: string[]) =>
      policy({ ...allow(invoking), Condition: { StringEquals: { 'aws:RequestedRegion': regions } } });
    expect(await use(secretOf(await sessionWith(inRegions(euDestinations))), eu)).toMatchObject({ status: 200 });
    expect(await use(secretOf(await sessionWith(inRegions(['eu-central-1']))), eu)).toMatchObject(refusal);
  });

  it('asks for the Regionless model behind a global profile', async () => {
    const id = `global.${claude}`;
    const resources = [profileIn('eu-central-1', id), modelIn('eu-central-1'), modelIn('')];
    expect(await use(secretOf(await sessionWith(policy(allow(invoking, resources)))), id)).toMatchObject({ status: 200 });
    expect(await use(secretOf(await sessionWith(policy(allow(invoking, resources.slice(0, 2))))), id)).toMatchObject(refusal);
  });

  it.each([
    ['a model that there is not', 'meta.unheard-of-v1:0'],
    ['a profile of another continent', `us.${claude}`],
    ['an ARN of another Region', modelIn('eu-west-1')],
    ['a profile’s ID as a model’s ARN', modelIn('eu-central-1', `eu.${claude}`)],
    ['a model’s ID as a profile’s ARN', profileIn('eu-central-1', claude)],
  ])('does not know %s', async (_, id) => {
    expect(await use(secretOf(await sessionWith(policy(allow('*')))), id)).toMatchObject({ status: 400, type: 'ValidationException' });
  });

  it('does not reach another account’s profile', async () => {
    const session = await sessionWith(policy(allow('*')));
    expect(await use(secretOf(session), profileIn('eu-central-1', `eu.${claude}`, otherCustomer))).toMatchObject(refusal);
  });

  it('refuses signatures that are wrong, of others, of no Region, and expired ones', async () => {
    const session = await sessionWith(policy(allow('*')));
    const secret = secretOf(session);
    expect(await use(secretOf(session, { secretAccessKey: 'x'.repeat(40) }), claude)).toMatchObject({
      status: 403,
      type: 'SignatureDoesNotMatch',
    });
    expect(await use(secretOf(session, { sessionToken: 'other' }), claude)).toMatchObject({ status: 403, type: 'InvalidClientTokenId' });
    expect(await use(secret, claude, { sent: {} })).toMatchObject({ status: 403, type: 'SignatureDoesNotMatch' });
    const unknown = { ...secret, accessKeyId: 'ASIAUNKNOWNUNKNOWN12' };
    expect(await use(unknown, claude)).toMatchObject({ status: 403, type: 'InvalidClientTokenId' });
    advance(3_600_001);
    expect(await use(secret, claude)).toMatchObject({ status: 403, type: 'ExpiredToken' });
  });

  it('can be throttled, and that is no refusal', async () => {
    const session = await sessionWith(policy(allow('*')));
    kernel.faults.add({ service: 'bedrock', action: 'InvokeModel', nth: 1, mode: 'before', code: 'ThrottlingException', status: 429 });
    expect(await use(secretOf(session), claude)).toMatchObject({ status: 429, type: 'ThrottlingException' });
    expect(await use(secretOf(session), claude)).toMatchObject({ status: 200 });
  });
});

describe('I12 what Bedrock records', () => {
  it('says of each request whose credentials signed it, so that a use of the platform’s own would show', async () => {
    const session = await sessionWith(policy(allow('bedrock:InvokeModel')));
    const own = await sessionWith(policy(allow('*')), {}, platform);
    await use(secretOf(session), claude);
    await use(secretOf(own), claude);
    await use(secretOf(own, { secretAccessKey: 'wrong' }), claude);
    await use({ kind: 'api-key', apiKey: new SecretText(world.issueKey('bedrock')) }, claude);
    const of = (caller: Caller, accountId: string) => ({ accountId, principalArn: caller.principal.arn, accessKeyId: caller.accessKeyId });
    expect(requests()).toMatchObject([
      { status: 200, ...of(session, customer) },
      { status: 200, ...of(own, platform) },
      { status: 403, ...of(own, platform) },
      { status: 200, keyFingerprint: expect.any(String) },
    ]);
    expect(requests()[3]).not.toHaveProperty('accountId');
    expect(JSON.stringify(requests())).not.toContain(kernel.secretOf(session.accessKeyId)?.secretAccessKey);
  });
});
