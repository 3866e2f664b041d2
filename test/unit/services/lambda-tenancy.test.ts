import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { route } from '../../../local/services/lambda-routes.ts';
import { allow, makeRole, policy, trust } from '../core/cloud.ts';
import { type EventCloud, queueArn, startEventCloud } from './event-cloud.ts';

const counting = `import { threadId } from 'node:worker_threads';
  let seen = [];
  export const handler = async (event, context) => {
    seen.push(context.tenantId);
    globalThis.secret ??= event.secret;
    if (event.hold) await new Promise((done) => setTimeout(done, event.hold));
    return { threadId, seen, secret: globalThis.secret, tenant: context.tenantId };
  };`;
const answer = z.object({ threadId: z.number(), seen: z.array(z.string()), secret: z.string().optional(), tenant: z.string() });

async function withTenants(
  options: { concurrencyPerFunction?: number; tenantEnvironments?: number } = {},
  source = counting,
): Promise<EventCloud> {
  const cloud = startEventCloud(options);
  await makeRole(cloud.kernel, 'worker', trust({ Service: 'lambda.amazonaws.com' }), policy(allow(['logs:*', 'sqs:*'])));
  await addFunction(cloud, 'work', source, { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } });
  return cloud;
}
async function addFunction(cloud: EventCloud, name: string, source: string, settings: object): Promise<void> {
  cloud.writeBundle(name, source);
  await cloud.call('lambda', 'CreateFunction', {
    FunctionName: name,
    Code: { S3Bucket: 'assets', S3Key: `${name}.zip` },
    Role: 'arn:aws:iam::111122223333:role/worker',
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    ...settings,
  });
}
async function run(cloud: EventCloud, TenantId: string, event: object = {}, FunctionName = 'work'): Promise<z.output<typeof answer>> {
  const { Payload } = await cloud.call('lambda', 'Invoke', { FunctionName, TenantId, Payload: JSON.stringify(event) });
  return answer.parse(JSON.parse(String(Payload)));
}

