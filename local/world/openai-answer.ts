/** What the simulator's routes take and give. Source: OpenAI API reference, "Error codes" and "Pagination". */

export interface ApiRequest {
  readonly method: string;
  /** Path segments after `/v1/`, e.g. `['organization', 'projects', 'proj_1']`. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly body: unknown;
}

/** `events` is a server-sent event stream: each entry the text of one event. */
export type ApiAnswer =
  | { readonly status: number; readonly json: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly status: 200; readonly events: readonly string[] };

export class OpenAiError extends Error {
  override readonly name = 'OpenAiError';
  readonly status: number;
  readonly code: string | null;
  readonly type: string;
  readonly param: string | null;

  constructor(status: number, code: string | null, message: string, options: { type?: string; param?: string } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.type = options.type ?? 'invalid_request_error';
    this.param = options.param ?? null;
  }
}

export function errorAnswer(error: OpenAiError): ApiAnswer {
  const json = { error: { message: error.message, type: error.type, param: error.param, code: error.code } };
  return error.status === 429 ? { status: 429, json, headers: { 'retry-after': '1' } } : { status: error.status, json };
}

/** The documented error for a status, for faults that name one. */
export function errorOfStatus(status: number): OpenAiError {
  if (status === 401) return new OpenAiError(401, 'invalid_api_key', 'Incorrect API key provided.');
  if (status === 403) return new OpenAiError(403, null, 'You have insufficient permissions for this operation.');
  if (status === 404) return new OpenAiError(404, null, 'Not found.');
  if (status === 429) return new OpenAiError(429, 'rate_limit_exceeded', 'Rate limit reached for requests.', { type: 'requests' });
  if (status < 500) return new OpenAiError(status, null, 'The request was refused.');
  return new OpenAiError(status, null, 'The server had an error while processing your request.', { type: 'server_error' });
}

/** One page of `items` by `limit` (1–100, default 20) and `after` (the last ID of the page before). Throws OpenAiError 400. */
export function page<T extends { readonly id: string }>(items: readonly T[], query: URLSearchParams, view: (item: T) => object): ApiAnswer {
  const limit = Number(query.get('limit') ?? '20');
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
    throw new OpenAiError(400, 'invalid_value', `Invalid 'limit': expected an integer from 1 to 100, got '${query.get('limit')}'.`, {
      param: 'limit',
    });
  }
  const after = query.get('after');
  const start = after === null ? 0 : items.findIndex((item) => item.id === after) + 1;
  if (after !== null && start === 0)
    throw new OpenAiError(400, 'invalid_value', `Invalid 'after': '${after}' is not in this list.`, { param: 'after' });
  const data = items.slice(start, start + limit);
  return {
    status: 200,
    json: {
      object: 'list',
      data: data.map(view),
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
      has_more: start + limit < items.length,
    },
  };
}
