import { describe, expect, it } from 'vitest';
import { createSignedCatalogueStore } from '../../../functions/broker/catalogue.dynamodb-signed.ts';
import { createSignedGate } from '../../../functions/broker/gate.dynamodb-signed.ts';
import { admit, type GateReading, isRevokedSince } from '../../../functions/broker/gate.ts';
import { createSecretCache } from '../../../functions/broker/secret-cache.ts';
import { credentialRequested } from '../../../functions/tenants/events.ts';
import { acme, ann, facts } from './broker-world.ts';
import { account, credential, role, under } from './customer-role-world.ts';

describe('B2 B7 the gate of a customer’s role', () => {
  const { connectionId: _, ...roleOf } = role;
  const reading: GateReading = {
    tenant: { status: 'active', epoch: 1, rulesVersion: 1 },
    user: { status: 'active', epoch: 5, version: 1 },
    credential: { status: 'recorded', epoch: 2, version: 4, secretVersionId: undefined },
    agentRevoked: false,
    sessionRevoked: false,
    connection: { status: 'active', reason: undefined, ...roleOf },
  };

  it('is open under the epochs of tenant, credential and connection, for the role that was verified', () => {
    expect(admit(reading, credential)).toEqual(under());
    expect(admit({ ...reading, credential: { status: 'active', epoch: 2, version: 4, secretVersionId: undefined } }, credential)).toEqual(
      under(),
    );
  });

  it.each(['pending', 'rejected', 'expired', 'suspended', 'disconnected', 'unknown'])(
    'is shut for a connection that is %s, and says so',
    (status) => {
      const shut = { ...reading, connection: { status, reason: 'ROLE_RECREATED', ...roleOf } };
      expect(() => admit(shut, credential)).toThrow(
        expect.objectContaining({
          code: 'CONNECTION_NOT_ACTIVE',
          message: expect.stringMatching(`${account} is ${status} \\(ROLE_RECREATED\\)`),
        }),
      );
    },
  );

  it.each([
    ['there is no connection', { connection: undefined }],
    ['its role’s ARN is not known', { connection: { status: 'active', reason: undefined, ...roleOf, roleArn: undefined } }],
    ['the role’s own ID is not known', { connection: { status: 'active', reason: undefined, ...roleOf, roleId: undefined } }],
    ['the external ID is not known', { connection: { status: 'active', reason: undefined, ...roleOf, externalId: undefined } }],
    ['the external ID is empty', { connection: { status: 'active', reason: undefined, ...roleOf, externalId: '' } }],
  ])('is shut where %s', (_what, over) => {
    expect(() => admit({ ...reading, ...over }, credential)).toThrow(expect.objectContaining({ code: 'CONNECTION_NOT_ACTIVE' }));
  });

  it('is shut for a credential that names no connection', () => {
    expect(() => admit(reading, { ...credential, connectionId: undefined })).toThrow(
      expect.objectContaining({ code: 'CONNECTION_NOT_ACTIVE' }),
    );
  });

  it('never says the external ID', () => {
    const shut = { ...reading, connection: { status: 'suspended', reason: 'ROLE_GONE', ...roleOf } };
    expect(() => admit(shut, credential)).toThrow(expect.objectContaining({ message: expect.not.stringContaining(role.externalId) }));
  });

  it.each([
    ['the tenant', { tenant: { status: 'offboarding', epoch: 1, rulesVersion: 1 } }, 'TENANT_NOT_ACTIVE'],
    ['the credential', { credential: { status: 'revoked', epoch: 3, version: 5, secretVersionId: undefined } }, 'CREDENTIAL_REVOKED'],
    ['the agent', { agentRevoked: true }, 'AGENT_REVOKED'],
  ])('is shut by %s as for any other credential', (_what, over, code) => {
    expect(() => admit({ ...reading, ...over }, credential)).toThrow(expect.objectContaining({ code }));
  });

  it('a stored credential has no connection, whatever is read', () => {
    const stored = { ...reading, credential: { status: 'active', epoch: 2, version: 4, secretVersionId: 'v1' } };
    expect(admit(stored, facts()).connection).toBeUndefined();
    expect(() => admit(reading, facts())).toThrow(expect.objectContaining({ code: 'CREDENTIAL_NOT_ACTIVE' }));
  });

  it('tells that a connection was suspended in between, also when it is active again', () => {
    expect(isRevokedSince(under(), under())).toBe(false);
    expect(isRevokedSince(under(), under({ connection: { ...role, epoch: 4 } }))).toBe(true);
    expect(isRevokedSince(under({ connection: undefined }), under({ connection: undefined }))).toBe(false);
    expect(isRevokedSince(under(), under({ tenant: 2 }))).toBe(true);
    expect(isRevokedSince(under({ user: 1 }), under({ user: 2 }))).toBe(true);
    expect(isRevokedSince(under(), under({ credential: 3 }))).toBe(true);
  });

  it('a later epoch of the connection makes every earlier reading outdated, in whatever order they arrive', () => {
    const cache = createSecretCache<string>();
    const later = under({ connection: { ...role, epoch: 4 } });
    cache.observe(credential.credentialId, later);
    cache.observe(credential.credentialId, under({ itemVersion: 9 }));
    expect(cache.isOutdated(credential.credentialId, under({ itemVersion: 9 }))).toBe(true);
    expect(cache.isOutdated(credential.credentialId, later)).toBe(false);
  });
});

