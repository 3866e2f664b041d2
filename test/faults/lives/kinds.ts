/** The lives that are lived: each from the first event to the last, and short, so that every call of it can go wrong once. Together they have everything in them. */
import * as act from './acts.ts';
import type { LivingCredential, LivingTenant } from './cast.ts';
import { type Life, rest } from './course.ts';

export interface Kind {
  readonly name: string;
  live(life: Life, name: string): Promise<void>;
}

type Given = Pick<LivingCredential, 'credentialId' | 'provider'> & Partial<LivingCredential>;

export const credential = (given: Given): LivingCredential => ({
  ...{ source: 'platform-issued', environment: given.credentialId, ownKeys: [], isRevoked: false },
  ...given,
});

export const tenant = (tenantId: string, tier: LivingTenant['tier'], credentials: LivingCredential[]): LivingTenant => ({
  ...{ tenantId, tier, credentials, accounts: [], refused: new Set<string>(), status: 'active' },
});

/** Beside each life there is another: nothing that goes wrong in the one is felt in it. */
async function neighbour(life: Life, name: string): Promise<LivingTenant> {
  const beside = tenant(`${name}-b`, 'pool', [credential({ credentialId: 'main', provider: 'openai' })]);
  await act.onboard(life, beside);
  return beside;
}

/** Keys that Cordon makes: used, replaced, revoked one by one and all together. */
const issued: Kind = {
  name: 'issued',
  async live(life, name) {
    const main = credential({ credentialId: 'main', provider: 'openai' });
    const other = credential({ credentialId: 'other', provider: 'openai' });
    const a = tenant(`${name}-a`, 'pool', [main, other]);
    await act.onboard(life, a);
    const b = await neighbour(life, name);
    await act.use(life, a, main);
    await act.rotate(life, a, main);
    await act.use(life, a, main);
    await act.revokeVersion(life, a, main);
    await act.use(life, a, main);
    await act.revokeCredential(life, a, other);
    await act.use(life, a, other);
    await act.use(life, b, b.credentials[0] ?? main);
    await act.offboard(life, a);
    await act.use(life, a, main);
    await act.use(life, b, b.credentials[0] ?? main);
  },
};

/** A key that the customer makes, hands over and replaces. */
const handedOver: Kind = {
  name: 'handed over',
  async live(life, name) {
    const own = credential({ credentialId: 'own', provider: 'anthropic', source: 'customer-supplied' });
    const a = tenant(`${name}-a`, 'pool', [own]);
    await act.onboard(life, a);
    await act.supply(life, a, own);
    await act.use(life, a, own);
    await act.supply(life, a, own);
    await act.use(life, a, own);
    await act.revokeCredential(life, a, own);
    await act.use(life, a, own);
    await act.offboard(life, a);
  },
};

/** An account that the customer connects. */
const connected: Kind = {
  name: 'connected',
  async live(life, name) {
    const a = tenant(`${name}-a`, 'pool', []);
    await act.onboard(life, a);
    const { accountId } = life.world.test.cloud.addAccount();
    await act.connect(life, a, accountId);
    await act.useAccount(life, a);
    await act.offboard(life, a);
    await act.useAccount(life, a);
  },
};

/** A tenant with roles and a key of its own. */
const dedicated: Kind = {
  name: 'dedicated',
  async live(life, name) {
    const main = credential({ credentialId: 'main', provider: 'openai' });
    const a = tenant(`${name}-a`, 'dedicated', [main]);
    await act.onboard(life, a);
    await act.use(life, a, main);
    await act.rotate(life, a, main, true);
    await act.use(life, a, main);
    await act.offboard(life, a);
    await act.use(life, a, main);
  },
};

/** People, agents and sessions: who is refused, and for how long. */
const people: Kind = {
  name: 'people',
  async live(life, name) {
    const main = credential({ credentialId: 'main', provider: 'openai' });
    const anas = credential({ credentialId: 'anas', provider: 'openai', subject: 'ana' });
    const a = tenant(`${name}-a`, 'pool', [main]);
    await act.onboard(life, a);
    await act.onboardUser(life, a, 'ana', [anas]);
    await act.use(life, a, anas);
    await act.use(life, a, main, { agentId: 'agent-1', sessionId: 'session-1' });
    await act.revokeAgent(life, a, 'agent-1');
    await act.use(life, a, main, { agentId: 'agent-1' });
    await act.revokeSession(life, a, 'session-1');
    await act.use(life, a, main, { sessionId: 'session-1' });
    await act.suspend(life, a);
    await act.use(life, a, main);
    await act.reinstate(life, a);
    await act.use(life, a, main);
    await act.offboardUser(life, a, 'ana');
    await act.use(life, a, anas);
    await act.offboard(life, a);
    await act.use(life, a, main);
    await rest(life);
  },
};

/** A resource of which two keys are all there are. */
const inTwoSlots: Kind = {
  name: 'in two slots',
  async live(life, name) {
    const main = credential({ credentialId: 'main', provider: 'azure-openai' });
    const a = tenant(`${name}-a`, 'pool', [main]);
    await act.onboard(life, a);
    await act.use(life, a, main);
    await act.rotate(life, a, main);
    await act.use(life, a, main);
    await act.offboard(life, a);
    await act.use(life, a, main);
  },
};

export const kinds: readonly Kind[] = [issued, handedOver, connected, dedicated, people, inTwoSlots];
