/** The local cloud for integration tests: one per file, started when first asked for; the tests of a file stay apart by fresh tenant IDs. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { type AwsClients, type AwsCredentials, awsClients } from '../../local/aws-clients.ts';
import { type LocalCloud, type StartOptions, startCloud } from '../../local/cloud.ts';
import { openAudit, openSession, type StoredSecret, storedSecrets } from '../../local/demo/cast.ts';
import { type Outcome, readEventLog } from '../../local/demo/play-events.ts';
import { recordNeeds } from './needs-record.ts';
import { suspendSchedules } from './schedules.ts';
import { templatePath } from './template.ts';

interface PlatformEvent {
  readonly detailType: string;
  /** An object, or a text put on the bus as it is. */
  readonly detail: object | string;
  /** `cordon.platform` when left out. */
  readonly source?: string;
}

interface Attempted {
  /** `error`: AWS answered something other than AccessDenied. */
  readonly outcome: 'allowed' | 'denied' | 'error';
  /** Every statement that refused something during the call, `Policy/Sid`, or a sentence when none did; when allowed, those that allowed. */
  readonly statements: readonly string[];
  readonly error: Error | undefined;
}

interface Onboarded {
  readonly tenantId: string;
  readonly eventId: string;
  readonly outcome: Outcome;
}

interface DeadLetter {
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface TestCloud {
  readonly cloud: LocalCloud;
  /** Tokens minted through this cloud and whatever a test adds: texts that may show up nowhere (`canaries.ts`). */
  readonly tokens: Set<string>;
  readonly operator: AwsClients;
  /** SDK clients for these credentials; made once per access key. */
  clients(credentials: AwsCredentials): AwsClients;
  /** A tenant ID nobody has used. */
  freshTenantId(prefix?: string): string;
  /** Puts events as the operator; answers their IDs. Rejects when the bus refuses one. */
  putEvents(...events: readonly PlatformEvent[]): Promise<readonly string[]>;
  /** Waits for a published event of one of these types that holds `term` (a tenant ID, an event ID). Rejects after `timeoutMs`. */
  outcome(detailTypes: readonly string[], term: string, timeoutMs?: number): Promise<Outcome>;
  /** What Cordon has published that holds `term`, oldest first. */
  published(term: string): Promise<readonly Outcome[]>;
  /** Puts `TenantOnboarded` with one platform-issued OpenAI credential, or with what `detail` says, and waits for its outcome. */
  onboard(detail?: Readonly<Record<string, unknown>>): Promise<Onboarded>;
  /** A tenant's session, or with a subject that user's, minted by `sessions` from a token. Rejects with the refusal. */
  tenantSession(tenantId: string, subject?: string): Promise<AwsCredentials>;
  /** The operator as the tenant's auditor. */
  auditor(tenantId: string): Promise<AwsCredentials>;
  /** Makes a call with these credentials and says what IAM decided. The journal is read by caller: one call at a time per credentials. */
  attempt(credentials: AwsCredentials, call: (clients: AwsClients) => Promise<unknown>): Promise<Attempted>;
  /** The tenant's secrets as the account's root sees them: names and tags. */
  secretsOf(tenantId: string): Promise<readonly StoredSecret[]>;
  /** Takes from the dead-letter queue of `tenants` what holds `term`; the rest stays there. Rejects when nothing has come after `timeoutMs`. */
  deadLetter(term: string, timeoutMs?: number): Promise<DeadLetter>;
  /** Resolves when nothing moves any more. Rejects after `timeoutMs`. */
  settled(timeoutMs?: number): Promise<void>;
  /** Ends the cloud and every client of it. */
  close(): Promise<void>;
}

let shared: Promise<TestCloud> | undefined;

interface TestCloudOptions extends Pick<StartOptions, 'tenantEnvironments' | 'clock' | 'keepAliveMs'> {
  /** Runs the audit of policies and the isolation tests for each day that the clock goes on. Elsewhere they would be most of the work of a test that moves it by weeks. */
  readonly daily?: true;
}

/** The cloud of this file. `options` are of the first who asks. */
export function testCloud({ daily, ...options }: TestCloudOptions = {}): Promise<TestCloud> {
  shared ??= startCloud({ ...options, templatePath: resolve(templatePath) }).then(async (started) => {
    if (daily === undefined) for (const one of ['IsolationTests', 'PolicyAudit']) await suspendSchedules(started, one);
    if (process.env['RECORD_NEEDS'] !== undefined) recordNeeds(started, process.env['RECORD_NEEDS']);
    return asTestCloud(started);
  });
  return shared;
}

/** The cloud of this file if a test has asked for it. */
export function startedCloud(): Promise<TestCloud> | undefined {
  return shared;
}

/** Ends the cloud of this file, if there is one: files share a process, and what one has done to its clock, its queues or its providers is no other one's. */
export async function closeCloud(): Promise<void> {
  const ending = shared;
  shared = undefined;
  await (await ending)?.close();
}

const openAiCredential = { credentialId: 'openai-main', provider: 'openai', source: 'platform-issued', environment: 'production' };
const caught = z.instanceof(Error).catch(({ value }) => new Error(String(value)));

function asTestCloud(started: LocalCloud): TestCloud {
  const tokens = new Set<string>();
  const mint: LocalCloud['oidc']['mint'] = async (request) => {
    const token = await started.oidc.mint(request);
    tokens.add(token);
    return token;
  };
  const cloud = { ...started, oidc: { ...started.oidc, mint } };
  const made = new Map<string, AwsClients>();
  const clients = (credentials: AwsCredentials): AwsClients => {
    const known = made.get(credentials.accessKeyId) ?? awsClients(cloud, credentials);
    made.set(credentials.accessKeyId, known);
    return known;
  };
  const operator = clients(cloud.operator);
  const { EventBusName: eventBusName = '', EventLogGroup: eventLogGroup = '' } = cloud.outputs;
  const published = (term: string): Promise<readonly Outcome[]> => readEventLog({ logs: operator.logs, eventLogGroup }, term);

  const putEvents: TestCloud['putEvents'] = async (...events) => {
    const Entries = events.map(({ detailType, detail, source = 'cordon.platform' }) => ({
      EventBusName: eventBusName,
      Source: source,
      DetailType: detailType,
      Detail: typeof detail === 'string' ? detail : JSON.stringify(detail),
    }));
    const answer = await operator.events.send(new PutEventsCommand({ Entries }));
    return (answer.Entries ?? []).map(({ EventId, ErrorCode, ErrorMessage }) => {
      if (EventId === undefined) throw new Error(`The bus refused an event: ${ErrorCode} ${ErrorMessage}`);
      return EventId;
    });
  };

  const outcome: TestCloud['outcome'] = async (detailTypes, term, timeoutMs = 20_000) => {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const all = await published(term);
      const found = all.find(({ detailType }) => detailTypes.includes(detailType));
      if (found !== undefined) return found;
      if (performance.now() > deadline) {
        throw new Error(`No ${detailTypes.join(' or ')} about ${term} after ${timeoutMs} ms; there was: ${JSON.stringify(all)}`);
      }
      await sleep(20);
    }
  };

