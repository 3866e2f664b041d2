/** Where a deployment of Cordon is, as an operator needs it: names and addresses, no key. */
export interface Place {
  /** For people. */
  readonly label: string;
  readonly eventBusName: string;
  readonly eventLogGroup: string;
  readonly registryTable: string;
  readonly attributionTable: string;
  /** Where runs of the isolation tests are kept. */
  readonly isolationTable: string;
  readonly auditorRoleArn: string;
  readonly tenantsFunctionArn: string;
  /** By the name of the worker they belong to. */
  readonly queues: Readonly<Record<string, { readonly url: string; readonly dlqUrl: string }>>;
}
