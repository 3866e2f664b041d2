import type { APIGatewayProxyResult } from 'aws-lambda';
import { CordonError, type CordonErrorCode } from './errors.ts';

interface Face {
  readonly status: number;
  readonly code: CordonErrorCode | 'UNAVAILABLE' | 'INTERNAL';
  /** What the caller reads. Undefined: the error's own message, which is written for callers. */
  readonly message?: string;
}

const own = (status: number, code: CordonErrorCode): Face => ({ status, code });
/** One face for every refusal of who asks: nobody learns whether a tenant or a user exists, or how far a forged token came. */
const unauthorized: Face = { status: 401, code: 'TOKEN_REFUSED', message: 'The token was not accepted.' };
const unavailable: Face = { status: 503, code: 'UNAVAILABLE', message: 'Cordon cannot do this now: send the same request again.' };
const internal: Face = { status: 500, code: 'INTERNAL', message: 'Something went wrong; name the request ID when you report it.' };

/** How errors look to callers of the API. What is not here is INTERNAL: AWS's words, ARNs and stacks are for the log. */
const faces: Partial<Record<CordonErrorCode, Face>> = {
  TOKEN_REFUSED: unauthorized,
  TENANT_UNKNOWN: unauthorized,
  TENANT_NOT_ACTIVE: unauthorized,
  TENANT_OFFBOARDED: unauthorized,
  USER_UNKNOWN: unauthorized,
  CALL_INVALID: own(400, 'CALL_INVALID'),
  REQUEST_TOO_LARGE: own(413, 'REQUEST_TOO_LARGE'),
  SUPPLY_REFUSED: own(400, 'SUPPLY_REFUSED'),
  SUPPLY_NONCE_REFUSED: own(409, 'SUPPLY_NONCE_REFUSED'),
  SUPPLIER_NOT_ALLOWED: own(403, 'SUPPLIER_NOT_ALLOWED'),
  CREDENTIAL_UNKNOWN: own(404, 'CREDENTIAL_UNKNOWN'),
  CONNECTION_UNKNOWN: own(404, 'CONNECTION_UNKNOWN'),
  REVOCATION_UNKNOWN: own(404, 'REVOCATION_UNKNOWN'),
  CERTIFICATE_UNKNOWN: own(404, 'CERTIFICATE_UNKNOWN'),
  CERTIFICATE_TOO_LARGE: own(422, 'CERTIFICATE_TOO_LARGE'),
  ROLE_REQUIRED: own(403, 'ROLE_REQUIRED'),
  VERIFICATION_TOO_SOON: own(429, 'VERIFICATION_TOO_SOON'),
  VERIFICATION_UNDER_WAY: own(409, 'VERIFICATION_UNDER_WAY'),
  VERIFICATION_UNKNOWN: own(404, 'VERIFICATION_UNKNOWN'),
  CREDENTIAL_NOT_SUPPLIED: own(409, 'CREDENTIAL_NOT_SUPPLIED'),
  KEY_REFUSED: own(422, 'KEY_REFUSED'),
  CUSTOMER_KEY_REFUSED: own(422, 'CUSTOMER_KEY_REFUSED'),
  DATABASE_UNAVAILABLE: own(503, 'DATABASE_UNAVAILABLE'),
  EGRESS_NOT_CONFIGURED: own(409, 'EGRESS_NOT_CONFIGURED'),
  CONFLICT: { status: 409, code: 'CONFLICT', message: 'Somebody else is changing the same thing: try again in a minute.' },
  PROVIDER_UNAVAILABLE: {
    status: 503,
    code: 'PROVIDER_UNAVAILABLE',
    message: 'The provider could not be asked, so nothing was stored: send the same request again.',
  },
  PROVIDER_REFUSED: {
    status: 502,
    code: 'PROVIDER_REFUSED',
    message: 'The provider answered in a way that says nothing about the key; nothing was stored.',
  },
  SESSION_UNAVAILABLE: unavailable,
  AWS_UNAVAILABLE: unavailable,
  ITEM_NOT_UNDERSTOOD: unavailable,
  ACCESS_REFUSED: { status: 403, code: 'ACCESS_REFUSED', message: 'This is not allowed.' },
};

/** Never cached: what is answered is one caller's. */
const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };

/** A success. `body` is JSON. */
export function answer(body: object): APIGatewayProxyResult {
  return { statusCode: 200, headers, body: JSON.stringify(body) };
}

/** Asked for, and done later. `body` is JSON. */
export function acceptedAnswer(body: object): APIGatewayProxyResult {
  return { ...answer(body), statusCode: 202 };
}

/** `{error: {code, message, requestId}}`. Any error will do; what was not raised on purpose says nothing of itself. */
export function errorAnswer(error: unknown, requestId: string): APIGatewayProxyResult {
  const face = (error instanceof CordonError ? faces[error.code] : undefined) ?? internal;
  const message = face.message ?? (error instanceof CordonError ? error.message : internal.message);
  const retryAfter = error instanceof CordonError ? waitOf(face.status, error.retryAfterSeconds) : undefined;
  return {
    statusCode: face.status,
    headers: { ...headers, ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }) },
    body: JSON.stringify({ error: { code: face.code, message, requestId } }),
  };
}

/** Seconds; always for what only time can mend. */
function waitOf(status: number, asked: number | undefined): number | undefined {
  if (status === 503) return asked ?? 2;
  return status === 409 || status === 429 ? asked : undefined;
}

/** True for what the caller can do something about: worth a warning in the log, not an error. */
export function isCallersFault(result: APIGatewayProxyResult): boolean {
  return result.statusCode < 500;
}
