import { CordonError } from './errors.ts';

/**
 * Names and codes by which AWS says one of these. `InvalidClientTokenId` and `ExpiredToken…` are for a session that is too new or just over:
 * the next attempt gets a fresh one. A signature that does not fit is one of a clock that is off, which the SDK sets right from the answer. Source: each service's API reference, "Common Errors".
 */
const refused =
  /^(AccessDenied|AccessDeniedException|AuthorizationErrorException|NotAuthorized|NotAuthorizedException|UnauthorizedOperation|KMSAccessDeniedException)$/;
const conflicting =
  /^(ConditionalCheckFailedException|DuplicateItemException|TransactionConflictException|ResourceExistsException|AlreadyExistsException)$/;
const passing =
  /^(Throttling|ThrottlingException|ThrottledException|TooManyRequestsException|RequestLimitExceeded|LimitExceededException|ProvisionedThroughputExceededException|ServiceUnavailable|InternalServerError|InternalServiceError|InternalFailure|ConcurrentModification|ConcurrentModificationException|InvalidClientTokenId|UnrecognizedClientException|ExpiredToken|ExpiredTokenException|InvalidSignatureException|SignatureDoesNotMatch|RequestExpired|RequestTimeTooSkewed|TimeoutError|AbortError)$/;

interface AwsFailure {
  readonly name: string;
  readonly status: number | undefined;
}

function awsFailureOf(error: Error): AwsFailure {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  const status = typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata ? metadata.httpStatusCode : undefined;
  return { name: error.name, status: typeof status === 'number' ? status : undefined };
}

/**
 * Says what an SDK error means to Cordon. AWS's own message stays in `cause`: it may name ARNs that a caller must not see.
 *
 * @param doing what was tried, for people, e.g. `storing the secret`
 * @returns ACCESS_REFUSED, CONFLICT (retryable), AWS_UNAVAILABLE (retryable) or AWS_REFUSED; a CordonError is returned as it is
 */
export function translateAwsError(error: unknown, doing: string): CordonError {
  if (error instanceof CordonError) return error;
  if (!(error instanceof Error)) return new CordonError('AWS_UNAVAILABLE', `${doing} failed`, { retryable: true, cause: error });
  const { name, status } = awsFailureOf(error);
  if (refused.test(name)) return new CordonError('ACCESS_REFUSED', `${doing} was refused by IAM`, { cause: error });
  if (conflicting.test(name)) return new CordonError('CONFLICT', `${doing} met another change`, { retryable: true, cause: error });
  if (name === 'NotImplemented') return new CordonError('AWS_REFUSED', `${doing} is not possible here (${name})`, { cause: error });
  // No status at all: the connection failed before an answer came.
  if (passing.test(name) || status === undefined || status >= 500 || status === 429) {
    return new CordonError('AWS_UNAVAILABLE', `${doing} failed for now (${name})`, { retryable: true, cause: error });
  }
  return new CordonError('AWS_REFUSED', `${doing} was not accepted (${name})`, { cause: error });
}

/** True when IAM, or a service's own policy, refused the call. */
export function isAwsRefusal(error: unknown): boolean {
  return error instanceof Error && refused.test(error.name);
}

/** Runs an AWS call and translates its failure. */
export async function aws<Value>(doing: string, call: () => Promise<Value>): Promise<Value> {
  try {
    return await call();
  } catch (error) {
    throw translateAwsError(error, doing);
  }
}

/** True when AWS answered with this error name: for the answers that are part of the flow, such as "does not exist". */
export function isAwsError(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}
