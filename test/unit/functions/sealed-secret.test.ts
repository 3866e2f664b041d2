import { CompactEncrypt, importJWK } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { sealSecret } from '../../../functions/credentials/seal-secret.ts';
import { createDoorWorld, type DoorWorld } from '../../contracts/fakes/door-world.ts';

const canary = 'sk-ant-canary-0123456789';
const id = 'anthropic-own';
const admin = 'admin-at-acme';

let world: DoorWorld;
beforeEach(async () => {
  world = await createDoorWorld();
});

const codeOf = (answer: { body: string }): string => JSON.parse(answer.body).error?.code;

function nothingHappened(answer: object): void {
  expect(world.asked).toEqual([]);
  expect(world.vault.names).toEqual([]);
  expect(world.announced).toEqual([]);
  expect(world.attribution.all).toEqual([]);
  expect([...world.door.nonces.values()].every((nonce) => nonce.status === 'open')).toBe(true);
  expect(JSON.stringify([world.lines, [...world.door.nonces.values()], answer])).not.toContain('canary');
}

interface Changes {
  readonly header?: Record<string, unknown>;
  readonly content?: Record<string, unknown>;
  /** Of both. */
  readonly bound?: Record<string, unknown>;
}

/** A ciphertext as `sealSecret` makes it, but for the changes; a member that is undefined is left out. */
async function craft({ header, content, bound }: Changes): Promise<string> {
  const { keys, nonce } = await world.offer(admin);
  const agreed = { tenantId: 'acme', credentialId: id, nonce: nonce.value, ...bound };
  const { alg, enc, ...rest } = { alg: 'ECDH-ES+A256KW', enc: 'A256GCM', kid: keys[0]?.kid, cty: 'json', ...agreed, ...header };
  const plaintext = Buffer.from(JSON.stringify({ ...agreed, secret: { apiKey: canary }, ...content }));
  const key = await importJWK({ ...keys[0], alg: undefined }, 'ECDH-ES+A256KW');
  return new CompactEncrypt(plaintext).setProtectedHeader({ alg, enc, ...rest }).encrypt(key);
}

async function altered(part: number): Promise<string> {
  const parts = (await world.seal(admin, id, canary)).split('.');
  const bytes = Buffer.from(parts[part] ?? '', 'base64url');
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  parts[part] = bytes.toString('base64url');
  return parts.join('.');
}

async function reheaded(more: object): Promise<string> {
  const [header = '', ...rest] = (await world.seal(admin, id, canary)).split('.');
  const changed = { ...JSON.parse(Buffer.from(header, 'base64url').toString()), ...more };
  return [Buffer.from(JSON.stringify(changed)).toString('base64url'), ...rest].join('.');
}

async function sealedWithAnothersKey(): Promise<string> {
  const [theirs, own] = [await world.offer('admin-at-acme-2'), await world.offer(admin)];
  const publicKey = { ...theirs.keys[0], kid: own.keys[0]?.kid ?? '' };
  return sealSecret({ publicKey, tenantId: 'acme', credentialId: id, nonce: own.nonce.value, secret: { apiKey: canary } });
}

