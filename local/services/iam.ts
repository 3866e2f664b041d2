/** The IAM service: users, roles, managed policies of every account, and the simulation of what they allow. Source: IAM API Reference. */
import type { LocalKernel } from '../core/kernel.ts';
import type { LocalService } from '../core/service.ts';
import { accountDetailOperations } from './iam-account-details.ts';
import { rolePolicyOperations, userPolicyOperations } from './iam-attached-policies.ts';
import { managedPolicyOperations } from './iam-managed-policies.ts';
import { roleOperations } from './iam-roles.ts';
import { serviceCredentialOperations } from './iam-service-credentials.ts';
import { customSimulationOperations } from './iam-simulate-custom.ts';
import { simulationOperations } from './iam-simulation.ts';
import { userOperations } from './iam-users.ts';

export function createIam(kernel: LocalKernel): LocalService {
  const store = kernel.identities;
  return {
    signingName: 'iam',
    protocol: 'query',
    xmlNamespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
    operations: {
      ...roleOperations(store),
      ...rolePolicyOperations(store),
      ...managedPolicyOperations(store),
      ...userOperations(store),
      ...userPolicyOperations(store),
      ...serviceCredentialOperations(store),
      ...simulationOperations(store),
      ...customSimulationOperations(),
      ...accountDetailOperations(store),
    },
  };
}
