import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import * as iam from '@aws-sdk/client-iam';
import { ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type AwsClients, type AwsCredentials, awsClients } from '../../local/aws-clients.ts';

const command = resolve('local/main.ts');
/** Working directories of their own: the connection file belongs to the directory in which the command is run. */
const directory = mkdtempSync(join(tmpdir(), 'cordon-local-'));
const path = join(directory, '.cordon', 'local.json');

const arn = z.string().regex(/^arn:aws:/);
const url = z.string().regex(/^http:\/\/127\.0\.0\.1:\d+(\/|$)/);
const text = z.string().min(1);
const keys = { accessKeyId: text, secretAccessKey: text };
const session = z.strictObject({ ...keys, sessionToken: text });
/** What tools that are built on the file may rely on: these members and no others. */
const connectionFile = z.strictObject({
  schemaVersion: z.literal(1),
  pid: z.int(),
  endpoint: url,
  region: z.literal('us-east-1'),
  accountId: z.string().regex(/^\d{12}$/),
  eventBusName: text,
  eventLogGroup: text,
  registryTable: text,
  attributionTable: text,
  isolationTable: text,
  kmsKeyArn: arn,
  templatePath: z.string().regex(/^\/.+\.template\.json$/),
  /** Where there is a broker. */
  brokerUrl: url.optional(),
  oidc: z.strictObject({ issuer: url, audience: text, jwksUri: url }),
  roles: z.strictObject({ TenantReader: arn, TenantWriter: arn, TenantAuditor: arn, ByocConnector: arn }),
  functionArns: z.object({ sessions: arn, tenants: arn }).catchall(arn),
  queues: z.object({ tenants: z.strictObject({ url, dlqUrl: url }) }).catchall(z.strictObject({ url, dlqUrl: url })),
  principals: z.strictObject({
    operator: z.strictObject(keys),
    functions: z.object({ sessions: session, tenants: session }).catchall(session),
  }),
  providers: z.object({ openai: z.strictObject({ baseUrl: url }) }).catchall(z.strictObject({ baseUrl: url })),
  customers: z.array(z.strictObject({ accountId: z.string().regex(/^\d{12}$/), ...keys })).min(2),
  control: z.strictObject({ url, token: z.string().min(32) }),
});
type Connection = z.infer<typeof connectionFile>;

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** The exit code, when it has ended. */
  readonly ended: Promise<unknown>;
}

