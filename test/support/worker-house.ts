/**
 * Workers in the test's own process: their handlers, their adapters, their roles and the policies of those, over the local cloud and the simulated providers. As
 * fast as a campaign needs it, and every call of theirs passes a line that can be troubled. The SDK makes one attempt, so that whatever happens to a call reaches the code.
 */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { STSClient } from '@aws-sdk/client-sts';
import { z } from 'zod';
import { createAdminKeyReader } from '../../functions/providers/admin-key.secrets-manager.ts';
import { createProviders } from '../../functions/providers/create-providers.ts';
import { createSendEgress, type EgressAnswer } from '../../functions/providers/egress-request.ts';
import { configuredProviders } from '../../functions/providers/providers-config.ts';
import { createValidateKey } from '../../functions/providers/validate-key.ts';
import { createTryCustomerKey } from '../../functions/rotation/try-customer-key.ts';
import { createAssumeRole } from '../../functions/shared/assume-role.sts.ts';
import { type Clock, createIds, type NextId } from '../../functions/shared/clock.ts';
import type { QueueMessage } from '../../functions/shared/consume-message.ts';
import { CordonError } from '../../functions/shared/errors.ts';
import type { Log, LogFields } from '../../functions/shared/log.ts';
import { createTenantSessions } from '../../functions/shared/tenant-sessions.ts';
import type { LocalCloud } from '../../local/cloud.ts';
import { AwsError } from '../../local/core/aws-error.ts';
import { asRoot } from './ground-truth.ts';
import { createTroubledLine, lostAnswer, type Sent, type TroubledLine } from './troubled-line.ts';
import type { Turns } from './turns.ts';
import type { Craft, Employee, HousedWorker, Tools, Trade } from './worker-craft.ts';

interface Habits {
  readonly clock?: Clock;
}

export interface WorkerHouse {
  readonly line: TroubledLine;
  /** A worker that has just started: it keeps nothing of any other. */
  hire(trade: Trade, habits?: Habits): Promise<HousedWorker>;
  /** The same of a function that answers whoever calls it. */
  employ<Work>(craft: Craft<Work>, habits?: Habits): Promise<{ readonly worker: Employee; readonly work: Work }>;
  /** From here on calls with this access key are this worker's, whoever has assumed the role. */
  handOver(accessKeyId: string, worker: Employee): void;
  /** Forgets those who live: their work is over. The dead are known still, whatever of them is on its way. */
  dismiss(): void;
  /** Passes something that a worker asks of whoever is not behind `fetch`. */
  pass<Answer>(worker: Employee, sent: Sent<Answer>): Promise<Answer>;
}

export interface HouseRules {
  /** As of `createTroubledLine`. */
  readonly watch?: Parameters<typeof createTroubledLine>[0];
  /** Called before whatever a worker asks for is asked, done or not. */
  readonly before?: Parameters<typeof createTroubledLine>[0];
  /** What happens while a worker waits, before the clock is moved for it. */
  readonly meanwhile?: () => Promise<void>;
  /** Calls are made one after the other, in an order that these decide. As they come when left out. */
  readonly turns?: Turns;
  /** Of each worker. Of chance when left out. */
  readonly idsOf?: (clock: Clock) => NextId;
  /** Answers for a function that is invoked, instead of the deployed one; undefined for one that it does not know. */
  readonly invoke?: (functionArn: string, payload: string) => (() => Promise<object>) | undefined;
}

const invocation = z.object({ FunctionName: z.string(), Payload: z.string() });
const configured = z.object({ Environment: z.object({ Variables: z.record(z.string(), z.string()) }) });

