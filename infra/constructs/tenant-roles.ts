import {
  AccountRootPrincipal,
  ArnPrincipal,
  CfnRole,
  type IPrincipal,
  type IRole,
  ManagedPolicy,
  PolicyDocument,
  PolicyStatement,
} from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import {
  auditorAllows,
  boundaryStatements,
  connectorAllows,
  isolationDenies,
  nothingRevoked,
  provisionerAllows,
  readerAllows,
  revokedPolicyName,
  revokerAllows,
  roleArn,
  rolePath,
  rotatorAllows,
  supplierAllows,
  type TenantRoleName,
  type TenantStatementScope,
  writerAllows,
} from './tenant-statements.ts';

export interface TenantRolesProps {
  readonly scope: TenantStatementScope;
  /** The one function that mints tenant sessions from verified tokens. */
  readonly sessionsRole: IRole;
  /** Workers that act for the tenant an event names. */
  readonly eventWorkerRoles: readonly IRole[];
  /** The event worker that may also make a dedicated tenant's roles and key. */
  readonly provisioningRole: IRole;
  /** The function that takes customers' own keys, from a token it has verified itself. */
  readonly doorRole: IRole;
  /** The worker that replaces keys before they are old. */
  readonly rotationRole: IRole;
  /** The worker that ends what is revoked. */
  readonly revocationRole: IRole;
}

/** The operator's role, which reads what has become of a tenant, and the one that cleans up after it. */
const outliveCutOffs: ReadonlySet<TenantRoleName> = new Set(['TenantAuditor', 'TenantRevoker']);

/** The constant roles that every tenant shares: two tenants or 100,000, these are all. */
export class TenantRoles extends Construct {
  readonly boundary: ManagedPolicy;
  readonly isolation: ManagedPolicy;
  /** Refuses sessions that were cut off; written anew at run time, by its one writer. */
  readonly revoked: ManagedPolicy;
  readonly readerAccess: ManagedPolicy;
  readonly writerAccess: ManagedPolicy;
  readonly reader: CfnRole;
  readonly writer: CfnRole;
  readonly supplier: CfnRole;
  readonly rotator: CfnRole;
  readonly revoker: CfnRole;
  readonly provisioner: CfnRole;
  readonly auditor: CfnRole;
  readonly connector: CfnRole;
  /** The second principal in the proof of a customer's role, which has to refuse it. */
  readonly probe: CfnRole;

