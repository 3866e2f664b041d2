/**
 * What every local AWS service is made of. A service is a table of operations; an operation names what IAM must allow (`needs`) and then does
 * the work (`run`). The core authenticates the caller, injects faults, evaluates the needs and journals the decision: no service can skip that.
 */
import type { Decision, PolicyDocument, RequestPrincipal } from '../iam/policy.ts';
import type { Clock } from './clock.ts';

/** One thing IAM must allow. `context` adds service and resource keys; the core adds the caller's own (`aws:PrincipalTag/…`, `aws:PrincipalArn`, …). */
export interface Need {
  readonly action: string;
  readonly resource: string;
  readonly context?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The account that owns the resource; the call's own account when left out. */
  readonly resourceAccountId?: string;
  readonly resourcePolicy?: { readonly name: string; readonly document: PolicyDocument };
  /** Keys and role trust: without an Allow of the resource policy nothing is allowed, whatever the identity policies say. */
  readonly resourcePolicyRequired?: boolean;
  /** For `aws:RequestedRegion`, where a service carries a request on into another Region; the call's own when left out. */
  readonly region?: string;
}

/** The authenticated caller with everything IAM knows of it. */
export interface Caller {
  readonly accountId: string;
  readonly principal: RequestPrincipal;
  /** Principal tags in force: session tags over role tags. */
  readonly tags: Readonly<Record<string, string>>;
  readonly accessKeyId: string;
  /** Further condition keys that come with the call itself, e.g. `aws:SourceArn` for a service. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

export interface Scope {
  readonly caller: Caller;
  /** Account and Region that the call is addressed to. */
  readonly accountId: string;
  readonly region: string;
  readonly requestId: string;
  readonly clock: Clock;
  /** A `duplicate` fault has hit this call of a service that `deliversTwice`: what it puts out is to be delivered twice. */
  readonly deliverTwice?: boolean;
  /** Evaluates and journals one more need during `run`, for what is only known there. Throws AccessDenied. */
  authorize(need: Need): Decision;
  /** Calls another service on the caller's behalf (forward access session): `kms:ViaService` and `aws:CalledVia` are set to this service. */
  callVia(service: string, operation: string, input: object): Promise<unknown>;
}

export type Input = Readonly<Record<string, unknown>>;

/** What a service may use of the core: other services by their public operations, the callers that stand for AWS itself, time. */
export interface Kernel {
  readonly clock: Clock;
  readonly region: string;
  /** The platform's account. */
  readonly accountId: string;
  /** Runs an operation as `caller`: faults, IAM, journal, the work. Throws `AwsError`. The account addressed is the caller's own unless named. */
  call(
    caller: Caller,
    signingName: string,
    operation: string,
    input: object,
    options?: { accountId?: string },
  ): Promise<Record<string, unknown>>;
  /** The account's root user: what CloudFormation and an administrator act as here. */
  rootCaller(accountId: string): Caller;
  /** An AWS service acting as itself, e.g. `events.amazonaws.com` with `{'aws:SourceArn': ruleArn}`; only resource and trust policies can let it in. */
  serviceCaller(host: string, accountId: string, context?: Readonly<Record<string, string>>): Caller;
  /** The caller behind an access key, or undefined when there is none (unknown, expired, deleted). */
  callerOf(accessKeyId: string): Caller | undefined;
}

export interface Operation {
  needs(input: Input, scope: Scope): readonly Need[];
  run(input: Input, scope: Scope): object | Promise<object>;
}

export interface LocalService {
  /** The name in the SigV4 credential scope, e.g. `secretsmanager`, `events`, `tagging`. */
  readonly signingName: string;
  /**
   * `json`: X-Amz-Target with a JSON body. `query`: form-encoded in, XML out (STS, IAM, SNS). `rest-json`: paths (Lambda). `rest-xml`: paths, with
   * errors in XML (S3).
   */
  readonly protocol: 'json' | 'query' | 'rest-json' | 'rest-xml';
  /** For `json`: what stands before the dot in X-Amz-Target, e.g. `secretsmanager`, `AWSEvents`, `AmazonSQS`. */
  readonly targetPrefix?: string;
  /** For `query`: the XML namespace of answers, e.g. `https://sts.amazonaws.com/doc/2011-06-15/`. */
  readonly xmlNamespace?: string;
  /** The code by which it says that IAM refuses, where that is another than its protocol's, e.g. `AuthorizationError`. */
  readonly refusal?: string;
  /** For `rest-json` and `rest-xml`: finds operation and input for a request. */
  readonly route?: (
    method: string,
    path: string,
    query: URLSearchParams,
    body: Uint8Array,
    headers: Readonly<Record<string, string>>,
  ) => { operation: string; input: Input } | undefined;
  /**
   * For `rest-json` and `rest-xml`: what of a result goes into the HTTP answer's status, headers and raw body. Where this is missing or
   * answers undefined, the result is sent as a JSON body with status 200.
   */
  readonly respond?: (
    operation: string,
    result: Readonly<Record<string, unknown>>,
  ) => { status: number; headers?: Readonly<Record<string, string>>; body?: string | Uint8Array } | undefined;
  readonly operations: Readonly<Record<string, Operation>>;
  /** Whether a request without signature is this service's; it is then made by nobody, whom only a resource policy can let in. */
  readonly takesUnsigned?: (method: string, target: string) => boolean;
  /** A `duplicate` fault means a second delivery of the same thing (`scope.deliverTwice`); without this the operation runs twice. */
  readonly deliversTwice?: boolean;
  /** It has an endpoint in each Region and the same state behind all of them, e.g. STS; the others are in the cloud's one Region. */
  readonly everyRegion?: boolean;
  /** What still moves inside (messages in flight, running functions); the cloud is idle when every service says false. */
  busy?(): boolean;
  /** `busy` without what only waits for the clock, e.g. a message hidden for a while. The same as `busy` when left out. */
  working?(): boolean;
  close?(): Promise<void>;
}
