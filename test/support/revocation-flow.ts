/** Whole revocations, from the event until nothing is left to do, with something going wrong on the way. */
import { randomUUID } from 'node:crypto';
import type { TestCloud } from './cloud.ts';
import { letThrough } from './gate-keeping.ts';
import { asRoot, publishedSince } from './ground-truth.ts';
import { customerRevokes, type Flow, type Kind, type Step, type Subject } from './revocation-courses.ts';
import { acceptedKeys, type Course, type Facts, factsOf, itemsAt, itemsOfTenant } from './revocation-facts.ts';
import { cutOffTrade, revocationTrade } from './revocation-worker.ts';
import { rotationTrade } from './rotation-worker.ts';
import { issuedAt, liveKeysFor, rotatingTenant } from './rotations.ts';
import { pause } from './settle.ts';
import type { Trouble, TroubledLine } from './troubled-line.ts';
import { type Crew, openCrew } from './worker-crew.ts';
import { openWorkerHouse } from './worker-house.ts';
import { dueBody, eventBody } from './worker-queue.ts';

/** What a revocation has come to, and what it left and did on its way. */
export interface Played extends Facts {
  readonly left: { readonly queued: number; readonly putAside: number };
  /** What went wrong in between: somebody was let through, an alarm, a neighbour who noticed. */
  readonly missteps: readonly string[];
}

/** A revocation, or several, of one subject. */
export interface Playing extends Course {
  readonly revocationIds: string[];
  readonly missteps: Set<string>;
  /** Of the cloud's clock. */
  readonly since: number;
}

export interface RevocationLab {
  readonly test: TestCloud;
  readonly line: TroubledLine;
  readonly crew: Crew;
  /** Something that is ready to be revoked, with what comes before done. */
  take(flow: Flow): Promise<Subject>;
  /** So many are made ready at once. */
  stock(flow: Flow, count: number): Promise<void>;
  /** From here on it is watched, and these troubles are awaited. */
  begin(subject: Subject, troubles?: readonly Trouble[]): Promise<Playing>;
  /** Sends the event and has it handled. Answers its ID. `at`: when it was sent, of the cloud's clock. */
  ask(of: Playing, step: Step, now?: () => Promise<unknown>, at?: number): Promise<string>;
  /** Lets time pass until nothing is left to do. Rejects, with what the workers logged, when something is after three days of the cloud's clock. */
  settle(of: Playing): Promise<void>;
  /** Lets so many milliseconds pass in which other workers do whatever is due. */
  othersGoOn(of: Playing, ms: number): Promise<void>;
  /** What went wrong in between. From here on nothing is watched. */
  missteps(of: Playing): Promise<readonly string[]>;
  /** What it has come to. From here on nothing is watched. */
  playedOut(of: Playing): Promise<Played>;
  /** Asks for all of it, to its end. */
  play(flow: Flow, subject: Subject, troubles?: readonly Trouble[]): Promise<Played>;
}

const minuteMs = 60_000;
/** Longer than any session of AWS that a cut-off is about: what the policy has to hold is of this play alone. */
const forgottenMs = 70 * minuteMs;
const patienceMs = 3 * 1440 * minuteMs;
/** What is due later is no work that is left: rotations by the calendar. */
const soonMs = 2 * 1440 * minuteMs;

