import type { KeyValidity, Provider } from '../../../functions/providers/provider.ts';
import { advanceRevocation } from '../../../functions/revocation/advance-revocation.ts';
import type { Asked } from '../../../functions/revocation/asked.ts';
import { assembleFile } from '../../../functions/revocation/certificate/assemble-file.ts';
import { type CertificateCheck, verifyCertificate } from '../../../functions/revocation/certificate/verify-certificate.ts';
import { type OutboundDetailType, outboundEvents } from '../../../functions/revocation/events.ts';
import { requestRevocation } from '../../../functions/revocation/request-revocation.ts';
import type { Revocation } from '../../../functions/revocation/revocation.ts';
import type { RevocationDeps } from '../../../functions/revocation/revocation-deps.ts';
import { createIds } from '../../../functions/shared/clock.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { aSigner } from '../../support/certificates.ts';
import { createOverlapProvider } from '../../unit/rotation/fake-providers.ts';
import { Crash } from './faults.ts';
import { createMemoryAttributionStore } from './memory-attribution-store.ts';
import { createMemoryCertificateStore } from './memory-certificate-store.ts';
import { createMemoryConnectionStore } from './memory-connection-store.ts';
import { createMemoryLog } from './memory-log.ts';
import { createMemoryRegistry } from './memory-registry.ts';
import { createMemoryRevocationStore } from './memory-revocation-store.ts';
import { createMemoryVault } from './memory-vault.ts';

export const acme = tenantId.parse('acme');
/** As the function is deployed with. */
export const runMs = 5 * 60_000;
const minuteMs = 60_000;
/** How long the writer of the cut-off takes until IAM has it. */
const cutOffMs = 20_000;

export interface WorldOptions {
  /** Milliseconds of the world's clock that a call of a port takes, by the port's name; nothing when it is not named. */
  readonly callMs?: Readonly<Record<string, number>>;
}

/**
 * The worker of revocations with everything it works with in memory, on a clock that moves by what is called, and a process that can die at any call. For whole tenants:
 * what becomes of one credential has a world of its own.
 */
