import { CordonError, type CordonErrorCode } from '../shared/errors.ts';

/** What the caller of the broker gets for each code. What is not listed here is a defect, or none of the caller's business: 500, without the message. */
const statuses: Partial<Record<CordonErrorCode, number>> = {
  CALL_INVALID: 400,
  TOKEN_REFUSED: 401,
  TOKEN_EXPIRED: 401,
  // Revoked means: whoever asks is no longer who may. Clients stop at 401, while they repeat on 409, 429 and 5xx.
  TENANT_NOT_ACTIVE: 401,
  USER_NOT_ACTIVE: 401,
  AGENT_REVOKED: 401,
  SESSION_REVOKED: 401,
  CREDENTIAL_REVOKED: 401,
  TENANT_MISMATCH: 403,
  ACCESS_REFUSED: 403,
  DATA_CLASS_NOT_CLEARED: 403,
  CREDENTIAL_NOT_ACTIVE: 403,
  CONNECTION_NOT_ACTIVE: 403,
  CUSTOMER_ROLE_REFUSED: 403,
  CUSTOMER_KEY_REFUSED: 403,
  PATH_NOT_ALLOWED: 403,
  EGRESS_REFUSED: 403,
  NO_CREDENTIAL: 404,
  PROVIDER_UNKNOWN: 404,
  REQUEST_TOO_LARGE: 413,
  AMBIGUOUS_CREDENTIAL: 422,
  EGRESS_NOT_CONFIGURED: 422,
  UPSTREAM_UNREACHABLE: 502,
  UPSTREAM_REDIRECT: 502,
  UPSTREAM_BROKEN: 502,
  UPSTREAM_TOO_LARGE: 502,
  UPSTREAM_ENCODING: 502,
  PROVIDER_UNAVAILABLE: 502,
  PROVIDER_REFUSED: 502,
  SESSION_UNAVAILABLE: 503,
  GATE_UNAVAILABLE: 503,
  SECRET_UNAVAILABLE: 503,
  ATTRIBUTION_UNAVAILABLE: 503,
  UPSTREAM_TIMEOUT: 504,
};

/** One sentence for all: who is refused learns nothing of how it stands with others. */
const fixedMessages: Partial<Record<CordonErrorCode, string>> = {
  ACCESS_REFUSED: 'The call was refused.',
  TENANT_MISMATCH: 'The call was refused.',
  TENANT_NOT_ACTIVE: 'The token was not accepted.',
  TOKEN_REFUSED: 'The token was not accepted.',
};

export interface ErrorAnswer {
  readonly status: number;
  /** JSON: `{error: {code, message, requestId}}`. */
  readonly body: string;
}

/** The answer to a call that was not made, or that failed before anything of the provider's answer was passed on. */
export function errorAnswer(error: unknown, requestId: string): ErrorAnswer {
  const { code, message } = publicError(error);
  return { status: statusOf(code), body: JSON.stringify({ error: { code, message, requestId } }) };
}

/** The same as the last event of a stream that is cut. Source: WHATWG HTML, "Server-sent events"; the blank line ends an event that was under way. */
export function errorEvent(error: unknown, requestId: string): string {
  return `\n\nevent: error\ndata: ${JSON.stringify({ error: { ...publicError(error), requestId } })}\n\n`;
}

function statusOf(code: string): number {
  return Object.entries(statuses).find(([name]) => name === code)?.[1] ?? 500;
}

function publicError(error: unknown): { code: string; message: string } {
  if (!(error instanceof CordonError) || statuses[error.code] === undefined)
    return { code: 'INTERNAL', message: 'The call could not be made.' };
  // A tenant that is no longer active looks like a token that never was good.
  const code = error.code === 'TENANT_NOT_ACTIVE' ? 'TOKEN_REFUSED' : error.code;
  return { code, message: fixedMessages[error.code] ?? error.message };
}
