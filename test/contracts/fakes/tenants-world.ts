import type { VaultOwner } from '../../../functions/credentials/vault.ts';
import { createIds } from '../../../functions/shared/clock.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import type { Log, LogFields } from '../../../functions/shared/log.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { type ApplyDeps, applyTenantEvent } from '../../../functions/tenants/apply-tenant-event.ts';
import type { OutboundDetailType } from '../../../functions/tenants/events.ts';
import { outboundEvents } from '../../../functions/tenants/events.ts';
import { createFaults, type Faults } from './faults.ts';
import { createMemoryAttributionStore } from './memory-attribution-store.ts';
import { createMemoryDedicatedTier } from './memory-dedicated-tier.ts';
import { createMemoryProvider } from './memory-provider.ts';
import { createMemoryRegistry } from './memory-registry.ts';
import { createMemoryVault } from './memory-vault.ts';

export const accountId = '111122223333';
export const poolKeyArn = `arn:aws:kms:us-east-1:${accountId}:key/pool`;
const maxReceiveCount = 5;
const runMs = 60_000;

export interface Announced {
  readonly type: OutboundDetailType;
  readonly detail: Record<string, unknown>;
}

/** Everything the tenants function works with, in memory, with faults. */
export function createTenantsWorld() {
  let now = Date.parse('2026-11-21T12:00:00Z');
  const clock = (): number => now;
  const nextId = createIds(clock);
  const faults: Faults = createFaults();
  const registry = createMemoryRegistry({ clock, nextId });
  const attribution = createMemoryAttributionStore();
  const vault = createMemoryVault();
  const provider = createMemoryProvider();
  const dedicated = createMemoryDedicatedTier();
  const announced: Announced[] = [];
  const deadLetters: { body: string; code: string; message: string }[] = [];
  const delays: number[] = [];
  const lines: string[] = [];
  const vaultOwners: VaultOwner[] = [];

  const log = (always: LogFields): Log => ({
    info: (message, fields) => void lines.push(JSON.stringify({ message, ...always, ...fields })),
    warn: (message, fields) => void lines.push(JSON.stringify({ message, ...always, ...fields })),
    error: (message, error, fields) => void lines.push(JSON.stringify({ message, ...always, ...fields, error: String(error) })),
    with: (fields) => log({ ...always, ...fields }),
  });

  const ports = {
    registry: faults.through('registry', registry),
    attribution: faults.through('attribution', attribution),
    vault: faults.through('vault', vault),
    dedicated: faults.through('dedicated', dedicated),
    provider: faults.through('provider', provider),
    announcer: faults.through<ApplyDeps['announcer']>('announcer', {
      async announce(type, detail) {
        // As on the real bus, what is published must be what its schema says.
        outboundEvents[type].parse(JSON.parse(JSON.stringify(detail)));
        announced.push({ type, detail: structuredClone<Record<string, unknown>>({ ...detail }) });
      },
    }),
    inbox: faults.through<ApplyDeps['inbox']>('inbox', {
      async delay(_receiptHandle, seconds) {
        delays.push(seconds);
      },
      async putAside(body, reason) {
        deadLetters.push({ body, ...reason });
      },
    }),
  };

  const deps: ApplyDeps = {
    clock,
    nextId,
    random: () => 0.5,
    log: log({}),
    accountId,
    maxReceiveCount,
    poolKeyArn,
    honeyKey: async () => new SecretText('k'.repeat(64)),
    providers: { openai: ports.provider },
    announcer: ports.announcer,
    inbox: ports.inbox,
    openStores: async () => ({ registry: ports.registry, attribution: ports.attribution }),
    openVault: async (owner) => {
      vaultOwners.push(owner);
      return ports.vault;
    },
    openDedicatedTier: async () => ports.dedicated,
  };

  /** One delivery. False: it is to be delivered again. A crash looks like that from outside too. */
  async function deliver(body: string, receiveCount = 1): Promise<boolean> {
    try {
      await applyTenantEvent(deps, { body, receiptHandle: 'r', receiveCount }, now + runMs);
      return true;
    } catch (error) {
      if (error instanceof CordonError && !error.retryable) throw error;
      return false;
    }
  }

  /** Delivers until the message is dealt with, as the queue does. Answers the number of deliveries. */
  async function deliverUntilDone(body: string, options: { from?: number; most?: number } = {}): Promise<number> {
    const { from = 1, most = maxReceiveCount + 1 } = options;
    for (let count = from; count <= most; count += 1) {
      if (await deliver(body, count)) return count;
      faults.restart();
      now += 6 * runMs;
    }
    throw new Error(`not dealt with after ${most} deliveries`);
  }

  return {
    deps,
    faults,
    /** The stores behind the faults, for looking at what came of it. */
    registry,
    attribution,
    vault,
    provider,
    dedicated,
    announced,
    deadLetters,
    delays,
    lines,
    vaultOwners,
    maxReceiveCount,
    deliver,
    deliverUntilDone,
    advance(ms: number) {
      now += ms;
    },
    ofType: (type: OutboundDetailType) => announced.filter((event) => event.type === type).map((event) => event.detail),
  };
}
export type TenantsWorld = ReturnType<typeof createTenantsWorld>;
