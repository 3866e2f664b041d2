/** What is done to a cell now and then, and has to be right then: a restore, an upgrade, an export. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BatchWriteItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import {
  AttachRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  ListAttachedRolePoliciesCommand,
  TagRoleCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { GetKeyPolicyCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { DeleteFunctionConcurrencyCommand, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import type { AwsClients } from '../../local/aws-clients.ts';
import { chat, openAiTenant, refusalOf } from '../support/broker-calls.ts';
import { canariesOf, sightings } from '../support/canaries.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { keyNamed } from '../support/dedicated-tenants.ts';
import { administratorOf } from '../support/neighbours.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';

let test: TestCloud;
let operator: OperatorCommand;
/** The same command line with the rights of whoever deploys. */
let deployer: OperatorCommand;
let root: AwsClients;

beforeAll(async () => {
  test = await testCloud();
  operator = await operatorCommand(test);
  deployer = await operatorCommand(test, administratorOf(test));
  root = test.clients(administratorOf(test));
});
afterAll(() => {
  expect(sightings([{ where: 'what the command printed', text: operator.printed() + deployer.printed() }], canariesOf(test))).toEqual([]);
});

const mint = (tenantId: string, names: object = {}): Promise<string> =>
  test.cloud.oidc.mint({ tenantId, userId: 'ana', agentId: 'agent-1', sessionId: 'session-1', expiresIn: 86_400, ...names });
const patient = { stepMs: 30_000 };

describe('P7 the registry restored to an earlier point', () => {
  const TableName = (): string => test.cloud.outputs['RegistryTable'] ?? '';
  const items = async () => (await root.dynamodb.send(new ScanCommand({ TableName: TableName(), ConsistentRead: true }))).Items ?? [];

  async function write(requests: readonly object[]): Promise<void> {
    for (let at = 0; at < requests.length; at += 25)
      await root.dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [TableName()]: requests.slice(at, at + 25) } }));
  }
  /** As a restore leaves it: what was there then, and nothing else. */
  async function restore(copy: Awaited<ReturnType<typeof items>>): Promise<void> {
    await write((await items()).map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } })));
    await write(copy.map((Item) => ({ PutRequest: { Item } })));
  }
  const close = (name: string) =>
    root.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: test.cloud.functionArns[name], ReservedConcurrentExecutions: 0 }));
  const open = (name: string) => root.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: test.cloud.functionArns[name] }));

  it('is closed until it was told again what was revoked since, and then refuses all of it', async () => {
    const [acting, ending, suspended] = [await openAiTenant(test), await openAiTenant(test), await openAiTenant(test)];
    const { issuer } = test.cloud.oidc;
    const ana = userIdOf(issuer, 'ana');
    await test.putEvents({
      detailType: 'UserOnboarded',
      detail: { version: 1, tenantId: acting, issuer, subject: 'ana', requestedBy: 'test' },
    });
    await test.outcome(['UserProvisioned'], acting);
    for (const tenantId of [acting, ending, suspended]) expect((await chat(test, await mint(tenantId))).status).toBe(200);
    await test.settled();
    const copy = await items();
    const point = new Date(test.cloud.clock.now()).toISOString();

    const ask = (detailType: string, tenantId: string, detail: object = {}) => ({
      detailType,
      detail: { version: 1, tenantId, reason: 'leaked', requestedBy: 'test', ...detail },
    });
    await test.putEvents(
      ask('RevocationRequested', acting, { scope: 'agent', agentId: 'agent-1' }),
      ask('RevocationRequested', acting, { scope: 'session', sessionId: 'session-2' }),
      ask('AccessSuspended', acting, { scope: 'user', userId: ana }),
      ask('AccessSuspended', suspended, { scope: 'tenant' }),
      ask('TenantOffboarded', ending),
    );
    await test.settled();
    test.cloud.clock.advance(2_000);
    await test.putEvents(ask('AccessReinstated', suspended, { scope: 'tenant' }));
    await test.settled();

    for (const name of ['broker', 'authorizer']) await close(name);
    await restore(copy);
    for (const tenantId of [acting, suspended]) expect((await chat(test, await mint(tenantId))).status).toBeGreaterThanOrEqual(429);
    // What the closing is for: the registry itself would let the agent in.
    for (const name of ['broker', 'authorizer']) await open(name);
    expect((await chat(test, await mint(acting, { userId: 'ben' }))).status).toBe(200);
    for (const name of ['broker', 'authorizer']) await close(name);

    const dry = await operator.cordon(['restore', 'replay', '--since', point, '--dry-run', '--json']);
    const events = dry.json()['events'] as { tenantId: string; type: string }[];
    expect(events.map(({ type }) => type).sort()).toEqual(
      [
        ...['AccessReinstated', 'AccessSuspended', 'AccessSuspended'],
        ...['RevocationRequested', 'RevocationRequested'],
        'TenantOffboarded',
      ].sort(),
    );
    expect(await items()).toHaveLength(copy.length);

    const told = await operator.cordon(['restore', 'replay', '--since', point, '--json']);
    expect(told.exitCode, told.err).toBe(0);
    expect((told.json()['events'] as { outcome: string }[]).map(({ outcome }) => outcome)).toEqual(Array(6).fill('in force'));
    for (const name of ['broker', 'authorizer']) await open(name);
    const codeOf = async (tenantId: string, names: object): Promise<string> =>
      (await refusalOf(await chat(test, await mint(tenantId, names)))).code;
    expect(await codeOf(acting, { userId: 'ben' })).toBe('AGENT_REVOKED');
    expect(await codeOf(acting, { userId: 'ben', agentId: 'agent-2', sessionId: 'session-2' })).toBe('SESSION_REVOKED');
    expect(await codeOf(acting, { agentId: 'agent-2', sessionId: 'session-3' })).toBe('USER_NOT_ACTIVE');
    expect((await chat(test, await mint(ending))).status).toBe(401);
    expect((await chat(test, await mint(suspended))).status).toBe(200);

    await test.settled();
    const before = (await items()).filter(({ sk }) => sk?.S?.startsWith('REVO') === true || sk?.S === 'TENANT');
    const again = await operator.cordon(['restore', 'replay', '--since', point, '--json']);
    expect(again.exitCode, again.err).toBe(0);
    await test.settled();
    const versionOf = (all: typeof before) => new Map(all.map(({ pk, sk, epoch }) => [`${pk?.S} ${sk?.S}`, epoch?.N]));
    expect(versionOf((await items()).filter(({ sk }) => sk?.S?.startsWith('REVO') === true || sk?.S === 'TENANT'))).toEqual(
      versionOf(before),
    );
  });
});

