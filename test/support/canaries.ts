/**
 * Every secret of a test run is a canary. As a `setupFiles` of the integration project this searches, after the last test of each file, everything that the run
 * has written for each of them. Secrets Manager is the one place where they may be.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll } from 'vitest';
import { z } from 'zod';
import { closeCloud, startedCloud, type TestCloud } from './cloud.ts';
import { asRoot, itemsOf, secretsWithoutValues } from './ground-truth.ts';
import { templatePath } from './template.ts';

/** Something that was written, and where. */
interface Trace {
  readonly where: string;
  readonly text: string;
}

interface Canary {
  /** What it is, for people. */
  readonly kind: string;
  readonly secret: string;
}

/** Never the secret itself: whoever reads the failure would have it. */
export interface Sighting {
  readonly where: string;
  readonly what: string;
}

/** A secret is found by any piece of it that holds one of its blocks whole: the last half of a key in an error message is a leak too. */
const blockLength = 16;

/** Where any of the secrets shows, as it is, URL-encoded, or in Base64 in whatever surroundings it was encoded. */
export function sightings(traces: readonly Trace[], canaries: readonly Canary[]): readonly Sighting[] {
  const forms = canaries.flatMap(({ kind, secret }) => [...new Set(formsOf(secret))].map((text) => ({ kind, text })));
  // Megabytes are searched for thousands of secrets: most of what is no block is told from one by a number alone.
  const marks = new Uint8Array(2 ** (32 - markShift));
  for (const { text } of forms) for (const at of blocksOf(text)) marks[markOf(text, at)] = 1;
  const alike = new Map<string, Set<string>>();
  for (const { where, text } of traces) {
    for (let at = 0; at + blockLength <= text.length; at += 1) {
      const mark = markOf(text, at);
      if (marks[mark] === 0) continue;
      marks[mark] = 2;
      const block = text.slice(at, at + blockLength);
      alike.set(block, (alike.get(block) ?? new Set()).add(where));
    }
  }
  const found = new Map<string, Sighting>();
  for (const { kind, text } of forms) {
    for (const at of blocksOf(text)) {
      if (marks[markOf(text, at)] !== 2) continue;
      for (const where of alike.get(text.slice(at, at + blockLength)) ?? []) found.set(`${kind} ${where}`, { where, what: kind });
    }
  }
  return [...found.values()];
}

function* blocksOf(text: string): Iterable<number> {
  for (let at = 0; at + blockLength <= text.length; at += blockLength) yield at;
}

const markShift = 8;

/** The same for the same block; seldom for two that differ. */
function markOf(text: string, at: number): number {
  const mixed =
    Math.imul(text.charCodeAt(at), 0x9e3779b1) ^
    Math.imul(text.charCodeAt(at + 5), 0x85ebca6b) ^
    Math.imul(text.charCodeAt(at + 10), 0xc2b2ae35) ^
    Math.imul(text.charCodeAt(at + 15), 0x27d4eb2f);
  return mixed >>> markShift;
}

/** Base64 depends on where in a group of three bytes the text begins; what neighbours share in is left out. */
function formsOf(secret: string): readonly string[] {
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.from('\0'.repeat(offset) + secret)
      .toString('base64')
      .slice(offset === 0 ? 0 : 4, -4),
  );
  return [secret, encodeURIComponent(secret), ...base64, ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))];
}

/** All that is secret in this run. */
export function canariesOf({ cloud, tokens }: TestCloud): readonly Canary[] {
  const { sessions, keys } = cloud.kernel.identities;
  const all = (kind: string, secrets: Iterable<string>): Canary[] => [...secrets].map((secret) => ({ kind, secret }));
  return [
    ...all('a key of the provider', cloud.world.plantedSecrets()),
    ...all(
      "a session's secret key",
      [...sessions.values()].map((session) => session.secretAccessKey),
    ),
    ...all(
      "a session's token",
      [...sessions.values()].map((session) => session.sessionToken),
    ),
    ...all(
      "a user's secret key",
      [...keys.values()].map((key) => key.secretAccessKey),
    ),
    ...all('a token of the identity provider', tokens),
  ];
}

