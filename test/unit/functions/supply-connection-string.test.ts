import { beforeEach, describe, expect, it } from 'vitest';
import type { SecretToSeal } from '../../../functions/credentials/seal-secret.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { createDoorWorld, type DoorWorld, dedicatedKeyArn } from '../../contracts/fakes/door-world.ts';

const connectionString = 'postgres://app:pw-canary@db.acme.com/orders';
const id = 'orders-db';
const admin = 'admin-at-acme';

let world: DoorWorld;
beforeEach(async () => {
  world = await createDoorWorld();
  for (const [tenant, tier] of [
    ['acme', 'pool'],
    ['globex', 'dedicated'],
  ] as const)
    await world.addCredential(tenant, id, { provider: 'postgres', tier });
});

const codeOf = (answer: { body: string }): string => JSON.parse(answer.body).error?.code;
const send = async (given: string | SecretToSeal['secret'] = { connectionString }, token = admin, to = id) =>
  world.post(token, to, { jwe: await world.seal(token, to, given) });

function noTrace(...answers: readonly object[]): void {
  expect(JSON.stringify([world.lines, world.announced, world.attribution.all, [...world.door.nonces.values()], answers])).not.toContain(
    'canary',
  );
}

describe('B4 a connection string', () => {
  it('is tried by connecting, vaulted with its server’s certificate checked, recorded and announced', async () => {
    const answer = await send();
    expect(answer.statusCode).toBe(200);
    expect(world.asked).toEqual(['app pw-canary db.acme.com:5432 orders TLS']);
    expect(world.vault.valueOf(`cordon/acme/${id}`)).toBe(`${connectionString}?sslmode=verify-full`);
    expect(await world.credential('acme', id)).toMatchObject({ status: 'active', secretVersionId: JSON.parse(answer.body).version });
    expect(world.attribution.all.map(({ kind, operation }) => `${kind} ${operation}`)).toEqual([
      'INTENT database.connect',
      'OUTCOME database.connect',
      'INTENT vault.store-secret',
      'OUTCOME vault.store-secret',
    ]);
    expect(world.announced).toMatchObject([
      { type: 'CredentialProvisioned', detail: { credential: { credentialId: id, provider: 'postgres' } } },
    ]);
    noTrace(answer);
  });

  it("of a dedicated tenant lies under that tenant's own key", async () => {
    expect(await send({ connectionString }, 'admin-at-globex')).toMatchObject({ statusCode: 200 });
    const item = await world.credential('globex', id);
    if (!item) throw new Error('there is no such credential');
    expect(await world.vault.describe(item.tenantId, item.credentialId)).toMatchObject({ kmsKeyArn: dedicatedKeyArn });
  });

  it('that is refused is not stored, and the nonce is over', async () => {
    world.answers(new CordonError('KEY_REFUSED', 'the database does not accept user and password'));
    const jwe = await world.seal(admin, id, { connectionString });
    const answer = await world.post(admin, id, { jwe });
    expect([answer.statusCode, codeOf(answer)]).toEqual([422, 'KEY_REFUSED']);
    expect(answer.body).toContain('does not accept user and password');
    expect(codeOf(await world.post(admin, id, { jwe }))).toBe('SUPPLY_NONCE_REFUSED');
    expect(world.vault.names).toEqual([]);
    noTrace(answer);
  });

  it('whose database does not answer is not stored, and may be sent again as it is', async () => {
    world.answers(
      new CordonError('DATABASE_UNAVAILABLE', 'the database could not be asked, it did not answer in time', { retryable: true }),
    );
    const jwe = await world.seal(admin, id, { connectionString });
    const answer = await world.post(admin, id, { jwe });
    expect([answer.statusCode, codeOf(answer), answer.headers?.['retry-after']]).toEqual([503, 'DATABASE_UNAVAILABLE', '2']);
    expect(answer.body).toContain('did not answer in time');
    expect(world.vault.names).toEqual([]);
    world.answers('valid');
    expect(await world.post(admin, id, { jwe })).toMatchObject({ statusCode: 200 });
    noTrace(answer);
  });

  it.each([
    'postgres://app:pw-canary@10.0.0.1/orders',
    'postgres://app:pw-canary@localhost/orders',
    'postgres://app:pw-canary@db.acme.com/orders?sslmode=disable',
    'postgres://app:pw-canary@db.acme.com/orders?sslrootcert=/etc/passwd',
  ])('%s is refused before anything is connected', async (text) => {
    const answer = await send({ connectionString: text });
    expect([answer.statusCode, codeOf(answer)]).toEqual([422, 'KEY_REFUSED']);
    expect(world.asked).toEqual([]);
    expect(world.vault.names).toEqual([]);
    noTrace(answer);
  });

  it.each([
    ['a key for a database', id, 'sk-ant-canary-0123456789'],
    ['a connection string for a provider of models', 'anthropic-own', { connectionString }],
    ['both at once', id, { connectionString, apiKey: 'sk-ant-canary-0123456789' }],
    ['a connection string with a space', id, { connectionString: 'postgres://app:pw canary@db.acme.com/orders' }],
  ])('is not mistaken: %s is not accepted', async (_what, to, given) => {
    const answer = await send(given, admin, to);
    expect([answer.statusCode, codeOf(answer)]).toEqual([400, 'SUPPLY_REFUSED']);
    expect(world.asked).toEqual([]);
    expect([...world.door.nonces.values()].every((nonce) => nonce.status === 'open')).toBe(true);
    noTrace(answer);
  });
});

