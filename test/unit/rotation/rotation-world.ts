import { keyName } from '../../../functions/providers/provider.ts';
import { type ApplyDeps, applyRotationMessage } from '../../../functions/rotation/apply-rotation-message.ts';
import { type OutboundDetailType, outboundEvents } from '../../../functions/rotation/events.ts';
import { createIds } from '../../../functions/shared/clock.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { credentialId, tenantId } from '../../../functions/shared/identifier-fields.ts';
import type { Log, LogFields } from '../../../functions/shared/log.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { dueMessage } from '../../../functions/sweep/due-message.ts';
import { versionIdOf } from '../../../functions/tenants/provision-credential.ts';
import type { CredentialItem, NewCredential } from '../../../functions/tenants/registry.ts';
import { afterSupply, scheduledDue } from '../../../functions/tenants/rotation-plan.ts';
import { createFaults } from '../../contracts/fakes/faults.ts';
import { createMemoryAttributionStore } from '../../contracts/fakes/memory-attribution-store.ts';
import { createMemoryRegistry } from '../../contracts/fakes/memory-registry.ts';
import { createMemoryVault } from '../../contracts/fakes/memory-vault.ts';
import { createMemoryVersionUses } from '../../contracts/fakes/memory-version-uses.ts';
import { createOverlapProvider, createTwoSlotProvider, type FakeProvider } from './fake-providers.ts';
import { platformAccountId } from './rotation-events.ts';

export const acme = tenantId.parse('acme');
export const main = credentialId.parse('main');
export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;
const runMs = 2 * minute;
const poolKeyArn = `arn:aws:kms:us-east-1:${platformAccountId}:key/pool`;

export type Kind = 'overlap' | 'two-slot' | 'customer-next' | 'mint';
const makes: Readonly<Record<Kind, Pick<NewCredential, 'provider' | 'source'>>> = {
  overlap: { provider: 'openai', source: 'platform-issued' },
  'two-slot': { provider: 'azure-openai', source: 'platform-issued' },
  'customer-next': { provider: 'anthropic', source: 'customer-supplied' },
  mint: { provider: 'openai', source: 'federated' },
};

/** Something that happens in the middle of a call: before it has its effect, or after. */
export interface Interruption {
  readonly call: string;
  readonly nth: number;
  readonly when: 'before' | 'after';
  readonly work: () => Promise<void>;
}

