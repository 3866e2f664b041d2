import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** What Cordon keeps in an item: JSON without null. `undefined` members are left out. */
export type Plain = string | number | boolean | readonly Plain[] | { readonly [name: string]: Plain | undefined };
export type PlainItem = { readonly [name: string]: Plain | undefined };

function toAttribute(value: Plain): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (isList(value)) return { L: value.map(toAttribute) };
  return { M: toItem(value) };
}

function isList(value: readonly Plain[] | PlainItem): value is readonly Plain[] {
  return Array.isArray(value);
}

/** Source: DynamoDB API Reference, AttributeValue. */
export function toItem(plain: PlainItem): Record<string, AttributeValue> {
  const item: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(plain)) if (value !== undefined) item[name] = toAttribute(value);
  return item;
}

function fromAttribute(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.L !== undefined) return value.L.map(fromAttribute);
  if (value.M !== undefined) return fromItem(value.M);
  return undefined;
}

/** The item as plain values, yet to be parsed by its schema. */
export function fromItem(item: Record<string, AttributeValue>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, fromAttribute(value)]));
}
