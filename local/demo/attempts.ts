/** Runs the attempts of `attempts.json`: each is one API call by someone, with what must come of it. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { AwsClients } from '../aws-clients.ts';
import type { Journal, JournalEntry } from '../core/journal.ts';
import { calls } from './calls.ts';

const attemptSchema = z.strictObject({
  /** Who tries, by the name `start.ts` gives its credentials, e.g. `acme`, `acme/ana`, `operator`, `function sessions`. */
  who: z.string(),
  /** What the table says. */
  tries: z.string().max(56),
  /** Whose thing it is about. */
  on: z.string(),
  call: z.string().refine((name) => Object.hasOwn(calls, name), 'is not a call this demonstration knows'),
  /** The SDK's input; `{{name}}` stands for a value of this run. */
  input: z.record(z.string(), z.unknown()),
  expect: z.enum(['allowed', 'denied']),
});
export type Attempt = z.infer<typeof attemptSchema>;

export interface AttemptResult extends Attempt {
  /** `error`: neither allowed nor refused by IAM; never what is expected. */
  readonly outcome: 'allowed' | 'denied' | 'error';
  readonly held: boolean;
  /** The statement that decided, from the cloud's journal, or the error. */
  readonly statement: string;
}

/** Reads the file. Throws when it is not a list of attempts. */
export function readAttempts(path: string): readonly Attempt[] {
  const attempts = z
    .array(attemptSchema)
    .min(1)
    .safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!attempts.success) throw new Error(`${path} is not a list of attempts: ${z.prettifyError(attempts.error)}`);
  return attempts.data;
}

export interface AttemptDeps {
  readonly journal: Journal;
  /** Clients by `who`, and the caller's ARN as the journal knows it. Throws when there is no such person. */
  readonly actor: (who: string) => { readonly clients: AwsClients; readonly arn: string };
  /** Values for `{{name}}`. Throws for an unknown name. */
  readonly value: (name: string) => string;
}

/** Makes the call and looks up what decided. One at a time: the journal is read by caller. */
export async function runAttempt(deps: AttemptDeps, attempt: Attempt): Promise<AttemptResult> {
  const { clients, arn } = deps.actor(attempt.who);
  const call = calls[attempt.call];
  if (call === undefined) throw new Error(`There is no call ${attempt.call}.`);
  const since = deps.journal.lastSeq;
  const input = fill(attempt.input, deps.value);
  const error = await call(clients, input).then(
    () => undefined,
    (reason: unknown) => (reason instanceof Error ? reason : new Error(String(reason))),
  );
  const entries = deps.journal.since(since).filter((entry) => entry.principal === arn);
  const outcome = error === undefined ? 'allowed' : /^AccessDenied/.test(error.name) ? 'denied' : 'error';
  const statement = outcome === 'error' ? `${error?.name}: ${error?.message}` : decidingStatement(entries, attempt.call, outcome);
  return { ...attempt, outcome, held: outcome === attempt.expect, statement };
}

function decidingStatement(entries: readonly JournalEntry[], call: string, outcome: 'allowed' | 'denied'): string {
  if (outcome === 'denied') return entries.find((entry) => entry.decision === 'deny')?.statement ?? 'refused, but not in the journal';
  // A call may need several permissions (a secret's key, too): the one it is named after is the telling one.
  return (entries.find((entry) => entry.action === call) ?? entries.at(-1))?.statement ?? 'allowed, but not in the journal';
}

function fill(value: unknown, lookUp: (name: string) => string): unknown {
  if (typeof value === 'string') return value.replaceAll(/\{\{([^}]+)\}\}/g, (_, name: string) => lookUp(name));
  if (Array.isArray(value)) return value.map((item) => fill(item, lookUp));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key.replaceAll(/\{\{([^}]+)\}\}/g, (_, name: string) => lookUp(name)), fill(item, lookUp)]),
  );
}
