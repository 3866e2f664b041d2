import { describe, expect, it } from 'vitest';
import { egressAdapters } from '../../../functions/providers/egress-adapters.ts';
import { credentialSpec } from '../../../functions/tenants/credential-spec.ts';

const spec = { credentialId: 'main', provider: 'self-hosted', source: 'customer-supplied', environment: 'production' };

describe('G7 settings of a credential', () => {
  it.each([
    { resource: 'acme-prod' },
    { region: 'eu-central-1' },
    { region: 'us-gov-west-1' },
    { project: 'acme-123456', location: 'europe-west4' },
    { location: 'global' },
    { host: 'llm.acme.com', port: 8443 },
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
    'x',
  ])('may not be %j', (settings) => expect(credentialSpec.safeParse({ ...spec, settings }).success).toBe(false));

  it('that the events let through are what the adapters take', () => {
    const accepted = credentialSpec.parse({
      ...spec,
      settings: { resource: 'acme', region: 'eu-west-1', project: 'acme-123456', location: 'global', host: 'llm.acme.com' },
    });
    for (const adapter of Object.values(egressAdapters)) expect(adapter.hosts(accepted.settings ?? {})).toHaveLength(1);
  });
});