describe('P7 a dedicated tenant that an earlier version made', () => {
  const noTrust = (accountId: string) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'MintFromVerifiedToken',
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${accountId}:root` },
          Action: ['sts:AssumeRole', 'sts:TagSession'],
          Condition: { ArnEquals: { 'aws:PrincipalArn': `arn:aws:iam::${accountId}:role/gone` } },
        },
      ],
    });

  it('gets the trust, the policies and the key’s policy that this version makes, from whoever deploys and nobody else', async () => {
    const tenantId = await openAiTenant(test, { tier: 'dedicated' });
    const other = await openAiTenant(test, { tier: 'dedicated' });
    const [reader, writer] = [`TenantAgent-${tenantId}`, `TenantAgent-${tenantId}.writer`];
    const stateOf = async () => {
      const KeyId = await keyNamed(test, tenantId);
      const roles = await Promise.all(
        [reader, writer].map(async (RoleName) => [
          (await root.iam.send(new GetRoleCommand({ RoleName }))).Role?.AssumeRolePolicyDocument,
          (await root.iam.send(new ListAttachedRolePoliciesCommand({ RoleName }))).AttachedPolicies?.map(
            ({ PolicyName }) => PolicyName,
          ).sort(),
        ]),
      );
      const { Policy = '' } = await root.kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }));
      return { roles, key: JSON.parse(Policy) as unknown };
    };
    const made = await stateOf();
    expect((await deployer.cordon(['dedicated', 'upgrade', tenantId, '--json'])).json()).toMatchObject({ changes: [] });

    // As an earlier version would have left it: no way in for revocation and rotation, no cut-off, and a policy that is none of ours.
    const { accountId } = test.cloud;
    const policy = (name: string): string => `arn:aws:iam::${accountId}:policy/cordon/${name}`;
    for (const RoleName of [reader, writer]) {
      await root.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: noTrust(accountId) }));
      await root.iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn: policy('Revoked') }));
    }
    await root.iam.send(new AttachRolePolicyCommand({ RoleName: reader, PolicyArn: policy('OperatorAccess') }));
    const KeyId = await keyNamed(test, tenantId);
    const Statement = (made.key as { Statement: { Sid: string }[] }).Statement.filter(({ Sid }) => Sid !== 'OpenOwnDoor');
    await root.kms.send(
      new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }),
    );
    const broken = await stateOf();
    expect(broken).not.toEqual(made);

    expect(await operator.cordon(['dedicated', 'upgrade', tenantId])).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('ACCESS_REFUSED'),
    });
    const dry = await deployer.cordon(['dedicated', 'upgrade', '--all', '--dry-run', '--json']);
    expect(dry.exitCode, dry.err).toBe(0);
    const { changes } = JSON.parse(dry.out) as { changes: { tenantId: string; change: string }[] };
    expect(changes.filter((one) => one.tenantId === other)).toEqual([]);
    expect(changes.filter((one) => one.tenantId === tenantId).map(({ change }) => change)).toEqual([
      ...[`${reader}: attach Revoked`, `${reader}: detach OperatorAccess`, `${reader}: trust`],
      ...[`${writer}: attach Revoked`, `${writer}: trust`],
      `alias/cordon/${tenantId}: policy`,
    ]);
    expect(await stateOf()).toEqual(broken);

    const done = await deployer.cordon(['dedicated', 'upgrade', '--all', '--json']);
    expect(done.exitCode, done.err).toBe(0);
    expect(await stateOf()).toEqual(made);
    expect((await deployer.cordon(['dedicated', 'upgrade', '--all', '--json'])).json()).toMatchObject({ changes: [] });
  });

  it('is told when AWS refuses one of all, and the others are brought up', async () => {
    const [refused, other] = [await openAiTenant(test, { tier: 'dedicated' }), await openAiTenant(test, { tier: 'dedicated' })];
    const KeyId = await keyNamed(test, refused);
    const { Policy = '' } = await root.kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }));
    const { Version, Statement } = JSON.parse(Policy);
    const silence = { Sid: 'Silence', Effect: 'Deny', Principal: { AWS: '*' }, Action: 'kms:GetKeyPolicy', Resource: '*' };
    const put = (statements: object[]) =>
      root.kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy: JSON.stringify({ Version, Statement: statements }) }));
    await put([...Statement, silence]);
    await root.iam.send(
      new DetachRolePolicyCommand({
        RoleName: `TenantAgent-${other}`,
        PolicyArn: `arn:aws:iam::${test.cloud.accountId}:policy/cordon/Revoked`,
      }),
    );
    const all = await deployer.cordon(['dedicated', 'upgrade', '--all', '--json']);
    expect(all.exitCode).toBe(1);
    expect(JSON.parse(all.out)).toMatchObject({
      failed: [{ tenantId: refused, code: 'ACCESS_REFUSED' }],
      changes: [{ tenantId: other, change: `TenantAgent-${other}: attach Revoked` }],
    });
    await put(Statement);
  });

  it('is left alone when a role of its name is not its own, and is no pool tenant', async () => {
    const tenantId = await openAiTenant(test, { tier: 'dedicated' });
    await root.iam.send(new TagRoleCommand({ RoleName: `TenantAgent-${tenantId}.writer`, Tags: [{ Key: 'TenantId', Value: 'somebody' }] }));
    expect(await deployer.cordon(['dedicated', 'upgrade', tenantId])).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('does not carry the tenant’s tags'),
    });
    const all = await deployer.cordon(['dedicated', 'upgrade', '--all', '--json']);
    expect(all.exitCode).toBe(1);
    expect(JSON.parse(all.out)).toMatchObject({ failed: [expect.objectContaining({ tenantId, code: 'NOT_THE_TENANTS' })] });
    const pool = await openAiTenant(test);
    expect(await deployer.cordon(['dedicated', 'upgrade', pool])).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('pool tenant'),
    });
  });
});

describe('P7 a tenant’s data', () => {
  it('is written to one file: what is known of it, who used what, what was certified, and no secret', async () => {
    const tenantId = await openAiTenant(test);
    const neighbour = await openAiTenant(test);
    expect((await chat(test, await mint(tenantId))).status).toBe(200);
    const revoked = await operator.cordon(['revoke', 'credential', tenantId, 'openai-main', '--reason', 'leaving', '--json'], patient);
    expect(revoked.exitCode, revoked.err).toBe(0);
    const { exitCode, err, json } = await operator.cordon(['tenants', 'export', tenantId, 'export.jsonl', '--json'], patient);
    expect(exitCode, err).toBe(0);
    const path = join(operator.directory, 'export.jsonl');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const text = readFileSync(path, 'utf8');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; data: Record<string, unknown> });
    const kinds = new Set(lines.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['attribution', 'certificate', 'credential', 'export', 'revocation', 'tenant']);
    expect(lines[0]).toMatchObject({ kind: 'export', data: { tenantId, version: 1 } });
    expect(json()).toMatchObject({ tenantId, counts: { tenant: 1, credential: 1, revocation: 1, certificate: 1 } });
    expect(lines.filter(({ kind }) => kind === 'attribution').map(({ data }) => data['operation'])).toContain('provider.call');
    expect(text).not.toContain(neighbour);
    expect(sightings([{ where: 'the export', text }], canariesOf(test))).toEqual([]);
    const twice = await operator.cordon(['tenants', 'export', tenantId, 'export.jsonl']);
    expect(twice).toMatchObject({ exitCode: 2, err: expect.stringContaining('is there already') });
  });

  it('is nobody’s when there is no such tenant', async () => {
    const none = await operator.cordon(['tenants', 'export', 'nobody-here', 'none.jsonl']);
    expect(none).toMatchObject({ exitCode: 1, err: expect.stringContaining('no tenant nobody-here') });
    expect(existsSync(join(operator.directory, 'none.jsonl'))).toBe(false);
  });
});