function start(args: readonly string[], cwd: string): Run {
  const child = spawn(process.execPath, [command, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output, ended: once(child, 'close').then(([code]: unknown[]) => code) };
}

/** One test holds the file to its members; the others need what it says. */
const load = (): Connection => connectionFile.loose().parse(JSON.parse(readFileSync(path, 'utf8')));

let run: Run;
beforeAll(async () => {
  run = start(['--port', '0'], directory);
  while (!existsSync(path)) {
    if (run.child.exitCode !== null) throw new Error(`The command ended: ${run.output()}`);
    await sleep(20);
  }
});
const opened: AwsClients[] = [];
afterAll(async () => {
  for (const clients of opened) clients.destroy();
  run.child.kill('SIGKILL');
  await run.ended;
  rmSync(directory, { recursive: true, force: true });
});

function clientsOf(credentials: AwsCredentials): AwsClients {
  const clients = awsClients(load(), credentials);
  opened.push(clients);
  return clients;
}

async function control(method: string, at: string, body?: unknown, token = load().control.token) {
  const response = await fetch(`${load().control.url}${at}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as unknown };
}

const tenantId = 'local-tenant';
const onboarded = {
  version: 1,
  tenantId,
  displayName: 'Local',
  tier: 'pool',
  requestedBy: 'somebody',
  credentials: [{ credentialId: 'openai-main', provider: 'openai', source: 'platform-issued', environment: 'production' }],
};

describe('P1 npm run local: the connection file', () => {
  it('is readable by its owner only, whole, and alone in its directory', () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, '.cordon')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(directory, '.cordon'))).toEqual(['local.json']);
  });

  it('says what is promised and nothing else, of the process that runs', () => {
    const connection = connectionFile.parse(JSON.parse(readFileSync(path, 'utf8')));
    expect(connection.pid).toBe(run.child.pid);
    expect(Object.keys(connection.principals.functions).sort()).toEqual(Object.keys(connection.functionArns).sort());
    expect(existsSync(connection.templatePath)).toBe(true);
    expect(connection.oidc.jwksUri.startsWith(connection.oidc.issuer)).toBe(true);
    expect(new Set(connection.customers.map(({ accountId }) => accountId))).not.toContain(connection.accountId);
  });

  it('is what the banner points to, and nothing secret of it is printed', async () => {
    while (!run.output().includes('Ctrl-C')) await sleep(10);
    const { endpoint, control: at, principals, customers } = load();
    for (const shown of [endpoint, at.url, path, 'does not prove']) expect(run.output()).toContain(shown);
    const secrets = [principals.operator, ...Object.values(principals.functions), ...customers].map(
      ({ secretAccessKey }) => secretAccessKey,
    );
    for (const secret of [...secrets, at.token]) expect(run.output()).not.toContain(secret);
  });
});

describe('P1 npm run local: stock AWS clients', () => {
  it('knows every principal of the file by its keys', async () => {
    const { accountId, principals, customers } = load();
    const whoIs = async (credentials: AwsCredentials) => (await clientsOf(credentials).sts.send(new GetCallerIdentityCommand({}))).Arn;
    expect(await whoIs(principals.operator)).toBe(`arn:aws:iam::${accountId}:user/operator`);
    for (const own of Object.values(principals.functions)) expect(await whoIs(own)).toMatch(`arn:aws:sts::${accountId}:assumed-role/`);
    for (const customer of customers) expect(await whoIs(customer)).toBe(`arn:aws:iam::${customer.accountId}:user/admin`);
  });

  it('lets the operator put an event, see what became of it, read the registry and the queues, and audit, but see no secret', async () => {
    const { eventBusName, eventLogGroup, registryTable, roles, queues, principals } = load();
    const operator = clientsOf(principals.operator);
    const entry = {
      EventBusName: eventBusName,
      Source: 'cordon.platform',
      DetailType: 'TenantOnboarded',
      Detail: JSON.stringify(onboarded),
    };
    expect((await operator.events.send(new PutEventsCommand({ Entries: [entry] }))).FailedEntryCount).toBe(0);
    expect(await control('POST', '/idle', { timeoutMs: 20_000 })).toEqual({ status: 200, json: { idle: true } });
    const log = await operator.logs.send(new FilterLogEventsCommand({ logGroupName: eventLogGroup, filterPattern: `"${tenantId}"` }));
    expect(
      log.events?.map(({ message }) => z.looseObject({ 'detail-type': z.string() }).parse(JSON.parse(message ?? ''))['detail-type']),
    ).toEqual(['TenantProvisioned']);
    expect((await operator.dynamodb.send(new ScanCommand({ TableName: registryTable }))).Count).toBe(2);
    const depth = await operator.sqs.send(new GetQueueAttributesCommand({ QueueUrl: queues.tenants.dlqUrl, AttributeNames: ['All'] }));
    expect(depth.Attributes?.['ApproximateNumberOfMessages']).toBe('0');
    const Tags = [{ Key: 'TenantId', Value: tenantId }];
    const audit = await operator.sts.send(new AssumeRoleCommand({ RoleArn: roles.TenantAuditor, RoleSessionName: tenantId, Tags }));
    expect(audit.AssumedRoleUser?.Arn).toMatch(/TenantAuditor/);
    await expect(operator.secretsmanager.send(new ListSecretsCommand({}))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it("lets a customer's admin make, change and delete a role in its own account, and nobody else's", async () => {
    const { accountId: platform, customers } = load();
    const [first, second] = customers.map((customer) => ({ ...customer, iam: clientsOf(customer).iam }));
    if (first === undefined || second === undefined) throw new Error('unreachable');
    const trust = (account: string): string =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'sts:AssumeRole' }],
      });
    const RoleName = 'cordon.local-tenant.x1';
    const made = await first.iam.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust(platform) }));
    expect(made.Role?.Arn).toBe(`arn:aws:iam::${first.accountId}:role/${RoleName}`);
    await first.iam.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: trust(first.accountId) }));
    const Statement = { Effect: 'Allow', Action: 'iam:GetRole', Resource: '*' };
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await first.iam.send(new iam.PutRolePolicyCommand({ RoleName, PolicyName: 'own', PolicyDocument }));
    await first.iam.send(new iam.TagRoleCommand({ RoleName, Tags: [{ Key: 'For', Value: 'cordon' }] }));
    const changed = await first.iam.send(new iam.GetRoleCommand({ RoleName }));
    expect(decodeURIComponent(changed.Role?.AssumeRolePolicyDocument ?? '')).toContain(first.accountId);
    expect(changed.Role?.Tags).toEqual([{ Key: 'For', Value: 'cordon' }]);

    await expect(second.iam.send(new iam.GetRoleCommand({ RoleName }))).rejects.toMatchObject({ name: 'NoSuchEntityException' });
    const platformRole = { RoleArn: load().roles.TenantReader, RoleSessionName: tenantId };
    await expect(clientsOf(first).sts.send(new AssumeRoleCommand(platformRole))).rejects.toMatchObject({ name: 'AccessDenied' });

    await first.iam.send(new iam.DeleteRolePolicyCommand({ RoleName, PolicyName: 'own' }));
    await first.iam.send(new iam.DeleteRoleCommand({ RoleName }));
    await expect(first.iam.send(new iam.GetRoleCommand({ RoleName }))).rejects.toMatchObject({ name: 'NoSuchEntityException' });
  });

  it('refuses keys that are not of the file', async () => {
    const forged = { ...load().principals.operator, secretAccessKey: 'x'.repeat(40) };
    await expect(clientsOf(forged).sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    const unknown = { accessKeyId: 'AKIA0000000000000000', secretAccessKey: 'x'.repeat(40) };
    await expect(clientsOf(unknown).sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
  });
});

describe('P1 npm run local: the control endpoint', () => {
  it.each([
    ['POST', '/tokens', { tenantId }],
    ['POST', '/clock', { advanceMs: 1 }],
    ['POST', '/accounts', {}],
    ['POST', '/faults', { service: 'sts', action: 'GetCallerIdentity', nth: 1, mode: 'before' }],
    ['DELETE', '/faults', {}],
    ['GET', '/calls', undefined],
    ['GET', '/providers/openai/keys', undefined],
    ['GET', '/providers/openai/requests', undefined],
    ['POST', '/idle', { timeoutMs: 1 }],
    ['POST', '/reset', {}],
  ])('does nothing at %s %s without its token', async (method, at, body) => {
    for (const token of ['', 'wrong', `${load().control.token}x`])
      expect(await control(method, at, body, token)).toMatchObject({ status: 401, json: { error: { code: 'UNAUTHORIZED' } } });
  });

  it('mints tokens that the issuer of the file vouches for', async () => {
    const { issuer, audience, jwksUri } = load().oidc;
    const { status, json } = await control('POST', '/tokens', { tenantId, userId: 'ana', claims: { extra: true } });
    expect(status).toBe(200);
    const { payload } = await jwtVerify(z.strictObject({ jwt: text }).parse(json).jwt, createRemoteJWKSet(new URL(jwksUri)), {
      issuer,
      audience,
    });
    expect(payload).toMatchObject({ tenant_id: tenantId, sub: 'ana', extra: true });
  });

  it('makes accounts whose admin can work in them', async () => {
    const { status, json } = await control('POST', '/accounts', {});
    expect(status).toBe(201);
    const account = z.strictObject({ accountId: text, ...keys }).parse(json);
    const RoleName = 'made-here';
    const AssumeRolePolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: account.accountId }, Action: 'sts:AssumeRole' }],
    });
    const made = await clientsOf(account).iam.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    expect(made.Role?.Arn).toBe(`arn:aws:iam::${account.accountId}:role/${RoleName}`);
  });

  it('injects a fault once, and takes one back', async () => {
    const { sts } = clientsOf(load().principals.operator);
    const fault = { service: 'sts', action: 'GetCallerIdentity', nth: 2, mode: 'before' };
    const call = () =>
      sts.send(new GetCallerIdentityCommand({})).then(
        () => 'done',
        (error: Error) => error.name,
      );
    expect((await control('POST', '/faults', fault)).status).toBe(201);
    expect([await call(), await call(), await call()]).toEqual(['done', 'InternalFailure', 'done']);
    await control('POST', '/faults', { ...fault, nth: 1 });
    expect(await control('DELETE', '/faults', { service: 'sts' })).toEqual({ status: 200, json: { removed: 1 } });
    expect(await call()).toBe('done');
  });

  it('shows who called what, and what decided', async () => {
    const { principals } = load();
    const numbered = z.array(
      z.looseObject({ seq: z.number(), principal: z.string(), action: z.string(), decision: z.string(), statement: z.string() }),
    );
    const before = numbered.parse((await control('GET', '/calls')).json).at(-1)?.seq ?? 0;
    await clientsOf(principals.operator)
      .secretsmanager.send(new ListSecretsCommand({}))
      .catch(() => undefined);
    const calls = await control('GET', `/calls?since=${before}`);
    expect(calls.json).toEqual([
      {
        seq: before + 1,
        at: expect.stringMatching(/Z$/),
        principal: expect.stringMatching(/user\/operator$/),
        tags: {},
        action: 'secretsmanager:ListSecrets',
        resource: '*',
        decision: 'deny',
        statement: 'OperatorAccess/DenySecretsAndKeys',
        service: 'secretsmanager',
        operation: 'ListSecrets',
      },
    ]);
  });

  it("shows the provider's keys and requests without a secret", async () => {
    const shown = await control('GET', '/providers/openai/keys');
    expect(shown.json).toEqual([
      expect.objectContaining({ name: `${tenantId}.openai-main.1`, fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) }),
    ]);
    const requests = await control('GET', '/providers/openai/requests');
    expect(requests.json).toContainEqual(expect.objectContaining({ method: 'POST', status: 200 }));
    expect(JSON.stringify([shown.json, requests.json])).not.toMatch(/sk-(admin|svcacct)-/);
  });

  it('moves the clock, and the file has fresh credentials of the functions when the old ones are over', async () => {
    const old = load().principals.functions.tenants;
    const earlier = Date.now();
    const { json } = await control('POST', '/clock', { advanceMs: 61 * 60_000 });
    expect(Date.parse(z.strictObject({ now: text }).parse(json).now) - earlier).toBeGreaterThanOrEqual(61 * 60_000);
    await expect(clientsOf(old).sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'ExpiredToken' });
    while (load().principals.functions.tenants.accessKeyId === old.accessKeyId) await sleep(20);
    await clientsOf(load().principals.functions.tenants).sts.send(new GetCallerIdentityCommand({}));
  });

  it('starts afresh at the same places on reset: nothing of before is left, also not the keys', async () => {
    const before = load();
    const { status, json } = await control('POST', '/reset');
    expect(status).toBe(200);
    const after = load();
    expect(json).toMatchObject({ endpoint: before.endpoint, principals: { operator: after.principals.operator } });
    expect({ endpoint: after.endpoint, control: after.control, oidc: after.oidc }).toEqual({
      endpoint: before.endpoint,
      control: before.control,
      oidc: before.oidc,
    });
    await expect(clientsOf(before.principals.operator).sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: 'InvalidClientTokenId',
    });
    expect((await clientsOf(after.principals.operator).dynamodb.send(new ScanCommand({ TableName: after.registryTable }))).Count).toBe(0);
    expect((await control('GET', '/providers/openai/keys')).json).toEqual([]);
  });
});

describe('P1 npm run local: how it begins and ends', () => {
  it.each([
    { args: ['--port', 'http'], says: /--port takes a number from 0 to 65535, not 'http'/ },
    { args: ['--port', '65536'], says: /--port takes a number from 0 to 65535, not '65536'/ },
    { args: ['--prot', '4566'], says: /--prot/ },
    { args: ['4566'], says: /4566/ },
  ])('exits with 2 and its usage when it is called with $args', async ({ args, says }) => {
    const { ended, output } = start(args, directory);
    expect(await ended).toBe(2);
    expect(output()).toMatch(says);
    expect(output()).toContain('Usage: npm run local');
    expect(output()).not.toMatch(/\n\s+at .*\.ts:\d+/);
  });

  it('tells how it is used', async () => {
    const { ended, output } = start(['--help'], directory);
    expect(await ended).toBe(0);
    expect(output()).toMatch(/^Usage: npm run local/);
  });

  it('does not start a second time in the same directory, and leaves the first alone', async () => {
    const before = readFileSync(path, 'utf8');
    const { ended, output } = start(['--port', '0'], directory);
    expect(await ended).toBe(3);
    expect(output()).toContain(`already running (process ${run.child.pid}`);
    expect(readFileSync(path, 'utf8')).toBe(before);
    await clientsOf(load().principals.operator).sts.send(new GetCallerIdentityCommand({}));
  });

  it('takes its file along when it is ended, and exits cleanly', async () => {
    const { endpoint } = load();
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(0);
    expect(readdirSync(join(directory, '.cordon'))).toEqual([]);
    await expect(fetch(endpoint)).rejects.toThrow();
    expect(run.output()).not.toMatch(/error/i);
  });
});
