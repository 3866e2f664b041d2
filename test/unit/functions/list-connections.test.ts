import type { APIGatewayProxyResult } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionsAnswer } from '../../../functions/connections/connections-answer.ts';
import type { ConnectionsEvent } from '../../../functions/connections/serve-connections.handler.ts';
import {
  aConnection,
  aCredential,
  admin,
  ann,
  ben,
  type ConnectionsWorld,
  createConnectionsWorld,
  member,
  otherAdmin,
} from '../../support/connections-world.ts';

let world: ConnectionsWorld;
beforeEach(() => {
  world = createConnectionsWorld();
});

const event = (method: string, resource: string, token?: string): ConnectionsEvent => ({
  httpMethod: method,
  resource,
  path: resource,
  headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
  pathParameters: null,
  body: null,
  isBase64Encoded: false,
  requestContext: { requestId: 'r-1' },
});
const get = (token?: string): Promise<APIGatewayProxyResult> => world.handler(event('GET', '/connections', token));
const listed = async (token: string): Promise<ConnectionsAnswer> => {
  const { statusCode, body } = await get(token);
  expect(statusCode, body).toBe(200);
  return JSON.parse(body);
};

describe('B1 the external ID', () => {
  const externalId = aConnection().externalId;

  it.each(['pending', 'rejected', 'suspended', 'expired'] as const)(
    'is in the link of a %s connection, for an admin alone',
    async (status) => {
      world.dataOf('acme').connections = [aConnection({ status })];
      const [seen] = (await listed(admin)).connections;
      expect(seen?.quickCreateUrl).toContain(`param_ExternalId=${externalId}`);
      expect(seen?.templateUrl).toBe('https://cordon-templates.s3.us-east-1.amazonaws.com/customer-role/0123456789abcdef.yaml');
      for (const token of [member, 'acme/ann/']) {
        const { body } = await get(token);
        expect(body).toContain('444455556666');
        expect(body).not.toContain(externalId);
      }
    },
  );

  it.each(['active', 'disconnected'] as const)('is nowhere once the connection is %s', async (status) => {
    world.dataOf('acme').connections = [aConnection({ status, roleArn: 'arn:aws:iam::444455556666:role/cordon.acme.abcdefgh' })];
    const { body } = await get(admin);
    expect(body).toContain('cordon.acme.abcdefgh');
    expect(body).not.toContain(externalId);
  });

  it("is never another tenant's", async () => {
    world.dataOf('acme').connections = [aConnection()];
    expect(await listed(otherAdmin)).toEqual({ tenantId: 'acme-2', mayChange: true, connections: [], credentials: [] });
  });

  it('is not offered before the template is there', async () => {
    world.dataOf('acme').connections = [aConnection({ policyVersion: '' })];
    const [seen] = (await listed(admin)).connections;
    expect(seen?.quickCreateUrl).toBeUndefined();
  });
});

describe('what is shown', () => {
  it('shows a connection with its reason, its findings and its times', async () => {
    const statusReason = { code: 'EXTERNAL_ID_NOT_REQUIRED', message: 'It lets anyone in.', nextStep: 'Add the condition.' };
    const findings = [{ code: 'ADMINISTRATOR_WIDE', message: 'The role may do everything.' }];
    const at = Date.parse('2026-11-21T11:00:00Z');
    world.dataOf('acme').connections = [aConnection({ status: 'suspended', statusReason, findings, verifiedAt: at, probedAt: at + 1000 })];
    expect((await listed(member)).connections).toEqual([
      {
        customerAccountId: '444455556666',
        status: 'suspended',
        reason: statusReason,
        services: ['bedrock'],
        regions: ['us-east-1'],
        environment: 'production',
        roleName: 'cordon.acme.abcdefgh',
        findings,
        requestedUntil: '2026-11-22T12:00:00.000Z',
        verifiedAt: '2026-11-21T11:00:00.000Z',
        probedAt: '2026-11-21T11:00:01.000Z',
      },
    ]);
  });

  it("shows the tenant's credentials and the caller's own, nobody else's, whatever the role", async () => {
    world.dataOf('acme').credentials = [
      aCredential('shared'),
      aCredential('of-ann', { userId: ann }),
      aCredential('of-ben', { userId: ben }),
    ];
    const ids = async (token: string) => (await listed(token)).credentials.map(({ credentialId }) => credentialId);
    expect(await ids(admin)).toEqual(['shared', 'of-ann']);
    expect(await ids(member)).toEqual(['shared', 'of-ben']);
  });

  it('tells when a credential, and the role behind several, was last used', async () => {
    const data = world.dataOf('acme');
    data.connections = [aConnection({ status: 'active' })];
    const role = { source: 'customer-role', connectionId: '444455556666' };
    data.credentials = [aCredential('main'), aCredential('a', role), aCredential('b', role), aCredential('idle')];
    data.uses.set('main 2026-11-21', '2026-11-21T11:59:00.000Z');
    data.uses.set('main 2026-11-20', '2026-11-20T01:00:00.000Z');
    data.uses.set('a 2026-11-15', '2026-11-15T08:00:00.000Z');
    data.uses.set('b 2026-11-19', '2026-11-19T08:00:00.000Z');
    const { connections, credentials } = await listed(admin);
    expect(credentials.map(({ lastUsedAt }) => lastUsedAt)).toEqual([
      '2026-11-21T11:59:00.000Z',
      '2026-11-15T08:00:00.000Z',
      '2026-11-19T08:00:00.000Z',
      undefined,
    ]);
    expect(connections[0]?.lastUsedAt).toBe('2026-11-19T08:00:00.000Z');
  });

  it('looks no further back than 30 days or the credential itself, and at days that are over once a day', async () => {
    const data = world.dataOf('acme');
    data.credentials = [
      aCredential('old', { createdAt: '2020-01-01T00:00:00.000Z' }),
      aCredential('new', { createdAt: '2026-11-20T23:00:00.000Z' }),
    ];
    const lookedAt = (id: string) => world.looked.filter((one) => one.startsWith(`${id} `)).map((one) => one.slice(id.length + 1));
    await listed(admin);
    expect(lookedAt('old')).toHaveLength(30);
    expect(lookedAt('old').at(-1)).toBe('2026-10-23');
    expect(lookedAt('new')).toEqual(['2026-11-21', '2026-11-20']);
    await listed(admin);
    expect(lookedAt('new')).toEqual(['2026-11-21', '2026-11-20', '2026-11-21']);
    world.state.now += 86_400_000;
    await listed(admin);
    expect(lookedAt('new').slice(3)).toEqual(['2026-11-22', '2026-11-21', '2026-11-20']);
  });
});
