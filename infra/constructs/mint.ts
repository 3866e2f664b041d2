import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { roleArn, type TenantStatementScope } from './tenant-statements.ts';

/**
 * Lets a function mint tenant sessions of these roles, as far as the trust of each admits it.
 *
 * @param roles names below Cordon's path; with `*`, of roles that are made later
 */
export function mintStatement(scope: TenantStatementScope, sid: string, roles: readonly string[]): PolicyStatement {
  return new PolicyStatement({ sid, actions: ['sts:AssumeRole', 'sts:TagSession'], resources: roles.map((name) => roleArn(scope, name)) });
}