export function createRevocationWorld({ callMs = {} }: WorldOptions = {}) {
  let now = Date.parse('2026-11-21T12:00:00Z');
  let dead = false;
  let isFatal: (call: string, count: number) => 'before' | 'after' | undefined = () => undefined;
  let calls = 0;
  let waited = 0;
  let perMinute = Number.POSITIVE_INFINITY;
  let failing: string | undefined;
  const asked = { minute: 0, count: 0 };
  const counts = new Map<string, number>();
  const clock = (): number => Math.floor(now);
  const nextId = createIds(clock);
  const tombstones = new Set<string>();
  const registry = createMemoryRegistry({ clock, nextId, tombstones });
  const revocations = createMemoryRevocationStore({ registry, tombstones, clock, nextId });
  const attribution = createMemoryAttributionStore();
  const certificates = createMemoryCertificateStore({ clock, nextId });
  const connections = createMemoryConnectionStore({ clock, nextId });
  const vault = createMemoryVault();
  const openai = createOverlapProvider(clock);
  const signer = aSigner();
  const customerKeys = new Set<string>();
  const told: { type: OutboundDetailType; detail: Record<string, unknown> }[] = [];
  const wishes: string[] = [];
  const cutOffs = new Map<string, number>();
  const log = createMemoryLog();

  async function pass(port: string, call: string, work: () => unknown): Promise<unknown> {
    if (dead) throw new Crash('a dead process makes no calls');
    calls += 1;
    counts.set(call, (counts.get(call) ?? 0) + 1);
    now += callMs[port] ?? 0;
    const end = isFatal(call, calls);
    dead = end === 'before';
    if (dead) throw new Crash(`the process died before ${call}`);
    const value = await work();
    dead = dead || end === 'after';
    if (dead) throw new Crash(`the process died after ${call}`);
    return value;
  }

  function through<Port extends object>(name: string, port: Port): Port {
    return new Proxy(port, {
      get(target, member) {
        const value: unknown = Reflect.get(target, member);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => pass(name, `${name}.${String(member)}`, () => Reflect.apply(value, target, args));
      },
    });
  }

  /** The provider's administration, which has enough at times. */
  const throttled: Provider = {
    ...openai.provider,
    listKeys(account, of, credential) {
      throttle();
      if (credential === failing) throw new CordonError('PROVIDER_UNAVAILABLE', 'no answer', { retryable: true });
      return openai.provider.listKeys(account, of, credential);
    },
    revokeKey(...args) {
      throttle();
      return openai.provider.revokeKey(...args);
    },
  };
  function throttle(): void {
    const minute = Math.floor(now / minuteMs);
    asked.count = asked.minute === minute ? asked.count + 1 : 1;
    asked.minute = minute;
    if (asked.count > perMinute)
      throw new CordonError('PROVIDER_UNAVAILABLE', 'too many requests', { retryable: true, retryAfterSeconds: 20 });
  }

  const stores = {
    registry: through('registry', registry),
    revocations: through('revocations', revocations),
    connections: through('connections', connections),
    certificates: through('certificates', certificates),
    attribution: through('attribution', attribution),
  };
  const ports = {
    vault: through('vault', vault.revocation),
    openai: through('provider', throttled),
    customer: through('provider', {
      async tryKey(key: SecretText): Promise<KeyValidity> {
        return customerKeys.has(key.reveal()) ? 'valid' : 'refused';
      },
    }),
    wishes: through('events', { publish: async (type: string) => void wishes.push(type) }),
  };
  const deps: RevocationDeps = {
    clock,
    nextId,
    log,
    async pause(ms) {
      waited += ms;
      now += ms;
    },
    announcer: through<RevocationDeps['announcer']>('events', {
      async announce(type, detail) {
        // As on the real bus, what is published must be what its schema says.
        outboundEvents[type].parse(JSON.parse(JSON.stringify(detail)));
        told.push({ type, detail: { ...detail } });
      },
    }),
    honeyKey: async () => new SecretText('k'.repeat(64)),
    async publish(type) {
      await ports.wishes.publish(type);
      return nextId();
    },
    cutOffs: through<RevocationDeps['cutOffs']>('cutOffs', {
      async request({ id }) {
        if (!cutOffs.has(id)) cutOffs.set(id, now + cutOffMs);
      },
      async state({ id }) {
        const appliedAt = cutOffs.get(id);
        return appliedAt === undefined || appliedAt > now ? {} : { appliedAt, policyVersionId: 'v7' };
      },
    }),
    signer: { keyArn: signer.keyArn, ...through('signer', { publicKey: signer.publicKey, sign: signer.sign }) },
    providers: { openai: ports.openai },
    tryCustomerKey: (_item, key) => ports.customer.tryKey(key),
    openStores: async () => stores,
    openVault: async () => ports.vault,
  };

  /** One run of the worker. False when the process died; what an operator should know is kept. */
  const refusals: CordonError[] = [];
  async function run(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
    } catch (error) {
      if (!dead && !(error instanceof CordonError)) throw error;
      if (!dead && error instanceof CordonError) refusals.push(error);
    }
    const lived = !dead;
    dead = false;
    return lived;
  }

  async function revocationOf(revocationId: string): Promise<Revocation> {
    const item = await revocations.revocation(acme, revocationId);
    if (!item) throw new Error(`there is no revocation ${revocationId}`);
    return item;
  }

  return {
    clock,
    nextId,
    registry,
    attribution,
    vault,
    openai,
    /** Keys of customers that their provider accepts. */
    customerKeys,
    told,
    wishes,
    log,
    refusals,
    /** How often each operation of each port was called. */
    counts: counts as ReadonlyMap<string, number>,
    get calls(): number {
      return calls;
    },
    /** Milliseconds that the worker has waited for by itself. */
    get waited(): number {
      return waited;
    },
    /** From now on the provider's administration answers so many requests a minute. */
    throttle(requests: number) {
      perMinute = requests;
    },
    /** From now on it fails whenever it is asked for the keys of this credential. */
    failFor(credential: string) {
      failing = credential;
    },
    advance(ms: number) {
      now += ms;
    },
    /** Has the process die before or after a call, as often as `fatal` says so; `count` counts the calls of all processes. */
    dieAt(fatal: typeof isFatal) {
      isFatal = fatal;
    },
    revocationOf,
    /** The event as it is delivered first. */
    request(asked: Omit<Asked, 'tenantId' | 'requestedBy' | 'reason'>, eventId: string): Promise<boolean> {
      const all: Asked = { tenantId: acme, requestedBy: 'ops@example.com', reason: 'the contract ended', ...asked };
      return run(() => requestRevocation(deps, all, { eventId, time: new Date(now).toISOString(), deadline: now + runMs }));
    },
    /** Lets the time pass until it is due, and the sweep come by, which it does once a minute; then one run. False when there was none. */
    async sweep(revocationId: string): Promise<boolean> {
      const { dueAt } = await revocationOf(revocationId);
      if (dueAt === undefined) return false;
      now = Math.max(now, Math.ceil(dueAt / minuteMs) * minuteMs);
      await run(() => advanceRevocation(deps, { tenantId: acme, revocationId, dueAt, deadline: now + runMs }));
      return true;
    },
    /** The latest certificate of it, checked with the key that signs. */
    async certificateOf(revocationId: string): Promise<CertificateCheck> {
      const { certificateId = '' } = await revocationOf(revocationId);
      const stored = await certificates.certificate(acme, certificateId);
      if (!stored) throw new Error('there is no certificate');
      const file = assembleFile(stored, await certificates.parts(acme, certificateId));
      return verifyCertificate(JSON.stringify(file), { publicKey: signer.pem });
    },
    certificates: () => certificates.certificates(acme),
  };
}
export type RevocationWorld = ReturnType<typeof createRevocationWorld>;