/** The rotation worker with everything it works with in memory, and faults. */
export function createRotationWorld() {
  let now = Date.parse('2026-11-21T12:00:00Z');
  const clock = (): number => now;
  const nextId = createIds(clock);
  const faults = createFaults();
  const registry = createMemoryRegistry({ clock, nextId });
  const attribution = createMemoryAttributionStore();
  const vault = createMemoryVault();
  const openai = createOverlapProvider(clock);
  const azure = createTwoSlotProvider();
  const customerKeys = new Set<string>();
  const announced: { type: OutboundDetailType; detail: Record<string, unknown> }[] = [];
  const deadLetters: { body: string; code: string; message: string }[] = [];
  const delays: number[] = [];
  const lines: string[] = [];
  let interruption: Interruption | undefined;
  let seen = 0;
  let afterCall: () => Promise<void> = async () => undefined;

  const log = (always: LogFields): Log => {
    const line = (message: string, fields?: object): void => void lines.push(JSON.stringify({ message, ...always, ...fields }));
    return {
      info: line,
      warn: line,
      error: (message, error, fields) => line(message, { ...fields, error: String(error) }),
      with: (fields) => log({ ...always, ...fields }),
    };
  };

  /** Faults, and around them what interrupts a call. */
  function through<Port extends object>(name: string, port: Port): Port {
    return new Proxy(faults.through(name, port), {
      get(target, member) {
        const value: unknown = Reflect.get(target, member);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]): Promise<unknown> => {
          const strikes = interruption?.call === `${name}.${String(member)}` && ++seen === interruption.nth ? interruption : undefined;
          if (strikes) interruption = undefined;
          if (strikes?.when === 'before') await strikes.work();
          const answer: unknown = await Reflect.apply(value, target, args);
          if (strikes?.when === 'after') await strikes.work();
          await afterCall();
          return answer;
        };
      },
    });
  }

  const stores = {
    registry: through('registry', registry),
    attribution: through('attribution', attribution),
    uses: through('uses', createMemoryVersionUses(attribution, clock)),
  };
  const ports = {
    vault: through('vault', vault),
    openai: through('provider', openai.provider),
    azure: through('provider', azure.provider),
    customer: through('customer', {
      async tryKey(secret: SecretText) {
        return customerKeys.has(secret.reveal()) ? ('valid' as const) : ('refused' as const);
      },
    }),
    opening: through('sessions', { stores: async () => stores, vault: async () => undefined }),
  };
  const deps: ApplyDeps = {
    clock,
    nextId,
    random: () => 0.5,
    log: log({}),
    maxReceiveCount: 5,
    platformAccountId,
    poolKeyArn,
    providers: { openai: ports.openai, 'azure-openai': ports.azure },
    async pause(ms) {
      now += ms;
    },
    tryCustomerKey: (_item, secret) => ports.customer.tryKey(secret),
    announcer: through<ApplyDeps['announcer']>('announcer', {
      async announce(type, detail) {
        // As on the real bus, what is published must be what its schema says.
        outboundEvents[type].parse(JSON.parse(JSON.stringify(detail)));
        announced.push({ type, detail: structuredClone<Record<string, unknown>>({ ...detail }) });
      },
    }),
    inbox: through<ApplyDeps['inbox']>('inbox', {
      async delay(_receiptHandle, seconds) {
        delays.push(seconds);
      },
      async putAside(body, why) {
        deadLetters.push({ body, ...why });
      },
    }),
    openStores: () => ports.opening.stores(),
    async openVault() {
      await ports.opening.vault();
      return ports.vault;
    },
  };

  /** One delivery. False: it is to be delivered again. A crash looks like that from outside too. */
  async function deliver(body: string, receiveCount = 1): Promise<boolean> {
    try {
      await applyRotationMessage(deps, { body, receiptHandle: 'r', receiveCount }, now + runMs);
      return true;
    } catch (error) {
      if (error instanceof CordonError && !error.retryable) throw error;
      return false;
    }
  }

  /** What the sweep would send: each credential that is due. */
  async function dueMessages(): Promise<string[]> {
    return (await registry.credentials(acme)).flatMap(({ tenantId: of, credentialId: id, dueAt }) =>
      dueAt === undefined || dueAt > now
        ? []
        : [JSON.stringify(dueMessage.parse({ version: 1, kind: 'due', tenantId: of, sk: `CREDENTIAL#${id}`, dueAt }))],
    );
  }

  async function sweep(): Promise<void> {
    for (const body of await dueMessages()) await deliver(body);
  }

  async function item(id = main): Promise<CredentialItem> {
    const found = await registry.credential(acme, id);
    if (!found) throw new Error('there is no such credential');
    return found;
  }

  const fakeOf = ({ provider }: Pick<CredentialItem, 'provider'>): FakeProvider => (provider === 'azure-openai' ? azure : openai);
  const place = (of: CredentialItem) => ({ ...of, kmsKeyArn: poolKeyArn });

  let supplies = 0;
  const world = {
    deps,
    faults,
    through,
    /** The stores behind the faults, for looking at what came of it. */
    registry,
    attribution,
    vault,
    openai,
    azure,
    customerKeys,
    announced,
    deadLetters,
    delays,
    lines,
    clock,
    runMs,
    deliver,
    dueMessages,
    sweep,
    item,
    fakeOf,
    interrupt(next: Interruption) {
      [interruption, seen] = [next, 0];
    },
    get interrupted(): boolean {
      return interruption === undefined;
    },
    /** Looked at after every call that the worker makes. */
    watch(look: () => Promise<void>) {
      afterCall = look;
    },
    advance(ms: number) {
      now += ms;
    },
    /** Lets time pass, and the sweep run every minute of it, as the scheduler does. */
    async pass(minutes: number) {
      for (let passed = 0; passed < minutes; passed += 1) {
        now += minute;
        faults.restart();
        await sweep();
      }
    },
    /** Delivers until the message is dealt with, as the queue does. */
    async deliverUntilDone(body: string): Promise<void> {
      for (let count = 1; count <= 6; count += 1) {
        if (await deliver(body, count)) return;
        faults.restart();
        now += minute;
      }
      throw new Error('not dealt with');
    },
    ofType: (type: OutboundDetailType) => announced.filter((event) => event.type === type).map((event) => event.detail),
    /** A tenant, and a credential as onboarding leaves it. */
    async onboard(kind: Kind, over: Partial<NewCredential> = {}): Promise<CredentialItem> {
      const known = await registry.tenant(acme);
      if (!known) {
        await registry.addTenant({
          ...{ tenantId: acme, kind: 'TENANT', status: 'active', displayName: 'Acme', tier: 'pool', plan: [], rules: [], rulesVersion: 0 },
          ...{ rulesEventIds: [], rulesAnnounced: true, epoch: 0, requestedBy: 'op', announced: true, attempt: 1, leaseUntil: 0 },
          accounts: { openai: { attempt: 1, accountId: 'proj_1' }, 'azure-openai': { attempt: 1, accountId: 'acme-openai' } },
        });
      }
      const made = await registry.addCredential({
        ...{ tenantId: acme, credentialId: main, kind: 'CREDENTIAL', tier: 'pool', environment: 'production', requestedBy: 'op' },
        ...{ epoch: 0, announced: true, attempt: 1, leaseUntil: 0, secretMayExist: true, status: 'active' as const },
        ...makes[kind],
        ...over,
      });
      if (kind === 'mint') return registry.changeCredential(made, { status: 'recorded' });
      if (kind === 'customer-next') {
        await world.supply('customer-1', made);
        return item(made.credentialId);
      }
      const { provider } = fakeOf(made);
      const key = await provider.createKey(
        { accountId: kind === 'overlap' ? 'proj_1' : 'acme-openai' },
        { tenantId: acme, credentialId: made.credentialId, attempt: 1, mayExist: false },
      );
      const versionId = versionIdOf(keyName(acme, made.credentialId, 1));
      await vault.store(place(made), key.apiKey, versionId);
      return registry.changeCredential(made, {
        ...{ keyId: key.keyId, ownerId: key.ownerId, keyAttempt: 1, secretVersionId: versionId },
        ...scheduledDue(made, now),
      });
    },
    /** The customer hands over a key, as the door takes it in. */
    async supply(value: string, of?: CredentialItem): Promise<void> {
      const credential = of ?? (await item());
      customerKeys.add(value);
      // Each ciphertext is a version of its own, also of a key that was handed over before.
      supplies += 1;
      const versionId = versionIdOf(`door ${supplies}`);
      await vault.store(place(credential), new SecretText(value), versionId);
      const change = { secretVersionId: versionId, suppliedAt: now, status: 'active' as const };
      await registry.changeCredential(credential, { ...change, ...afterSupply(credential, { secretVersionId: versionId, at: now }) });
    },
  };
  return world;
}
export type RotationWorld = ReturnType<typeof createRotationWorld>;
