/** What the isolation tests say of one call: refused, and by which statement; or allowed. */
import { expect } from 'vitest';
import type { AwsClients, AwsCredentials } from '../../local/aws-clients.ts';
import type { TestCloud } from './cloud.ts';

export type Call = (clients: AwsClients) => Promise<unknown>;

/** Nobody grants it: the sentence that stands in the journal where no statement decided. */
export const notGranted = /^no identity policy allows it/;
/** The trust policy, or the key's, does not let the caller in. */
export const notTrusted = /^the resource policy does not allow it, and must/;

/** A rule of the tenant roles' policy `TenantIsolation`, as the journal names it. */
export const isolation = (sid: string): string => `TenantIsolation/${sid}`;

/** IAM refuses the call, once, by `decidedBy`: `Policy/Sid`, or what the journal's sentence must match. Any other error fails too. */
export async function expectDenied(test: TestCloud, who: AwsCredentials, call: Call, decidedBy: string | RegExp): Promise<void> {
  const { outcome, statements, error } = await test.attempt(who, call);
  expect(outcome, error === undefined ? 'the call was allowed' : `${error.name}: ${error.message}`).toBe('denied');
  expect(statements).toEqual([typeof decidedBy === 'string' ? decidedBy : expect.stringMatching(decidedBy)]);
}

/** The call succeeds. */
export async function expectAllowed(test: TestCloud, who: AwsCredentials, call: Call): Promise<void> {
  const { outcome, error } = await test.attempt(who, call);
  expect(outcome, error && `${error.name}: ${error.message}`).toBe('allowed');
}
