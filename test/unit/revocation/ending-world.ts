import { advanceEnding, type EndingDeps } from '../../../functions/revocation/advance-ending.ts';
import { attestedEnding, endedCredential } from '../../../functions/revocation/ending-changes.ts';
import { type OutboundDetailType, outboundEvents } from '../../../functions/revocation/events.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import type { CredentialItem } from '../../../functions/tenants/registry.ts';
import { Crash } from '../../contracts/fakes/faults.ts';
import { acme, createRotationWorld, main, minute, second } from '../rotation/rotation-world.ts';

export const by = {
  revocationId: '01K9Z8V0000000000000000009',
  requestedBy: 'ann@acme.example',
  reason: 'the laptop was stolen',
  incidentId: 'INC-7',
};

/** The rotation worker's world, with what ends credentials beside it: both work on the same items, keys and secrets. */
export function createEndingWorld() {
  const world = createRotationWorld();
  const { through, vault } = world;
  // As IAM answers where it compares a secret's tag.
  vault.refuseMissing(true);
  const told: { type: OutboundDetailType; detail: Record<string, unknown> }[] = [];
  const refusals: CordonError[] = [];
  const revocation = through('vault', vault.revocation);
  const opening = through('sessions', { vault: async () => undefined });
  const deps: EndingDeps = {
    clock: world.clock,
    nextId: world.deps.nextId,
    log: world.deps.log,
    providers: world.deps.providers,
    tryCustomerKey: world.deps.tryCustomerKey,
    pause: world.deps.pause,
    announcer: through<EndingDeps['announcer']>('announcer', {
      async announce(type, detail) {
        // As on the real bus, what is published must be what its schema says.
        outboundEvents[type].parse(JSON.parse(JSON.stringify(detail)));
        told.push({ type, detail: structuredClone<Record<string, unknown>>({ ...detail }) });
      },
    }),
    async openVault() {
      await opening.vault();
      return revocation;
    },
  };

  /** One run, as the revocation's worker makes it. False: the process died. */
  async function advance(item: CredentialItem, runMs = world.runMs): Promise<boolean> {
    const tenant = await world.registry.tenant(acme);
    if (!tenant) throw new Error('there is no tenant');
    try {
      const stores = { registry: through('registry', world.registry), attribution: through('attribution', world.attribution) };
      await advanceEnding(deps, { stores, tenant, item, deadline: world.clock() + runMs });
      return true;
    } catch (error) {
      if (error instanceof Crash) return false;
      if (!(error instanceof CordonError)) throw error;
      refusals.push(error);
      return true;
    }
  }

  async function run(): Promise<void> {
    const item = await world.item();
    if (item.ending && item.ending.phase !== 'ended' && item.ending.nextAt <= world.clock()) await advance(item);
    world.faults.restart();
  }

  return {
    ...world,
    endingDeps: deps,
    told,
    get interrupted(): boolean {
      return world.interrupted;
    },
    /** What runs threw, for an operator. */
    refusals,
    advanceItem: advance,
    run,
    toldOf: (type: OutboundDetailType) => told.filter((event) => event.type === type).map((event) => event.detail),
    /** Writes that the credential is revoked, whatever else is being written. */
    async revoke(): Promise<CredentialItem> {
      const item = await world.item();
      return world.registry.changeCredential(item, endedCredential(item, by, world.clock()));
    },
    async attest(): Promise<boolean> {
      const item = await world.item();
      const change = attestedEnding(item, { attestedBy: 'bob', reason: 'deleted in the console', now: world.clock() });
      if (change) await world.registry.changeCredential(item, change);
      return change !== undefined;
    },
    /** Lets time pass; whatever becomes due in it is done, rotations too. */
    async settle(minutes: number): Promise<void> {
      const until = world.clock() + minutes * minute;
      await run();
      for (;;) {
        const { ending } = await world.item();
        const at = Math.max(ending?.nextAt ?? until, world.clock() + second);
        if (ending === undefined || ending.phase === 'ended' || at > until) break;
        world.advance(at - world.clock());
        await world.sweep();
        await run();
      }
      world.advance(until - world.clock());
      await world.sweep();
    },
    async ending() {
      const { ending } = await world.item(main);
      if (!ending) throw new Error('it is not being ended');
      return ending;
    },
  };
}
export type EndingWorld = ReturnType<typeof createEndingWorld>;