describe('B4 a ciphertext', () => {
  it('that nothing was changed about opens', async () => {
    expect(await world.post(admin, id, { jwe: await craft({}) })).toMatchObject({ statusCode: 200 });
  });

  it.each<[string, () => Promise<string> | string]>([
    ['that is none', () => 'x'],
    ['whose header was altered', () => altered(0)],
    ['whose wrapped key was altered', () => altered(1)],
    ['whose IV was altered', () => altered(2)],
    ['whose content was altered', () => altered(3)],
    ['whose tag was altered', () => altered(4)],
    ["sealed with another tenant's key", sealedWithAnothersKey],
    ['that names no key', () => craft({ header: { kid: undefined } })],
    ['that names a path for a key', () => craft({ header: { kid: '2026-11.#../TENANT' } })],
    ['for another tenant', () => craft({ bound: { tenantId: 'acme-2' } })],
    ['for another credential', () => craft({ bound: { credentialId: 'other' } })],
    ['whose header and content name different tenants', () => craft({ content: { tenantId: 'acme-2' } })],
    ['whose header and content name different credentials', () => craft({ content: { credentialId: 'other' } })],
    ['whose header and content name different nonces', () => craft({ content: { nonce: 'x'.repeat(32) } })],
    ['whose header alone names another tenant', () => craft({ header: { tenantId: 'acme-2' } })],
    ['whose header alone names another credential', () => craft({ header: { credentialId: 'other' } })],
    ['by direct key agreement', () => craft({ header: { alg: 'ECDH-ES' } })],
    ['by a smaller key wrap', () => craft({ header: { alg: 'ECDH-ES+A128KW' } })],
    ['by another cipher', () => craft({ header: { enc: 'A256CBC-HS512' } })],
    ['of another content type', () => craft({ header: { cty: 'text' } })],
    ['with a further header member', () => craft({ header: { jku: 'https://evil.example.com' } })],
    ['that asks to be inflated', () => reheaded({ zip: 'DEF' })],
    ['that asks for something critical', () => reheaded({ crit: ['exp'], exp: 1 })],
    ['whose header claims another algorithm', () => reheaded({ alg: 'dir' })],
    ['that brings an ephemeral key of another curve', () => reheaded({ epk: { kty: 'EC', crv: 'P-384', x: 'AA', y: 'AA' } })],
    ['that brings an ephemeral key off the curve', () => reheaded({ epk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } })],
    ['that holds no secret', () => craft({ content: { secret: undefined } })],
    ['that holds more than a secret', () => craft({ content: { more: 1 } })],
    ['that holds more than a key', () => craft({ content: { secret: { apiKey: canary, host: 'evil.example.com' } } })],
    ['that holds an empty key', () => craft({ content: { secret: { apiKey: '' } } })],
    ['that holds a key which would be two headers', () => craft({ content: { secret: { apiKey: `${canary}\r\nx-evil: 1` } } })],
  ])('%s is not accepted', async (_what, made) => {
    const answer = await world.post(admin, id, { jwe: await made() });
    expect([answer.statusCode, codeOf(answer)]).toEqual([400, 'SUPPLY_REFUSED']);
    nothingHappened(answer);
  });

  it.each<[string, () => Promise<string>]>([
    ['a nonce that was never given out', () => craft({ bound: { nonce: 'A'.repeat(32) } })],
    ['a nonce that is a path', () => craft({ bound: { nonce: '../TENANT' } })],
    ['a key that the nonce was not given out with', () => craft({ header: { kid: `2026-10.${'x'.repeat(43)}` } })],
  ])('under %s is not accepted', async (_what, made) => {
    const answer = await world.post(admin, id, { jwe: await made() });
    expect([answer.statusCode, codeOf(answer)]).toEqual([409, 'SUPPLY_NONCE_REFUSED']);
    nothingHappened(answer);
  });
});

it('B4 a ciphertext under a nonce of a key that the tenant does not have is not opened', async () => {
  const [sealed, kid] = [await craft({ header: { kid: `2026-11.${'x'.repeat(43)}` } }), `2026-11.${'x'.repeat(43)}`];
  for (const nonce of [...world.door.nonces.values()]) await world.door.addNonce({ ...nonce, kid });
  const answer = await world.post(admin, id, { jwe: sealed });
  expect([answer.statusCode, codeOf(answer)]).toEqual([400, 'SUPPLY_REFUSED']);
  expect(answer.body).toContain('for another key');
  nothingHappened(answer);
});

describe('B4 I6 plaintext is refused without being repeated', () => {
  it.each<[string, string | object]>([
    ['as JSON', { secret: { apiKey: canary } }],
    ['beside a ciphertext', { jwe: 'a.b.c.d.e', apiKey: canary }],
    ['as the name of a member', { [canary]: 1 }],
    ['in place of the ciphertext', { jwe: canary }],
    ['as it is', canary],
    ['as a JSON text', JSON.stringify(canary)],
    ['in a form', `apiKey=${canary}`],
    ['which is empty', ''],
  ])('%s', async (_what, body) => {
    const answer = await world.post(admin, id, body);
    expect(answer.statusCode).toBe(400);
    nothingHappened(answer);
  });

  it('also beside a ciphertext that is good by itself', async () => {
    const answer = await world.post(admin, id, { jwe: await world.seal(admin, id, canary), apiKey: canary });
    expect([answer.statusCode, codeOf(answer)]).toEqual([400, 'CALL_INVALID']);
    nothingHappened(answer);
  });

  it('also when it is far too long', async () => {
    const answer = await world.post(admin, id, canary.repeat(2000));
    expect(answer.statusCode).toBe(413);
    nothingHappened(answer);
  });
});
