import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';

const string = (name: string): { name: string; type: AttributeType } => ({ name, type: AttributeType.STRING });
const shared = {
  partitionKey: string('pk'),
  sortKey: string('sk'),
  billingMode: BillingMode.PAY_PER_REQUEST,
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  deletionProtection: true,
  removalPolicy: RemovalPolicy.RETAIN,
};

/**
 * What Cordon knows of tenants, users and credentials. The index `due` holds keys only, and only of items with something scheduled: finding
 * what is due costs what is due.
 */
export class RegistryTable extends Construct {
  readonly table: Table;

  constructor(parent: Construct, id: string) {
    super(parent, id);
    // Spent nonces and old door keys go by themselves; nothing depends on when.
    this.table = new Table(this, 'Table', { ...shared, timeToLiveAttribute: 'ttl' });
    this.table.addGlobalSecondaryIndex({
      indexName: 'due',
      partitionKey: string('dueShard'),
      sortKey: { name: 'dueAt', type: AttributeType.NUMBER },
      projectionType: ProjectionType.KEYS_ONLY,
    });
  }
}

/**
 * Who used what, when and for whom. Its indexes are local ones, under the tenant's own partition key: IAM checks only the table's key on a
 * write, so a global index would let one tenant write into another's view.
 */
export class AttributionTable extends Construct {
  readonly table: Table;

  constructor(parent: Construct, id: string) {
    super(parent, id);
    this.table = new Table(this, 'Table', shared);
    for (const [indexName, key] of [
      ['byCredential', 'credentialKey'],
      ['byUser', 'userKey'],
      ['bySession', 'sessionKey'],
    ] as const) {
      this.table.addLocalSecondaryIndex({ indexName, sortKey: string(key), projectionType: ProjectionType.ALL });
    }
  }
}

/**
 * Which STS sessions are to be refused, and since when. Not in the registry: the writer of the policy reads it with its own standing role, of all tenants at once, and
 * no standing role reads a tenant's items. Here is nothing but who and when, and only for as long as a session lasts.
 */
export class CutOffsTable extends Construct {
  readonly table: Table;

  constructor(parent: Construct, id: string) {
    super(parent, id);
    this.table = new Table(this, 'Table', { ...shared, timeToLiveAttribute: 'ttl' });
  }
}

/**
 * Who was throttled by which provider, and when; of the last hours. Not in the registry: whoever looks for tenants that are throttled together looks at all of them with its
 * own standing role, and no standing role reads a tenant's items.
 */
export class ThrottlingsTable extends Construct {
  readonly table: Table;

  constructor(parent: Construct, id: string) {
    super(parent, id);
    this.table = new Table(this, 'Table', { ...shared, timeToLiveAttribute: 'ttl' });
  }
}

/**
 * Runs of the isolation tests, each in the partition of the tenant that asked for it. Not in the registry: they are written by a function that has no way to any tenant's
 * items, and hold nothing of a tenant but its name.
 */
export class IsolationTable extends Construct {
  readonly table: Table;

  constructor(parent: Construct, id: string) {
    super(parent, id);
    this.table = new Table(this, 'Table', { ...shared, timeToLiveAttribute: 'ttl' });
    this.table.addLocalSecondaryIndex({
      indexName: 'byStart',
      sortKey: string('startedAt'),
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: ['verificationId', 'requestedBy', 'finishedAt', 'status', 'counts'],
    });
  }
}
