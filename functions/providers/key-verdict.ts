/**
 * What an answer says about the key it was asked with. 401 is a refusal; 403 is a matter of scopes and 429 of limits: in both the key was recognized. Where a
 * provider says it otherwise, its own rule stands below. Sources: each provider's API reference, "Authentication" and "Errors".
 */

/** `unknown`: the provider answered, but what it answered says nothing about the key. */
export type KeyVerdict = 'valid' | 'refused' | 'unknown';

export interface JudgedAnswer {
  readonly status: number;
  /** Undefined when the body is not JSON. */
  readonly json: unknown;
}

/** Undefined when the provider is in trouble: then it is no verdict at all. */
export function verdictOf({ status }: JudgedAnswer): KeyVerdict | undefined {
  if (status === 401) return 'refused';
  if ((status >= 200 && status < 300) || status === 403 || status === 429) return 'valid';
  return status === 408 || status >= 500 ? undefined : 'unknown';
}

type Members = Readonly<Record<string, unknown>>;
const membersOf = (value: unknown): Members => (typeof value === 'object' && value !== null ? { ...value } : {});

/** A key it does not know is a 400 `API_KEY_INVALID`. Source: Google APIs, `google.rpc.ErrorInfo`, reason API_KEY_INVALID. */
export function geminiVerdict({ status, json }: JudgedAnswer): KeyVerdict | undefined {
  if (status !== 400) return undefined;
  const error = membersOf(membersOf(json)['error']);
  const details = Array.isArray(error['details']) ? error['details'] : [];
  return details.some((detail) => membersOf(detail)['reason'] === 'API_KEY_INVALID') ? 'refused' : 'unknown';
}

/** 200 with `{valid: false}` is a refusal. Source: Cohere API reference, "Check API key". */
export function cohereVerdict({ status, json }: JudgedAnswer): KeyVerdict | undefined {
  if (status !== 200) return undefined;
  const valid = membersOf(json)['valid'];
  return valid === true ? 'valid' : valid === false ? 'refused' : 'unknown';
}

/**
 * A key it does not know is a 403 like a missing permission: only the message tells ("Authentication failed: Please make sure your API Key is valid."). A request found
 * invalid, or for a model that is not there, has passed that point.
 */
export function bedrockVerdict({ status, json }: JudgedAnswer): KeyVerdict | undefined {
  if (status === 400 || status === 404) return 'valid';
  if (status !== 403) return undefined;
  const { message, Message } = membersOf(json);
  return /authentication failed|api key|security token|signature/i.test(String(message ?? Message ?? '')) ? 'refused' : 'valid';
}
