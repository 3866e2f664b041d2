/**
 * What the sums of `docs/scale.md` take from AWS, us-east-1, November 2026. `source` names the document; a figure that was not read in AWS's own documentation or price
 * list says `not verified`.
 */
interface Taken {
  readonly value: number;
  readonly unit: string;
  readonly source: string;
  /** Whether AWS raises it on request. */
  readonly adjustable?: boolean;
}

export const quotas = {
  secrets: { value: 500_000, unit: 'secrets', source: 'Secrets Manager User Guide, "Quotas"', adjustable: false },
  secretReads: { value: 10_000, unit: 'GetSecretValue/s', source: 'Secrets Manager User Guide, "Quotas"', adjustable: false },
  secretWrites: { value: 50, unit: 'writes of secrets/s', source: 'Secrets Manager User Guide, "Quotas"', adjustable: false },
  secretCreations: { value: 50, unit: 'CreateSecret/s', source: 'Secrets Manager User Guide, "Quotas"', adjustable: false },
  sts: { value: 600, unit: 'STS calls/s', source: 'IAM User Guide, "IAM and STS quotas"', adjustable: false },
  environmentsPerThousand: {
    value: 2_500,
    unit: 'tenant environments per 1,000 of concurrency',
    source: 'Lambda Developer Guide, "Tenant isolation"',
    adjustable: false,
  },
  concurrency: {
    value: 1_000,
    unit: 'runs at a time',
    source: 'Lambda Developer Guide, "Quotas"; a new account may begin with less',
    adjustable: true,
  },
  roles: { value: 1_000, unit: 'roles', source: 'IAM User Guide, "IAM and STS quotas"', adjustable: true },
  rolesRaised: { value: 10_000, unit: 'roles', source: 'IAM User Guide, "IAM and STS quotas"', adjustable: false },
  keys: { value: 100_000, unit: 'KMS keys', source: 'KMS Developer Guide, "Resource quotas"', adjustable: true },
  kms: { value: 100_000, unit: 'KMS operations/s', source: 'KMS Developer Guide, "Request quotas"', adjustable: true },
  partitionWrites: {
    value: 1_000,
    unit: 'write units/s of a partition key',
    source: 'DynamoDB Developer Guide; not verified',
    adjustable: false,
  },
  partitionReads: {
    value: 3_000,
    unit: 'read units/s of a partition key',
    source: 'DynamoDB Developer Guide; not verified',
    adjustable: false,
  },
  collectionBytes: {
    value: 10 * 1024 ** 3,
    unit: 'bytes of a partition key with local indexes',
    source: 'DynamoDB Developer Guide, "Local secondary indexes"; not verified',
    adjustable: false,
  },
  tableUnits: {
    value: 40_000,
    unit: 'units/s of a table, reads and writes each',
    source: 'DynamoDB Developer Guide, "Quotas"; not verified',
    adjustable: true,
  },
  apiRequests: { value: 10_000, unit: 'API requests/s', source: 'API Gateway Developer Guide, "Quotas"; not verified', adjustable: true },
  events: { value: 10_000, unit: 'PutEvents/s', source: 'EventBridge User Guide, "Quotas"', adjustable: true },
} as const satisfies Readonly<Record<string, Taken>>;