  constructor(parent: Construct, id: string, props: TenantRolesProps) {
    super(parent, id);
    const { scope } = props;
    this.isolation = this.#policy('TenantIsolation', isolationDenies(scope));
    this.revoked = this.#policy(revokedPolicyName, nothingRevoked());
    this.boundary = this.#policy('TenantBoundary', boundaryStatements(scope));
    this.readerAccess = this.#policy('TenantReaderAccess', readerAllows(scope));
    this.writerAccess = this.#policy('TenantWriterAccess', writerAllows(scope));

    const oneTenant = { StringLike: { 'aws:RequestTag/TenantId': '?*' } };
    // A session keeps its tenant to itself: tags that travel along a role chain could not be checked where they arrive.
    const notTransitive = { 'sts:TransitiveTagKeys': 'true' };
    const sameTenant = {
      StringLike: { 'aws:RequestTag/TenantId': '?*' },
      StringEquals: { 'aws:RequestTag/TenantId': '${aws:PrincipalTag/TenantId}' },
    };
    const tags = (...keys: string[]): object => ({ 'ForAllValues:StringEquals': { 'aws:TagKeys': keys } });
    /** A user may be named, and not by an empty name. */
    const tenantAndUser = { ...tags('TenantId', 'UserId'), StringLikeIfExists: { 'aws:RequestTag/UserId': '?*' } };

    this.reader = this.#role('TenantReader', this.readerAccess, [
      trust('MintFromVerifiedToken', new ArnPrincipal(props.sessionsRole.roleArn), {
        ...oneTenant,
        ...tenantAndUser,
        Null: notTransitive,
      }),
      // The role's own sessions may become the session of one of their tenant's users, once.
      trust('AddUserToOwnSession', new AccountRootPrincipal(), {
        ArnEquals: { 'aws:PrincipalArn': roleArn(scope, 'TenantReader') },
        StringEquals: sameTenant.StringEquals,
        StringLike: { ...sameTenant.StringLike, 'aws:RequestTag/UserId': '?*' },
        ...tags('TenantId', 'UserId'),
        Null: { 'aws:PrincipalTag/UserId': 'true', ...notTransitive },
      }),
    ]);

    this.writer = this.#role(
      'TenantWriter',
      this.writerAccess,
      props.eventWorkerRoles.map((role, index) =>
        trust(`WorkForEventsTenant${index}`, new ArnPrincipal(role.roleArn), {
          ...oneTenant,
          // Whoever provisions also stores what is a user's; connections are a tenant's.
          ...(role === props.provisioningRole ? tenantAndUser : tags('TenantId')),
          Null: notTransitive,
        }),
      ),
    );

    this.supplier = this.#role('TenantSupplier', this.#policy('TenantSupplierAccess', supplierAllows(scope)), [
      trust('SupplyFromVerifiedToken', new ArnPrincipal(props.doorRole.roleArn), {
        ...oneTenant,
        ...tenantAndUser,
        Null: notTransitive,
      }),
    ]);

    this.rotator = this.#role('TenantRotator', this.#policy('TenantRotatorAccess', rotatorAllows(scope)), [
      trust('RotateForEventsTenant', new ArnPrincipal(props.rotationRole.roleArn), {
        ...oneTenant,
        ...tenantAndUser,
        Null: notTransitive,
      }),
    ]);

    this.revoker = this.#role('TenantRevoker', this.#policy('TenantRevokerAccess', revokerAllows(scope)), [
      trust('RevokeForEventsTenant', new ArnPrincipal(props.revocationRole.roleArn), {
        ...oneTenant,
        ...tenantAndUser,
        Null: notTransitive,
      }),
    ]);

    const provisionerAccess = this.#policy(
      'TenantProvisionerAccess',
      provisionerAllows(scope, {
        boundaryArn: this.boundary.managedPolicyArn,
        attachableArns: [this.isolation, this.revoked, this.readerAccess, this.writerAccess].map((policy) => policy.managedPolicyArn),
      }),
    );
    this.provisioner = this.#role('TenantProvisioner', provisionerAccess, [
      trust('MakeDedicatedTenant', new ArnPrincipal(props.provisioningRole.roleArn), {
        ...oneTenant,
        ...tags('TenantId'),
        Null: notTransitive,
      }),
    ]);

    this.auditor = this.#role('TenantAuditor', this.#policy('TenantAuditorAccess', auditorAllows(scope)), [
      // Whom of the account: those whose own policy lets them, that is `OperatorAccess`; never a tenant's session.
      trust('ReadOneTenant', new AccountRootPrincipal(), {
        ...oneTenant,
        ...tags('TenantId'),
        Null: { 'aws:PrincipalTag/TenantId': 'true', ...notTransitive },
      }),
    ]);

    const connectorAccess = this.#policy('ByocConnectorAccess', connectorAllows(scope));
    this.connector = this.#role('ByocConnector', connectorAccess, [
      trust('ConnectOwnCustomer', new AccountRootPrincipal(), {
        ArnEquals: {
          'aws:PrincipalArn': [
            'TenantReader',
            'TenantWriter',
            'TenantAgent-${aws:PrincipalTag/TenantId}',
            'TenantAgent-${aws:PrincipalTag/TenantId}.writer',
          ].map((name) => roleArn(scope, name)),
        },
        ...sameTenant,
        ...tags('TenantId'),
        Null: notTransitive,
      }),
    ]);
    this.probe = this.#role('ByocProbe', connectorAccess, [
      trust('ProbeOwnCustomer', new AccountRootPrincipal(), {
        ArnEquals: { 'aws:PrincipalArn': roleArn(scope, 'TenantWriter') },
        ...sameTenant,
        ...tags('TenantId'),
        Null: notTransitive,
      }),
    ]);
  }

  #policy(managedPolicyName: string, statements: PolicyStatement[]): ManagedPolicy {
    const document = new PolicyDocument({ minimize: false, statements });
    return new ManagedPolicy(this, managedPolicyName, { managedPolicyName, path: rolePath, document });
  }

  #role(roleName: TenantRoleName, access: ManagedPolicy, trusts: PolicyStatement[]): CfnRole {
    return new CfnRole(this, roleName, {
      roleName,
      path: rolePath,
      assumeRolePolicyDocument: new PolicyDocument({ minimize: false, statements: trusts }),
      managedPolicyArns: [
        access.managedPolicyArn,
        this.isolation.managedPolicyArn,
        ...(outliveCutOffs.has(roleName) ? [] : [this.revoked.managedPolicyArn]),
      ],
      permissionsBoundary: this.boundary.managedPolicyArn,
    });
  }
}

function trust(sid: string, principal: IPrincipal, conditions: Record<string, unknown>): PolicyStatement {
  return new PolicyStatement({ sid, actions: ['sts:AssumeRole', 'sts:TagSession'], principals: [principal], conditions });
}
