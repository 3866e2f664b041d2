import type { z } from 'zod';
import { isSafeEndpoint } from '../shared/endpoint-url.ts';
import { CordonError } from '../shared/errors.ts';
import { jsonIn } from '../shared/json-in.ts';
import type { StillWanted } from './provider.ts';

export interface ProviderRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Appended to the base URL; segments are encoded by the caller. */
  readonly path: string;
  /** The credential among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON; as a form when it is one. */
  readonly body?: object | URLSearchParams;
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
  return async ({ method, path, headers, body }) => {
    try {
      const asJson = body !== undefined && !(body instanceof URLSearchParams);
      const response = await fetchUrl(`${base}${path}`, {
        method,
        headers: { ...headers, accept: 'application/json', ...(asJson && { 'content-type': 'application/json' }) },
        ...(body && { body: asJson ? JSON.stringify(body) : body }),
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.text();
      if (text.length > maxAnswerBytes) throw new Error('the answer is too large');
      return { status: response.status, json: jsonIn(text), retryAfterSeconds: retryAfter(response.headers.get('retry-after')) };
    } catch (error) {
      // The cause's message is the network's own ("fetch failed", a timeout): it holds no header and no body.
      throw new CordonError('PROVIDER_UNAVAILABLE', `${provider} did not answer`, { retryable: true, cause: error });
    }
  };
}

/** An administration's endpoints, asked with Cordon's own credential. */
export interface ProviderAdmin {
  /**
   * @throws CordonError as `providerError` says for a status that is no success; PROVIDER_UNAVAILABLE for a success that is not what was asked for: it may be
   *   a proxy's, and the next answer the right one
   */
  ask<Schema extends z.ZodType>(doing: string, schema: Schema, request: AdminRequest): Promise<z.infer<Schema>>;
  /** As `ask`, but undefined when there is no such thing (404). */
  find<Schema extends z.ZodType>(doing: string, schema: Schema, request: AdminRequest): Promise<z.infer<Schema> | undefined>;
  /** Removes a thing; one that is gone (404) is removed. */
  remove(doing: string, path: string, stillWanted?: StillWanted): Promise<void>;
}

export type AdminRequest = Omit<ProviderRequest, 'headers'> & {
  /** Called when the admin credential is at hand, which may have taken its time. */
  readonly stillWanted?: StillWanted | undefined;
};

/** @param headers that carry the admin credential; asked for at each call, so that a changed one is taken up */
export function createProviderAdmin(
  provider: string,
  send: SendToProvider,
  headers: () => Promise<Readonly<Record<string, string>>>,
): ProviderAdmin {
  const answered = async ({ stillWanted, ...request }: AdminRequest): Promise<ProviderAnswer> => {
    const authorized = { ...request, headers: await headers() };
    stillWanted?.();
    return send(authorized);
  };
  return {
    ask: async (doing, schema, request) => parseAnswer(provider, doing, schema, await answered(request)),
    async find(doing, schema, request) {
      const answer = await answered(request);
      return answer.status === 404 ? undefined : parseAnswer(provider, doing, schema, answer);
    },
    async remove(doing, path, stillWanted) {
      const answer = await answered({ method: 'DELETE', path, stillWanted });
      if (!isSuccess(answer) && answer.status !== 404) throw providerError(provider, doing, answer);
    },
  };
}

/** @throws CordonError as `ProviderAdmin.ask` does */
export function parseAnswer<Schema extends z.ZodType>(
  provider: string,
  doing: string,
  schema: Schema,
  answer: ProviderAnswer,
): z.infer<Schema> {
  if (!isSuccess(answer)) throw providerError(provider, doing, answer);
  const parsed = schema.safeParse(answer.json);
  if (parsed.success) return parsed.data;
  throw new CordonError('PROVIDER_UNAVAILABLE', `${provider} answered ${doing} in a form that is not known`, { retryable: true });
}

/** More pages than any list of one cell has. */
const maxPages = 1000;

/**
 * Goes through a list page by page and collects what `wanted` keeps.
 *
 * @param page asks for the page behind `cursor` (undefined: the first) and says where the next begins, if there is one
 * @param wanted `last` keeps the item and ends the search
 */
export async function collectPages<Item, Cursor>(
  provider: string,
  doing: string,
  page: (cursor: Cursor | undefined) => Promise<{ items: readonly Item[]; next: Cursor | undefined }>,
  wanted: (item: Item) => 'keep' | 'skip' | 'last',
): Promise<Item[]> {
  const kept: Item[] = [];
  let cursor: Cursor | undefined;
  for (let count = 0; count < maxPages; count += 1) {
    const { items, next } = await page(cursor);
    for (const item of items) {
      const verdict = wanted(item);
      if (verdict !== 'skip') kept.push(item);
      if (verdict === 'last') return kept;
    }
    // An empty page may still be followed by one.
    if (next === undefined) return kept;
    cursor = next;
  }
  throw new CordonError('PROVIDER_REFUSED', `${provider} has too many entries for ${doing}`);
}

const isSuccess = ({ status }: ProviderAnswer): boolean => status >= 200 && status <= 299;

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
