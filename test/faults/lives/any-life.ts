/** Long lives of several tenants side by side, in which the seed decides what happens next. */
import { oneOf } from '../sample.ts';
import * as act from './acts.ts';
import type { LivingCredential, LivingTenant } from './cast.ts';
import type { Life } from './course.ts';
import { credential, type Kind, tenant } from './kinds.ts';

type Choose = () => number;
/** Something that may happen to a tenant at this moment; undefined when it may not. */
type Chance = (life: Life, tenant: LivingTenant, choose: Choose) => (() => Promise<void>) | undefined;

const owned = ({ credentials }: LivingTenant, wanted: (one: LivingCredential) => boolean): readonly LivingCredential[] =>
  credentials.filter((one) => !one.isRevoked && wanted(one));

/** What happens with one of the credentials of which this is true, if there is one. */
const withOne =
  (
    wanted: (one: LivingCredential) => boolean,
    happen: (life: Life, tenant: LivingTenant, one: LivingCredential) => Promise<void>,
  ): Chance =>
  (life, of, choose) => {
    const some = owned(of, wanted);
    return some.length === 0 || of.status !== 'active' ? undefined : () => happen(life, of, oneOf(some, choose));
  };

const isAny = (): boolean => true;
const isIssued = ({ source }: LivingCredential): boolean => source === 'platform-issued';
const isWaiting = ({ source, ownKeys }: LivingCredential): boolean => source === 'customer-supplied' && ownKeys.length === 0;
const isUsable = (one: LivingCredential): boolean => !isWaiting(one);
const whenActive =
  (happen: (life: Life, of: LivingTenant, choose: Choose) => Promise<void>): Chance =>
  (life, of, choose) =>
    of.status === 'active' ? () => happen(life, of, choose) : undefined;

/** What is there more than once happens more often. */
const chances: readonly Chance[] = [
  ...Array.from({ length: 4 }, () => withOne(isUsable, act.use)),
  // Also what is revoked and by whoever is refused: that they are refused is what is to be seen.
  ...Array.from(
    { length: 2 },
    (): Chance => (life, of, choose) => {
      const tried = of.credentials.filter(isUsable);
      const agentId = oneOf(['agent-1', 'agent-2'], choose);
      return tried.length === 0 ? undefined : () => act.use(life, of, oneOf(tried, choose), { agentId, sessionId: 'session-1' });
    },
  ),
  withOne(isWaiting, act.supply),
  withOne(isIssued, act.rotate),
  withOne(isIssued, (life, of, one) => act.rotate(life, of, one, true)),
  withOne(isIssued, act.revokeVersion),
  withOne(isAny, act.revokeCredential),
  whenActive((life, of, choose) => act.revokeAgent(life, of, oneOf(['agent-1', 'agent-2'], choose))),
  whenActive((life, of) => act.suspend(life, of)),
  (life, of) => (of.status === 'suspended' ? () => act.reinstate(life, of) : undefined),
  (life, of) => (of.status === 'suspended' ? () => act.reinstate(life, of) : undefined),
  whenActive(async (life, of) => {
    const subject = `user-${of.credentials.length}`;
    const own = credential({ credentialId: `own-${of.credentials.length}`, provider: 'openai', subject });
    await act.onboardUser(life, of, subject, [own]);
  }),
  (life, of) => {
    const subject = of.credentials.find((one) => one.subject !== undefined && !one.isRevoked)?.subject;
    return subject === undefined || of.status !== 'active' ? undefined : () => act.offboardUser(life, of, subject);
  },
  whenActive(async (life, of) => {
    if (of.accounts.some(({ isConnected }) => isConnected)) await act.useAccount(life, of);
    else if (of.accounts.length === 0) await act.connect(life, of, life.world.test.cloud.addAccount().accountId);
  }),
  (life, of) => {
    const account = of.accounts.find(({ isConnected }) => isConnected);
    return account === undefined || of.status !== 'active' ? undefined : () => act.disconnect(life, of, account.accountId);
  },
  (life, of) => (of.status === 'offboarded' ? undefined : () => act.offboard(life, of)),
];

/** @param length how many things happen */
export const anyLife = (tenants: number, length: number): Kind => ({
  name: 'any',
  async live(life, name) {
    const choose = life.world.chance.next;
    const all: LivingTenant[] = [];
    for (let n = 0; n < tenants; n += 1) {
      const credentials = [
        credential({ credentialId: 'main', provider: 'openai' }),
        ...(choose() < 0.5 ? [credential({ credentialId: 'own', provider: 'anthropic', source: 'customer-supplied' })] : []),
        ...(choose() < 0.3 ? [credential({ credentialId: 'slots', provider: 'azure-openai' })] : []),
      ];
      const one = tenant(`${name}-${n}`, choose() < 0.25 ? 'dedicated' : 'pool', credentials);
      all.push(one);
      await act.onboard(life, one);
    }
    for (let n = 0; n < length; ) {
      const happen = oneOf(chances, choose)(life, oneOf(all, choose), choose);
      if (happen === undefined) continue;
      await happen();
      n += 1;
    }
    for (const one of all) if (one.status === 'suspended') await act.reinstate(life, one);
    for (const one of all) {
      if (one.status === 'active') await act.offboard(life, one);
      for (const each of one.credentials.filter(isUsable)) await act.use(life, one, each);
    }
  },
});
