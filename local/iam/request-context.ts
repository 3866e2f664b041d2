/** The condition keys of one request. Key names, tag keys among them, compare without case; values keep theirs (IAM User Guide, "Condition"). */
export type RequestContext = ReadonlyMap<string, readonly string[]>;

/** The request itself can't be evaluated: a key that holds one value by definition came with several. The decision is `unsupported`. */
export class UnsupportedRequest extends Error {
  override readonly name = 'UnsupportedRequest';
  readonly code = 'UnsupportedRequest';
}

/**
 * Makes a request's context from key names in any case, e.g. `{'aws:PrincipalTag/TenantId': 'acme', 'aws:TagKeys': ['TenantId', 'Tier']}`.
 * A string is one value, an array several, undefined or an empty array means absent. Two names that differ only in case (an encryption
 * context may hold such a pair) keep the values of both, so that no comparison meant for one value can be satisfied by either.
 */
export function requestContext(entries: Readonly<Record<string, string | readonly string[] | undefined>>): RequestContext {
  const context = new Map<string, readonly string[]>();
  for (const name in entries) {
    const entry = entries[name];
    const values = typeof entry === 'string' ? [entry] : entry;
    if (values === undefined || values.length === 0) continue;
    const key = name.toLowerCase();
    const before = context.get(key);
    context.set(key, before === undefined ? values : [...before, ...values]);
  }
  return context;
}

/** The value of a key that holds at most one. Throws `UnsupportedRequest` when the request brings several. */
export function singleValue(context: RequestContext, key: string): string | undefined {
  const values = context.get(key);
  if (values === undefined) return undefined;
  if (values.length > 1) throw new UnsupportedRequest(`condition key ${key} has ${values.length} values where one is expected`);
  return values[0];
}
