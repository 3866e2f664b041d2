/**
 * What IAM learns of a request's items: `dynamodb:LeadingKeys` and its companions. A request that pins no partition key carries no
 * LeadingKeys at all, which ForAllValues takes for a match. Source: DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained access control".
 */
import { isJson, type Json } from './dynamodb-engine.ts';
import type { KeySchema, TableReference } from './dynamodb-tables.ts';
import type { ConditionContext } from './tagging-context.ts';

/** The partition key values of items or keys, as strings. Absent when the table is unknown or an item lacks the key. */
export function leadingKeysOf(reference: TableReference, items: readonly unknown[]): ConditionContext {
  const partition = reference.table?.keys.partition;
  if (partition === undefined) return {};
  const values = items.map((item) => (isJson(item) ? attributeText(item[partition]) : undefined));
  // One item without its key makes the request invalid; IAM must not see it as bound by the keys of the others.
  if (values.length === 0 || values.includes(undefined)) return {};
  return { 'dynamodb:LeadingKeys': [...new Set(values.flatMap((value) => value ?? []))] };
}

/** For Query: the partition key's value, of the index where one is queried. */
export function queryLeadingKeys(reference: TableReference, input: Json): ConditionContext {
  const keys = queriedKeys(reference, input.IndexName);
  if (keys === undefined) return {};
  const values = [...expressionKeys(keys.partition, input), ...legacyKeys(keys.partition, input.KeyConditions)];
  return values.length === 0 ? {} : { 'dynamodb:LeadingKeys': values };
}

function queriedKeys(reference: TableReference, indexName: unknown): KeySchema | undefined {
  return typeof indexName === 'string' ? reference.table?.indexes.get(indexName) : reference.table?.keys;
}

/**
 * A valid KeyConditionExpression is a conjunction, and dynalite refuses any other: so each `key = :value` in it binds, wherever it stands.
 * Were it found twice, both values count.
 */
function expressionKeys(partition: string, input: Json): readonly string[] {
  const { KeyConditionExpression: expression, ExpressionAttributeValues: values } = input;
  if (typeof expression !== 'string' || !isJson(values)) return [];
  const tokens = tokensOf(expression);
  return tokens.flatMap((token, at) => {
    if (token !== '=') return [];
    const sides = [tokens[at - 1] ?? '', tokens[at + 1] ?? ''];
    if (!sides.some((side) => nameBehind(side, input) === partition)) return [];
    const placeholder = sides.find((side) => side.startsWith(':'));
    return (placeholder === undefined ? undefined : attributeText(values[placeholder])) ?? [];
  });
}

function legacyKeys(partition: string, conditions: unknown): readonly string[] {
  const condition = isJson(conditions) ? conditions[partition] : undefined;
  if (!isJson(condition) || condition.ComparisonOperator !== 'EQ' || !Array.isArray(condition.AttributeValueList)) return [];
  return condition.AttributeValueList.flatMap((value: unknown) => attributeText(value) ?? []);
}

/** A key attribute's value as IAM compares it: numbers as written, binary in base64. */
export function attributeText(value: unknown): string | undefined {
  if (!isJson(value)) return undefined;
  return [value.S, value.N, value.B].find((text) => typeof text === 'string');
}

const expressions = ['KeyConditionExpression', 'FilterExpression', 'ProjectionExpression', 'ConditionExpression', 'UpdateExpression'];
const attributeMaps = ['Item', 'Key', 'AttributeUpdates', 'Expected', 'KeyConditions', 'QueryFilter', 'ScanFilter'];
const expressionWords = new Set(['AND', 'OR', 'NOT', 'IN', 'BETWEEN', 'SET', 'REMOVE', 'ADD', 'DELETE']);

/** `dynamodb:Attributes` (every top-level attribute the request names), `dynamodb:Select` and `dynamodb:ReturnValues`. */
export function requestShape(operation: string, input: Json): ConditionContext {
  const names = new Set<string>();
  for (const member of attributeMaps) for (const name of isJson(input[member]) ? Object.keys(input[member]) : []) names.add(name);
  for (const name of Array.isArray(input.AttributesToGet) ? input.AttributesToGet : []) names.add(String(name));
  for (const member of expressions) for (const name of topLevelNames(input[member], input)) names.add(name);
  return {
    'dynamodb:Attributes': names.size === 0 ? undefined : [...names],
    'dynamodb:Select': selectOf(operation, input),
    'dynamodb:ReturnValues': typeof input.ReturnValues === 'string' ? input.ReturnValues : undefined,
    'dynamodb:ReturnConsumedCapacity': typeof input.ReturnConsumedCapacity === 'string' ? input.ReturnConsumedCapacity : undefined,
  };
}

function selectOf(operation: string, input: Json): string | undefined {
  if (!['GetItem', 'BatchGetItem', 'Query', 'Scan'].includes(operation)) return undefined;
  if (typeof input.Select === 'string') return input.Select;
  if (input.ProjectionExpression !== undefined || input.AttributesToGet !== undefined) return 'SPECIFIC_ATTRIBUTES';
  return input.IndexName === undefined ? 'ALL_ATTRIBUTES' : 'ALL_PROJECTED_ATTRIBUTES';
}

function topLevelNames(expression: unknown, input: Json): readonly string[] {
  if (typeof expression !== 'string') return [];
  const tokens = tokensOf(expression);
  return tokens.flatMap((token, at) => {
    const isPath =
      /^[A-Za-z_#]/.test(token) && tokens[at - 1] !== '.' && tokens[at + 1] !== '(' && !expressionWords.has(token.toUpperCase());
    return isPath ? (nameBehind(token, input) ?? []) : [];
  });
}

function nameBehind(token: string, input: Json): string | undefined {
  if (!token.startsWith('#')) return token;
  const name = isJson(input.ExpressionAttributeNames) ? input.ExpressionAttributeNames[token] : undefined;
  return typeof name === 'string' ? name : undefined;
}

/** Names, `#name` and `:value` placeholders, numbers, comparison operators, and single other characters. */
function tokensOf(expression: string): readonly string[] {
  return expression.match(/[#:]?\w+|<=|>=|<>|[^\s\w]/g) ?? [];
}
