/**
 * What CloudTrail writes of a call. Sources: CloudTrail User Guide, "CloudTrail record contents", "CloudTrail userIdentity element"; IAM User Guide, "Logging IAM and AWS STS API
 * calls with AWS CloudTrail"; Secrets Manager User Guide, "CloudTrail entries"; KMS Developer Guide, "Logging AWS KMS API calls with AWS CloudTrail".
 */
import { randomUUID } from 'node:crypto';
import { AwsError } from '../core/aws-error.ts';
import type { LocalKernel, MadeCall } from '../core/kernel.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Services all of whose operations are management events. DynamoDB's on items, S3's on objects and Lambda's invocations are data events, which EventBridge does not get unless a trail asks for them. */
const recorded = new Set(['secretsmanager', 'sts', 'kms', 'iam']);

/** What stands for a secret: left out. */
const hidden =
  /^(?:SecretString|SecretBinary|Plaintext|CiphertextBlob|Message|Digest|Signature|Mac|PrivateKey\w*|(?:New|Old)?Password|WebIdentityToken|SAMLAssertion|TokenCode)$/;
const readOnly: Readonly<Record<string, RegExp>> = {
  secretsmanager: /^(?:BatchGet|Describe|Get|List|Validate)/,
  sts: /./,
  kms: /^(?:Decrypt|DeriveSharedSecret|Describe|Encrypt|Generate|Get|List|ReEncrypt|Sign|Verify)/,
  iam: /^(?:Generate|Get|List|Simulate)/,
};

/** `aws.secretsmanager`; undefined for a service whose calls are not recorded here. */
export function sourceOf(service: string): string | undefined {
  return recorded.has(service) ? `aws.${service}` : undefined;
}

/** The account of the thing that a call is about, where the call names it by ARN. */
export function ownerOf({ input }: MadeCall): string | undefined {
  const arn = ['SecretId', 'KeyId', 'RoleArn'].map((name) => input[name]).find((value) => typeof value === 'string');
  return typeof arn === 'string' ? /^arn:aws:[^:]+:[^:]*:(\d{12}):/.exec(arn)?.[1] : undefined;
}

/** @param recipient the account whose trail it is; undefined when nobody signed the call */
export function recordOf(kernel: LocalKernel, call: MadeCall, recipient: string): (Fields & { readonly readOnly: boolean }) | undefined {
  const { service, operation, input, error, caller } = call;
  const userIdentity = identityOf(kernel, call, recipient);
  if (userIdentity === undefined) return undefined;
  const refused = error instanceof AwsError && /^AccessDenied/.test(error.code);
  return {
    eventVersion: '1.11',
    userIdentity,
    eventTime: new Date(kernel.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z'),
    eventSource: `${service}.amazonaws.com`,
    eventName: operation,
    awsRegion: call.region,
    sourceIPAddress: invokedBy(caller.context) ?? '127.0.0.1',
    userAgent: invokedBy(caller.context) ?? 'aws-sdk',
    ...(error === undefined ? {} : failureOf(error, refused)),
    // STS does not say what it was asked for where it refused.
    requestParameters: refused && service === 'sts' ? null : parametersOf(input),
    responseElements: elementsOf(call),
    requestID: call.requestId,
    eventID: randomUUID(),
    readOnly: readOnly[service]?.test(operation) === true,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: recipient,
    eventCategory: 'Management',
  };
}

function failureOf(error: unknown, refused: boolean): object {
  if (!(error instanceof AwsError)) return { errorCode: 'InternalFailure' };
  return { errorCode: refused ? 'AccessDenied' : error.code, errorMessage: error.message };
}

function invokedBy(context: Fields | undefined): string | undefined {
  const last = context?.['aws:CalledViaLast'];
  return typeof last === 'string' ? last : undefined;
}

function identityOf(kernel: LocalKernel, { caller }: MadeCall, recipient: string): object | undefined {
  const { principal, accountId, accessKeyId } = caller;
  const via = invokedBy(caller.context);
  const common = { accountId, ...(via === undefined ? {} : { invokedBy: via }) };
  const session = kernel.identities.sessions.get(accessKeyId);
  const user = kernel.identities.keys.get(accessKeyId)?.user;
  const principalId = session === undefined ? (user?.uniqueId ?? accountId) : `${session.role.uniqueId}:${session.sessionName}`;
  if (principal.kind === 'service') return { type: 'AWSService', invokedBy: principal.arn };
  if (principal.kind === 'anonymous') return undefined;
  // Of a caller from elsewhere an account learns no more than this.
  if (accountId !== recipient) return { type: 'AWSAccount', principalId, accountId };
  if (session !== undefined) {
    const { role } = session;
    return {
      type: 'AssumedRole',
      principalId,
      arn: principal.arn,
      ...common,
      accessKeyId,
      sessionContext: {
        sessionIssuer: { type: 'Role', principalId: role.uniqueId, arn: role.arn, accountId: role.accountId, userName: role.name },
        attributes: { creationDate: new Date(session.issuedAt).toISOString().replace(/\.\d+Z$/, 'Z'), mfaAuthenticated: 'false' },
      },
    };
  }
  if (user !== undefined) return { type: 'IAMUser', principalId, arn: principal.arn, ...common, accessKeyId, userName: user.name };
  return { type: 'Root', principalId, arn: principal.arn, ...common };
}

/** Member names begin with a small letter; names that callers choose stay as they are. */
function parametersOf(input: Fields): Fields {
  const shown = Object.entries(input).filter(([name, value]) => !hidden.test(name) && !(value instanceof Uint8Array));
  return Object.fromEntries(shown.map(([name, value]) => [small(name), name === 'EncryptionContext' ? value : shownOf(value)]));
}

function shownOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shownOf);
  return typeof value === 'object' && value !== null ? parametersOf(Object.fromEntries(Object.entries(value))) : value;
}

const small = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** Whose keys a session has is told, so that its calls can be joined with it; the secret ones are not. */
function elementsOf({ service, operation, result }: MadeCall): object | null {
  if (service !== 'sts' || operation !== 'AssumeRole' || result === undefined) return null;
  const { Credentials: made, AssumedRoleUser: who } = result;
  const accessKeyId = typeof made === 'object' && made !== null && 'AccessKeyId' in made ? made.AccessKeyId : undefined;
  return { credentials: { accessKeyId }, assumedRoleUser: shownOf(who) };
}