/** Opens a cloud to workers in this process. Once per cloud. */
export function openWorkerHouse(cloud: LocalCloud, rules: HouseRules = {}): WorkerHouse {
  const { watch = async () => undefined, before, meanwhile, turns, idsOf = createIds, invoke } = rules;
  const { kernel, clock } = cloud;
  // What the adapters make their clients with, as Lambda gives it.
  Object.assign(process.env, { AWS_ENDPOINT_URL: cloud.endpoint, AWS_REGION: cloud.region, AWS_MAX_ATTEMPTS: '1' });
  const line = createTroubledLine(watch);
  const workers = new Map<string, Employee>();
  const environments = new Map<string, Readonly<Record<string, string>>>();
  const { sessions } = kernel.identities;

  /** The worker that holds this access key or has assumed a role for it. */
  function holderOf(accessKeyId: string | undefined): Employee | undefined {
    for (let key = accessKeyId; key !== undefined; key = sessions.get(key)?.assumedWith) {
      const holder = workers.get(key);
      if (holder !== undefined) return holder;
    }
    return undefined;
  }

  async function passNow<Answer>(worker: Employee, sent: Sent<Answer>): Promise<Answer> {
    if (!worker.dead) await before?.(sent);
    return line.pass(worker, sent);
  }
  const pass = <Answer>(worker: Employee, sent: Sent<Answer>, overHttp = false): Promise<Answer> =>
    turns === undefined
      ? passNow(worker, sent)
      : turns.take(sent, { overHttp, onDeath: (tell) => mourn(worker, tell) }, () => passNow(worker, sent));

  const call = kernel.call;
  kernel.call = (caller, service, action, input, options) => {
    // What comes without a request is asked by a service, or by the world, in the course of another call.
    const worker = options?.requestId === undefined ? undefined : holderOf(caller.accessKeyId);
    const send = () => sendAs(caller, service, action, input, options);
    if (worker === undefined) return call(caller, service, action, input, options);
    const refused = () => Promise.reject(new AwsError('InternalFailure', 'The request failed before anything was done.', 500));
    return pass(worker, { service, action, send, refused, lost: lostAnswer }, true);
  };

  /** A function that somebody else answers for is invoked all the same, as far as IAM is concerned. */
  async function sendAs(...[caller, service, action, input, options]: Parameters<typeof call>): ReturnType<typeof call> {
    const invoked = service === 'lambda' && action === 'Invoke' ? invocation.parse(input) : undefined;
    const answer = invoked && invoke?.(invoked.FunctionName, invoked.Payload);
    if (answer === undefined) return call(caller, service, action, input, options);
    await call(caller, service, action, { ...input, InvocationType: 'DryRun' }, options);
    return { ...(await (turns === undefined ? answer() : turns.aside(answer))) };
  }

  async function environmentOf(functionName: string): Promise<Readonly<Record<string, string>>> {
    const known = environments.get(functionName);
    if (known !== undefined) return known;
    const answer = await asRoot(cloud, 'lambda', 'GetFunctionConfiguration', { FunctionName: cloud.functionArns[functionName] });
    const { Variables } = configured.parse(answer).Environment;
    environments.set(functionName, Variables);
    return Variables;
  }

  async function employ<Work>({ functionName, start }: Craft<Work>, habits: Habits = {}): Promise<{ worker: Employee; work: Work }> {
    const { [functionName]: credentials } = await cloud.functionCredentials(functionName);
    if (credentials === undefined) throw new Error(`The stack has no function ${functionName}.`);
    const clientConfig = { credentials };
    const now = habits.clock ?? clock.now;
    const lines: string[] = [];
    const { promise: death, resolve } = Promise.withResolvers<'died'>();
    const worker: Employee = {
      dead: false,
      lines,
      death,
      mourners: new Set(),
      die() {
        worker.dead = true;
        resolve('died');
        for (const tell of [...worker.mourners]) tell();
      },
    };
    workers.set(credentials.accessKeyId, worker);

    const fetchUrl: typeof fetch = (input, init) =>
      pass(worker, {
        ...placeOf(String(input), init?.method),
        // One that is late has no patience of its own left.
        send: () => wholeAnswer(fetch(input, { ...init, signal: null })),
        refused: () => new Response('{}', { status: 500 }),
        lost: () => new TypeError('fetch failed'),
      });
    const sendNow = createSendEgress({ allowLoopback: true });
    const sendEgress: Tools['sendEgress'] = (egress) =>
      pass<EgressAnswer>(worker, {
        ...placeOf(String(egress.url), egress.method),
        send: () => sendNow(egress),
        refused: () => ({ status: 500, json: {} }),
        lost: () => new CordonError('PROVIDER_UNAVAILABLE', 'no answer', { retryable: true }),
      });
    const work = start(await environmentOf(functionName), {
      worker,
      clientConfig,
      sendEgress,
      clock: now,
      nextId: idsOf(now),
      log: logInto(lines, {}),
      sessions: createTenantSessions({ assume: createAssumeRole(new STSClient(clientConfig)), clock: now, capacity: 500 }),
      async pause(ms) {
        await meanwhile?.();
        clock.advance(ms);
      },
      providers: (env) =>
        createProviders(configuredProviders(env, {}), {
          clock: now,
          fetchUrl,
          readAdminKey: createAdminKeyReader(new SecretsManagerClient(clientConfig)),
        }),
      tryCustomerKey: ({ PROVIDER_BASE_URLS: baseUrls }) =>
        createTryCustomerKey({
          validateKey: createValidateKey({ baseUrls, allowLoopback: true, send: sendEgress }),
          checkDatabase: () => Promise.reject(new Error('There are no databases here.')),
          allowLoopback: true,
        }),
    });
    return { worker, work };
  }

  async function hire(trade: Trade, habits: Habits = {}): Promise<HousedWorker> {
    const { worker, work } = await employ(trade, habits);

    async function apply(message: QueueMessage, deadline: number): Promise<'done' | 'again'> {
      try {
        await work(message, deadline);
        return 'done';
      } catch (error) {
        // Lambda is told which messages failed, and not why.
        worker.lines.push(String(error));
        return 'again';
      }
    }

    return Object.assign(worker, {
      handle: (message: QueueMessage, deadline: number) => Promise.race([apply(message, deadline), worker.death]),
    });
  }

  return {
    ...{ line, hire, employ, pass },
    handOver: (accessKeyId, worker) => void workers.set(accessKeyId, worker),
    dismiss() {
      for (const [accessKeyId, { dead }] of workers) if (!dead) workers.delete(accessKeyId);
    },
  };
}

function mourn({ dead, mourners }: Employee, tell: () => void): () => void {
  if (dead) queueMicrotask(tell);
  else mourners.add(tell);
  return () => void mourners.delete(tell);
}

/** With its body, so that nothing of it is under way any more. */
async function wholeAnswer(coming: Promise<Response>): Promise<Response> {
  const answer = await coming;
  const body = await answer.arrayBuffer();
  return new Response(body.byteLength === 0 ? null : body, { status: answer.status, headers: answer.headers });
}

/** `openai`, `GET /v1/models`: a request to a simulated provider as points name it, IDs replaced. */
function placeOf(address: string, method = 'GET'): { service: string; action: string } {
  const [service = '', ...segments] = new URL(address).pathname.slice(1).split('/');
  const named = segments.map((segment) => (/\d/.test(segment) && segment.length >= 8 ? '{id}' : segment));
  return { service, action: `${method} /${named.join('/')}` };
}

function logInto(lines: string[], always: LogFields): Log {
  const line = (message: string, fields?: object): void => void lines.push(JSON.stringify({ message, ...always, ...fields }));
  return {
    info: line,
    warn: line,
    error: (message, error, fields) => line(message, { ...fields, error: String(error) }),
    with: (fields) => logInto(lines, { ...always, ...fields }),
  };
}
