import { randomUUID } from 'node:crypto';
import { type ApplyDeps, applyConnectionMessage } from '../../../functions/byoc/apply-connection-message.ts';
import { type OutboundDetailType, outboundEvents } from '../../../functions/byoc/events.ts';
import type { ProbeInput, ProbeResult } from '../../../functions/byoc/probe/probe.ts';
import { createIds } from '../../../functions/shared/clock.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import type { Log, LogFields } from '../../../functions/shared/log.ts';
import { dueMessage } from '../../../functions/sweep/due-message.ts';
import { createFaults } from './faults.ts';
import { createMemoryAttributionStore } from './memory-attribution-store.ts';
import { createMemoryConnectionStore } from './memory-connection-store.ts';
import { createMemoryRegistry } from './memory-registry.ts';

export const platformAccountId = '111122223333';
export const customer = '444455556666';
export const acme = tenantId.parse('acme');
export const minute = 60_000;
const maxReceiveCount = 5;

export const roleArn = `arn:aws:iam::${customer}:role/cordon.acme.x`;
const result = (over: Partial<ProbeResult>): ProbeResult => ({
  verdict: 'unreachable',
  findings: [],
  steps: [{ step: 'right', answer: 'refused' }],
  at: 0,
  ...over,
});
const reason = (code: NonNullable<ProbeResult['reason']>['code']): NonNullable<ProbeResult['reason']> => ({
  code,
  message: `${code} it is.`,
  nextStep: 'Mend it.',
});
/** What a probe may find. */
export const found = {
  nothing: result({ reason: reason('ROLE_NOT_REACHABLE') }),
  noAnswer: result({ verdict: 'no-answer', reason: reason('NO_ANSWER'), steps: [{ step: 'right', answer: 'none', code: 'Throttling' }] }),
  sound: result({
    verdict: 'sound',
    roleArn,
    roleId: 'AROA1',
    findings: [{ code: 'TRUST_NOT_SHOWN', message: 'It does not show its trust.' }],
  }),
  another: result({ verdict: 'sound', roleArn, roleId: 'AROA2' }),
  unsound: (code: NonNullable<ProbeResult['reason']>['code']) =>
    result({ verdict: 'unsound', reason: reason(code), roleArn, roleId: 'AROA1' }),
};

export const requested = {
  version: 1,
  tenantId: 'acme',
  requestedBy: 'ann@acme.example',
  customerAccountId: customer,
  services: ['bedrock'],
  regions: ['us-east-1'],
};

