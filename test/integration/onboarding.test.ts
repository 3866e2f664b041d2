import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TestCloud, testCloud } from '../support/cloud.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});

const read = (tenantId: string, credentialId = 'openai-main') =>
  new GetSecretValueCommand({ SecretId: `cordon/${tenantId}/${credentialId}` });

describe('I1 per-tenant vault, U1 keys provisioned centrally', () => {
  it('makes a key at the provider and vaults it under the path and tags of its tenant', async () => {
    const { tenantId, outcome } = await test.onboard();
    expect(outcome).toMatchObject({
      detailType: 'TenantProvisioned',
      detail: { tenantId, tier: 'pool', credentials: [{ credentialId: 'openai-main', status: 'active' }] },
    });
    const secrets = await test.secretsOf(tenantId);
    expect(secrets).toEqual([expect.objectContaining({ name: `cordon/${tenantId}/openai-main` })]);
    expect(secrets[0]?.tags).toMatchObject({
      TenantId: tenantId,
      Provider: 'openai',
      Tier: 'pool',
      Environment: 'production',
      CredentialId: 'openai-main',
    });
  });

  it('vaults the very key that the provider made, and it works there', async () => {
    const { tenantId } = await test.onboard();
    const { secretsmanager } = test.clients(await test.tenantSession(tenantId));
    const { SecretString = '' } = await secretsmanager.send(read(tenantId));
    const planted = test.cloud.openai.plantedSecrets().filter((secret) => SecretString.includes(secret));
    expect(planted).toHaveLength(1);
    const answer = await fetch(`${test.cloud.world.openAiBaseUrl}/models`, { headers: { authorization: `Bearer ${planted[0]}` } });
    expect(answer.status).toBe(200);
  });
});

describe('I3 IAM refuses the neighbour', () => {
  it.each(['pool', 'dedicated'])('lets a %s tenant read its own secret and refuses a neighbour whose name begins alike', async (tier) => {
    const tenantId = test.freshTenantId();
    await test.onboard({ tenantId, tier });
    await test.onboard({ tenantId: `${tenantId}-2`, tier });
    const session = await test.tenantSession(tenantId);
    const own = await test.attempt(session, ({ secretsmanager }) => secretsmanager.send(read(tenantId)));
    expect(own.outcome).toBe('allowed');
    const other = await test.attempt(session, ({ secretsmanager }) => secretsmanager.send(read(`${tenantId}-2`)));
    expect(other.outcome).toBe('denied');
    expect(other.statements).toContainEqual(expect.stringMatching(/DenySecretsOfOtherPaths/));
  });
});

describe('I10 constant roles', () => {
  it('adds no IAM role for a pool tenant', async () => {
    const roles = (): number => test.cloud.kernel.identities.account(test.cloud.accountId)?.roles.size ?? 0;
    const before = roles();
    await test.onboard();
    expect(before).toBeGreaterThan(0);
    expect(roles()).toBe(before);
  });
});

describe('events that cannot be believed', () => {
  it('puts an event with a bad tenant ID into the dead-letter queue with the reason, and makes nothing', async () => {
    const marker = test.freshTenantId('marker');
    const keysBefore = test.cloud.openai.keys().length;
    const detail = { version: 1, tenantId: '../escape', displayName: marker, tier: 'pool', requestedBy: 'test', credentials: [] };
    await test.putEvents({ detailType: 'TenantOnboarded', detail });
    const letter = await test.deadLetter(marker);
    expect(JSON.stringify(letter)).toContain('EVENT_INVALID');
    expect(test.cloud.openai.keys()).toHaveLength(keysBefore);
  });
});
