/**
 * A template as people write it: JSON, or YAML with the short forms of intrinsic functions. Source: AWS CloudFormation Template Reference,
 * "Intrinsic function reference"; CloudFormation User Guide, "CloudFormation template formats" (no anchors, no aliases).
 */
import { isAlias, isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml';
import { TemplateError } from './intrinsics.ts';

/** `!Name` for `Fn::Name`, and the two that have no `Fn::`. Which function is known at all is decided where it is resolved. */
const plainNames = new Set(['Ref', 'Condition']);

/** The text as plain values, with each short form in its long one. @throws TemplateError where it is neither JSON nor YAML */
export function templateFromText(text: string): unknown {
  const document = parseDocument(text, { logLevel: 'silent', strict: true });
  const [error] = document.errors;
  if (error !== undefined) throw new TemplateError(`Template format error: ${error.message.split('\n')[0] ?? 'not well-formed.'}`);
  const value = valueAt(document.contents);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TemplateError('Template format error: unsupported structure.');
  return value;
}

function valueAt(node: Node | null | undefined): unknown {
  if (node === null || node === undefined) return null;
  if (isAlias(node)) throw new TemplateError('Template format error: YAML aliases are not allowed in CloudFormation templates');
  const plain = plainValueAt(node);
  const { tag } = node;
  if (tag === undefined || !tag.startsWith('!') || tag === '!') return plain;
  const name = tag.slice(1);
  return { [plainNames.has(name) ? name : `Fn::${name}`]: plain };
}

function plainValueAt(node: Node): unknown {
  if (isScalar(node)) return node.value;
  if (isSeq<Node | null>(node)) return node.items.map(valueAt);
  if (!isMap<Node, Node | null>(node)) throw new TemplateError('Template format error: unsupported structure.');
  return Object.fromEntries(node.items.map(({ key, value }) => [isScalar(key) ? String(key.value) : '', valueAt(value)]));
}