/** All that the run has written. Empties the queues: for the end of a file. */
export async function tracesOf(test: TestCloud): Promise<readonly Trace[]> {
  const { cloud } = test;
  const json = (where: string, value: unknown): Trace => ({ where, text: JSON.stringify(value) });
  await test.settled();
  return [
    ...(await logTraces(test)),
    ...(await queueTraces(test)),
    ...(await itemsOf(cloud, 'RegistryTable')).map((item) => json(`registry item ${item.pk.S} ${item.sk.S}`, item)),
    ...(await itemsOf(cloud, 'AttributionTable')).map((item) => json(`attribution entry ${item.pk.S} ${item.sk.S}`, item)),
    ...(await secretsWithoutValues(cloud)).map((secret) => json(`name and tags of the secret ${secret.Name}`, secret)),
    ...cloud.journal.since().map((entry) => json(`journal entry ${entry.seq}`, entry)),
    ...(await functionTraces(test)),
    ...Object.entries(cloud.world.simulators).flatMap(([name, simulator]) => [
      json(`the list of keys of ${name}`, simulator.keys()),
      json(`the record of requests to ${name}`, simulator.requests()),
    ]),
    ...fileTraces('.cordon', /./),
    ...fileTraces(dirname(templatePath), /\.json$/),
  ];
}

const groups = z.object({ logGroups: z.array(z.object({ logGroupName: z.string() })) });
const logPage = z.object({
  events: z.array(z.object({ logStreamName: z.string(), message: z.string() })),
  nextToken: z.string().optional(),
});
const queues = z.object({ QueueUrls: z.array(z.string()) });
const messages = z.object({ Messages: z.array(z.looseObject({ MessageId: z.string() })).default([]) });
const functions = z.object({ Functions: z.array(z.looseObject({ FunctionName: z.string() })) });

/** Published events are here too: they land in the event log group. */
async function logTraces({ cloud }: TestCloud): Promise<Trace[]> {
  const found: Trace[] = [];
  for (const { logGroupName } of groups.parse(await asRoot(cloud, 'logs', 'DescribeLogGroups')).logGroups) {
    let nextToken: string | undefined;
    do {
      const page = logPage.parse(await asRoot(cloud, 'logs', 'FilterLogEvents', { logGroupName, nextToken }));
      for (const { logStreamName, message } of page.events) found.push({ where: `log ${logGroupName} ${logStreamName}`, text: message });
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
  }
  return found;
}

async function queueTraces({ cloud }: TestCloud): Promise<Trace[]> {
  const found: Trace[] = [];
  for (const QueueUrl of queues.parse(await asRoot(cloud, 'sqs', 'ListQueues')).QueueUrls) {
    const input = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 43_200, MessageAttributeNames: ['All'] };
    for (;;) {
      const { Messages } = messages.parse(await asRoot(cloud, 'sqs', 'ReceiveMessage', input));
      if (Messages.length === 0) break;
      for (const message of Messages) {
        // The body as it is: in JSON its quotes would be escaped, and what it holds in them too.
        const body = typeof message['Body'] === 'string' ? message['Body'] : '';
        found.push({ where: `message ${message.MessageId} of ${QueueUrl}`, text: `${body}\n${JSON.stringify(message)}` });
      }
    }
  }
  return found;
}

/** A function's settings: its variables are readable to many more people than any secret. */
async function functionTraces({ cloud }: TestCloud): Promise<Trace[]> {
  const list = functions.parse(await asRoot(cloud, 'lambda', 'ListFunctions'));
  return list.Functions.map((settings) => ({ where: `settings of the function ${settings.FunctionName}`, text: JSON.stringify(settings) }));
}

function fileTraces(directory: string, name: RegExp): Trace[] {
  try {
    const entries = readdirSync(resolve(directory), { withFileTypes: true }).filter((entry) => entry.isFile() && name.test(entry.name));
    return entries.map((entry) => ({
      where: `file ${join(directory, entry.name)}`,
      text: readFileSync(resolve(directory, entry.name), 'utf8'),
    }));
  } catch (error) {
    // No such directory, or a file that was replaced at this moment by another run, whose secrets are not this run's.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** A line of a function's log that is neither JSON, which alarms and people search by its members, nor the runtime's word that a run has failed. */
function isUnreadable({ where, text }: Trace): boolean {
  if (!/^log \S*Function/.test(where) || / ERROR Invoke Error /.test(text)) return false;
  try {
    JSON.parse(text);
    return false;
  } catch {
    return true;
  }
}

afterAll(async () => {
  try {
    const test = await startedCloud();
    if (test === undefined) return;
    const traces = await tracesOf(test);
    const unreadable = traces.filter(isUnreadable);
    if (unreadable.length > 0) throw new Error(`Lines that no filter can read:\n${unreadable.map(({ text }) => `  ${text}`).join('\n')}`);
    const found = sightings(traces, canariesOf(test));
    if (found.length === 0) return;
    throw new Error(`A secret shows where it may not be:\n${found.map(({ where, what }) => `  ${what}: ${where}`).join('\n')}`);
  } finally {
    await closeCloud();
  }
});
