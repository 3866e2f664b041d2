import { RemovalPolicy, Tags } from 'aws-cdk-lib';
import { AccountRootPrincipal, AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { keyUseDenies, ownContextOnly, roleArn, type TenantStatementScope } from './tenant-statements.ts';

/**
 * The key under which every pool tenant's secrets lie. Its policy repeats the path on the encryption context that Secrets Manager sets, for every principal of the account,
 * administrators too: who administers the key cannot decrypt with it.
 */
export class TenantKey extends Construct {
  readonly key: Key;

  constructor(parent: Construct, id: string, scope: TenantStatementScope) {
    super(parent, id);
    const statements = [
      new PolicyStatement({
        sid: 'AdministerWithoutUse',
        principals: [new AccountRootPrincipal()],
        actions: ['Cancel', 'Describe', 'Disable', 'Enable', 'Get', 'List', 'Put', 'Schedule', 'Tag', 'Untag', 'Update'].map(
          (verb) => `kms:${verb}*`,
        ),
        resources: ['*'], // in a key policy: this key
      }),
      new PolicyStatement({
        sid: 'UseForOwnPathThroughSecretsManager',
        principals: [new AccountRootPrincipal()],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions: {
          StringEquals: { 'kms:ViaService': `secretsmanager.${scope.region}.amazonaws.com`, 'kms:CallerAccount': scope.account },
          StringLike: {
            'kms:EncryptionContext:SecretARN': `arn:${scope.partition}:secretsmanager:${scope.region}:${scope.account}:secret:cordon/\${aws:PrincipalTag/TenantId}/*`,
          },
        },
      }),
      // The key pairs by which a tenant hands over a secret: made and opened by the supplier, for its session's own tenant.
      new PolicyStatement({
        sid: 'UseForOwnDoor',
        principals: [new AccountRootPrincipal()],
        actions: ['kms:Decrypt', 'kms:GenerateDataKeyPairWithoutPlaintext'],
        resources: ['*'],
        conditions: {
          ...ownContextOnly,
          ArnEquals: { 'aws:PrincipalArn': roleArn(scope, 'TenantSupplier') },
          StringEquals: { ...ownContextOnly.StringEquals, 'kms:CallerAccount': scope.account },
        },
      }),
      ...keyUseDenies(scope).map((statement) => statement.copy({ principals: [new AnyPrincipal()], effect: Effect.DENY })),
    ];
    this.key = new Key(this, 'Key', {
      description: 'Secrets of pool tenants',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
      policy: new PolicyDocument({ minimize: false, statements }),
    });
    // A key that carries a Tier cannot be tagged as a tenant's own: `TagOwnKeyAtCreation`.
    Tags.of(this.key).add('Tier', 'pool');
  }
}
