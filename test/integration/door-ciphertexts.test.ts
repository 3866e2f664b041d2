import { DecryptCommand } from '@aws-sdk/client-kms';
import { CompactEncrypt, importJWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { AwsCredentials } from '../../local/aws-clients.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { expectAllowed, expectDenied, isolation } from '../support/decisions.ts';
import { itemsOf } from '../support/ground-truth.ts';
import { assumeRole, credentialsOf } from '../support/neighbours.ts';
import {
  askDoorKey,
  bringKeyIn,
  type DoorAnswer,
  type DoorKeyGiven,
  postSecret,
  sealKey,
  supplierToken,
  supplyKey,
} from '../support/supply.ts';

const credentialId = 'anthropic-main';
const onlyOfB = 'anthropic-of-b';
const issued = { credentialId: 'openai-main', provider: 'openai', source: 'platform-issued', environment: 'production' };

let test: TestCloud;
let a: string;
let b: string;
let ofA: Party;
let ofB: Party;

/** An administrator of a tenant who has asked for the public key and a nonce, and holds a key that the provider knows. */
interface Party {
  readonly tenantId: string;
  readonly token: string;
  readonly given: DoorKeyGiven;
  readonly apiKey: string;
}

async function party(tenantId: string): Promise<Party> {
  const token = await supplierToken(test, tenantId);
  return { tenantId, token, given: await askDoorKey(test, token), apiKey: test.cloud.world.issueKey('anthropic') };
}

const seal = ({ given, tenantId, apiKey }: Party, other: { tenantId?: string; credentialId?: string } = {}): Promise<string> =>
  sealKey(test, given, { tenantId, credentialId, apiKey, ...other });

/** The same, but for its key and what the header says of it. */
async function sealOtherwise({ given, tenantId, apiKey }: Party, header: { alg: string; kid?: string; enc?: string }): Promise<string> {
  test.tokens.add(apiKey);
  const bound = { tenantId, credentialId, nonce: given.nonce.value };
  const [key] = given.keys;
  const { kty, crv, x, y } = z.object({ kty: z.string(), crv: z.string(), x: z.string(), y: z.string() }).parse(key);
  return new CompactEncrypt(new TextEncoder().encode(JSON.stringify({ ...bound, secret: { apiKey } })))
    .setProtectedHeader({ enc: 'A256GCM', kid: key.kid, cty: 'json', ...bound, ...header })
    .encrypt(await importJWK({ kty, crv, x, y }, header.alg));
}

/** The compact JWE with another first character in one of its five parts. */
function altered(jwe: string, part: number): string {
  const parts = jwe.split('.');
  const text = parts[part] ?? '';
  parts[part] = `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`;
  return parts.join('.');
}

async function withHeader(jwe: string, change: Readonly<Record<string, string>>): Promise<string> {
  const [header = '', ...rest] = jwe.split('.');
  const changed = { ...JSON.parse(Buffer.from(header, 'base64url').toString('utf8')), ...change };
  return [Buffer.from(JSON.stringify(changed)).toString('base64url'), ...rest].join('.');
}

beforeAll(async () => {
  test = await testCloud();
  const anthropic = { provider: 'anthropic', source: 'customer-supplied', environment: 'production' };
  a = (await test.onboard({ credentials: [{ ...anthropic, credentialId }, issued] })).tenantId;
  const second = { ...anthropic, credentialId: onlyOfB, environment: 'staging' };
  b = (await test.onboard({ credentials: [{ ...anthropic, credentialId }, second] })).tenantId;
  ofA = await party(a);
  ofB = await party(b);
});

async function expectNothingStored(): Promise<void> {
  for (const tenantId of [a, b])
    expect((await test.secretsOf(tenantId)).map(({ name }) => name)).not.toContain(`cordon/${tenantId}/${credentialId}`);
}

describe('B4 a ciphertext that is not for this door, tenant, credential and nonce', () => {
  it.each<[title: string, jwe: () => Promise<string>, status: number, code: string]>([
    ['is sealed by the neighbour for the neighbour', () => seal(ofB), 400, 'SUPPLY_REFUSED'],
    ['names the neighbour, under this tenant’s key', () => seal(ofA, { tenantId: b }), 400, 'SUPPLY_REFUSED'],
    ['is for another credential', () => seal(ofA, { credentialId: 'anthropic-other' }), 400, 'SUPPLY_REFUSED'],
    [
      'has the credential changed in its header',
      async () => withHeader(await seal(ofA, { credentialId: 'other' }), { credentialId }),
      400,
      'SUPPLY_REFUSED',
    ],
    ['has the tenant changed in its header', async () => withHeader(await seal(ofB), { tenantId: a }), 409, 'SUPPLY_NONCE_REFUSED'],
    ['is sealed with the neighbour’s key and nonce', () => seal({ ...ofA, given: ofB.given }), 409, 'SUPPLY_NONCE_REFUSED'],
    [
      'is sealed with the neighbour’s key under this tenant’s kid',
      () =>
        sealOtherwise(
          { ...ofA, given: { ...ofA.given, keys: [{ ...ofB.given.keys[0], kid: ofA.given.keys[0].kid }] } },
          { alg: 'ECDH-ES+A256KW' },
        ),
      400,
      'SUPPLY_REFUSED',
    ],
    [
      'has the neighbour’s kid',
      () => sealOtherwise(ofA, { alg: 'ECDH-ES+A256KW', kid: ofB.given.keys[0].kid }),
      409,
      'SUPPLY_NONCE_REFUSED',
    ],
    ['has a kid of no form', () => sealOtherwise(ofA, { alg: 'ECDH-ES+A256KW', kid: 'mine' }), 400, 'SUPPLY_REFUSED'],
    ['has another key agreement', () => sealOtherwise(ofA, { alg: 'ECDH-ES' }), 400, 'SUPPLY_REFUSED'],
    ['has a shorter key wrap', () => sealOtherwise(ofA, { alg: 'ECDH-ES+A128KW' }), 400, 'SUPPLY_REFUSED'],
    ['has another cipher', () => sealOtherwise(ofA, { alg: 'ECDH-ES+A256KW', enc: 'A128CBC-HS256' }), 400, 'SUPPLY_REFUSED'],
    ['has its wrapped key altered', async () => altered(await seal(ofA), 1), 400, 'SUPPLY_REFUSED'],
    ['has its initialization vector altered', async () => altered(await seal(ofA), 2), 400, 'SUPPLY_REFUSED'],
    ['has its ciphertext altered', async () => altered(await seal(ofA), 3), 400, 'SUPPLY_REFUSED'],
    ['has its tag altered', async () => altered(await seal(ofA), 4), 400, 'SUPPLY_REFUSED'],
    [
      'has a nonce that nobody gave out',
      () => seal({ ...ofA, given: { ...ofA.given, nonce: { ...ofA.given.nonce, value: 'A'.repeat(32) } } }),
      409,
      'SUPPLY_NONCE_REFUSED',
    ],
  ])('%s: refused, nothing stored', async (_, jwe, status, code) => {
    const before = test.cloud.world.simulators['anthropic']?.requests().length;
    expect(await postSecret(test, ofA.token, credentialId, { jwe: await jwe() })).toMatchObject({ status, code });
    await expectNothingStored();
    expect(test.cloud.world.simulators['anthropic']?.requests().length, 'nobody asked the provider').toBe(before);
  });
});

describe('B4 a nonce', () => {
  it('of another user of the tenant is as unknown as none', async () => {
    const jwe = await seal(ofA);
    const colleague = await supplierToken(test, a, { userId: 'another admin' });
    expect(await postSecret(test, colleague, credentialId, { jwe })).toMatchObject({ status: 409, code: 'SUPPLY_NONCE_REFUSED' });
    await expectNothingStored();
  });

  it('permits one of two ciphertexts that come at the same time', async () => {
    const one = await party(a);
    const other = { ...one, apiKey: test.cloud.world.issueKey('anthropic') };
    const answers = await Promise.all(
      [one, other].map(async (each) => postSecret(test, one.token, credentialId, { jwe: await seal(each) })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it('is over once it went through: neither the same ciphertext nor another is taken', async () => {
    const one = await party(a);
    const jwe = await seal(one);
    expect(await postSecret(test, one.token, credentialId, { jwe })).toMatchObject({ status: 200 });
    for (const again of [jwe, await seal(one)])
      expect(await postSecret(test, one.token, credentialId, { jwe: again })).toMatchObject({ status: 409, code: 'SUPPLY_NONCE_REFUSED' });
  });

  it('ends after ten minutes', async () => {
    const jwe = await seal(await party(a));
    test.cloud.clock.advance(10 * 60_000);
    const token = await supplierToken(test, a);
    expect(await postSecret(test, token, credentialId, { jwe })).toMatchObject({ status: 409, code: 'SUPPLY_NONCE_REFUSED' });
  });
});

describe('B4 I6 who may supply', () => {
  it('learns of a neighbour’s credential what there is to learn of one that does not exist', async () => {
    const apiKey = test.cloud.world.issueKey('anthropic');
    const said = async (name: string): Promise<object> => {
      const { status, text } = await supplyKey(test, { tenantId: a, credentialId: name, apiKey });
      return { status, error: { ...JSON.parse(text).error, requestId: '' } };
    };
    const foreign = await said(onlyOfB);
    expect(foreign).toMatchObject({ status: 404, error: { code: 'CREDENTIAL_UNKNOWN' } });
    expect(foreign).toEqual(await said('never-requested'));
  });

  it.each([credentialId, onlyOfB])('is nobody without the role, whose answer about %s says nothing of what exists', async (name) => {
    const key = { tenantId: a, credentialId: name, apiKey: test.cloud.world.issueKey('anthropic'), role: 'member' };
    expect(await supplyKey(test, key)).toMatchObject({ status: 403, code: 'SUPPLIER_NOT_ALLOWED' });
  });

  it('is nobody without a token that is accepted', async () => {
    const expired = await supplierToken(test, a, { expiresIn: -3600 });
    const unsigned = await supplierToken(test, a, { header: { alg: 'none' } });
    const answers: DoorAnswer[] = [];
    for (const token of [expired, unsigned, 'x']) answers.push(await postSecret(test, token, credentialId, { jwe: 'a.b.c.d.e' }));
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
  });

  it('does not supply what the platform issues', async () => {
    const key = { tenantId: a, credentialId: issued.credentialId, apiKey: test.cloud.world.issueKey('openai') };
    expect(await supplyKey(test, key)).toMatchObject({ status: 409, code: 'CREDENTIAL_NOT_SUPPLIED' });
  });
});

describe('B7 I3 what a door session opens', () => {
  const storedKey = async (tenantId: string): Promise<{ KeyId: string; CiphertextBlob: Uint8Array }> => {
    const found = (await itemsOf(test.cloud, 'RegistryTable')).find(
      ({ pk, sk }) => pk.S === `TENANT#${tenantId}#` && sk.S.startsWith('DOORKEY#'),
    );
    const { privateKey, kmsKeyArn } = z
      .object({ privateKey: z.object({ S: z.string() }), kmsKeyArn: z.object({ S: z.string() }) })
      .parse(found);
    return { KeyId: kmsKeyArn.S, CiphertextBlob: Buffer.from(privateKey.S, 'base64') };
  };
  const supplierOf = async (tenantId: string): Promise<AwsCredentials> =>
    assumeRole(test.clients(await credentialsOf(test, 'door')), {
      RoleArn: test.cloud.outputs['TenantSupplierRoleArn'],
      RoleSessionName: tenantId,
      DurationSeconds: 900,
      Tags: [{ Key: 'TenantId', Value: tenantId }],
    });
  const open = async (keyOf: string, TenantId: string): Promise<DecryptCommand> =>
    new DecryptCommand({ ...(await storedKey(keyOf)), EncryptionContext: { TenantId } });

  it('is its own tenant’s private key, and under no name the neighbour’s', async () => {
    const session = await supplierOf(a);
    const [own, foreign, renamed] = [await open(a, a), await open(b, b), await open(b, a)];
    await expectAllowed(test, session, ({ kms }) => kms.send(own));
    await expectDenied(test, session, ({ kms }) => kms.send(foreign), isolation('DenyKeyUseForOtherTenants'));
    // IAM lets A use the key in A's name; what was sealed in B's does not open in it.
    const { outcome, error } = await test.attempt(session, ({ kms }) => kms.send(renamed));
    expect({ outcome, name: error?.name }).toEqual({ outcome: 'error', name: 'InvalidCiphertextException' });
  });

  it('is opened by no other session of the same tenant, nor by the door without one', async () => {
    const own = await open(a, a);
    await bringKeyIn(test, { tenantId: b, credentialId, provider: 'anthropic' });
    expect((await test.attempt(await test.tenantSession(a), ({ kms }) => kms.send(own))).outcome).toBe('denied');
    await expectDenied(test, await credentialsOf(test, 'door'), ({ kms }) => kms.send(own), 'FunctionBoundary/DenyTenantKeyUseByName');
  });
});
