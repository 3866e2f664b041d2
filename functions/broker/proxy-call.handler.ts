import type { Writable } from 'node:stream';
import { answerError } from './carry-out-use.ts';
import { createClientStream, type FromResponseStream } from './client-stream.response-stream.ts';
import { type ProxyDeps, proxyCall } from './proxy-call.ts';
import { type ProxyCall, proxyCallOf, requestIdOf } from './proxy-event.ts';

/** What is used of Lambda's context. Source: Lambda Developer Guide, "Node.js context object"; "Tenant isolation" (`tenantId`). */
export interface InvocationContext {
  readonly tenantId?: string;
  getRemainingTimeInMillis(): number;
}

export type StreamingHandler = (event: unknown, responseStream: Writable, context: InvocationContext) => Promise<void>;

/** Its promise rejects when an answer broke off on the way: with its outcome recorded, for Lambda to pass the break on. */
export function createHandler(deps: ProxyDeps, from: FromResponseStream): StreamingHandler {
  return async (event, responseStream, context) => {
    const client = createClientStream(responseStream, from);
    let call: ProxyCall;
    try {
      call = proxyCallOf(event);
    } catch (error) {
      answerError(client, error, requestIdOf(event));
      return;
    }
    await proxyCall(deps, call, { environmentTenantId: context.tenantId, remainingMs: context.getRemainingTimeInMillis() }, client);
    if (client.brokenBy !== undefined) throw client.brokenBy;
  };
}