/** Dollars. */
export const prices = {
  secretMonth: { value: 0.4, unit: 'a secret and month', source: 'Secrets Manager pricing' },
  secretCall: { value: 0.05 / 10_000, unit: 'a call of Secrets Manager', source: 'Secrets Manager pricing' },
  keyMonth: { value: 1, unit: 'a key and month', source: 'KMS pricing' },
  kmsCall: { value: 0.03 / 10_000, unit: 'a call of KMS', source: 'KMS pricing' },
  writeUnit: { value: 0.625e-6, unit: 'a write unit', source: 'DynamoDB pricing, on demand' },
  readUnit: { value: 0.125e-6, unit: 'a read unit', source: 'DynamoDB pricing, on demand' },
  storedGbMonth: { value: 0.45, unit: 'a GB and month, with point-in-time recovery', source: 'DynamoDB pricing; not verified' },
  lambdaRequest: { value: 0.2e-6, unit: 'a run', source: 'Lambda pricing' },
  lambdaGbSecond: { value: 0.0000133334, unit: 'a GB-second, arm64', source: 'Lambda pricing' },
  environment: { value: 0.000167, unit: 'a GB of a new tenant environment', source: 'Lambda Developer Guide, "Tenant isolation"; of x86' },
  apiRequest: { value: 3.5e-6, unit: 'a request to the API', source: 'API Gateway pricing, REST; not verified' },
  event: { value: 1e-6, unit: 'an event', source: 'EventBridge pricing' },
  message: { value: 0.4e-6, unit: 'a request to SQS', source: 'SQS pricing' },
  logGb: { value: 0.5, unit: 'a GB written to CloudWatch Logs', source: 'CloudWatch pricing; not verified' },
  trace: { value: 5e-6, unit: 'a trace', source: 'X-Ray pricing; not verified' },
  alarmedMetric: { value: 0.1, unit: 'a metric of an alarm and month', source: 'CloudWatch pricing; not verified' },
  customMetric: { value: 0.3, unit: 'a metric and month', source: 'CloudWatch pricing; not verified' },
  dashboard: { value: 3, unit: 'a dashboard and month', source: 'CloudWatch pricing; not verified' },
} as const satisfies Readonly<Record<string, Taken>>;

/** Of Cordon's own making: change the code and these change with it. */
export const ours = {
  /** Seconds for which a session serves: it lasts 900 and is replaced two minutes early. */
  sessionSeconds: 780,
  /** Calls of STS a second that are left to calls: workers are held to the rest. */
  stsForCalls: 500,
  /** Attributes that attribution is indexed by: each entry is written once more for each. */
  attributionIndexes: 3,
  /** Items that the gate asks for: tenant, user, its tombstone, credential, tombstones of agent and session. Each is a strongly consistent read. */
  gateItems: 6,
  brokerGb: 1,
  rotationDays: 90,
  rolesPerDedicatedTenant: 2,
  /** The stack's own, and room for what an account has besides. */
  otherRoles: 60,
  /** Alarmed metrics, counted metrics, KMS keys and secrets of providers’ administrations that a cell has; the first is what the runbooks promise at most. */
  alarmedMetrics: 160,
  countedMetrics: 10,
  keys: 3,
  adminSecrets: 5,
} as const;

/** How a cell is used, for want of a real one. */
export const assumed = {
  /** Hours of the day in which a tenant works. */
  workingHours: 10,
  /** The busiest minute against the average of those hours. */
  peak: 3,
  /** A use, from request to the end of its stream. */
  secondsPerUse: 3,
  /** How long Lambda keeps an idle environment; AWS promises nothing. */
  warmSeconds: 600,
  /** Environments that a working tenant gets in a day. */
  environmentsPerDay: 20,
  /** Of the calls, those whose token the authorizer has to look at. */
  authorizerShare: 0.1,
  authorizerSeconds: 0.02,
  authorizerGb: 0.5,
  /** Bytes of log lines for one use: the access log's and the broker's. */
  logBytesPerUse: 1_000,
  /** X-Ray’s own default: one in twenty. */
  tracedShare: 0.05,
  daysPerMonth: 30,
  /** Months of attribution that are kept; nothing deletes it by itself. */
  monthsKept: 12,
} as const;

export interface Profile {
  readonly name: string;
  readonly usesPerDay: number;
  readonly credentials: number;
}

export const profiles: readonly Profile[] = [
  { name: 'seldom', usesPerDay: 10, credentials: 1 },
  { name: 'steady', usesPerDay: 500, credentials: 3 },
  { name: 'heavy', usesPerDay: 20_000, credentials: 10 },
];

/** What a cell’s concurrency may be raised to. */
export const concurrencies: readonly number[] = [1_000, 10_000, 50_000];