describe('a function with tenant isolation (I6)', () => {
  it('keeps what one tenant’s environment holds in memory from every other tenant', async () => {
    const cloud = await withTenants();
    const acme = await run(cloud, 'acme', { secret: 'of acme' });
    const other = await run(cloud, 'acme-2');
    const again = await run(cloud, 'acme');
    expect(acme).toMatchObject({ tenant: 'acme', secret: 'of acme' });
    expect(other.secret).toBeUndefined();
    expect(other.threadId).not.toBe(acme.threadId);
    expect(again).toMatchObject({ threadId: acme.threadId, seen: ['acme', 'acme'], secret: 'of acme' });
  });

  it('never serves two tenants from one environment, however many call at once', async () => {
    const cloud = await withTenants({ concurrencyPerFunction: 2, tenantEnvironments: 3 });
    const tenants = ['a', 'b', 'c', 'd', 'e'];
    const results = await Promise.all(Array.from({ length: 15 }, (_, index) => run(cloud, tenants[index % 5] ?? '', { hold: 2 })));
    for (const [index, result] of results.entries()) {
      expect(result.tenant).toBe(tenants[index % 5]);
      expect(new Set(result.seen)).toEqual(new Set([result.tenant]));
    }
  }, 20_000);

  it('gives the place of the environment that has been idle for longest to another tenant', async () => {
    const cloud = await withTenants({ tenantEnvironments: 2 });
    const a = await run(cloud, 'a');
    const b = await run(cloud, 'b');
    await run(cloud, 'a');
    await run(cloud, 'c');
    expect((await run(cloud, 'a')).threadId).toBe(a.threadId);
    expect((await run(cloud, 'b')).threadId).not.toBe(b.threadId);
  });

  it('shares its places with the other functions that have tenant isolation', async () => {
    const cloud = await withTenants({ tenantEnvironments: 1 });
    await addFunction(cloud, 'more', counting, { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } });
    const first = await run(cloud, 'a');
    await run(cloud, 'a', {}, 'more');
    expect((await run(cloud, 'a')).threadId).not.toBe(first.threadId);
  });

  it('waits for a place while every environment is at work', async () => {
    const cloud = await withTenants({ tenantEnvironments: 1 });
    const busy = run(cloud, 'a', { hold: 100 });
    const waiting = run(cloud, 'b');
    expect(await Promise.race([busy.then(() => 'a'), waiting.then(() => 'b')])).toBe('a');
    expect(await waiting).toMatchObject({ tenant: 'b' });
  });

  it('goes on after its environment has crashed: the place is free again', async () => {
    const cloud = await withTenants(
      { tenantEnvironments: 1 },
      `export const handler = async (event) => { if (event.exit) process.exit(1); return { threadId: 1, seen: [], tenant: 'x' }; };`,
    );
    expect(await cloud.call('lambda', 'Invoke', { FunctionName: 'work', TenantId: 'a', Payload: '{"exit":true}' })).toMatchObject({
      FunctionError: 'Unhandled',
    });
    await run(cloud, 'b');
    await run(cloud, 'a');
  });

  it('runs for a tenant later, too', async () => {
    const cloud = await withTenants({}, `export const handler = async (_, context) => console.log('for ' + context.tenantId);`);
    await cloud.call('lambda', 'Invoke', { FunctionName: 'work', TenantId: 'acme', InvocationType: 'Event' });
    await cloud.kernel.idle(5000);
    expect(await cloud.call('logs', 'FilterLogEvents', { logGroupName: '/aws/lambda/work' })).toMatchObject({
      events: [{ message: expect.stringMatching(/^\S+Z\t[\w-]{36}\tINFO\tfor acme$/) }],
    });
  });

  it.each(['Invoke', 'InvokeWithResponseStream'])('is not invoked by %s without a tenant ID', async (operation) => {
    const cloud = await withTenants();
    await expect(cloud.call('lambda', operation, { FunctionName: 'work' })).rejects.toMatchObject({
      code: 'InvalidParameterValueException',
    });
  });

  it.each(['', 'a b\n', 'ä', 'x'.repeat(257)])('is not invoked with the tenant ID %j', async (TenantId) => {
    const cloud = await withTenants();
    await expect(cloud.call('lambda', 'Invoke', { FunctionName: 'work', TenantId })).rejects.toMatchObject({ code: 'ValidationException' });
  });

  it('cannot be fed from a queue, and cannot lose its isolation', async () => {
    const cloud = await withTenants();
    await cloud.call('sqs', 'CreateQueue', { QueueName: 'work' });
    await expect(
      cloud.call('lambda', 'CreateEventSourceMapping', { FunctionName: 'work', EventSourceArn: queueArn('work') }),
    ).rejects.toMatchObject({ code: 'InvalidParameterValueException' });
    await expect(
      cloud.call('lambda', 'UpdateFunctionConfiguration', { FunctionName: 'work', TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } }),
    ).rejects.toMatchObject({ code: 'NotImplemented' });
    await cloud.call('lambda', 'UpdateFunctionConfiguration', { FunctionName: 'work', Timeout: 9 });
    expect(await cloud.call('lambda', 'GetFunctionConfiguration', { FunctionName: 'work' })).toMatchObject({
      Timeout: 9,
      TenancyConfig: { TenantIsolationMode: 'PER_TENANT' },
    });
  });

  it('takes the tenant ID from the header of the HTTP request', () => {
    const input = route('POST', '/2015-03-31/functions/work/invocations', new URLSearchParams(), Buffer.from('{}'), {
      'x-amz-tenant-id': 'acme',
    });
    expect(input?.input).toMatchObject({ TenantId: 'acme' });
  });
});

describe('a function without tenant isolation', () => {
  it('is not invoked with a tenant ID', async () => {
    const cloud = await withTenants();
    await addFunction(cloud, 'plain', counting, {});
    await expect(cloud.call('lambda', 'Invoke', { FunctionName: 'plain', TenantId: 'acme' })).rejects.toMatchObject({
      code: 'InvalidParameterValueException',
    });
  });
});
