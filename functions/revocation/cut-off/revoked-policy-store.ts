import type { PolicyDocument } from './revoked-statements.ts';

/** The one managed policy that this writer may write. Throws CordonError AWS_UNAVAILABLE | ACCESS_REFUSED | AWS_REFUSED. */
export interface RevokedPolicyStore {
  /**
   * Makes `document` the policy's default version, unless it is already.
   *
   * @returns the ID of the version with it, e.g. `v7`
   */
  put(document: PolicyDocument): Promise<string>;
}
