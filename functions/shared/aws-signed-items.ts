import { isRecord } from './aws-signed-json.ts';

/** An item as DynamoDB sends it, as plain values; yet to be checked. What is no attribute value is left out. Source: DynamoDB API Reference, AttributeValue. */
export function plainItem(item: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(item)) return {};
  const plain: Record<string, unknown> = {};
  for (const name of Object.keys(item)) plain[name] = plainValue(item[name]);
  return plain;
}

function plainValue(value: unknown): unknown {
  if (!isRecord(value)) return undefined;
  if (typeof value['S'] === 'string') return value['S'];
  if (typeof value['N'] === 'string') return Number(value['N']);
  if (typeof value['BOOL'] === 'boolean') return value['BOOL'];
  if (Array.isArray(value['L'])) return value['L'].map(plainValue);
  if (isRecord(value['M'])) return plainItem(value['M']);
  return undefined;
}
