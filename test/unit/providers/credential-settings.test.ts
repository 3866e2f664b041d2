import { describe, expect, it } from 'vitest';
import { egressAdapters } from '../../../functions/providers/egress-adapters.ts';
import { credentialSpec, storedCredential } from '../../../functions/tenants/credential-spec.ts';

const spec = { credentialId: 'main', provider: 'self-hosted', source: 'customer-supplied', environment: 'production' };

describe('G7 settings of a credential', () => {
  it.each([
    { resource: 'acme-prod' },
    { region: 'eu-central-1' },
    { region: 'us-gov-west-1' },
    { project: 'acme-123456', location: 'europe-west4' },
    { location: 'global' },
    { host: 'llm.acme.com', port: 8443 },
    { kmsKeyArn: 'arn:aws:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab' },
    { kmsKeyArn: 'arn:aws:kms:us-east-1:444455556666:key/mrk-1234abcd12ab34cd56ef1234567890ab' },
    { audience: 'https://api.openai.com/v1', identityProviderId: 'idp_1', serviceAccountId: 'svc_1' },
    {},
  ])('may be %j', (settings) => expect(credentialSpec.safeParse({ ...spec, settings }).success).toBe(true));

  it.each([
    { host: '10.0.0.1' },
    { host: '2130706433' },
    { host: '[::1]' },
    { host: 'localhost' },
    { host: 'db.internal' },
    { host: 'llm.acme.com.' },
    { host: 'llm.acme.com/x' },
    { host: 'LLM.acme.com' },
    { port: 0 },
    { port: 70_000 },
    { resource: 'a.b' },
    { region: 'us-east-1.evil.example' },
    { project: '../x' },
    { location: 'evil.example/' },
    { serviceAccountId: 'a b' },
    { apiKey: 'sk-1' },
    { kmsKeyArn: 'alias/acme' },
    { kmsKeyArn: 'arn:aws:kms:us-east-1:444455556666:alias/acme' },
    { kmsKeyArn: 'arn:aws:kms:us-east-1:444455556666:key/*' },
    { kmsKeyArn: 'arn:aws:s3:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab' },
    { regions: ['us-east-1'] },
    { services: ['s3'] },
    'x',
  ])('may not be %j', (settings) => expect(credentialSpec.safeParse({ ...spec, settings }).success).toBe(false));

  it('that are written down are what the adapters take', () => {
    const settings = { resource: 'acme', region: 'eu-west-1', project: 'acme-123456', location: 'global', host: 'llm.acme.com' };
    const accepted = storedCredential.parse({ ...spec, settings: { ...settings, regions: ['eu-west-1'], services: ['s3'] } });
    for (const adapter of Object.values(egressAdapters)) expect(adapter.hosts(accepted.settings ?? {})).toHaveLength(1);
  });
});

describe('B1 B4 what an event may ask for', () => {
  const kmsKeyArn = 'arn:aws:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab';
  const connected = { ...spec, provider: 'aws', source: 'customer-role', connectionId: '444455556666', settings: { services: ['s3'] } };

  it.each([
    ['a database with a supplied connection string', { provider: 'postgres' }, true],
    ['a database whose secret Cordon would make', { provider: 'postgres', source: 'platform-issued' }, false],
    ['a database without a secret', { provider: 'postgres', source: 'federated' }, false],
    ["a customer's key for a secret that Cordon makes", { provider: 'openai', source: 'platform-issued', settings: { kmsKeyArn } }, false],
    ["a customer's role", { provider: 'bedrock', source: 'customer-role' }, false],
    ['a connection', { connectionId: '444455556666' }, false],
    ['an AWS account', { provider: 'aws' }, false],
  ])('%s', (_what, over, may) => expect(credentialSpec.safeParse({ ...spec, ...over }).success).toBe(may));

  it('is less than what is kept: a role that a customer connected is written down by Cordon alone', () => {
    expect(storedCredential.safeParse(connected).success).toBe(true);
    expect(storedCredential.safeParse({ ...connected, connectionId: '4444-5555' }).success).toBe(false);
    expect(storedCredential.safeParse({ ...connected, settings: { services: ['iam'] } }).success).toBe(false);
    expect(credentialSpec.safeParse(connected).success).toBe(false);
  });
});
