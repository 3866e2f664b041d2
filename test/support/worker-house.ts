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
import { createTenantSessions, type TenantSessions } from '../../functions/shared/tenant-sessions.ts';
import type { AwsCredentials } from '../../local/aws-clients.ts';
import type { LocalCloud } from '../../local/cloud.ts';
import { AwsError } from '../../local/core/aws-error.ts';
import { asRoot } from './ground-truth.ts';
import { type Caller, createTroubledLine, lostAnswer, type TroubledLine } from './troubled-line.ts';

export interface HousedWorker extends Caller {
  /** What it has logged, for the reader of a failure. */
  readonly lines: readonly string[];
  /** One delivery: `done` with, to come `again`, or the worker has `died` of it. */
  handle(message: QueueMessage, deadline: number): Promise<'done' | 'again' | 'died'>;
}

type Handle = (message: QueueMessage, deadline: number) => Promise<void>;

/** What a worker is given to work with; what it keeps of earlier runs is its own. */
export interface Tools {
  /** For the clients of the function's own role. */
  readonly clientConfig: { readonly credentials: Required<AwsCredentials> };
  readonly clock: Clock;
  readonly nextId: NextId;
  readonly log: Log;
  readonly sessions: TenantSessions;
  pause(ms: number): Promise<void>;
  /** Those that it may make keys at, as its environment configures them. */
  providers(env: Parameters<typeof configuredProviders>[0]): ReturnType<typeof createProviders>;
  tryCustomerKey(env: { readonly PROVIDER_BASE_URLS: Readonly<Record<string, string>> }): ReturnType<typeof createTryCustomerKey>;
}

/** What a function does, put together as its `*.lambda.ts` does it. */
export interface Trade {
  /** As the stack's outputs name it. */
  readonly functionName: string;
  /** @param variables the function's environment */
  start(variables: Readonly<Record<string, string>>, tools: Tools): Handle;
}

export interface WorkerHouse {
  readonly line: TroubledLine;
  /** A worker that has just started: it keeps nothing of any other. */
  hire(trade: Trade, habits?: { readonly clock?: Clock }): Promise<HousedWorker>;
}

export interface HouseRules {
  /** As of `createTroubledLine`. */
  readonly watch?: Parameters<typeof createTroubledLine>[0];
  /** What happens while a worker waits, before the clock is moved for it. */
  readonly meanwhile?: () => Promise<void>;
}

const configured = z.object({ Environment: z.object({ Variables: z.record(z.string(), z.string()) }) });

/** Opens a cloud to workers in this process. Once per cloud. */
export function openWorkerHouse(cloud: LocalCloud, { watch = async () => undefined, meanwhile }: HouseRules = {}): WorkerHouse {
  const { kernel, clock } = cloud;
  // What the adapters make their clients with, as Lambda gives it.
  Object.assign(process.env, { AWS_ENDPOINT_URL: cloud.endpoint, AWS_REGION: cloud.region, AWS_MAX_ATTEMPTS: '1' });
  const line = createTroubledLine(watch);
  const workers = new Map<string, HousedWorker>();
  const environments = new Map<string, Readonly<Record<string, string>>>();
  const { sessions } = kernel.identities;

  /** The worker that holds this access key or has assumed a role for it. */
  function holderOf(accessKeyId: string | undefined): HousedWorker | undefined {
    for (let key = accessKeyId; key !== undefined; key = sessions.get(key)?.assumedWith) {
      const holder = workers.get(key);
      if (holder !== undefined) return holder;
    }
    return undefined;
  }

  const call = kernel.call;
  kernel.call = (caller, service, action, input, options) => {
    const worker = holderOf(caller.accessKeyId);
    const send = () => call(caller, service, action, input, options);
    if (worker === undefined) return send();
    const refused = () => Promise.reject(new AwsError('InternalFailure', 'The request failed before anything was done.', 500));
    return line.pass(worker, { service, action, send, refused, lost: lostAnswer });
  };

  async function environmentOf(functionName: string): Promise<Readonly<Record<string, string>>> {
    const known = environments.get(functionName);
    if (known !== undefined) return known;
    const answer = await asRoot(cloud, 'lambda', 'GetFunctionConfiguration', { FunctionName: cloud.functionArns[functionName] });
    const { Variables } = configured.parse(answer).Environment;
    environments.set(functionName, Variables);
    return Variables;
  }

  async function hire({ functionName, start }: Trade, habits: { readonly clock?: Clock } = {}): Promise<HousedWorker> {
    const { [functionName]: credentials } = await cloud.functionCredentials();
    if (credentials === undefined) throw new Error(`The stack has no function ${functionName}.`);
    const clientConfig = { credentials };
    const now = habits.clock ?? clock.now;
    const lines: string[] = [];
    const { promise: death, resolve } = Promise.withResolvers<'died'>();

    const fetchUrl: typeof fetch = (input, init) =>
      line.pass(worker, {
        ...placeOf(String(input), init?.method),
        // One that is late has no patience of its own left.
        send: () => fetch(input, { ...init, signal: null }),
        refused: () => new Response('{}', { status: 500 }),
        lost: () => new TypeError('fetch failed'),
      });
    const sendEgress = createSendEgress({ allowLoopback: true });
    const handleOne = start(await environmentOf(functionName), {
      clientConfig,
      clock: now,
      nextId: createIds(now),
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
          validateKey: createValidateKey({
            baseUrls,
            allowLoopback: true,
            send: (egress) =>
              line.pass<EgressAnswer>(worker, {
                ...placeOf(String(egress.url), egress.method),
                send: () => sendEgress(egress),
                refused: () => ({ status: 500, json: {} }),
                lost: () => new CordonError('PROVIDER_UNAVAILABLE', 'no answer', { retryable: true }),
              }),
          }),
          checkDatabase: () => Promise.reject(new Error('There are no databases here.')),
          allowLoopback: true,
        }),
    });

    async function apply(message: QueueMessage, deadline: number): Promise<'done' | 'again'> {
      try {
        await handleOne(message, deadline);
        return 'done';
      } catch (error) {
        // Lambda is told which messages failed, and not why.
        lines.push(String(error));
        return 'again';
      }
    }

    const worker: HousedWorker = {
      dead: false,
      lines,
      die() {
        worker.dead = true;
        resolve('died');
      },
      handle: (message, deadline) => Promise.race([apply(message, deadline), death]),
    };
    workers.set(credentials.accessKeyId, worker);
    return worker;
  }

  return { line, hire };
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
