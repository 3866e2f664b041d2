import type { IncomingMessage } from 'node:http';
import type { Clock } from '../core/clock.ts';
import type { SignedBy } from './aws-access.ts';

/** One request as it is shown outside: no header's value, no body, no secret. With an AWS signature: who it says has signed. */
export interface ProviderRequest extends Partial<SignedBy> {
  readonly seq: number;
  readonly at: string;
  readonly method: string;
  readonly path: string;
  /** Sorted, lower case. */
  readonly headerNames: readonly string[];
  readonly status: number;
  /** SHA-256 of the key presented, hex; undefined when none was. */
  readonly keyFingerprint: string | undefined;
  /** The work was done and recorded with `status`, but the caller never got the answer. */
  readonly answerLost: boolean;
  /** The caller went before it had the whole answer. */
  readonly aborted: boolean;
}

export interface RequestRecords {
  /** Adds one; the answer marks it later as aborted. */
  add(
    request: IncomingMessage,
    about: { path: string; status: number; keyFingerprint: string | undefined; signedBy?: SignedBy | undefined; answerLost?: boolean },
  ): { markAborted(): void };
  all(): readonly ProviderRequest[];
}

export function createRequestRecords(clock: Clock): RequestRecords {
  const records: ProviderRequest[] = [];
  return {
    add(request, { path, status, keyFingerprint, signedBy, answerLost = false }) {
      const index = records.length;
      const record: ProviderRequest = {
        seq: index + 1,
        at: new Date(clock.now()).toISOString(),
        method: request.method ?? 'GET',
        path,
        headerNames: Object.keys(request.headers).sort(),
        status,
        keyFingerprint,
        answerLost,
        aborted: false,
        ...signedBy,
      };
      records.push(record);
      return {
        markAborted() {
          records[index] = { ...record, aborted: true };
        },
      };
    },
    all: () => [...records],
  };
}
