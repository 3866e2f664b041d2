/** Whole rotations of one credential, from the request to the old key's end, with something going wrong on the way. */
import { isDeepStrictEqual } from 'node:util';
import { fingerprintOf } from '../../local/world/openai-organization.ts';
import type { TestCloud } from './cloud.ts';
import { publishedSince } from './ground-truth.ts';
import { type Course, type Ending, endingOf, type Kind, keyInForce, wellEnded } from './rotation-ending.ts';
import { takeQueueOver } from './rotation-queue.ts';
import { rotationTrade } from './rotation-worker.ts';
import { isLive, issuedAt, type Kept, rotatingTenant, type StoredCredential, simulatorOf, stateOf } from './rotations.ts';
import { bringKeyIn, supplyKey } from './supply.ts';
import type { Trouble, TroubledLine } from './troubled-line.ts';
import type { HousedWorker } from './worker-craft.ts';
import { type HouseRules, openWorkerHouse } from './worker-house.ts';

/** How each message is delivered. */
export type Delivery = 'once' | 'twice' | 'to two workers at once';

/** What a rotation has come to, and what it left and did on its way. */
export interface Played extends Ending {
  readonly left: { readonly queued: number; readonly putAside: number };
  /** What went wrong in between: the key in force was dead, or a version that had been replaced came back. */
  readonly missteps: readonly string[];
}

export const wellPlayed = (kind: Kind): Played => ({ ...wellEnded(kind), left: { queued: 0, putAside: 0 }, missteps: [] });

export interface Lab {
  readonly line: TroubledLine;
  /** A credential that is ready to be rotated: a new one, or one that ended well before, in its first attempt. */
  take(kind: Kind): Promise<Course>;
  /** Asks for the rotation and lets time pass until it is over. Rejects, with what the workers logged, when it is not after two days of the cloud's clock. */
  play(course: Course, troubles?: readonly Trouble[]): Promise<Played>;
  /** Lets so many milliseconds pass in which another worker does whatever is due. */
  othersGoOn(course: Course, ms: number): Promise<void>;
  deliverEach(how: Delivery): void;
}

/** A run of the deployed function has as long. */
const runMs = 120_000;
const minuteMs = 60_000;
/** Rotations of one credential: Secrets Manager keeps the versions of a day, a hundred at most. */
const maxUses = 20;

