/**
 * The rotation worker in the test's own process: its handler, its adapters, its roles and their policies, over the local cloud and the simulated providers. As
 * fast as a campaign needs it, and every call of it passes a line that can be troubled. The SDK makes one attempt, so that whatever happens to a call reaches the code.
 */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';
import { z } from 'zod';
import { createAdminKeyReader } from '../../functions/providers/admin-key.secrets-manager.ts';
import { createProviders } from '../../functions/providers/create-providers.ts';
import { createSendEgress, type EgressAnswer } from '../../functions/providers/egress-request.ts';
import { configuredProviders } from '../../functions/providers/providers-config.ts';
import { createValidateKey } from '../../functions/providers/validate-key.ts';
import { applyRotationMessage } from '../../functions/rotation/apply-rotation-message.ts';
import { rotationEnv } from '../../functions/rotation/env.ts';
import type { outboundEvents } from '../../functions/rotation/events.ts';
import { createRotationOpeners } from '../../functions/rotation/open-rotation.aws.ts';
import { createTryCustomerKey } from '../../functions/rotation/try-customer-key.ts';
import { createAnnouncer } from '../../functions/shared/announcer.eventbridge.ts';
import { createAssumeRole } from '../../functions/shared/assume-role.sts.ts';
import { createIds } from '../../functions/shared/clock.ts';
import type { QueueMessage } from '../../functions/shared/consume-message.ts';
import { CordonError } from '../../functions/shared/errors.ts';
import { createInbox } from '../../functions/shared/inbox.sqs.ts';
import type { Log, LogFields } from '../../functions/shared/log.ts';
import { createTenantSessions } from '../../functions/shared/tenant-sessions.ts';
import type { LocalCloud } from '../../local/cloud.ts';
import { AwsError } from '../../local/core/aws-error.ts';
import { asRoot } from './ground-truth.ts';
import { type Caller, createTroubledLine, lostAnswer, type TroubledLine } from './troubled-line.ts';

export interface RotationWorker extends Caller {
  /** What it has logged, for the reader of a failure. */
  readonly lines: readonly string[];
  /** One delivery: `done` with, to come `again`, or the worker has `died` of it. */
  handle(message: QueueMessage, deadline: number): Promise<'done' | 'again' | 'died'>;
}

export interface WorkerHouse {
  readonly line: TroubledLine;
  /** A worker that has just started: it keeps nothing of any other. */
  hire(): Promise<RotationWorker>;
}

const configured = z.object({ Environment: z.object({ Variables: z.record(z.string(), z.string()) }) });

/** Opens a cloud to workers in this process. Once per cloud. `watch`: as of `createTroubledLine`. */
export async function openWorkerHouse(
  cloud: LocalCloud,
  watch: Parameters<typeof createTroubledLine>[0] = async () => undefined,
): Promise<WorkerHouse> {
  const { kernel, clock } = cloud;
  const answer = await asRoot(cloud, 'lambda', 'GetFunctionConfiguration', { FunctionName: cloud.functionArns['rotation'] });
  const variables = configured.parse(answer).Environment.Variables;
  const env = rotationEnv.parse(variables);
  // What the adapters make their clients with, as Lambda gives it.
  Object.assign(process.env, { AWS_ENDPOINT_URL: cloud.endpoint, AWS_REGION: cloud.region, AWS_MAX_ATTEMPTS: '1' });
  const line = createTroubledLine(watch);
  const workers = new Map<string, RotationWorker>();
  const { sessions } = kernel.identities;

  /** The worker that holds this access key or has assumed a role for it. */
  function holderOf(accessKeyId: string | undefined): RotationWorker | undefined {
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

  async function hire(): Promise<RotationWorker> {
    const { rotation: credentials } = await cloud.functionCredentials();
    if (credentials === undefined) throw new Error('The stack has no rotation function.');
    const clientConfig = { credentials };
    const now = clock.now;
    const nextId = createIds(now);
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
    const deps = {
      clock: now,
      nextId,
      random: () => 0.5,
      log: logInto(lines, {}),
      async pause(ms: number) {
        clock.advance(ms);
      },
      announcer: createAnnouncer<typeof outboundEvents>(new EventBridgeClient(clientConfig), env.EVENT_BUS_NAME),
      inbox: createInbox(new SQSClient(clientConfig), { queue: env.QUEUE_URL, deadLetterQueue: env.DEAD_LETTER_QUEUE_URL }),
      maxReceiveCount: env.MAX_RECEIVE_COUNT,
      platformAccountId: env.PLATFORM_ACCOUNT_ID,
      poolKeyArn: env.TENANT_KEY_ARN,
      providers: createProviders(configuredProviders(env, {}), {
        clock: now,
        fetchUrl,
        readAdminKey: createAdminKeyReader(new SecretsManagerClient(clientConfig)),
      }),
      tryCustomerKey: createTryCustomerKey({
        validateKey: createValidateKey({
          baseUrls: env.PROVIDER_BASE_URLS,
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
      ...createRotationOpeners({
        sessions: createTenantSessions({ assume: createAssumeRole(new STSClient(clientConfig)), clock: now, capacity: 500 }),
        clock: now,
        nextId,
        env,
      }),
    };

    async function apply(message: QueueMessage, deadline: number): Promise<'done' | 'again'> {
      try {
        await applyRotationMessage(deps, message, deadline);
        return 'done';
      } catch (error) {
        // Lambda is told which messages failed, and not why.
        lines.push(String(error));
        return 'again';
      }
    }

    const worker: RotationWorker = {
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