describe("B5 a secret under a key of the customer's own account", () => {
  const own = 'arn:aws:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab';
  const key = 'sk-ant-canary-0123456789';

  it.each(['acme', 'globex'])('lies under that key, for a tenant of either tier (%s)', async (tenant) => {
    await world.addCredential(tenant, 'own-key', { settings: { kmsKeyArn: own } });
    expect(await send(key, `admin-at-${tenant}`, 'own-key')).toMatchObject({ statusCode: 200 });
    const item = await world.credential(tenant, 'own-key');
    if (!item) throw new Error('there is no such credential');
    expect(await world.vault.describe(item.tenantId, item.credentialId)).toMatchObject({ kmsKeyArn: own });
  });

  it('is not stored when that key cannot be used, which is said, and may be sent again once it can', async () => {
    await world.addCredential('acme', 'own-key', { settings: { kmsKeyArn: own } });
    world.vault.refuseCustomerKey(true);
    const jwe = await world.seal(admin, 'own-key', key);
    const answer = await world.post(admin, 'own-key', { jwe });
    expect([answer.statusCode, codeOf(answer)]).toEqual([422, 'CUSTOMER_KEY_REFUSED']);
    expect(answer.body).toContain(own);
    expect(world.vault.names).toEqual([]);
    expect(world.announced).toEqual([]);
    expect(await world.credential('acme', 'own-key')).toMatchObject({ status: 'awaiting', leaseUntil: 0 });
    world.vault.refuseCustomerKey(false);
    expect(await world.post(admin, 'own-key', { jwe })).toMatchObject({ statusCode: 200 });
    noTrace(answer);
  });

  it.each([
    ['of another region', 'arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab'],
    ['of another partition', 'arn:aws-cn:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab'],
    ["of the platform's own account", 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'],
  ])('is refused a key %s before the provider is asked', async (_what, kmsKeyArn) => {
    await world.addCredential('acme', 'own-key', { settings: { kmsKeyArn } });
    const answer = await send(key, admin, 'own-key');
    expect([answer.statusCode, codeOf(answer)]).toEqual([422, 'CUSTOMER_KEY_REFUSED']);
    expect(world.asked).toEqual([]);
    expect(world.vault.names).toEqual([]);
  });
});
