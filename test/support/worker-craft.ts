/** What a worker of the house can do, and what it is given to do it with: each trade is put together from these tools as its `*.lambda.ts` does it from AWS's own. */
import type { createProviders } from '../../functions/providers/create-providers.ts';
import type { createSendEgress } from '../../functions/providers/egress-request.ts';
import type { configuredProviders } from '../../functions/providers/providers-config.ts';
import type { createTryCustomerKey } from '../../functions/rotation/try-customer-key.ts';
import type { Clock, NextId } from '../../functions/shared/clock.ts';
import type { QueueMessage } from '../../functions/shared/consume-message.ts';
import type { Log } from '../../functions/shared/log.ts';
import type { TenantSessions } from '../../functions/shared/tenant-sessions.ts';
import type { AwsCredentials } from '../../local/aws-clients.ts';
import type { Caller } from './troubled-line.ts';

export interface Employee extends Caller {
  /** What it has logged, for the reader of a failure. */
  readonly lines: string[];
  /** Resolves when it dies. */
  readonly death: Promise<'died'>;
  /** Who is told of it at once. */
  readonly mourners: Set<() => void>;
}

export interface HousedWorker extends Employee {
  /** One delivery: `done` with, to come `again`, or the worker has `died` of it. */
  handle(message: QueueMessage, deadline: number): Promise<'done' | 'again' | 'died'>;
}

/** One message: rejects for one that is to come again. `deadline` in milliseconds since the epoch. */
type Handle = (message: QueueMessage, deadline: number) => Promise<void>;

/** What a worker is given to work with; what it keeps of earlier runs is its own. */
export interface Tools {
  readonly worker: Employee;
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
  /** As asking a provider whether it takes a key does it. */
  readonly sendEgress: ReturnType<typeof createSendEgress>;
}

/** What a function does, put together as its `*.lambda.ts` does it. */
export interface Craft<Work> {
  /** As the stack's outputs name it. */
  readonly functionName: string;
  /** @param variables the function's environment */
  start(variables: Readonly<Record<string, string>>, tools: Tools): Work;
}

/** Of a function that takes messages. */
export type Trade = Craft<Handle>;
