/** Short calls that Cordon makes at providers on its own account: asking whether a key is good, exchanging a token. Small answers, no redirects. */

import { CordonError } from '../shared/errors.ts';
import { jsonIn } from '../shared/json-in.ts';
import { createEgressGuard, type EgressGuard } from './egress-guard.ts';

export interface EgressCall {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  /** What the URL's host must be among. */
  readonly hosts: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface EgressAnswer {
  readonly status: number;
  /** Undefined when the body is not JSON. */
  readonly json: unknown;
}

/** @throws CordonError EGRESS_REFUSED; PROVIDER_UNAVAILABLE (retryable) when no whole answer comes in time. Any status is an answer. */
export type SendEgress = (call: EgressCall) => Promise<EgressAnswer>;

const defaultTimeoutMs = 10_000;
/** What is asked for here fits many times. */
const maxAnswerBytes = 4 * 1024 * 1024;

export function createSendEgress(options: { allowLoopback: boolean; guard?: EgressGuard; timeoutMs?: number }): SendEgress {
  const { guard = createEgressGuard({ allowLoopback: options.allowLoopback }), timeoutMs = defaultTimeoutMs } = options;
  return async ({ method, url, hosts, headers, body }) => {
    guard.check(url, hosts);
    // Loaded with the first of these calls, which most environments never make; an `import` would load Node's own undici too (nodejs/node#57649).
    const { request: send } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
    try {
      return await new Promise<EgressAnswer>((resolve, reject) => {
        const request = send(url, {
          method,
          headers: { accept: 'application/json', ...headers, ...(body && { 'content-length': String(body.length) }) },
          lookup: guard.lookup,
          // A connection of its own: these calls are rare, and none may be answered over one that somebody else opened.
          agent: false,
          signal: AbortSignal.timeout(timeoutMs),
        });
        request.once('error', reject);
        request.once('response', (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on('data', (chunk: Buffer) => {
            chunks.push(chunk);
            size += chunk.length;
            if (size > maxAnswerBytes) request.destroy(new Error('the answer is too large'));
          });
          response.once('error', reject);
          response.once('close', () => {
            if (!response.complete) reject(new Error('the answer broke off'));
          });
          response.once('end', () => resolve({ status: response.statusCode ?? 0, json: jsonIn(Buffer.concat(chunks).toString('utf8')) }));
        });
        request.end(body);
      });
    } catch (error) {
      if (error instanceof CordonError) throw error;
      // The cause is the connection's own failure: it holds no header and no body.
      throw new CordonError('PROVIDER_UNAVAILABLE', `${url.hostname} did not answer`, { retryable: true, cause: error });
    }
  };
}
