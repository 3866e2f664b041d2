import { describe, expect, it } from 'vitest';
import type { ListedConnection } from '../../../functions/connections/connections-answer.ts';
import { ApiError } from '../../../functions/connections/page/api.ts';
import { keyProblem, supplyKey } from '../../../functions/connections/page/supply-key.ts';
import { againLabel, connectionWords, createdLines, credentialWords } from '../../../functions/connections/page/words.ts';

const statuses: readonly ListedConnection['status'][] = ['pending', 'active', 'rejected', 'suspended', 'expired', 'disconnected'];
const of = (status: ListedConnection['status'], change: Partial<ListedConnection> = {}) => ({
  status,
  roleName: 'cordon.acme.abcdefgh',
  requestedUntil: '2026-11-22T12:00:00.000Z',
  ...change,
});

describe('a connection in plain words', () => {
  it('has a state of its own for each status, and a next step wherever it does not work', () => {
    expect(new Set(statuses.map((status) => connectionWords(of(status), undefined).state)).size).toBe(statuses.length);
    for (const status of statuses.filter((one) => one !== 'active'))
      expect(connectionWords(of(status), undefined).lines, status).not.toEqual([]);
  });

  it('says the reason and what to do about it first', () => {
    const reason = { code: 'ROLE_GONE', message: 'The role is gone.', nextStep: 'Create the stack again.' };
    expect(connectionWords(of('suspended', { reason }), undefined).lines.slice(0, 2)).toEqual([
      'The role is gone.',
      'Create the stack again.',
    ]);
  });

  it('names the link only to whoever sees it', () => {
    const link = 'https://us-east-1.console.aws.amazon.com/cloudformation/home';
    expect(connectionWords(of('pending', { quickCreateUrl: link }), undefined).lines[0]).toContain('open the link');
    expect(connectionWords(of('pending'), undefined).lines[0]).toContain('An administrator');
  });

  it('may be asked for again unless it is waited for or works', () => {
    expect(statuses.filter((status) => againLabel(status) !== undefined)).toEqual(['rejected', 'suspended', 'expired', 'disconnected']);
  });
});

it('a credential behind a role is in use only while its account is connected', () => {
  const credential = { source: 'customer-role', status: 'recorded' };
  expect(credentialWords(credential, 'active').tone).toBe('good');
  for (const status of [undefined, ...statuses.filter((one) => one !== 'active')])
    expect(credentialWords(credential, status).tone, status).not.toBe('good');
});

it('what will be created names the services and regions that were chosen, and no others', () => {
  const text = createdLines(['s3'], ['us-east-1', 'eu-west-1']).join('\n');
  expect(text).toContain('Amazon S3: the role may read objects of buckets whose names begin with cordon- in us-east-1, eu-west-1.');
  expect(text).not.toContain('Bedrock');
});

describe('B4 a key that is handed over', () => {
  it.each([
    ['openai', 'short'],
    ['openai', `sk-${'x'.repeat(4100)}`],
    ['openai', 'sk-with a space'],
    ['postgres', 'postgres://reader:pässword@db/orders'],
  ])('is checked before it is sealed, and not repeated (%s %s)', (provider, text) => {
    const problem = keyProblem(provider, text);
    expect(problem).not.toBe('');
    expect(problem).not.toContain(text);
  });

  it('is not shown when it cannot be sealed', async () => {
    const api = {
      doorKey: async () => ({ keys: [{ kty: 'EC', kid: 'k', crv: 'P-256', x: 'no', y: 'point' }], nonce: { value: 'n' } }),
      supply: () => Promise.reject(new Error('it was sent')),
    };
    const key = { tenantId: 'acme', credentialId: 'main', provider: 'openai', text: 'sk-plaintext-0123' };
    const error = await supplyKey(api, key, async () => {}).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: 'NOT_SEALED' });
    expect(String(error)).not.toContain('plaintext');
  });
});
