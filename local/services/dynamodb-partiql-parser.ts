/** As much PartiQL as IAM needs to decide, and INSERT in full. Source: DynamoDB Developer Guide, "PartiQL statements for DynamoDB". */
import { AwsError } from '../core/aws-error.ts';
import type { Json } from './dynamodb-engine.ts';

export type Parameters = readonly Json[];
export type Statement =
  | { readonly kind: 'Insert'; readonly table: string; readonly item: Json }
  | {
      readonly kind: 'Select' | 'Update' | 'Delete';
      readonly table: string;
      readonly index: string | undefined;
      /** The values each attribute is held to by `=` or IN in every way the statement can match. */
      readonly pinned: ReadonlyMap<string, readonly Json[]>;
    };

interface Token {
  readonly type: 'word' | 'name' | 'string' | 'number' | 'sign';
  readonly text: string;
}

/** A statement's tokens, read from left to right; `?` takes the next parameter. */
interface Reader {
  peek(ahead?: number): Token | undefined;
  next(): Token;
  takeIf(text: string): boolean;
  expect(text: string): void;
  parameter(): Json;
}

/** Throws ValidationException for what is no statement, or when parameters and `?` differ in number. */
export function parseStatement(text: string, parameters: Parameters = []): Statement {
  const tokens = tokensOf(text);
  const marks = tokens.filter((token) => token.type === 'sign' && token.text === '?').length;
  if (marks !== parameters.length) throw invalid("Number of parameters in request and statement don't match.");
  const reader = createReader(tokens, parameters);
  const verb = reader.next().text.toUpperCase();
  if (verb === 'INSERT') return insert(reader);
  if (verb === 'SELECT') {
    while (!isWord(reader.peek(), 'FROM')) skip(reader);
    reader.next();
    return { kind: 'Select', ...tableAndConditions(reader) };
  }
  if (verb === 'DELETE') {
    reader.expect('FROM');
    return { kind: 'Delete', ...tableAndConditions(reader) };
  }
  if (verb === 'UPDATE') return { kind: 'Update', ...tableAndConditions(reader) };
  throw invalid(`Unexpected ${verb} at the start of the statement`);
}

function insert(reader: Reader): Statement {
  reader.expect('INTO');
  const table = tableName(reader);
  reader.expect('VALUE');
  const { M: item } = value(reader);
  if (typeof item !== 'object' || item === null) throw invalid('INSERT takes one tuple after VALUE');
  if (reader.peek() !== undefined) throw invalid(`Unexpected ${reader.next().text} after the tuple`);
  return { kind: 'Insert', table, item: Object.fromEntries(Object.entries(item)) };
}

function tableAndConditions(reader: Reader): { table: string; index: string | undefined; pinned: ReadonlyMap<string, readonly Json[]> } {
  const table = tableName(reader);
  const index = reader.takeIf('.') ? tableName(reader) : undefined;
  while (reader.peek() !== undefined && !isWord(reader.peek(), 'WHERE')) skip(reader);
  const pinned = new Map<string, readonly Json[]>();
  let isConjunction = true;
  while (reader.peek() !== undefined) {
    if (isWord(reader.peek(), 'OR') || isWord(reader.peek(), 'NOT')) isConjunction = false;
    const [name, sign] = [reader.peek(), reader.peek(1)];
    const startsCondition = name?.type === 'name' || name?.type === 'word';
    if (startsCondition && (sign?.text === '=' || isWord(sign, 'IN'))) {
      reader.next();
      const values = reader.next().text === '=' ? [value(reader)] : list(reader);
      pinned.set(name.text, [...(pinned.get(name.text) ?? []), ...values]);
    } else {
      // What follows a dot is a member of something else, never the key.
      if (reader.peek()?.text === '.') reader.next();
      skip(reader);
    }
  }
  return { table, index, pinned: isConjunction ? pinned : new Map() };
}

function list(reader: Reader): readonly Json[] {
  const close = reader.takeIf('[') ? ']' : ')';
  if (close === ')') reader.expect('(');
  const values: Json[] = [];
  while (!reader.takeIf(close)) {
    values.push(value(reader));
    reader.takeIf(',');
  }
  return values;
}