/** Takes the queues of revocation, rotation and cut-off over from the deployed functions: from here on workers of this process do the work. */
export async function openRevocationLab(test: TestCloud): Promise<RevocationLab> {
  const { cloud } = test;
  const { clock } = cloud;
  const neighbour = { tenantId: await rotatingTenant(test, [issuedAt('openai')]), credentialId: 'openai-main', provider: 'openai' };
  await test.settled();
  const stocks = new Map<Kind, Subject[]>();
  let playing: Playing | undefined;
  const house = openWorkerHouse(cloud, {
    async meanwhile() {
      await crew.deliverOf(cutOffTrade);
    },
    // Whatever changes the registry may change what the gate says.
    async watch({ service, action }) {
      const current = playing;
      if (current === undefined || service !== 'dynamodb' || !/^(TransactWriteItems|UpdateItem|PutItem)$/.test(action)) return;
      // What goes wrong with looking is no answer of the table's.
      await watchGate(current).catch((error: unknown) => current.missteps.add(String(error)));
    },
  });
  const crew = await openCrew(cloud, house, [revocationTrade, rotationTrade, cutOffTrade], cutOffTrade);
  const neighbourBefore = await neighbourNow();

  /** Everything of another tenant: registry, keys, secrets. */
  async function neighbourNow(): Promise<string> {
    const { tenantId, credentialId } = neighbour;
    const { VersionIdsToStages } = await asRoot(cloud, 'secretsmanager', 'DescribeSecret', {
      SecretId: `cordon/${tenantId}/${credentialId}`,
    });
    return JSON.stringify([await itemsOfTenant(test, tenantId), liveKeysFor(test, neighbour), VersionIdsToStages]);
  }

  const ordersOf = ({ subject, revocationIds }: Playing) =>
    itemsAt(
      test,
      subject.tenantId,
      revocationIds.map((id) => `REVOCATION#${id}`),
    );

  /** From the write on that the event's revocation is in force by, nobody gets through; until it is ended, if it can be. */
  async function watchGate(of: Playing): Promise<void> {
    const orders = await ordersOf(of);
    const isOver = orders.some(({ action }) => action === 'reinstate');
    if (orders.length === 0 || isOver) return;
    const revoked = new Set(orders.flatMap(({ scope, versionId }) => (scope === 'version' ? [versionId] : [])));
    // A credential one version of which is revoked goes on with another one.
    for (const version of await letThrough(test, of.subject))
      if (revoked.size === 0 || revoked.has(version)) of.missteps.add(`version ${version} was let through`);
  }

  /** What of the subject is due, soonest first. */
  async function dueOf({ subject, revocationIds }: Playing): Promise<readonly { readonly sk: string; readonly dueAt: number }[]> {
    const { tenantId, credentials } = subject;
    const own = [...credentials.map(({ credentialId }) => `CREDENTIAL#${credentialId}`), ...revocationIds.map((id) => `REVOCATION#${id}`)];
    return (await itemsAt(test, tenantId, own))
      .flatMap(({ sk, dueAt }) => (typeof dueAt === 'number' ? [{ sk, dueAt }] : []))
      .sort((a, b) => a.dueAt - b.dueAt);
  }

  /** Lets the time pass until something is to be done, and does it, as the sweep and the writer's schedule would. False when that is later than `latest`. */
  async function goOn(of: Playing, latest: number, deliver = crew.deliver): Promise<boolean> {
    const [first] = await dueOf(of);
    const ahead = (first?.dueAt ?? Number.POSITIVE_INFINITY) - clock.now();
    // The sweep comes by once a minute, also for what a worker has left alone.
    const due = ahead < 0 ? minuteMs : ahead + 1;
    const next = Math.ceil(Math.min(due, (await crew.waiting()) > 0 ? 5 * minuteMs : 60 * minuteMs));
    if (clock.now() + next > latest) return false;
    clock.advance(next);
    await house.line.release();
    for (const { sk, dueAt } of await dueOf(of)) {
      if (dueAt > clock.now()) continue;
      await crew.send(sk.startsWith('REVOCATION#') ? revocationTrade : rotationTrade, dueBody(of.subject.tenantId, sk, dueAt));
    }
    const isCutOff = (cutOff: unknown): boolean => typeof cutOff !== 'object' || cutOff === null || 'appliedAt' in cutOff;
    if (!(await ordersOf(of)).every((order) => isCutOff(order['cutOff'])))
      await crew.handle(cutOffTrade, { body: '', receiptHandle: '', receiveCount: 1 });
    await deliver();
    return true;
  }

  async function isOver(of: Playing): Promise<boolean> {
    const [first] = await dueOf(of);
    return (first === undefined || first.dueAt > clock.now() + soonMs) && (await crew.waiting()) === 0;
  }

  async function ask(of: Playing, step: Step, now: () => Promise<unknown> = crew.deliver, at = clock.now()): Promise<string> {
    const id = randomUUID();
    of.revocationIds.push(id);
    const trade = step.detailType === 'RotationRequested' ? rotationTrade : revocationTrade;
    await crew.send(trade, eventBody(cloud, { detailType: step.detailType, detail: await step.detail(test, of.subject), id, at }));
    await now();
    return id;
  }

  /** The customer revokes a key of theirs once Cordon says that it could not confirm it. */
  async function settle(of: Playing, isEnough: () => Promise<boolean> = () => isOver(of)): Promise<void> {
    const latest = clock.now() + patienceMs;
    while (!(await isEnough())) {
      const isOpen = (await ordersOf(of)).some(({ status }) => status === 'unconfirmed');
      if (isOpen && of.subject.before === undefined) customerRevokes(test, of.subject);
      if (await goOn(of, latest)) continue;
      const items = await itemsOfTenant(test, of.subject.tenantId);
      throw new Error(`After three days it is ${JSON.stringify(items)}.\n${crew.lines().join('\n')}`);
    }
    await house.line.release();
  }

  async function begin(subject: Subject, troubles: readonly Trouble[] = []): Promise<Playing> {
    crew.dismiss();
    const [tenant] = await itemsAt(test, subject.tenantId, ['TENANT']);
    const keysBefore = new Set(acceptedKeys(test, subject));
    const epochBefore = Number(tenant?.['epoch'] ?? 0);
    const revocationIds = [...(subject.before ?? [])];
    playing = { subject, keysBefore, epochBefore, revocationIds, missteps: new Set(), since: clock.now() };
    house.line.restart(troubles);
    return playing;
  }

  /** What comes before, with nothing going wrong: until a revocation is left open, or a rotation has put its key into force. */
  async function prepared(flow: Flow, subject: Subject): Promise<Subject> {
    if (flow.before.length === 0) return subject;
    const of = await begin(subject);
    playing = undefined;
    for (const step of flow.before) {
      await ask(of, step);
      await settle({ ...of, subject: { ...subject, before: [] } }, async () => {
        const [{ credentialId = '' } = {}] = subject.credentials;
        const items = await itemsAt(test, subject.tenantId, [`REVOCATION#${of.revocationIds.at(-1)}`, `CREDENTIAL#${credentialId}`]);
        return items.some(({ status, previous }) => status === 'unconfirmed' || previous !== undefined);
      });
    }
    return { ...subject, before: of.revocationIds };
  }

  async function stock(flow: Flow, count: number): Promise<void> {
    const ready = stocks.get(flow.kind) ?? [];
    stocks.set(flow.kind, ready);
    ready.push(...(await flow.prepare(test, count)));
    // A message that is not taken off its queue yet would come again when the clock is moved.
    await pause(cloud);
  }

  async function missteps({ missteps: found, since }: Playing): Promise<readonly string[]> {
    playing = undefined;
    const news = await publishedSince(cloud, since);
    if (news.some(({ detailType }) => detailType === 'IsolationViolationDetected')) found.add('an isolation violation was told of');
    if ((await neighbourNow()) !== neighbourBefore) found.add('another tenant was changed');
    return [...found];
  }

  async function playedOut(of: Playing): Promise<Played> {
    const found = await missteps(of);
    const left = { queued: await crew.waiting(), putAside: await crew.putAside() };
    return { ...(await factsOf(test, of, of.since)), left, missteps: found };
  }

  return {
    ...{ test, line: house.line, crew, stock, begin, ask, missteps, playedOut },
    settle: (of) => settle(of),
    async take(flow) {
      if ((stocks.get(flow.kind) ?? []).length === 0) await stock(flow, 1);
      const [subject] = stocks.get(flow.kind) ?? [];
      if (subject === undefined) throw new Error('Nothing was made ready.');
      if (flow.again !== true) stocks.get(flow.kind)?.shift();
      playing = undefined;
      house.line.restart();
      clock.advance(forgottenMs);
      return prepared(flow, subject);
    },
    async play(flow, subject, troubles) {
      const of = await begin(subject, troubles);
      for (const step of flow.steps) {
        await ask(of, step);
        await settle(of);
      }
      return playedOut(of);
    },
    async othersGoOn(of, ms) {
      const latest = clock.now() + ms;
      crew.dismiss();
      // Nothing waits for the cloud to be still: a call is held up.
      const deliver = async () => {
        for (const trade of [revocationTrade, rotationTrade]) await crew.deliverOf(trade);
      };
      while (await goOn(of, latest, deliver));
      clock.advance(Math.max(0, latest - clock.now()));
    },
  };
}