/** The worker of connections with everything it works with in memory, and faults. */
export function createByocWorld() {
  let now = Date.parse('2026-11-21T12:00:00Z');
  const clock = (): number => now;
  const nextId = createIds(clock);
  const faults = createFaults();
  const registry = createMemoryRegistry({ clock, nextId });
  const connections = createMemoryConnectionStore({ clock, nextId });
  const attribution = createMemoryAttributionStore();
  const announced: { type: OutboundDetailType; detail: Record<string, unknown> }[] = [];
  const deadLetters: { body: string; code: string; message: string }[] = [];
  const delays: number[] = [];
  const lines: string[] = [];
  const probes: ProbeInput[] = [];
  const templates: string[] = [];
  let role: ProbeResult = found.nothing;
  let whileProbing: (() => Promise<unknown>) | undefined;
  let random = 0;

  const log = (always: LogFields): Log => {
    const line = (message: string, fields?: object): void => void lines.push(JSON.stringify({ message, ...always, ...fields }));
    return {
      info: line,
      warn: line,
      error: (message, error, fields) => line(message, { ...fields, error: String(error) }),
      with: (fields) => log({ ...always, ...fields }),
    };
  };
  const outside = faults.through('outside', {
    async probe(input: ProbeInput): Promise<ProbeResult> {
      probes.push(input);
      const meanwhile = whileProbing;
      whileProbing = undefined;
      await meanwhile?.();
      return { ...role, at: now };
    },
    async sign(document: unknown) {
      return {
        document: JSON.stringify(document),
        algorithm: 'ECDSA_SHA_256' as const,
        signature: 'c2ln',
        keyArn: 'arn:aws:kms:us-east-1:111122223333:key/evidence',
      };
    },
    async publishTemplate() {
      templates.push('v1');
      return 'v1';
    },
  });
  const stores = {
    registry: faults.through('registry', registry),
    connections: faults.through('connections', connections),
    attribution: faults.through('attribution', attribution),
  };
  const deps: ApplyDeps = {
    clock,
    nextId,
    randomBytes: (size) => Uint8Array.from({ length: size }, () => (random = (random * 31 + 7) % 251)),
    random: () => 0.5,
    log: log({}),
    maxReceiveCount,
    platformAccountId,
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
      async putAside(body, why) {
        deadLetters.push({ body, ...why });
      },
    }),
    openStores: async () => stores,
    ...outside,
    probe: (input) => outside.probe(input),
    sign: (document) => outside.sign(document),
    publishTemplate: () => outside.publishTemplate(),
  };

  /** One delivery. False: it is to be delivered again. A crash looks like that from outside too. */
  async function deliver(body: string, receiveCount = 1): Promise<boolean> {
    try {
      await applyConnectionMessage(deps, { body, receiptHandle: 'r', receiveCount }, now + minute);
      return true;
    } catch (error) {
      if (error instanceof CordonError && !error.retryable) throw error;
      return false;
    }
  }

  /** What the sweep would send: each item that is due. */
  function dueMessages(): string[] {
    return connections.all.flatMap(({ tenantId: of, customerAccountId, dueAt }) =>
      dueAt === undefined || dueAt > now
        ? []
        : [JSON.stringify(dueMessage.parse({ version: 1, kind: 'due', tenantId: of, sk: `CONNECTION#${customerAccountId}`, dueAt }))],
    );
  }

  async function sweep(): Promise<void> {
    for (const body of dueMessages()) await deliver(body);
  }

  return {
    deps,
    faults,
    /** The stores behind the faults, for looking at what came of it. */
    registry,
    connections,
    attribution,
    announced,
    deadLetters,
    delays,
    lines,
    probes,
    templates,
    maxReceiveCount,
    clock,
    deliver,
    dueMessages,
    sweep,
    /** What the next probes find. */
    role(next: ProbeResult) {
      role = next;
    },
    /** Happens while the next probe is under way. */
    meanwhile(work: () => Promise<unknown>) {
      whileProbing = work;
    },
    /** Lets time pass, and the sweep run every minute of it, as the scheduler does. */
    async pass(minutes: number) {
      for (let passed = 0; passed < minutes; passed += 1) {
        now += minute;
        faults.restart();
        await sweep();
      }
    },
    /** Lets time pass without a sweep. */
    advance(minutes: number) {
      now += minutes * minute;
    },
    /** Lets time pass, and the sweep run once after it. */
    async leap(minutes: number) {
      now += minutes * minute;
      faults.restart();
      await sweep();
    },
    async deliverUntilDone(body: string): Promise<void> {
      for (let count = 1; count <= maxReceiveCount + 1; count += 1) {
        if (await deliver(body, count)) return;
        faults.restart();
        now += minute;
      }
      throw new Error('not dealt with');
    },
    connection: async (account = customer) => connections.connection(acme, account),
    ofType: (type: OutboundDetailType) => announced.filter((event) => event.type === type).map((event) => event.detail),
    async onboard(id = acme, over: object = {}) {
      await registry.addTenant({
        ...{
          tenantId: id,
          kind: 'TENANT',
          status: 'active',
          displayName: 'Acme',
          tier: 'pool',
          accounts: {},
          plan: [],
          rules: [],
          rulesVersion: 0,
        },
        ...{ rulesEventIds: [], rulesAnnounced: true, epoch: 0, requestedBy: 'op', announced: true, attempt: 1, leaseUntil: 0 },
        ...over,
      });
    },
  };
}
export type ByocWorld = ReturnType<typeof createByocWorld>;

/** A message as EventBridge puts it on the queue, sent at this second of the day. */
export function connectionEvent(detailType: string, detail: unknown, seconds = 0, id: string = randomUUID()): string {
  return JSON.stringify({
    version: '0',
    id,
    'detail-type': detailType,
    source: 'cordon.platform',
    account: platformAccountId,
    time: new Date(Date.parse('2026-11-21T12:00:00Z') + seconds * 1000).toISOString().replace('.000', ''),
    region: 'us-east-1',
    resources: [],
    detail,
  });
}

export const request = (over: object = {}, seconds = 0): string =>
  connectionEvent('RoleConnectionRequested', { ...requested, ...over }, seconds);
export const disconnection = (seconds = 0, over: object = {}): string =>
  connectionEvent(
    'RoleDisconnectionRequested',
    { version: 1, tenantId: 'acme', requestedBy: 'ann', customerAccountId: customer, ...over },
    seconds,
  );
