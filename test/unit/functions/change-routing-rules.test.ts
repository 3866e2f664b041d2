import { describe, expect, it } from 'vitest';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../../functions/shared/identifiers.ts';
import { anthropicOwn, openAiMain, platformEvent, tenantOnboarded } from '../../contracts/fakes/platform-events.ts';
import { createTenantsWorld, type TenantsWorld } from '../../contracts/fakes/tenants-world.ts';

const acme = tenantId.parse('acme');
const issuer = 'https://idp.example.com';
const ann = userIdOf(issuer, 'ann');
const base = { version: 1, tenantId: 'acme', requestedBy: 'operator' };
const userEvent = platformEvent('UserOnboarded', { ...base, issuer, subject: 'ann', displayName: 'Ann' });
const credentialEvent = (credential: object, over: object = {}): string =>
  platformEvent('CredentialRequested', { ...base, ...over, credential });
const rulesEvent = (use: string, over: Record<string, unknown> = {}, match: object = {}): string =>
  platformEvent(
    'RoutingRulesChanged',
    { ...base, rules: [{ match: { provider: 'openai', environment: 'production', ...match }, use }] },
    over,
  );
const annsKey = { credentialId: 'ann-openai', provider: 'openai', source: 'platform-issued', environment: 'production', userId: ann };

async function onboarded(over: Record<string, unknown> = {}): Promise<TenantsWorld> {
  const world = createTenantsWorld();
  await world.deliver(tenantOnboarded(over));
  return world;
}

describe('I6 changing routing rules', () => {
  it('replaces the rules and raises their version', async () => {
    const world = await onboarded();
    expect(await world.deliver(rulesEvent('openai-main'))).toBe(true);
    expect(await world.registry.tenant(acme)).toMatchObject({ rulesVersion: 1, rules: [{ use: 'openai-main' }], rulesAnnounced: true });
    expect(world.ofType('RoutingRulesApplied')).toMatchObject([{ tenantId: 'acme', rulesVersion: 1 }]);
  });

  it('never lets an older event overwrite a newer one, nor a repeated one what came after it in the same second', async () => {
    const world = await onboarded({ credentials: [openAiMain, { ...openAiMain, credentialId: 'second' }] });
    const at = (seconds: string, use: string): string => rulesEvent(use, { time: `2026-11-21T12:00:${seconds}Z` });
    const [first, second, newer] = [at('10', 'openai-main'), at('10', 'second'), at('11', 'openai-main')];
    for (const message of [first, second, first]) await world.deliver(message);
    expect(await world.registry.tenant(acme)).toMatchObject({ rulesVersion: 2, rules: [{ use: 'second' }] });
    await world.deliver(newer);
    await world.deliver(second);
    expect(await world.registry.tenant(acme)).toMatchObject({ rulesVersion: 3, rules: [{ use: 'openai-main' }] });
    expect(world.ofType('RoutingRulesApplied').map((detail) => detail['rulesVersion'])).toEqual([1, 2, 3]);
  });

  it('tells again what was applied and not told', async () => {
    const world = await onboarded();
    world.faults.set({ call: 'announcer.announce', nth: 1, mode: 'crash' });
    const message = rulesEvent('openai-main');
    expect(await world.deliverUntilDone(message)).toBe(2);
    expect(await world.registry.tenant(acme)).toMatchObject({ rulesVersion: 1, rulesAnnounced: true });
  });

  it('waits for a credential whose event is late', async () => {
    const world = await onboarded();
    const message = rulesEvent('late', {}, { provider: 'anthropic' });
    expect(await world.deliver(message)).toBe(false);
    await world.deliver(credentialEvent({ ...anthropicOwn, credentialId: 'late' }));
    expect(await world.deliver(message, 2)).toBe(true);
  });

  it.each([
    ["another environment's credential", { environment: 'staging' }],
    ["another provider's credential", { provider: 'anthropic' }],
  ])('refuses a rule that would fall back to %s', async (_what, match) => {
    const world = await onboarded();
    await world.deliver(rulesEvent('openai-main', {}, match));
    expect(world.deadLetters).toMatchObject([{ code: 'EVENT_INVALID' }]);
    expect(world.ofType('RoutingRulesFailed')).toHaveLength(1);
    expect((await world.registry.tenant(acme))?.rules).toEqual([]);
  });

  it("refuses a rule that would send the whole tenant to one user's credential", async () => {
    const world = await onboarded();
    await world.deliver(userEvent);
    await world.deliver(credentialEvent(annsKey));
    await world.deliver(rulesEvent('ann-openai'));
    expect(world.deadLetters).toMatchObject([{ code: 'EVENT_INVALID' }]);
  });
});