/** Takes the rotation queue over from the deployed function: from here on workers of this process do the work. */
export async function openLab(test: TestCloud): Promise<Lab> {
  const { cloud } = test;
  const { clock } = cloud;
  const queue = await takeQueueOver(cloud);
  const ready = new Map<string, Kept[]>();
  const uses = new Map<Kept, number>();
  const customersKeys = new Map<string, string>();
  const staff: HousedWorker[] = [];
  let delivery: Delivery = 'once';
  let since = 0;
  let watched: { readonly kept: Kept; readonly versions: string[]; readonly missteps: Set<string> } | undefined;

  /** Looks at the key in force whenever a label or a key at the provider may have changed. */
  const watch: NonNullable<HouseRules['watch']> = async ({ service, action }) => {
    if (watched === undefined || !/^(UpdateSecretVersionStage|(POST|DELETE) )/.test(action) || service === 'login') return;
    const { kept, versions, missteps } = watched;
    const { versionId, fingerprint } = await keyInForce(test, kept);
    if (!isLive(test, kept.provider, fingerprint)) missteps.add('the key in force was dead');
    if (versions.at(-1) === versionId) return;
    if (versions.includes(versionId)) missteps.add('a replaced version came back');
    versions.push(versionId);
  };
  const house = openWorkerHouse(cloud, { watch });

  async function hire(): Promise<HousedWorker> {
    const hired = await house.hire(rotationTrade);
    staff.push(hired);
    return hired;
  }

  /** The latest who is alive. */
  async function worker(): Promise<HousedWorker> {
    const latest = staff.at(-1);
    return latest === undefined || latest.dead ? hire() : latest;
  }

  /** Hands out every message that is visible. */
  async function deliver(): Promise<void> {
    for (let messages = await queue.receive(); messages.length > 0; messages = await queue.receive()) {
      for (const message of messages) {
        const deadline = clock.now() + runMs;
        const hands = [await worker(), ...(delivery === 'to two workers at once' ? [await house.hire(rotationTrade)] : [])];
        const ends = await Promise.all(hands.map((hand) => hand.handle(message, deadline)));
        if (delivery === 'twice') ends.push(await (await worker()).handle(message, deadline));
        if (ends.includes('done')) await queue.delete(message);
      }
    }
  }

  const item = ({ kept }: Course): Promise<StoredCredential> => stateOf(test, kept);

  /** Lets the time pass until something is to be done, and does it. False when that is later than `latest`. */
  async function goOn(course: Course, latest: number): Promise<boolean> {
    const { dueAt = Number.POSITIVE_INFINITY } = await item(course);
    const due = Math.max(dueAt - clock.now(), 0) + 1;
    const next = Math.ceil(Math.min(due, (await queue.waiting()) > 0 ? 5 * minuteMs : 60 * minuteMs));
    if (clock.now() + next > latest) return false;
    clock.advance(next);
    await house.line.release();
    const found = await item(course);
    if (found.dueAt !== undefined && found.dueAt <= clock.now()) await queue.sendDue(course.kept, found.dueAt);
    await deliver();
    return true;
  }

  /** The customer's part: the next key through the door once it is asked for, and the end of the old one once the new one is in force. */
  async function asCustomer({ kept, before }: Course, found: StoredCredential): Promise<void> {
    const news = await publishedSince(cloud, since);
    const isAsked = news.some(({ detailType, detail }) => detailType === 'CredentialNextRequested' && detail['tenantId'] === kept.tenantId);
    if (found.secretVersionId === before.versionId && isAsked) {
      // While a run that has died holds the credential the door takes nothing: the customer tries again.
      const { status } = await supplyKey(test, { ...kept, apiKey: cloud.world.issueKey(kept.provider) });
      if (status !== 200) return;
      await queue.sendEvent(kept, 'CredentialSupplied', {});
      await deliver();
    } else if (found.rotating?.phase === 'retiring') {
      const old = customersKeys.get(before.fingerprint);
      if (old !== undefined) simulatorOf(test, kept.provider).revokeKey(old);
    }
  }

  async function isOver({ before }: Course, found: StoredCredential): Promise<boolean> {
    const isIdle = found.rotating === undefined && found.previous === undefined && found.leaseUntil === 0;
    return isIdle && found.secretVersionId !== before.versionId && (await queue.waiting()) === 0;
  }

  /** A resource at Azure OpenAI has two slots, for one credential. */
  async function onboard(kind: Kind): Promise<Kept[]> {
    const credentials = Array.from({ length: kind === 'two-slot' ? 1 : 25 }, (_, n) => credentialOf(kind, n));
    const tenantId = await rotatingTenant(test, credentials, { routing: [] });
    return credentials.map(({ credentialId, provider }) => ({ tenantId, credentialId, provider }));
  }

  return {
    line: house.line,
    async take(kind) {
      const provider = providerOf(kind);
      const pool = ready.get(provider) ?? [];
      if (pool.length === 0) pool.push(...(await onboard(kind)));
      ready.set(provider, pool);
      const kept = pool.shift();
      if (kept === undefined) throw new Error('No credential was made.');
      if (kind === 'customer-next') {
        const key = await bringKeyIn(test, kept);
        customersKeys.set(fingerprintOf(key), key);
      }
      return { kind, kept, before: await keyInForce(test, kept) };
    },
    async play(course, troubles = []) {
      const { kept, kind, before } = course;
      staff.length = 0;
      since = clock.now();
      const missteps = new Set<string>();
      watched = { kept, versions: [before.versionId], missteps };
      house.line.restart(troubles);
      const latest = since + 48 * 60 * minuteMs;
      await queue.sendEvent(kept, 'RotationRequested', { why: 'to see it done', ...(kind === 'emergency' && { emergency: true }) });
      await deliver();
      for (let found = await item(course); !(await isOver(course, found)); found = await item(course)) {
        if (kind === 'customer-next') await asCustomer(course, found);
        if (await goOn(course, latest)) continue;
        throw new Error(`After two days it is ${JSON.stringify(found)}.\n${staff.flatMap(({ lines }) => lines).join('\n')}`);
      }
      await house.line.release();
      const ending = await endingOf(test, course, since);
      const { attempt, keyAttempt } = await item(course);
      const used = (uses.get(kept) ?? 0) + 1;
      uses.set(kept, used);
      if (used < maxUses && attempt === keyAttempt && isDeepStrictEqual(ending, wellEnded(kind))) ready.get(kept.provider)?.push(kept);
      return { ...ending, left: { queued: await queue.waiting(), putAside: await queue.putAside() }, missteps: [...missteps] };
    },
    async othersGoOn(course, ms) {
      const latest = clock.now() + ms;
      await hire();
      while (await goOn(course, latest));
      clock.advance(Math.max(0, latest - clock.now()));
    },
    deliverEach(how) {
      delivery = how;
    },
  };
}

function providerOf(kind: Kind): string {
  if (kind === 'customer-next') return 'anthropic';
  return kind === 'two-slot' ? 'azure-openai' : 'openai';
}

function credentialOf(kind: Kind, n: number): { credentialId: string; provider: string } & Record<string, unknown> {
  const [provider, credentialId] = [providerOf(kind), `main-${n}`];
  return {
    ...issuedAt(provider, { environment: `env-${n}` }),
    ...(kind === 'customer-next' && { source: 'customer-supplied' }),
    credentialId,
    provider,
  };
}
