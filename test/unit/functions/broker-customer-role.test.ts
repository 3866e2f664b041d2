import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { CordonError, type CordonErrorCode } from '../../../functions/shared/errors.ts';
import { acme, createClient, ruleTo, type TestProvider } from './broker-world.ts';
import { account, closeConnected, converse, getItem, recorded, roleFor, startConnected } from './customer-role-world.ts';

afterEach(closeConnected);

describe('B7 G5 a use with a customer’s role', () => {
  it('warm, is one reading and two inserts: nothing is asked of STS or of the vault', async () => {
    const { world, provider, inProduction } = await startConnected();
    expect((await world.run(inProduction(converse))).seen.status).toBe(200);
    expect(world.calls.filter((name) => name === 'customer role')).toHaveLength(1);
    for (const call of [converse, converse]) {
      world.calls.length = 0;
      expect((await world.run(inProduction(call))).seen.status).toBe(200);
      expect([...world.calls].sort()).toEqual(['INTENT', 'OUTCOME', 'gate']);
    }
    expect(provider.requests).toHaveLength(3);
    for (const { headers } of provider.requests)
      expect(headers['authorization']).toMatch(/Credential=ASIACUSTOMER1\/\d{8}\/us-east-1\/bedrock\//);
  });

  it('is attributed to the credential and to the very role', async () => {
    const { world, bedrock, inProduction } = await startConnected();
    await world.run(inProduction(converse));
    expect(world.entries).toMatchObject([
      { kind: 'INTENT', tenantId: acme, credentialId: bedrock, credentialVersion: 'AROACUSTOMER' },
      { kind: 'OUTCOME', outcome: { result: 'succeeded' } },
    ]);
    expect(JSON.stringify([world.entries, world.lines])).not.toMatch(/cordon-external|customer-secret|customer-token/);
  });

  it('gives nothing of the session back, in whatever the account answers', async () => {
    const { world, inProduction } = await startConnected((request, response) => {
      response.end(JSON.stringify({ token: request.headers['x-amz-security-token'], secret: 'customer-secret-1' }));
    });
    const client = await world.run(inProduction(converse));
    expect(client.seen.status).toBe(200);
    expect(client.text).not.toMatch(/customer-token|customer-secret/);
  });

  it('reaches each service and region that was asked for with a session of its own', async () => {
    const { world, provider, inProduction } = await startConnected();
    await world.run(inProduction(getItem));
    await world.run(inProduction({ ...getItem, path: 'dynamodb/eu-central-1' }));
    await world.run(inProduction({ provider: 'aws', method: 'GET', path: 's3/us-east-1/cordon-docs/a.txt', body: Buffer.alloc(0) }));
    await world.run(inProduction(getItem));
    const signedFor = provider.requests.map(({ headers }) =>
      /Credential=(\w+)\/\d{8}\/([a-z0-9-]+\/\w+)\//
        .exec(headers['authorization'] ?? '')
        ?.slice(1)
        .join(' '),
    );
    expect(signedFor).toEqual([
      'ASIACUSTOMER1 us-east-1/dynamodb',
      'ASIACUSTOMER2 eu-central-1/dynamodb',
      'ASIACUSTOMER3 us-east-1/s3',
      'ASIACUSTOMER1 us-east-1/dynamodb',
    ]);
    expect(world.customer.policies.map((policy) => JSON.parse(policy).Statement[0].Resource[0])).toEqual([
      `arn:aws:dynamodb:us-east-1:${account}:table/cordon-*`,
      `arn:aws:dynamodb:eu-central-1:${account}:table/cordon-*`,
      'arn:aws:s3:::cordon-*/*',
    ]);
  });

  it.each([
    ['a service that was not asked for', { ...getItem, path: 'sqs/us-east-1/' }],
    ['a region that was not asked for', { ...getItem, path: 'dynamodb/us-west-2/' }],
    ['a bucket that is not the agent’s', { provider: 'aws', method: 'GET', path: 's3/us-east-1/payroll/a', body: Buffer.alloc(0) }],
  ])('reaches nothing else: %s is refused before any session is taken', async (_what, call) => {
    const { world, provider, inProduction } = await startConnected();
    const client = await world.run(inProduction(call));
    expect([client.seen.status, client.error.code]).toEqual([403, 'PATH_NOT_ALLOWED']);
    expect(world.calls).not.toContain('customer role');
    expect(provider.requests).toEqual([]);
  });

  it('chooses the region by the label, where the account was connected in several', async () => {
    const { world, provider, inProduction } = await startConnected();
    const second = `aws-${account}-bedrock-eu-central-1`;
    world.state.credentials.push(roleFor(second, 'bedrock', { settings: { region: 'eu-central-1' }, labels: { region: 'eu-central-1' } }));
    world.state.standing.set(second, recorded);
    world.state.rules = [
      ruleTo(`aws-${account}-bedrock-us-east-1`, { provider: 'bedrock', labels: { region: 'us-east-1' } }),
      ruleTo(second, { provider: 'bedrock', labels: { region: 'eu-central-1' } }),
    ];
    const there = { ...converse, headers: { 'x-cordon-labels': 'region=eu-central-1' } };
    expect((await world.run(inProduction(there))).seen.status).toBe(200);
    expect(provider.requests[0]?.headers['authorization']).toContain('/eu-central-1/bedrock/');
    expect((await world.run(inProduction(converse))).error.code).toBe('NO_CREDENTIAL');
  });
});

describe('B7 without the customer’s role there is no use: nothing takes its place', () => {
  /** No key was read, nothing left the broker, and nothing says that anything was used. */
  function nothingElse(
    { calls, entries }: { calls: string[]; entries: { kind: string; outcome?: unknown }[] },
    provider: TestProvider,
  ): void {
    expect(calls.filter((name) => /secret|as /.test(name))).toEqual([]);
    expect(provider.requests).toEqual([]);
    expect(JSON.stringify(entries)).not.toContain('succeeded');
  }

  it.each<[CordonErrorCode, number]>([
    ['CUSTOMER_ROLE_REFUSED', 403],
    ['SESSION_UNAVAILABLE', 503],
  ])('when taking it ends in %s', async (code, status) => {
    const { world, provider, inProduction } = await startConnected();
    world.customer.assume = () => Promise.reject(new CordonError(code, 'the reason in plain words'));
    for (const call of [converse, getItem, converse]) {
      const client = await world.run(inProduction(call));
      expect([client.seen.status, client.error]).toEqual([status, { code, message: 'the reason in plain words', requestId: 'r-1' }]);
    }
    expect(world.calls.filter((name) => name === 'customer role')).toHaveLength(3);
    expect(world.violations).toEqual([]);
    nothingElse(world, provider);
  });

  it.each(['pending', 'rejected', 'expired', 'suspended', 'disconnected'])('when the connection is %s', async (status) => {
    const { world, provider, active, inProduction } = await startConnected();
    world.state.connections.set(account, { ...active, status, reason: 'ROLE_GONE' });
    for (const call of [converse, getItem]) {
      const client = await world.run(inProduction(call));
      expect([client.seen.status, client.error.code]).toEqual([403, 'CONNECTION_NOT_ACTIVE']);
      expect(client.error.message).toContain(`${account} is ${status} (ROLE_GONE)`);
    }
    expect(world.calls).not.toContain('customer role');
    nothingElse(world, provider);
  });

  it.each([
    [
      'there is no connection',
      (world: Awaited<ReturnType<typeof startConnected>>['world']) => void world.state.connections.clear(),
      403,
      'CONNECTION_NOT_ACTIVE',
    ],
    [
      'the credential is revoked',
      (world: Awaited<ReturnType<typeof startConnected>>['world']) => {
        for (const id of [...world.state.standing.keys()])
          if (id.startsWith('aws-')) world.state.standing.set(id, { ...recorded, status: 'revoked', epoch: 1 });
      },
      401,
      'CREDENTIAL_REVOKED',
    ],
    [
      'the role that is registered is another tenant’s',
      (world: Awaited<ReturnType<typeof startConnected>>['world']) => {
        const known = world.state.connections.get(account);
        if (known) world.state.connections.set(account, { ...known, roleArn: `arn:aws:iam::${account}:role/cordon.globex.abcd2345` });
      },
      403,
      'ACCESS_REFUSED',
    ],
  ])('when %s', async (_what, change, status, code) => {
    const { world, provider, inProduction } = await startConnected();
    change(world);
    const client = await world.run(inProduction(converse));
    expect([client.seen.status, client.error.code]).toEqual([status, code]);
    expect(world.calls).not.toContain('customer role');
    expect(world.violations.length).toBe(code === 'ACCESS_REFUSED' ? 1 : 0);
    nothingElse(world, provider);
  });

  it('also in the middle of warm calls: the session that is kept serves no more once the connection is suspended', async () => {
    const { world, provider, active, inProduction } = await startConnected();
    await world.run(inProduction(converse));
    world.state.connections.set(account, { ...active, status: 'suspended', epoch: 1, reason: 'ROLE_RECREATED' });
    expect((await world.run(inProduction(converse))).error.code).toBe('CONNECTION_NOT_ACTIVE');
    expect(provider.requests).toHaveLength(1);
    // Verified anew, for another role of the same name: with a session of that role.
    world.state.connections.set(account, { ...active, epoch: 1, roleId: 'AROASECOND' });
    expect((await world.run(inProduction(converse))).seen.status).toBe(200);
    expect(provider.requests[1]?.headers['authorization']).toContain('ASIACUSTOMER2');
  });

  it('and the customer’s own refusal of the call is passed on as it is', async () => {
    const { world, provider, inProduction } = await startConnected(
      (_request, response) => void response.writeHead(403).end('{"message":"not authorized"}'),
    );
    const client = await world.run(inProduction(converse));
    expect([client.seen.status, client.text]).toEqual([403, '{"message":"not authorized"}']);
    expect(provider.requests).toHaveLength(1);
    expect(world.entries.at(-1)).toMatchObject({ outcome: { result: 'refused', code: 'PROVIDER_REFUSED' } });
  });
});

describe('B2 X2 a stream from a customer’s account', () => {
  const streaming = (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: first\n\n');
  };

  it.each([
    ['is suspended on the way', { status: 'suspended', epoch: 1, reason: 'ANY_PRINCIPAL_ACCEPTED' }, 'CONNECTION_NOT_ACTIVE'],
    ['is ended on the way', { status: 'disconnected', epoch: 1 }, 'CONNECTION_NOT_ACTIVE'],
    ['was suspended and is active again at the next look', { epoch: 2 }, 'CREDENTIAL_REVOKED'],
  ])('ends when the connection %s', async (_what, over, code) => {
    const { world, provider, active, inProduction } = await startConnected(streaming, 40);
    const client = createClient();
    client.onChunk(() => world.state.connections.set(account, { ...active, ...over }));
    await world.run(inProduction(converse), {}, client);
    await provider.closed;
    expect(client.text).toContain(`"code":"${code}"`);
    expect(world.entries.at(-1)).toMatchObject({ outcome: { result: 'cut', code } });
  });
});
