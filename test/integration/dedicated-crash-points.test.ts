import { describe, expect, it } from 'vitest';
import { testCloud } from '../support/cloud.ts';
import { itEndsTheSame, recordFlow } from '../support/interrupted-flows.ts';
import { onboarded, onboarding } from '../support/onboarding-flow.ts';

const test = await testCloud();
const recorded = await recordFlow(test, onboarding('dedicated'), true);

describe('I1 I4 idempotent provisioning: TenantOnboarded of tier dedicated', async () => {
  it('makes one key, vaults that very key and says so', () => {
    expect(recorded.points.length).toBeGreaterThan(30);
    expect(recorded.clean).toMatchObject(onboarded);
    expect(recorded.clean.dedicated).toMatchObject({ keys: 1, keyState: 'Enabled', aliasNamesTheKey: true, registryNamesTheKey: true });
  });

  await itEndsTheSame(test, recorded);
});
