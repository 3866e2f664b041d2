import { isSafeEndpoint } from '../shared/endpoint-url.ts';
import { CordonError } from '../shared/errors.ts';
import type { SecretText } from '../shared/secret-text.ts';

export interface ProviderRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Appended to the base URL; segments are encoded by the caller. */
  readonly path: string;
  readonly bearer: SecretText;
  readonly body?: object;
}

export interface ProviderAnswer {
  readonly status: number;
  /** Undefined when the answer has no JSON body. */
  readonly json: unknown;
  readonly retryAfterSeconds: number | undefined;
}

export type SendToProvider = (request: ProviderRequest) => Promise<ProviderAnswer>;

/** Long enough for a slow admin call, short enough that several of them fit into one run of the function. */
const timeoutMs = 10_000;
/** Admin answers are small; what is larger is not one. */
const maxAnswerBytes = 4 * 1024 * 1024;

/**
 * Sends a request over plain `fetch`. Redirects are not followed: the key would go along.
 *
 * @throws CordonError PROVIDER_UNAVAILABLE when no whole answer comes in time; any status is an answer
 */
export function createProviderHttp(provider: string, baseUrl: string, fetchUrl: typeof fetch = fetch): SendToProvider {
  if (!isSafeEndpoint(baseUrl)) throw new CordonError('PROVIDER_REFUSED', `the base URL of ${provider} must be https`);
  const base = baseUrl.replace(/\/+$/, '');
  return async ({ method, path, bearer, body }) => {
    try {
      const response = await fetchUrl(`${base}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${bearer.reveal()}`,
          accept: 'application/json',
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.text();
      if (text.length > maxAnswerBytes) throw new Error('the answer is too large');
      return { status: response.status, json: parseJson(text), retryAfterSeconds: retryAfter(response.headers.get('retry-after')) };
    } catch (error) {
      // The cause's message is the network's own ("fetch failed", a timeout): it holds no header and no body.
      throw new CordonError('PROVIDER_UNAVAILABLE', `${provider} did not answer`, { retryable: true, cause: error });
    }
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON is for the caller to judge, by the status; the parser's message would quote the body.
    return undefined;
  }
}

/** Seconds. The date form of the header is left alone: no provider we call sends it. Source: RFC 9110, section 10.2.3. */
function retryAfter(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) : undefined;
}

/** What a status that is no success means. Never quotes the answer: providers put parts of keys into their messages. */
export function providerError(provider: string, doing: string, answer: ProviderAnswer): CordonError {
  const { status, retryAfterSeconds } = answer;
  const passing = status === 408 || status === 409 || status === 425 || status === 429 || status >= 500;
  if (passing) {
    return new CordonError('PROVIDER_UNAVAILABLE', `${provider} could not be used for ${doing} (HTTP ${status})`, {
      retryable: true,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    });
  }
  return new CordonError('PROVIDER_REFUSED', `${provider} refused ${doing} (HTTP ${status})`);
}
