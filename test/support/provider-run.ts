/** Onboardings as the OpenAI simulator sees them: for faults at its requests. */
import type { TestCloud } from './cloud.ts';
import { type FaultPoint, providerPoints } from './fault-points.ts';
import { settle } from './settle.ts';

export const openAiMain = { credentialId: 'openai-main', provider: 'openai', source: 'platform-issued', environment: 'production' };

/** `TenantOnboarded` of a pool tenant with one credential that Cordon makes. */
export function tenantOnboarded(tenantId: string, changes: object = {}): { detailType: string; detail: object } {
  const detail = {
    version: 1,
    tenantId,
    displayName: 'Fault Test',
    tier: 'pool',
    requestedBy: 'test',
    credentials: [openAiMain],
    ...changes,
  };
  return { detailType: 'TenantOnboarded', detail };
}

/** Onboards a new tenant to the end, whatever the faults, and answers it with what was asked of the provider meanwhile. */
export async function onboardToTheEnd(test: TestCloud): Promise<{ tenantId: string; asked: FaultPoint[] }> {
  const tenantId = test.freshTenantId();
  const before = test.cloud.openai.requests().length;
  await test.putEvents(tenantOnboarded(tenantId));
  await settle(test.cloud);
  return { tenantId, asked: askedSince(test, before) };
}

/** The requests recorded after the first `before`. */
export function askedSince({ cloud }: TestCloud, before: number): FaultPoint[] {
  return providerPoints({ name: 'openai', basePath: cloud.openai.basePath }, cloud.openai.requests().slice(before));
}