  const freshTenantId = (prefix = 't'): string => `${prefix}-${randomBytes(4).toString('hex')}`;

  return {
    cloud,
    tokens,
    operator,
    clients,
    freshTenantId,
    putEvents,
    outcome,
    published,
    async onboard(given = {}) {
      const tenantId = typeof given['tenantId'] === 'string' ? given['tenantId'] : freshTenantId();
      const detail = {
        version: 1,
        tenantId,
        displayName: `Tenant ${tenantId}`,
        tier: 'pool',
        requestedBy: 'test',
        credentials: [openAiCredential],
        ...given,
      };
      const [eventId = ''] = await putEvents({ detailType: 'TenantOnboarded', detail });
      return { tenantId, eventId, outcome: await outcome(['TenantProvisioned', 'TenantProvisioningFailed'], tenantId) };
    },
    tenantSession: (tenantId, subject) => openSession(cloud, tenantId, subject),
    auditor: (tenantId) => openAudit(cloud, operator, tenantId),
    async attempt(credentials, call) {
      const principal = cloud.kernel.callerOf(credentials.accessKeyId)?.principal.arn;
      const since = cloud.journal.lastSeq;
      const error = await call(clients(credentials)).then(
        () => undefined,
        (reason: unknown) => caught.parse(reason),
      );
      const result = error === undefined ? 'allowed' : /^AccessDenied/.test(error.name) ? 'denied' : 'error';
      const decision = result === 'allowed' ? 'allow' : 'deny';
      const entries = cloud.journal.since(since).filter((entry) => entry.principal === principal && entry.decision === decision);
      return { outcome: result, statements: entries.map(({ statement }) => statement), error };
    },
    async secretsOf(tenantId) {
      return (await storedSecrets(cloud)).filter(({ name }) => name.startsWith(`cordon/${tenantId}/`));
    },
    async deadLetter(term, timeoutMs = 20_000) {
      const QueueUrl = cloud.queues['tenants']?.dlqUrl;
      const deadline = performance.now() + timeoutMs;
      while (performance.now() < deadline) {
        const { Messages = [] } = await operator.sqs.send(
          new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0, MessageAttributeNames: ['All'] }),
        );
        const found = Messages.find((message) => message.Body?.includes(term) === true);
        if (found !== undefined) {
          await operator.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: found.ReceiptHandle }));
          const attributes = Object.entries(found.MessageAttributes ?? {}).map(([name, { StringValue }]) => [name, StringValue ?? '']);
          return { body: found.Body ?? '', attributes: Object.fromEntries(attributes) };
        }
        await sleep(20);
      }
      throw new Error(`Nothing about ${term} in the dead-letter queue after ${timeoutMs} ms.`);
    },
    async settled(timeoutMs = 20_000) {
      if (!(await cloud.idle(timeoutMs))) throw new Error(`Work is still in progress after ${timeoutMs} ms.`);
    },
    async close() {
      for (const one of made.values()) one.destroy();
      await cloud.close();
    },
  };
}
