/**
 * What the simulation of rotation takes for granted. The services' own prices and quotas are AWS's; no latency here was measured in a real account. Sources of prices and
 * quotas: AWS price lists for us-east-1; Secrets Manager User Guide, "Quotas"; IAM User Guide, "IAM and STS quotas".
 */

/**
 * Milliseconds per call, all of them assumptions and on the slow side: DynamoDB promises single-digit milliseconds within the Region, the others promise nothing. What
 * is called at the same time is added up as if it were called one after another.
 */
export const latencyMs: Readonly<Record<string, number>> = {
  dynamodb: 10,
  secretsmanager: 60,
  kms: 20,
  sts: 100,
  events: 60,
  sqs: 20,
  /** One request to a provider's administration or data plane. */
  provider: 800,
};

/** Milliseconds, assumptions too: what lies between an event and the worker, and between a caller and the broker. */
export const onTheWay = {
  /** Accepted by EventBridge until in the queue. */
  eventToQueue: 500,
  /** In the queue until received by Lambda's poller, which keeps a request open. */
  queueToFunction: 200,
  /** A new environment: start, imports, configuration. */
  coldStart: 1_500,
  /** API Gateway and its authorizer. */
  toBroker: 150,
} as const;

export const quotas = {
  /** Put, Update and UpdateVersionStage together. Not adjustable. */
  secretsManagerWritesPerSecond: 50,
  stsCallsPerSecond: 600,
} as const;

/** Dollars. */
export const prices = {
  secretMonth: 0.4,
  secretsManagerCall: 0.05 / 10_000,
  kmsCall: 0.03 / 10_000,
  dynamoDbWrite: 0.625e-6,
  dynamoDbRead: 0.125e-6,
  lambdaGbSecond: 0.0000133334,
  lambdaRequest: 0.2e-6,
  event: 1e-6,
  sqsRequest: 0.4e-6,
} as const;

/** Units that one call takes: an item of up to 2 KB, and what changes with it in indexes. An entry of attribution is in one index; a due time that moves is two writes in `due`. */
export const dynamoDbUnits = { registryWrite: 4, attributionInsert: 2, read: 1 } as const;

export const secretsManagerWrites: ReadonlySet<string> = new Set(['PutSecretValue', 'UpdateSecretVersionStage', 'UpdateSecret']);
