import type { Connection } from '../../functions/byoc/connection.ts';
import { fieldLines, tableLines } from '../table.ts';
import { timeOf } from './times.ts';

/** By name: whatever else the item holds, the external ID first of all, stays there. */
export function connectionView(item: Connection) {
  const { customerAccountId, status, services, regions, environment, dataClasses, roleName, roleArn, requestedBy, createdAt } = item;
  const { statusReason: reason } = item;
  return {
    ...{ customerAccountId, status, services, regions, environment, dataClasses, roleName, roleArn, requestedBy, createdAt },
    reason: reason && { code: reason.code, message: reason.message, nextStep: reason.nextStep },
    findings: item.findings.map(({ code, message }) => ({ code, message })),
    requestedUntil: timeOf(item.requestedUntil),
    verifiedAt: timeOf(item.verifiedAt),
    probedAt: timeOf(item.probedAt),
    nextProbeAt: timeOf(item.dueAt),
  };
}
export type ConnectionView = ReturnType<typeof connectionView>;

export function connectionTable(connections: readonly ConnectionView[]): readonly string[] {
  return tableLines(
    ['ACCOUNT', 'STATUS', 'SERVICES', 'REGIONS', 'ENVIRONMENT', 'VERIFIED', 'PROBED', 'BECAUSE'],
    connections.map((one) => [
      one.customerAccountId,
      one.status,
      one.services.join(' '),
      one.regions.join(' '),
      one.environment,
      one.verifiedAt,
      one.probedAt,
      one.reason?.code,
    ]),
  );
}

export function connectionLines(one: ConnectionView): readonly string[] {
  const {
    customerAccountId,
    status,
    services,
    regions,
    environment,
    roleName,
    roleArn,
    reason,
    findings,
    verifiedAt,
    probedAt,
    nextProbeAt,
  } = one;
  return [
    ...fieldLines({
      ...{ account: customerAccountId, status, because: reason && `${reason.code}: ${reason.message}`, 'what to do': reason?.nextStep },
      ...{ services: services.join(' '), regions: regions.join(' '), environment, role: roleArn ?? roleName },
      ...{ verified: verifiedAt, probed: probedAt, 'next probe': nextProbeAt },
    }),
    ...(findings.length === 0
      ? []
      : [
          '',
          ...tableLines(
            ['FINDING', 'WHAT'],
            findings.map(({ code, message }) => [code, message]),
          ),
        ]),
  ];
}
