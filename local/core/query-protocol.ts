/**
 * The AWS query protocol (STS, IAM, SNS): form-encoded in, XML out, without a model of either: `Tags.member.1.Key` is `{Tags: [{Key}]}`, an array
 * is a row of `<member>`, a `Map` one of `<entry>`. Source: Smithy, "AWS query protocol".
 */
import { AwsError } from './aws-error.ts';
import type { Input } from './service.ts';

type Tree = Map<string, Tree | string>;

/** The lists of the calls Cordon makes: an empty one arrives as an empty value, which only the name tells from an empty text. */
const lists: ReadonlySet<string> = new Set([
  'Capabilities',
  'ContextEntries',
  'Parameters',
  'PolicyArns',
  'PolicyInputList',
  'TagKeys',
  'Tags',
  'TransitiveTagKeys',
]);

/** Every scalar is a string. Throws AwsError `InvalidParameterValue` when a name is both a value and a structure. */
export function parseQuery(body: string): { action: string; input: Input } {
  const tree: Tree = new Map();
  for (const [name, value] of new URLSearchParams(body)) insert(tree, name.split('.'), value, name);
  const action = tree.get('Action');
  tree.delete('Action');
  tree.delete('Version');
  const input = Object.fromEntries([...tree].map(([name, node]) => [name, node === '' && lists.has(name) ? [] : fromNode(node)]));
  return { action: typeof action === 'string' ? action : '', input };
}

function insert(tree: Tree, path: readonly string[], value: string, name: string): void {
  // Deeper than any AWS shape: a name made to exhaust the stack.
  if (path.length > 32) throw new AwsError('InvalidParameterValue', 'A parameter name has too many parts.');
  const [head = '', ...rest] = path;
  const existing = tree.get(head);
  if (rest.length === 0) {
    if (existing !== undefined) throw new AwsError('InvalidParameterValue', `The parameter ${name} is given twice.`);
    tree.set(head, value);
    return;
  }
  if (typeof existing === 'string') throw new AwsError('InvalidParameterValue', `The parameter ${name} is both a value and a structure.`);
  const next = existing ?? new Map<string, Tree | string>();
  tree.set(head, next);
  insert(next, rest, value, name);
}

function fromNode(node: Tree | string): unknown {
  if (typeof node === 'string') return node;
  const members = node.get('member');
  if (node.size === 1 && members instanceof Map) return listOf(members);
  const entries = node.get('entry');
  if (node.size === 1 && entries instanceof Map) return mapOf(listOf(entries));
  if ([...node.keys()].every((key) => /^\d+$/.test(key))) return listOf(node);
  return Object.fromEntries([...node].map(([name, child]) => [name, fromNode(child)]));
}

function listOf(node: Tree): unknown[] {
  return [...node].sort(([a], [b]) => Number(a) - Number(b)).map(([, child]) => fromNode(child));
}

function mapOf(entries: readonly unknown[]): Record<string, unknown> {
  const pairs = entries.map((entry): [string, unknown] => {
    const members = new Map(typeof entry === 'object' && entry !== null ? Object.entries(entry) : []);
    return [String(members.get('key')), members.get('value')];
  });
  return Object.fromEntries(pairs);
}

/** `<OpResponse><OpResult>…</OpResult><ResponseMetadata>…`. An empty result has an empty `<OpResult>`: some clients fail without (UpdateRole). */
export function queryAnswer(operation: string, namespace: string, result: Readonly<Record<string, unknown>>, requestId: string): string {
  const members = Object.entries(result)
    .map(([name, value]) => element(name, value))
    .join('');
  const body = `<${operation}Result>${members}</${operation}Result>`;
  const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
  return `<${operation}Response xmlns="${escapeXml(namespace)}">${body}${metadata}</${operation}Response>`;
}

export function queryError(error: AwsError, namespace: string, requestId: string): string {
  const type = error.status < 500 ? 'Sender' : 'Receiver';
  const detail = `<Type>${type}</Type><Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message>`;
  return `<ErrorResponse xmlns="${escapeXml(namespace)}"><Error>${detail}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
}

function element(name: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  return `<${name}>${content(value)}</${name}>`;
}

function content(value: unknown): string {
  if (value instanceof Date) return value.toISOString().replace(/\.\d{3}Z$/, 'Z');
  if (value instanceof Map) return [...value].map(([key, item]) => element('entry', { key, value: item })).join('');
  if (Array.isArray(value)) return value.map((item) => element('member', item)).join('');
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([name, child]) => element(name, child))
      .join('');
  return escapeXml(String(value));
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#xD;', '\n': '&#xA;' };

export function escapeXml(text: string): string {
  // Control characters have no place in XML 1.0, not even escaped.
  return text.replace(/(?![\t\n\r])\p{Cc}|[\uFFFE\uFFFF]/gu, '?').replace(/[&<>"\r\n]/g, (char) => entities[char] ?? char);
}
