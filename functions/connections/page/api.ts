/** Cordon's API as the page uses it. Paths are relative: the page works behind any domain and stage. */
import type { JWK } from 'jose';
import type { AskedAnswer, ConnectionsAnswer } from '../connections-answer.ts';

/** What Cordon, or the way to it, answered instead. `message` is for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  /** Seconds; set when the same request may be sent again. */
  readonly retryAfter: number | undefined;

  constructor(code: string, message: string, retryAfter?: number) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

export interface ConnectionRequest {
  readonly customerAccountId: string;
  readonly services: readonly string[];
  readonly regions: readonly string[];
  readonly environment?: string | undefined;
  readonly dataClasses?: readonly string[] | undefined;
}

export interface DoorKey {
  readonly keys: readonly JWK[];
  readonly nonce: { readonly value: string };
}

export interface Api {
  list(): Promise<ConnectionsAnswer>;
  connect(request: ConnectionRequest): Promise<AskedAnswer>;
  disconnect(customerAccountId: string): Promise<AskedAnswer>;
  doorKey(): Promise<DoorKey>;
  supply(credentialId: string, jwe: string): Promise<unknown>;
}

const timeoutMs = 30_000;
const unreachable = 'Cordon could not be reached. Check your connection to the internet, then try again.';
const unclear = 'Cordon answered something unexpected. Try again; if it stays, tell your platform.';

/** @param token the caller's; it stands in this closure and nowhere else */
export function createApi(token: string): Api {
  /** The answers are Cordon's own, from the page's own origin: their form is what the API's description says. */
  async function call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(path, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
        signal: AbortSignal.timeout(timeoutMs),
      });
      text = await response.text();
    } catch {
      // Whatever it was, it is of the network; the browser's words for it help nobody.
      throw new ApiError('UNREACHABLE', unreachable, 2);
    }
    if (response.ok) return parsed(text) as Answer;
    throw refusalOf(response, parsed(text));
  }
  return {
    list: () => call('GET', 'connections'),
    connect: (request) => call('POST', 'connections', request),
    disconnect: (customerAccountId) => call('DELETE', `connections/${encodeURIComponent(customerAccountId)}`),
    doorKey: () => call('GET', 'credentials/public-key'),
    supply: (credentialId, jwe) => call('POST', `credentials/${encodeURIComponent(credentialId)}/secret`, { jwe }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError('UNCLEAR', unclear);
  }
}

function refusalOf(response: Response, answer: unknown): ApiError {
  const error = typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : undefined;
  if (typeof error !== 'object' || error === null || !('code' in error) || !('message' in error)) return new ApiError('UNCLEAR', unclear);
  const { code, message } = error;
  if (typeof code !== 'string' || typeof message !== 'string') return new ApiError('UNCLEAR', unclear);
  const retryAfter = [429, 503, 504].includes(response.status) ? Math.min(Number(response.headers.get('retry-after')) || 2, 10) : undefined;
  return new ApiError(
    code,
    'requestId' in error ? `${sentence(message)} (Request ${String(error.requestId)})` : sentence(message),
    retryAfter,
  );
}

/** The API's messages begin like the clauses they are. */
function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