describe('B7 the gate reads the connection in the same call', () => {
  const item = (sk: string, more: object) => ({ pk: { S: 'TENANT#acme#' }, sk: { S: sk }, ...more });
  const standing = { status: { S: 'active' }, epoch: { N: '3' } };

  function gateOf(items: readonly object[]) {
    const asked: string[] = [];
    const gate = createSignedGate({
      send: async (_credentials, { body }) => {
        asked.push(body);
        return { status: 200, headers: {}, body: JSON.stringify({ Responses: { registry: items }, UnprocessedKeys: {} }) };
      },
      credentials: { accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't' },
      table: 'registry',
      timeoutMs: 500,
    });
    const question = { tenantId: acme, userId: ann, credentialId: credential.credentialId, agentId: undefined, sessionId: undefined };
    return { asked, gate, question: { ...question, connectionId: account } };
  }

  it('with its epoch, its role and why it stands as it does', async () => {
    const { asked, gate, question } = gateOf([
      item(`CONNECTION#${account}`, {
        status: { S: 'suspended' },
        epoch: { N: '3' },
        roleArn: { S: role.roleArn },
        roleId: { S: role.roleId },
        externalId: { S: role.externalId },
        statusReason: { M: { code: { S: 'ROLE_RECREATED' }, message: { S: 'm' }, nextStep: { S: 'n' } } },
      }),
    ]);
    const { connection } = await gate.read(question);
    const { connectionId: _, ...roleOf } = role;
    expect(connection).toEqual({ status: 'suspended', reason: 'ROLE_RECREATED', ...roleOf });
    expect(asked).toHaveLength(1);
    const { Keys, ConsistentRead, ProjectionExpression, ExpressionAttributeNames } = JSON.parse(asked[0] ?? '').RequestItems.registry;
    expect(ConsistentRead).toBe(true);
    expect(Keys).toContainEqual({ pk: { S: 'TENANT#acme#' }, sk: { S: `CONNECTION#${account}` } });
    expect(ProjectionExpression.split(', ').sort()).toEqual(Object.keys(ExpressionAttributeNames).sort());
    expect(Object.values(ExpressionAttributeNames)).toEqual(expect.arrayContaining(['roleArn', 'roleId', 'externalId', 'statusReason']));
  });

  it('that is not verified yet, or not there', async () => {
    const { gate, question } = gateOf([item(`CONNECTION#${account}`, { ...standing, status: { S: 'pending' } })]);
    expect((await gate.read(question)).connection).toEqual({
      status: 'pending',
      epoch: 3,
      reason: undefined,
      roleArn: undefined,
      roleId: undefined,
      externalId: undefined,
    });
    const none = gateOf([]);
    expect((await none.gate.read(none.question)).connection).toBeUndefined();
  });

  it('and concludes nothing from one whose epoch cannot be read', async () => {
    const { gate, question } = gateOf([item(`CONNECTION#${account}`, { status: { S: 'active' } })]);
    await expect(gate.read(question)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' });
  });

  it('and asks for nothing of connections for any other credential', async () => {
    const { asked, gate, question } = gateOf([item(`CONNECTION#${account}`, standing)]);
    expect((await gate.read({ ...question, connectionId: undefined })).connection).toBeUndefined();
    expect(asked[0]).not.toMatch(/CONNECTION|externalId/);
  });
});

describe('B7 the catalogue', () => {
  const text = (value: string) => ({ S: value });
  const list = (...values: readonly string[]) => ({ L: values.map(text) });
  const item = {
    tenantId: text(acme),
    credentialId: text(credential.credentialId),
    provider: text('aws'),
    source: text('customer-role'),
    environment: text('production'),
    connectionId: text(account),
    settings: { M: { regions: list('us-east-1', 'eu-central-1'), services: list('dynamodb', 's3') } },
  };
  const catalogueOf = (stored: object) =>
    createSignedCatalogueStore({
      send: async () => ({ status: 200, headers: {}, body: JSON.stringify({ Items: [stored] }) }),
      credentials: { accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't' },
      table: 'registry',
      tenantId: acme,
      timeoutMs: 500,
    });

  it('knows a customer’s role by its connection, with what it may be used for', async () => {
    expect(await catalogueOf(item).credentials()).toEqual([credential]);
  });

  it.each([
    ['another tenant', { tenantId: text('globex') }, 'globex'],
    ['no tenant', { tenantId: undefined }, 'nobody'],
  ])('T3 says of an item that names %s that it has strayed', async (_what, over, strayFrom) => {
    expect(await catalogueOf({ ...item, ...over }).credentials()).toMatchObject([{ strayFrom }]);
  });

  it.each([
    ['a connection that is no account', { connectionId: text('12345#x') }],
    ['a region that is no text', { settings: { M: { regions: { L: [{ N: '1' }] } } } }],
    ['services that are no list', { settings: { M: { services: text('s3') } } }],
    ['a source that nobody knows', { source: text('found') }],
  ])('concludes nothing from %s', async (_what, over) => {
    await expect(catalogueOf({ ...item, ...over }).credentials()).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' });
  });
});

describe('B7 a customer’s role comes from a verified connection and from no event', () => {
  const asked = { credentialId: 'a', provider: 'openai', source: 'customer-supplied', environment: 'production' };
  const requested = (over: object) =>
    credentialRequested.safeParse({ version: 1, tenantId: 'acme', requestedBy: 'ann', credential: { ...asked, ...over } }).success;

  it.each([
    ['a key for an account', { provider: 'aws' }],
    ['a key that the platform makes for an account', { provider: 'aws', source: 'platform-issued' }],
    ['a customer’s role', { provider: 'bedrock', source: 'customer-role' }],
    ['a customer’s role in an account', { provider: 'aws', source: 'customer-role', connectionId: account }],
    ['a connection for a key', { connectionId: account }],
    ['services of an account for a key', { settings: { services: ['s3'], regions: ['us-east-1'] } }],
  ])('not even when one asks for %s', (_what, over) => {
    expect(requested({})).toBe(true);
    expect(requested(over)).toBe(false);
  });
});
