import type { Outcome } from '../attribution/attribution-entry.ts';
import type { UsageReader } from '../providers/egress-adapter.ts';
import { redirectOf } from '../providers/egress-guard.ts';
import { CordonError } from '../shared/errors.ts';
import { errorAnswer, errorEvent } from './broker-error.ts';
import type { ClientStream } from './client-stream.ts';
import type { PreparedUse } from './prepare-use.ts';
import type { ProxyCall } from './proxy-event.ts';
import { type RecordDeps, recordOutcome } from './record-use.ts';
import { type RelayLimits, relayBody } from './relay-answer.ts';
import { passedHeaders } from './response-headers.ts';
import type { TellThrottled } from './tell-throttled.ts';
import type { TenantStores } from './tenant-environment.ts';
import type { SendUpstream } from './upstream.ts';
import type { WatchTimes } from './watch-gate.ts';
import { type Lasting, watchUse } from './watch-use.ts';

export interface CarryOutDeps extends RecordDeps {
  readonly upstream: SendUpstream;
  readonly limits: RelayLimits;
  readonly watchTimes: WatchTimes;
  /** Milliseconds, monotonic. */
  readonly elapsed: () => number;
  readonly tellThrottled: TellThrottled;
}

/** A provider's answer to whoever has used up a rate limit (RFC 6585, section 4). */
const throttledStatus = 429;
/** Telling of it goes on for so long after the call is over, in milliseconds: the environment is kept for it, and the caller is not. */
const tellMs = 1000;

/**
 * An answer ends when its outcome is on record: whoever has it can read the record, and the environment is free for the caller's next call. Recording that takes
 * longer than this, in milliseconds, does not hold the caller up.
 */
const endAfterMs = 250;
/** An answer that says it is no longer than this, in bytes, goes to the caller in one piece, at its end. */
const wholeBytes = 64 * 1024;
const errorHeaders = { 'content-type': 'application/json', 'cache-control': 'no-store' };

/** Answers a call that is not, or not any more, answered by the provider. */
export function answerError(client: ClientStream, error: unknown, requestId: string): void {
  const { status, body } = errorAnswer(error, requestId);
  client.answer(status, errorHeaders, body);
}

/**
 * Sends the request once, passes the answer on, and records how it ended. Does not throw: whatever happens is in the answer and in the outcome.
 *
 * @param remainingMs until the call has to be over
 */
export async function carryOutUse(
  deps: CarryOutDeps,
  call: ProxyCall,
  use: PreparedUse,
  lasting: Lasting<TenantStores>,
  client: ClientStream,
  remainingMs: number,
): Promise<void> {
  const startedAt = deps.elapsed();
  const end = new AbortController();
  const passed = { bytes: 0 };
  let cut = false;
  const leave = (): void => end.abort(client.gone.reason);
  client.gone.addEventListener('abort', leave);
  if (client.gone.aborted) leave();
  const deadline = setTimeout(
    () => end.abort(new CordonError('UPSTREAM_TIMEOUT', 'The call took longer than a call may take.')),
    remainingMs,
  );
  const stopWatching = watchUse(use, lasting, deps.watchTimes, (reason) => {
    cut = true;
    end.abort(reason);
  });

  let began: string | undefined;
  let statusCode: number | undefined;
  let usage: UsageReader | undefined;
  let outcome: Outcome;
  let whole: Whole | undefined;
  let complete = false;
  let telling: Promise<void> | undefined;
  try {
    const { adapter, secret, url, headers } = use;
    const answer = await deps.upstream({
      method: call.method,
      url,
      headers,
      body: call.body,
      signal: end.signal,
    });
    statusCode = answer.status;
    if (statusCode === throttledStatus) telling = deps.tellThrottled(call, use.admitted.credential.credentialId);
    if (redirectOf(answer.status, answer.headers['location'], url) === 'foreign') {
      const foreign = new CordonError('UPSTREAM_REDIRECT', 'The provider redirected the call to another place, which is not followed.');
      answer.body.stop(foreign);
      throw foreign;
    }
    const type = answer.headers['content-type'] ?? '';
    usage = adapter.usage(type, answer.headers);
    const passedOn = passedHeaders(answer.headers, secret.compiled.scrub);
    if (isShort(answer.headers)) whole = { status: answer.status, headers: passedOn, pieces: [] };
    else {
      client.begin(answer.status, passedOn);
      began = type;
    }
    const scrubber = secret.compiled.scrubber();
    await relayBody(answer.body, whole ? collectIn(whole) : client, { scrubber, usage, limits: deps.limits, passed });
    outcome = outcomeOf(answer.status);
    complete = true;
  } catch (error) {
    const reason = reasonOf(deps, error);
    breakOff(client, reason, began, call.requestId);
    outcome = { result: cut ? 'cut' : reason.code === 'CLIENT_GONE' ? 'aborted' : 'failed', code: reason.code };
  } finally {
    stopWatching();
    clearTimeout(deadline);
    client.gone.removeEventListener('abort', leave);
  }
  const tokens = usage?.end();
  const recording = recordOutcome(deps, lasting.current().attribution, use.intent, {
    ...outcome,
    ...(statusCode !== undefined && { statusCode }),
    ...(tokens !== undefined && { usage: tokens }),
    bytes: passed.bytes,
    durationMs: Math.round(deps.elapsed() - startedAt),
  });
  if (complete) {
    await atMost(recording, endAfterMs);
    if (whole === undefined) client.end();
    else client.answer(whole.status, whole.headers, Buffer.concat(whole.pieces));
  }
  await recording;
  if (telling !== undefined) await atMost(telling, tellMs);
}

/** An answer that is collected first: the caller gets it in one piece, or an error in its place. */
interface Whole {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: Uint8Array[];
}

/** Of a compressed one the length says nothing. */
function isShort(headers: Readonly<Record<string, string>>): boolean {
  const length = headers['content-length'];
  return headers['content-encoding'] === undefined && length !== undefined && /^\d{1,9}$/.test(length) && Number(length) <= wholeBytes;
}

const collectIn = ({ pieces }: Whole): Pick<ClientStream, 'write'> => ({
  write: (chunk) => void pieces.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk),
});

/** Waits until it is done, but no longer than this, in milliseconds. What it waits for does not fail. */
function atMost(work: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** What is no CordonError is a defect: in the log, and nothing of it in the answer. */
function reasonOf({ log }: CarryOutDeps, error: unknown): CordonError {
  if (error instanceof CordonError) return error;
  log.error('a call broke off', error);
  return new CordonError('UPSTREAM_BROKEN', "The provider's answer broke off.", { cause: error });
}

/** A provider's own 401 or 403 is its refusal; its other errors are failures; the caller gets them as they are. */
function outcomeOf(status: number): Outcome {
  if (status === 401 || status === 403) return { result: 'refused', code: 'PROVIDER_REFUSED' };
  return { result: status < 400 ? 'succeeded' : 'failed' };
}

/** @param began media type of the answer that was under way; undefined when none was */
function breakOff(client: ClientStream, reason: CordonError, began: string | undefined, requestId: string): void {
  if (client.gone.aborted) return;
  if (began === undefined) answerError(client, reason, requestId);
  else if (began.startsWith('text/event-stream')) {
    void client.write(errorEvent(reason, requestId));
    client.end();
  } else client.break(reason);
}
