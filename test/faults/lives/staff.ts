/** Who works in a life: one worker of each function, hired when first needed and replaced when it has died or has not been asked for long. */
import type { JSONWebKeySet } from 'jose';
import type { LocalCloud } from '../../../local/cloud.ts';
import { byocTrade } from '../../support/byoc-worker.ts';
import { type AskBroker, type BrokerAnswer, brokerCraft, doorCraft, sessionsCraft } from '../../support/front-functions.ts';
import { cutOffTrade, revocationTrade } from '../../support/revocation-worker.ts';
import { rotationTrade } from '../../support/rotation-worker.ts';
import { tenantsTrade } from '../../support/tenants-worker.ts';
import type { Turns } from '../../support/turns.ts';
import type { Craft, Employee, HousedWorker, Trade } from '../../support/worker-craft.ts';
import type { WorkerHouse } from '../../support/worker-house.ts';

/** Those whose queues a life delivers. */
export const trades: readonly Trade[] = [tenantsTrade, byocTrade, rotationTrade, revocationTrade, cutOffTrade];
/** No two of these ever work at once, as the stack has it. */
export const alone: Trade = cutOffTrade;

export interface Staff {
  worker(trade: Trade): Promise<HousedWorker>;
  /** Another one, who has just started. */
  another(trade: Trade): Promise<HousedWorker>;
  /** A call of the tenant's, as API Gateway hands it to the broker. Status 0: the connection broke. */
  askBroker(event: object, tenantId: string): Promise<BrokerAnswer>;
  /** The same to the door. */
  askDoor(event: object): Promise<BrokerAnswer>;
  /** What `sessions` answers when it is invoked. */
  mint(payload: string): Promise<object>;
  /** Everybody goes. */
  dismiss(): void;
  lines(): readonly string[];
}

/** Lambda keeps no environment for long that nothing is asked of. */
const keptMs = 600_000;
/** API Gateway and Lambda give a call at least as long. */
const runMs = 29_000;

export function openStaff(cloud: LocalCloud, house: WorkerHouse, turns: Turns, keys: JSONWebKeySet): Staff {
  const { clock } = cloud;
  interface Place<Work> {
    readonly worker: Employee;
    readonly work: Work;
    readonly since: number;
  }
  const hands = new Map<Trade, { readonly hand: HousedWorker; readonly since: number }>();
  const emptied: (() => void)[] = [];
  let logs: (readonly string[])[] = [];

  async function another(trade: Trade): Promise<HousedWorker> {
    const hand = await house.hire(trade);
    logs.push(hand.lines);
    return hand;
  }

  function isKept(found: { readonly since: number } | undefined, worker: Employee | undefined): boolean {
    return found !== undefined && worker?.dead === false && clock.now() < found.since + keptMs;
  }

  /** Environments of one function by name: the broker has one for each tenant. */
  function environmentsOf<Work>(craft: Craft<Work>) {
    const own = new Map<string, Place<Work>>();
    const empty = (): void => own.clear();
    emptied.push(empty);
    const of = async (name: string): Promise<Place<Work>> => {
      const known = own.get(name);
      if (known !== undefined && isKept(known, known.worker)) return known;
      const made = { ...(await house.employ(craft)), since: clock.now() };
      logs.push(made.worker.lines);
      own.set(name, made);
      return made;
    };
    return { of, empty };
  }
  const sessions = environmentsOf(sessionsCraft(keys));
  const door = environmentsOf(doorCraft(keys));
  const broker = environmentsOf<AskBroker>(brokerCraft({ cloud, house, underWay: turns.underWay }));
  const broken: BrokerAnswer = { status: 0, body: '' };

  return {
    another,
    async worker(trade) {
      const known = hands.get(trade);
      if (known !== undefined && isKept(known, known.hand)) return known.hand;
      const hand = await another(trade);
      hands.set(trade, { hand, since: clock.now() });
      return hand;
    },
    async askBroker(event, tenantId) {
      const { worker, work } = await broker.of(tenantId);
      const answer = await Promise.race([work(event, tenantId).catch(() => broken), worker.death]);
      // What was done in its session was taken for its own doing (`handOver`), and it does nothing any more: `sessions`, which has the same one, starts anew.
      if (worker.dead) sessions.empty();
      return answer === 'died' ? broken : answer;
    },
    async askDoor(event) {
      const { worker, work } = await door.of('');
      // Of the event no more is read than what is in it.
      const asked = work(Object.assign(Object.create(null), event), { getRemainingTimeInMillis: () => runMs });
      const answer = await Promise.race([asked, worker.death]);
      return answer === 'died' ? broken : { status: answer.statusCode, body: answer.body };
    },
    async mint(payload) {
      const { worker, work } = await sessions.of('');
      const answer = await Promise.race([work(JSON.parse(payload), { awsRequestId: 'a-life' }), worker.death]);
      return answer === 'died'
        ? { StatusCode: 200, FunctionError: 'Unhandled', Payload: JSON.stringify({ errorType: 'Runtime.ExitError' }) }
        : { StatusCode: 200, Payload: JSON.stringify(answer) };
    },
    dismiss() {
      house.dismiss();
      hands.clear();
      for (const empty of emptied) empty();
      logs = [];
    },
    lines: () => logs.flat(),
  };
}
