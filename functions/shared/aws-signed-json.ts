import { AwsCallError, type SendSigned, type SigningCredentials } from './aws-signed.ts';

export interface JsonOperation {
  readonly service: 'dynamodb' | 'kms' | 'secretsmanager' | 'tagging';
  /** e.g. `BatchGetItem`. */
  readonly operation: string;
  readonly timeoutMs: number;
}

/** Source: each service's API reference ("Making API requests"): the target's prefix and the JSON version. */
const protocols = {
  dynamodb: { target: 'DynamoDB_20120810.', contentType: 'application/x-amz-json-1.0' },
  kms: { target: 'TrentService.', contentType: 'application/x-amz-json-1.1' },
  secretsmanager: { target: 'secretsmanager.', contentType: 'application/x-amz-json-1.1' },
  tagging: { target: 'ResourceGroupsTaggingAPI_20170126.', contentType: 'application/x-amz-json-1.1' },
} as const;

/**
 * @returns the answer's members, yet to be checked
 * @throws AwsCallError named by AWS's code; Error without status when no answer came
 */
export async function callJson(
  send: SendSigned,
  credentials: SigningCredentials,
  { service, operation, timeoutMs }: JsonOperation,
  input: object,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await send(credentials, { service, headers: headersOf(service, operation), body: asciiJson(input), timeoutMs });
  const body = members(answer.body);
  if (answer.status !== 200) {
    const type = body['__type'];
    const message = body['message'] ?? body['Message'];
    // `com.amazonaws.dynamodb.v20120810#ThrottlingException`
    const code = typeof type === 'string' ? type.slice(type.lastIndexOf('#') + 1) : `Http${answer.status}`;
    throw new AwsCallError(code, answer.status, typeof message === 'string' ? message : code);
  }
  return body;
}

const known = new Map<string, Readonly<Record<string, string>>>();

/** The same object for the same operation. */
function headersOf(service: JsonOperation['service'], operation: string): Readonly<Record<string, string>> {
  const { target, contentType } = protocols[service];
  const name = target + operation;
  const found = known.get(name);
  if (found !== undefined) return found;
  const made = { 'content-type': contentType, 'x-amz-target': name };
  known.set(name, made);
  return made;
}

/** JSON in which every character beyond ASCII is escaped. Source: RFC 8259, section 7. */
export function asciiJson(value: object): string {
  const json = JSON.stringify(value);
  return beyondAscii.test(json) ? json.replaceAll(allBeyondAscii, escaped) : json;
}

const beyondAscii = /[\u0080-\uffff]/;
const allBeyondAscii = /[\u0080-\uffff]/g;
const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

function members(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isRecord(parsed)) return parsed;
  } catch {
    // Not JSON: the parser's message quotes the body, which may hold a secret.
  }
  return {};
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