/** One value as an attribute value. */
function value(reader: Reader): Json {
  const token = reader.next();
  if (token.type === 'string') return { S: token.text };
  if (token.type === 'number') return { N: token.text };
  if (token.type === 'word' && /^(true|false)$/i.test(token.text)) return { BOOL: token.text.toLowerCase() === 'true' };
  if (token.type === 'word' && /^null$/i.test(token.text)) return { NULL: true };
  if (token.type !== 'sign') throw invalid(`Unexpected ${token.text} where a value is expected`);
  if (token.text === '?') return reader.parameter();
  if (token.text === '[') return { L: elements(reader, ']') };
  if (token.text === '<<') return setOf(elements(reader, '>>'));
  if (token.text === '{') return { M: tuple(reader) };
  throw invalid(`Unexpected ${token.text} where a value is expected`);
}

function elements(reader: Reader, close: string): readonly Json[] {
  const values: Json[] = [];
  while (!reader.takeIf(close)) {
    if (values.length > 0) reader.expect(',');
    values.push(value(reader));
  }
  return values;
}

function setOf(values: readonly Json[]): Json {
  for (const [type, set] of [
    ['S', 'SS'],
    ['N', 'NS'],
    ['B', 'BS'],
  ] as const) {
    if (values.length > 0 && values.every((one) => one[type] !== undefined)) return { [set]: values.map((one) => one[type]) };
  }
  throw invalid('A set holds strings, numbers or binary values, all of one type, and at least one');
}

function tuple(reader: Reader): Json {
  const members = new Map<string, Json>();
  while (!reader.takeIf('}')) {
    if (members.size > 0) reader.expect(',');
    const name = reader.next();
    if (name.type !== 'string') throw invalid(`Unexpected ${name.text} where an attribute name in single quotes is expected`);
    if (members.has(name.text)) throw invalid(`The attribute ${name.text} is given twice`);
    reader.expect(':');
    members.set(name.text, value(reader));
  }
  return Object.fromEntries(members);
}

function tableName(reader: Reader): string {
  const token = reader.next();
  if (token.type !== 'name' && token.type !== 'word') throw invalid(`Unexpected ${token.text} where a table is expected`);
  return token.text;
}

/** Passes one token; a `?` passed over still uses up its parameter. */
function skip(reader: Reader): void {
  if (reader.next().text === '?') reader.parameter();
}

function createReader(tokens: readonly Token[], parameters: Parameters): Reader {
  let at = 0;
  let used = 0;
  const reader: Reader = {
    peek: (ahead = 0) => tokens[at + ahead],
    next() {
      const token = tokens[at++];
      if (token === undefined) throw invalid('Unexpected end of the statement');
      return token;
    },
    takeIf(text) {
      const token = tokens[at];
      const isIt = token?.type === 'sign' ? token.text === text : isWord(token, text);
      if (isIt) at += 1;
      return isIt;
    },
    expect(text) {
      if (!reader.takeIf(text)) throw invalid(`Unexpected ${tokens[at]?.text ?? 'end of the statement'} where ${text} is expected`);
    },
    parameter() {
      const parameter = parameters[used++];
      if (parameter === undefined) throw invalid("Number of parameters in request and statement don't match.");
      return parameter;
    },
  };
  return reader;
}

const shapes: readonly (readonly [Token['type'], RegExp])[] = [
  ['string', /'(?:[^']|'')*'/y],
  ['name', /"(?:[^"]|"")*"/y],
  ['number', /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y],
  ['word', /[A-Za-z_][A-Za-z0-9_]*/y],
  ['sign', /<<|>>|<=|>=|<>|[?{}[\]():,.=<>*+\-;]/y],
];

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = text.search(/\S|$/); at < text.length; ) {
    let found: Token | undefined;
    for (const [type, shape] of shapes) {
      shape.lastIndex = at;
      const [match] = found === undefined ? (shape.exec(text) ?? []) : [];
      if (match === undefined) continue;
      at += match.length;
      const quote = match[0] ?? '';
      found = { type, text: type === 'string' || type === 'name' ? match.slice(1, -1).replaceAll(quote + quote, quote) : match };
    }
    if (found === undefined) throw invalid(`Unexpected character ${text[at]} in the statement`);
    tokens.push(found);
    while (/\s/.test(text[at] ?? '')) at += 1;
  }
  return tokens;
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.type === 'word' && token.text.toUpperCase() === word;
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', `Statement wasn't well formed, can't be processed: ${message}`);
}
