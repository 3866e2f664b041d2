/**
 * Which paths of a provider may be used, as data. A path is taken apart into segments of a small alphabet and put together again from what was
 * understood: what the rules see is what is sent (RFC 3986, section 6: two spellings of one path must not mean two things).
 */

/**
 * `POST v1/models/{model}:generateContent`: method, then the path on the provider's host. `{name}` stands for one segment or the rest of one; `{project}`
 * and `{location}` only for the credential's own.
 */
export type PathRule = `${'GET' | 'POST'} ${string}`;

export interface PathRules {
  /** May be left out by the caller and is then put in front: `v1` makes `chat/completions` mean `v1/chat/completions`. */
  readonly prefix?: string;
  readonly rules: readonly PathRule[];
  /** Names of query parameters that may be sent. */
  readonly query: readonly string[];
  /** A colon in a segment sets off a verb (Google's "custom methods"): no `{name}` without a verb of its own in the rule takes one. */
  readonly verbs?: true;
  /** How a segment is written on the wire; as it is when left out. */
  readonly write?: (segment: string) => string;
}

/** The only escapes understood: characters that a segment may hold anyway. Everything else encoded is a disguise (slash, dot, percent, …). */
const escapes: Readonly<Record<string, string>> = { '%3a': ':', '%40': '@', '%2b': '+', '%2c': ',', '%3d': '=', '%7e': '~' };
const segmentPattern = /^[A-Za-z0-9._~:@+,=-]{1,256}$/;
const maxPathLength = 2048;
const maxQueryLength = 2048;

/** The segments of a path, decoded; undefined for dot segments, empty ones, and whatever is encoded although it need not be. */
export function segmentsOf(path: string): readonly string[] | undefined {
  if (path.length === 0 || path.length > maxPathLength) return undefined;
  const segments: string[] = [];
  for (const raw of path.split('/')) {
    const segment = raw.includes('%') ? raw.replace(/%[0-9A-Fa-f]{2}/g, (code) => escapes[code.toLowerCase()] ?? code) : raw;
    if (!segmentPattern.test(segment) || /^\.+$/.test(segment)) return undefined;
    segments.push(segment);
  }
  return segments;
}

/** The query, written anew; undefined when it has a parameter that is not among `allowed`, or one twice. */
export function queryOf(query: string, allowed: readonly string[]): string | undefined {
  if (query === '') return '';
  if (query.length > maxQueryLength || query.includes('#')) return undefined;
  const names = new Set<string>();
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (!allowed.includes(name) || names.has(name)) return undefined;
    names.add(name);
  }
  return parameters.toString();
}

/** Matches requests against rules that were taken apart once. */
export type MatchPath = (method: string, path: string, query: string, own?: Readonly<Record<string, string>>) => string | undefined;

/** `own` holds what `{project}` and the like must be equal to. Answers path and query to send, without a leading slash. */
export function createPathMatcher(paths: PathRules): MatchPath {
  const rules = paths.rules.map((rule) => {
    const [method, path = ''] = rule.split(' ');
    return { method, segments: path.split('/') };
  });
  const prefix = paths.prefix?.split('/') ?? [];
  const write = paths.write ?? ((segment: string) => segment);
  return (method, path, query, own = {}) => {
    const given = segmentsOf(path);
    const written = queryOf(query, paths.query);
    if (given === undefined || written === undefined) return undefined;
    const segments = prefix.every((segment, index) => given[index] === segment) ? given : [...prefix, ...given];
    const found = rules.some(
      (rule) =>
        rule.method === method &&
        rule.segments.length === segments.length &&
        rule.segments.every((pattern, index) => isMatch(pattern, segments[index] ?? '', own, paths.verbs === true)),
    );
    if (!found) return undefined;
    return `${segments.map(write).join('/')}${written === '' ? '' : `?${written}`}`;
  };
}

function isMatch(pattern: string, segment: string, own: Readonly<Record<string, string>>, verbs: boolean): boolean {
  const open = pattern.indexOf('{');
  if (open < 0) return pattern === segment;
  const close = pattern.indexOf('}');
  const before = pattern.slice(0, open);
  const after = pattern.slice(close + 1);
  if (segment.length <= before.length + after.length || !segment.startsWith(before) || !segment.endsWith(after)) return false;
  const value = segment.slice(before.length, segment.length - after.length);
  const mustBe = own[pattern.slice(open + 1, close)];
  if (mustBe !== undefined) return value === mustBe;
  return !verbs || !value.includes(':');
}
