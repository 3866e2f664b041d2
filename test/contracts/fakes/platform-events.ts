import { randomUUID } from 'node:crypto';
import { accountId } from './tenants-world.ts';

export const openAiMain = { credentialId: 'openai-main', provider: 'openai', source: 'platform-issued', environment: 'production' };
export const anthropicOwn = {
  credentialId: 'anthropic-own',
  provider: 'anthropic',
  source: 'customer-supplied',
  environment: 'production',
};

export const tenantDetail = {
  version: 1,
  tenantId: 'acme',
  displayName: 'Acme Ltd',
  tier: 'pool',
  requestedBy: 'operator@example.com',
  credentials: [openAiMain],
};

/** A message as EventBridge puts it on the queue. `over` replaces members of the envelope. */
export function platformEvent(detailType: string, detail: unknown, over: Record<string, unknown> = {}): string {
  return JSON.stringify({
    version: '0',
    id: randomUUID(),
    'detail-type': detailType,
    source: 'cordon.platform',
    account: accountId,
    time: '2026-11-21T12:00:00Z',
    region: 'us-east-1',
    resources: [],
    detail,
    ...over,
  });
}

export function tenantOnboarded(over: Record<string, unknown> = {}): string {
  return platformEvent('TenantOnboarded', { ...tenantDetail, ...over });
}
